"""einops: the axes of a pattern, with the lengths that were given or that arrive."""

from __future__ import annotations

import math
import re

from shapelint.facts.graph import Failure, Shape
from shapelint.ops import recovers

OPS = ("einops.rearrange", "einops.repeat", "einops.reduce")


def axes(side: str) -> list[list[str]] | None:
    """The axes of each dimension of one side of a pattern; None where it has an
    ellipsis."""
    if "..." in side or "…" in side:
        return None
    return [
        part.strip("()").split() for part in re.findall(r"\([^)]*\)|[^\s()]+", side)
    ]


def lengths_of(failure: Failure) -> dict[str, int]:
    """The axes whose length was given, or follows from what arrives; a length given
    wrongly stays as it was given."""
    given = {
        name: size for name, size in failure.kwargs.items() if isinstance(size, int)
    }
    left = axes(str(failure.args[1]).partition("->")[0])
    shape = failure.tensors[0].shape
    for names, size in zip(left or [], shape, strict=False):
        unknown = [name for name in names if name not in given and not name.isdigit()]
        known = math.prod(
            given.get(name, int(name) if name.isdigit() else 1) for name in names
        )
        if len(unknown) == 1:
            given[unknown[0]] = max(1, size // known) if known else 1
    return given


@recovers(*OPS)
def rearranged(failure: Failure) -> list[Shape]:
    right = axes(str(failure.args[1]).partition("->")[2])
    known = lengths_of(failure)
    names = [name for part in right or [] for name in part if not name.isdigit()]
    if right is None or any(name not in known for name in names):
        return []
    return [
        tuple(
            math.prod(
                known.get(name, int(name) if name.isdigit() else 1) for name in part
            )
            for part in right
        )
    ]
