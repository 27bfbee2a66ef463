"""Keeps track of guessed results of failed calls, and of the calls computed from
them."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.facts.kinds import Mode
from shapelint.fixes.failed_call import FailedCall
from shapelint.ops.record import Family
from shapelint.rules import catalogue


class GuessedResults:
    """The calls, for each mode, whose results are only guesses."""

    def __init__(self) -> None:
        self._doubtful: dict[Mode, set[int]] = {}

    def add(self, failed: FailedCall) -> None:
        """Doubt the result of a failed call, and everything computed only from it, if
        nothing explains the failure and no weight determines its size.

        No weight determines the length of a missing dimension."""
        finding, broken = failed.finding, failed.call
        rule = catalogue().rules[finding.diagnostic.code]
        no_rank = rule.leaves_size_open
        if (broken.params and not no_rank) or finding.call is None:
            return
        doubtful = self._doubtful.setdefault(failed.trace.mode, set())
        doubtful.add(broken.index)
        for call in failed.trace.calls[broken.index + 1 :]:
            is_sized_by_weights = call.params and not no_rank
            if not is_sized_by_weights and _is_computed_of(call, doubtful):
                doubtful.add(call.index)

    def are_under(self, failed: FailedCall) -> bool:
        """Whether a call fails on the guessed result of another one. Its failure then
        follows from the first bug."""
        doubtful = self._doubtful.get(failed.trace.mode, set())
        call = failed.call
        fed = set(call.producers)
        if call.main_argument is not None and call.params:
            fed = {call.producers[call.main_argument]}
        return bool(doubtful & fed)


def _is_computed_of(call: Call, doubtful: set[int]) -> bool:
    facts = zip(call.producers, call.inputs, strict=False)
    given = {index for index, fact in facts if index >= 0 and fact.shape}
    if not given:
        return False
    # a join needs the sizes of all operands; for a sum, one known side is enough
    if ops.is_of(call.op, Family.JOINING):
        return bool(doubtful & given)
    return given <= doubtful
