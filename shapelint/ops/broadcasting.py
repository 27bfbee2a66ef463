"""Broadcasting of shapes."""

from __future__ import annotations

from itertools import combinations, zip_longest

from shapelint.facts.tensors import Shape


def merge_shapes(shapes: list[Shape], prefer: int) -> Shape:
    """Broadcast shapes together. If two sizes contradict each other, the one of the
    argument at `prefer` wins."""
    backwards = [shape[::-1] for shape in shapes]
    sizes = []
    for column in zip_longest(*backwards, fillvalue=1):
        preferred = column[prefer]
        others = [size for size in column if size != 1]
        sizes.append(preferred if preferred != 1 else next(iter(others), 1))
    return tuple(sizes[::-1])


def find_clash(shapes: list[Shape]) -> tuple[int, int, int] | None:
    """The first two shapes that do not broadcast, and the dimension in which they
    differ, counted from the last (-1)."""
    for left, right in combinations(range(len(shapes)), 2):
        # sizes are compared from the last dimension backwards; a missing one fits
        backwards = zip(shapes[left][::-1], shapes[right][::-1], strict=False)
        for back, sizes in enumerate(backwards, start=1):
            if sizes[0] != sizes[1] and 1 not in sizes:
                return left, right, -back
    return None
