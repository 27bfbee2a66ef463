"""The answers that a model gets when it asks for a tensor's value, and a record of what
the walk assumed."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from shapelint.facts.graph import Assumption
from shapelint.facts.places import Site
from shapelint.tracing.fake_tensors import Scalar, default_value
from shapelint.tracing.ownership import Ownership

PATIENCE = 1
"""How often in a row one place gets the same stand-in before it flips, so that a loop
on data ends."""


class Answers:
    """The answers given in one walk. `forced` holds, by place, the answers that an
    earlier walk showed to be necessary."""

    def __init__(self, ownership: Ownership, forced: Mapping[Site, bool]) -> None:
        self.ownership = ownership
        self.forced = forced
        self.assumptions: list[Assumption] = []
        self.handed_out_number = False
        """Whether a number was made up. Whatever follows from it is uncertain."""
        self.module_serials: tuple[int, ...] = ()
        """The serial numbers of the running module calls."""
        self._times_asked: dict[tuple[Site | None, tuple[int, ...]], int] = {}
        self._stood_in = False

    def stand_in(self, tensor: Tensor) -> Scalar:
        """Make up a value for a fake scalar.

        When the same place asks again, a truth value stays the same PATIENCE times and
        then alternates; a number grows by one each time. So every loop ends,
        `while n < 10` as well as `while not done`."""
        self._stood_in = True
        place = (self.ownership.nearest(), self.module_serials)
        times = self._times_asked.get(place, 0) + 1
        self._times_asked[place] = times
        value = default_value(tensor)
        if isinstance(value, bool):
            # Most questions are checks that hold, so the first answer is kept for a
            # while before a loop that waits for the other one is let go.
            return value if times <= PATIENCE else times % 2 == 1
        self.handed_out_number = True
        return value + times - 1

    def find_forced_answer(self, name: str, site: Site | None) -> bool | None:
        """The answer that was decided for this place before the walk, if there is
        one."""
        if name not in ("bool", "is_nonzero") or site is None:
            return None
        return self.forced.get(site)

    def note(
        self,
        name: str,
        tensor: Tensor,
        answer: object,
        site: Site | None,
        layer: str,
        forced: bool,
    ) -> None:
        """Record that the walk depends on this answer."""
        shape = ", ".join(map(str, tensor.shape))
        question = "the truth of" if name == "bool" else f"`.{name}()` of"
        is_scalar = isinstance(answer, (bool, int, float))
        self.assumptions.append(
            Assumption(
                f"{question} a tensor of shape ({shape})",
                repr(answer) if is_scalar else "its values",
                site,
                layer,
                forced,
                self._stood_in,
                answer if isinstance(answer, bool) else None,
            )
        )
        self._stood_in = False
