"""Shapes that are laid over each other."""

from __future__ import annotations

from itertools import zip_longest

from shapelint.facts.graph import Shape


def merged(shapes: list[Shape], prefer: int) -> Shape:
    """Shapes broadcast together; where two sizes contradict, the preferred
    argument's."""
    backwards = [shape[::-1] for shape in shapes]
    sizes = []
    for column in zip_longest(*backwards, fillvalue=1):
        preferred = column[prefer]
        others = [size for size in column if size != 1]
        sizes.append(preferred if preferred != 1 else next(iter(others), 1))
    return tuple(sizes[::-1])
