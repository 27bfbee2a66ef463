"""Makes every text of an outcome safe to print, and puts it on one line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

from shapelint.facts.diagnostics import Edit
from shapelint.facts.escape import in_one_line, visible
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span

_FILES = {"file", "files", "acted", "made", "called"}
"""Fields that name files. Formats read lines by these names, and print them with
`shown_path`."""

_SEVERAL_LINES = {"tree", "fault"}
"""Fields whose newlines are kept."""


def make_safe(outcome: Outcome) -> Outcome:
    """A safe copy for formats that people read. The original keeps the true names for
    formats that programs read."""
    copy = _make_safe(outcome)
    assert isinstance(copy, Outcome)
    return copy


def _make_safe(value: object) -> object:
    # Our own words are subclasses of `str` (`facts.kinds`) and stay unchanged.
    if type(value) is str:
        return in_one_line(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_make_safe, value))
    # Spans and edits are not printed: they say where to read and what to write.
    if not is_dataclass(value) or isinstance(value, (type, Span, Edit)):
        return value
    changed: dict[str, object] = {}
    for field in fields(value):
        if field.name in _FILES:
            continue
        old = getattr(value, field.name)
        if field.name in _SEVERAL_LINES and old is not None:
            changed[field.name] = visible(old)
        else:
            changed[field.name] = _make_safe(old)
    return replace(value, **changed)
