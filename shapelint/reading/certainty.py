"""Finds what holds on every path through a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shapelint.reading.events import Path
from shapelint.reading.purposes import is_evaluation
from shapelint.reading.values import Forward

Place = tuple[str, int, int]


def find_certain(
    paths: list[Path], is_wrong: Callable[[Forward], bool]
) -> Iterator[Forward]:
    """Evaluating calls that are wrong on every path on which they evaluate, and
    differentiated on none.

    If a place runs several times on a path, one wrong call makes the path wrong."""
    wrong_by_place: dict[Place, list[Forward | None]] = {}
    for path in paths:
        for place, wrong in _evaluations(path, is_wrong).items():
            wrong_by_place.setdefault(place, []).append(wrong)
        for call in path.forwards:
            # A gradient with respect to the input, as for saliency: neither mode nor recording
            # is a mistake there.
            if call.for_gradient:
                wrong_by_place.setdefault(call.at.place, []).append(None)
    for calls in wrong_by_place.values():
        # One path on which it is right is enough to be silent.
        if calls[0] is not None and None not in calls:
            yield calls[0]


def _evaluations(
    path: Path, is_wrong: Callable[[Forward], bool]
) -> dict[Place, Forward | None]:
    """For each place that evaluates on a path, its first wrong call, or None if all are
    right."""
    found: dict[Place, Forward | None] = {}
    for call in path.forwards:
        if is_evaluation(call):
            known = found.get(call.at.place)
            found[call.at.place] = known or (call if is_wrong(call) else None)
    return found
