"""Searches the input sizes with which a model runs, by walking it with others.

A model that halves its images needs multiples of some number. One whose windows run out
of room needs images of some size at least. One that holds a table needs just one size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shapelint import ops
from shapelint.asked.inputs import TensorSpec
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.image_sizes import (
    at_least,
    count_sides,
    distance,
    enlarge_by,
    list_steps,
    resize_specs,
    round_down,
    round_side,
    round_up,
    sides_text,
)
from shapelint.changes.other_inputs import size_candidate, specs_given
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Failure, Key, Trace
from shapelint.facts.tensors import Shape
from shapelint.fixes.failed_call import FailedCall
from shapelint.fixes.verify import Verifier
from shapelint.ops.own_tables import holds_own_table
from shapelint.ops.record import Family
from shapelint.ops.window_room import find_window_without_room, list_windowed_ops

MOST_WALKS = 28
"""The most walks with other sizes for one failure."""

GROWTH = (2, 4, 8, 16)
"""Factors by which sides are enlarged until every window has room."""

LONGEST = 2**16
"""No side longer than this is tried."""

Pairs = list[tuple[int, int]]


@dataclass
class FittingSizes:
    """The search for one failed call."""

    verifier: Verifier
    failed: FailedCall
    specs: list[TensorSpec]
    sides: Shape
    _seen: dict[Shape, Trace] = field(default_factory=dict)
    _pairs: dict[Key, dict[Shape, Pairs]] = field(default_factory=dict)

    # -- walks with other sides --------------------------------------------------------

    def _walk(self, sides: Shape) -> Trace | None:
        """The walk up to its first failure; None if there were too many."""
        if sides not in self._seen:
            if len(self._seen) >= MOST_WALKS or max(sides) > LONGEST:
                return None
            specs = resize_specs(self.specs, self.sides, sides)
            mode = self.failed.trace.mode
            trace = self.verifier.walk_inputs(tuple(specs), mode)
            self._seen[sides] = trace
            first = _first_failure(trace)
            if first is not None:
                pairs = list(find_required_pairs(first))
                self._pairs.setdefault(first.key, {})[sides] = pairs
        return self._seen[sides]

    def _runs(self, sides: Shape) -> bool:
        trace = self._walk(sides)
        return trace is not None and not trace.failure_count and not trace.given_up

    def _is_too_small(self, sides: Shape) -> bool | None:
        """Whether sides must be longer; None where that cannot be seen."""
        trace = self._walk(sides)
        first = _first_failure(trace) if trace is not None else None
        if first is None or first.failure is None:
            return None
        if _lacks_room(first.failure):
            return True
        known = self._pairs[first.key]
        for other, pairs in known.items():
            is_less = _is_less(known[sides], pairs)
            if other != sides and is_less is not None:
                return is_less
        return None

    # -- multiples ---------------------------------------------------------------------

    def find_multiples(self) -> Iterator[Candidate]:
        """Propose the multiples below and above, the nearest first, of the smallest
        number whose multiples run."""
        steps = list_steps(self.sides, self.failed.call.failure)
        step = next(filter(self._do_multiples_run, steps), None)
        if step is None:
            return
        both = [round_down(self.sides, step), round_up(self.sides, step)]
        if min(both[0]) == 0:
            both = [both[1], enlarge_by(both[1], step)]
        listed = ", ".join(map(sides_text, both))
        why = f"as multiples of {step} work: {listed}"
        likely = self._likely_multiple(step)
        below, above = both
        # of two that are as near, the larger loses nothing
        is_below_nearer = self._distance(below) < self._distance(above)
        for sides in (below, above) if is_below_nearer else (above, below):
            yield self._propose(sides, why, likely)

    def _distance(self, sides: Shape) -> int:
        return distance(self.sides, sides)

    def _do_multiples_run(self, step: int) -> bool:
        """Whether two multiples run, of which one is odd."""
        dims = len(self.sides)
        if 3 * step <= max(self.sides):
            # smaller than what was given, so that the walks are short
            return self._runs((3 * step,) * dims) and self._runs((2 * step,) * dims)
        above = round_up(self.sides, step)
        return self._runs(above) and self._runs(enlarge_by(above, step))

    def _likely_multiple(self, step: int) -> float:
        is_power = step & (step - 1) == 0
        is_round = all(side % 16 == 0 for side in self.sides)
        if is_round and not is_power:
            return weights.INPUT_TO_ODD_MULTIPLE
        return weights.INPUT_TO_MULTIPLE

    # -- a least size, or a single one -------------------------------------------------

    def find_size(self, likely: float) -> Iterator[Candidate]:
        """Propose a size that is large enough, or the one that a table or head was made
        for."""
        bounds = self._find_bounds()
        if bounds is None:
            return
        short, runs, long = bounds
        if long is not None:
            side = self._find_roundest(short, runs, long)
            yield self._propose(at_least(self.sides, side), "the size it fits", likely)
            return
        least = self._find_least(short, runs)
        sides = at_least(self.sides, round_side(least))
        if not self._runs(sides):
            sides = at_least(self.sides, least)
        yield self._propose(sides, f"{least} or more", likely)

    def _find_roundest(self, short: int, runs: int, long: int) -> int:
        """The roundest side with which the model runs, between two with which it does
        not."""
        step = 1
        while step * 2 < long:
            step *= 2
        while step > 1:
            for side in range(short // step * step + step, long, step):
                if self._runs(at_least(self.sides, side)):
                    return side
            step //= 2
        return runs

    def _find_bounds(self) -> tuple[int, int, int | None] | None:
        """A side that is too short, one with which the model runs, and one that is too
        long, if there is one."""
        start = min(self.sides)
        short: int | None = None
        long: int | None = None
        self._walk(self.sides)
        for side in [start * factor for factor in GROWTH]:
            if self._runs(at_least(self.sides, side)):
                return self._bounds_around(short or start, side)
            is_small = self._is_too_small(at_least(self.sides, side))
            if is_small is False:
                long = side
                break
            short = side if is_small else short
        if long is None:
            return None
        if short is None and self._is_too_small(self.sides) is not True:
            short, long = 1, min(long, start)
        return self._bisect(short or start, long)

    def _bounds_around(self, short: int, runs: int) -> tuple[int, int, int | None]:
        """Whether the model runs with any larger side, too."""
        beyond = 2 * runs
        is_open = self._runs(at_least(self.sides, beyond))
        return short, runs, None if is_open else beyond

    def _bisect(self, short: int, long: int) -> tuple[int, int, int | None] | None:
        """Search a side with which the model runs between one that is too short and one
        that is too long."""
        while long - short > 1:
            middle = (short + long) // 2
            sides = at_least(self.sides, middle)
            if self._runs(sides):
                return short, middle, long
            is_small = self._is_too_small(sides)
            if is_small is None:
                return None
            short, long = (middle, long) if is_small else (short, middle)
        return None

    def _find_least(self, short: int, runs: int) -> int:
        """The shortest side with which the model runs."""
        least = runs
        while least - short > 1:
            middle = (short + least) // 2
            if self._runs(at_least(self.sides, middle)):
                least = middle
            else:
                short = middle
        return least

    def _propose(self, sides: Shape, why: str, likely: float) -> Candidate:
        specs = resize_specs(self.specs, self.sides, sides)
        return size_candidate(specs, why, likely)


def propose_sizes(verifier: Verifier, failed: FailedCall) -> Iterator[Candidate]:
    """Inputs of another size with which the model runs, as far as the failure is one of
    sizes that follow from the input's."""
    specs = specs_given(verifier.walked)
    sides = _sides_of(specs, failed.trace)
    if not sides:
        return
    search, failure = FittingSizes(verifier, failed, specs, sides), failed.call.failure
    if failed.raised is None and failure is not None:
        likely = _likely_size(failed, failure)
        if likely is not None:
            yield from search.find_size(likely)
            return
    if failed.raised is not None or _is_about_maps(failed.call):
        multiples = list(search.find_multiples())
        yield from multiples
        if not multiples:
            yield from search.find_size(weights.INPUT_OF_SIZE_COMPARED)


def _likely_size(failed: FailedCall, failure: Failure) -> float | None:
    """How plausible an input of a single right size is; None where multiples are what
    may fit."""
    if _lacks_room(failure):
        return weights.INPUT_LARGER
    if holds_own_table(failed.trace, failed.call):
        return weights.INPUT_OF_SIZE_COMPARED
    return None


def _lacks_room(failure: Failure) -> bool:
    """Whether a call failed since its input is too small: a window has no room in it,
    or `reflect` would pad by more than there is."""
    if failure.op == "pad":
        return True
    is_windowed = failure.op in list_windowed_ops() and bool(failure.tensors)
    return is_windowed and find_window_without_room(failure) is not None


def _is_about_maps(call: Call) -> bool:
    """Whether a call failed for sizes that halving or windows may leave wrong."""
    failure = call.failure
    if failure is None or not failure.tensors:
        return False
    op = ops.of(failure.op)
    if op.family is Family.JOINING or op.broadcasts:
        return all(len(fact.shape) >= 3 for fact in failure.tensors)
    is_rearranging = op.regroups or op.misfit is not None
    return is_rearranging and len(failure.tensors[0].shape) >= 3


def _sides_of(specs: list[TensorSpec], trace: Trace) -> Shape:
    """The sides of the first input that has some."""
    for spec in specs:
        dims = count_sides(spec, trace)
        if dims and min(spec.shape) > 0:
            return spec.shape[-dims:]
    return ()


def _first_failure(trace: Trace) -> Call | None:
    return next(trace.failures, None)


def _is_less(pairs: Pairs, others: Pairs) -> bool | None:
    """Whether what follows from the input is less than what it is held against, which
    is the same in both walks."""
    for (one, two), (first, second) in zip(pairs, others, strict=False):
        if two == second and one != first:
            return one < two
        if one == first and two != second:
            return two < one
    return None
