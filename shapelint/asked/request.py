"""What the parent asks of the worker: plain data, one target."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shapelint.facts.kinds import Mode
from shapelint.facts.plain import from_plain, to_plain

STEP = b"step: "
"""How a line of the worker begins that says what it is about to do; the first line
without such a beginning is its answer."""

SO_FAR = b"so far: "
"""How a line begins that holds a report of what was walked, before fixes are looked
for."""

DONE = "done"

STEPS = (
    "importing torch",
    "loading",
    "walking in train mode",
    "walking in eval mode",
    "looking for causes",
    DONE,
)
"""What is done for a target, in order; not all of it for each."""


@dataclass(frozen=True)
class Request:
    """One target to walk. `modes`: train, eval or both; `seconds`: the whole time there
    is.

    `texts`: files, by absolute path, to be looked at as these texts and not as they lie
    on disk. `source` true: a file or folder that is read and not run. `expect`: the
    shapes that must come out. `exclude`: patterns of files that are not read.
    `ignored_in`: codes that are off in files, by pattern; patterns are absolute.
    `propose` true: not to be checked, but an input that it runs with is wanted. `fixes`
    false: only the report is wanted. `tree` true: torchinfo's module tree too;
    `picture`: what to draw."""

    target: str
    inputs: tuple[str, ...] = ()
    input_factory: str | None = None
    modes: tuple[Mode, ...] = (Mode.TRAIN, Mode.EVAL)
    selected: tuple[str, ...] = ()
    thresholds: dict[str, Any] = field(default_factory=dict)
    seconds: float = 60.0
    fixes: bool = True
    tree: bool = False
    picture: bool = False
    propose: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    source: bool = False
    expect: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignored_in: dict[str, list[str]] = field(default_factory=dict)

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(to_plain(self))

    @classmethod
    def loads(cls, text: str) -> Request:
        """The inverse of `dumps`."""
        return from_plain(cls, json.loads(text))
