"""Requests to a worker process as plain data, one for each target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from shapelint.asked.settings import DEFAULTS
from shapelint.facts.kinds import Mode
from shapelint.facts.plain import from_plain, to_plain

STEP = b"step: "
"""Prefix of the worker's lines that announce a step. The first line without a known
prefix is its answer."""

SO_FAR = b"so far: "
"""Prefix of the worker's line that holds the report of the walk, before it searches for
fixes."""

DONE = "done"

STEPS = (
    "importing torch",
    "loading",
    "walking in train mode",
    "walking in eval mode",
    "looking for causes",
    DONE,
)
"""The steps of checking a target, in order. Some targets skip some of them."""


@dataclass(frozen=True)
class Walk:
    """The request to load, walk and check a model.

    `seconds`: time limit for all of it. `texts`: edited files by absolute path, which
    replace those on disk. `expect`: the shapes that the output must have. `ignored_in`:
    codes that are off in files, by patterns of absolute paths. `fixes`: whether to
    search for changes that fix a finding. `tree`: whether to add torchinfo's module
    tree. `picture`: whether to record a picture."""

    target: str
    inputs: tuple[str, ...] = ()
    input_factory: str | None = None
    modes: tuple[Mode, ...] = (Mode.TRAIN, Mode.EVAL)
    selected: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=lambda: DEFAULTS.thresholds)
    seconds: float = DEFAULTS.timeout
    fixes: bool = True
    tree: bool = False
    picture: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    expect: tuple[str, ...] = ()
    ignored_in: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """The request to read a file or folder without running it.

    `exclude`: patterns of files to leave out. `texts` and `ignored_in`: as in
    `Walk`."""

    target: str
    selected: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    ignored_in: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Propose:
    """The request to find an input that a model runs with. `seconds`: as in `Walk`."""

    target: str
    seconds: float = DEFAULTS.timeout


ModelRequest = Walk | Propose
"""Requests for which a worker imports the user's code."""

Request = Walk | Read | Propose

_KINDS: dict[str, type[Request]] = {"walk": Walk, "read": Read, "propose": Propose}


def dump_request(request: Request) -> str:
    """Serialise a request as one line of JSON."""
    kind = next(word for word, each in _KINDS.items() if type(request) is each)
    return json.dumps({"kind": kind, "request": to_plain(request)})


def load_request(text: str) -> Request:
    """Parse a request. The inverse of `dump_request`.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the text is no request.
    """
    data = json.loads(text)
    return from_plain(_KINDS[data["kind"]], data["request"])
