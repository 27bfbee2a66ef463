"""What is known of a target as it is printed: every text in it safe and in its line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from shapelint.facts.diagnostics import Edit
from shapelint.facts.escape import in_one_line, visible
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span

_FILES = {"file", "files", "acted", "made", "called"}
"""Fields that name files: they are read for their lines, and printed by
`shown_path`."""

_LINES = {"tree", "fault"}
"""Fields that are texts of several lines."""


def shown(outcome: Outcome) -> Outcome:
    """A copy for formats that people read; the original keeps the true names, for those
    that programs read."""
    copy: Outcome = _shown(outcome)
    return copy


def _shown(value: Any) -> Any:
    if type(value) is str:
        return in_one_line(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_shown, value))
    if not is_dataclass(value) or isinstance(value, (type, Span, Edit)):
        return value
    names = [field.name for field in fields(value) if field.name not in _FILES]
    return replace(
        value, **{name: _field(name, getattr(value, name)) for name in names}
    )


def _field(name: str, value: Any) -> Any:
    return visible(value) if name in _LINES and value is not None else _shown(value)
