"""What is answered when a model asks a tensor for its value, and what that makes the
walk assume."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.facts.graph import Assumption
from shapelint.facts.places import Site
from shapelint.tracing.frames import Ownership
from shapelint.tracing.session import default_stand_in

PATIENCE = 1
"""How often in a row one place gets the same stand-in before it flips; a loop on data
must end."""


class Values:
    """The answers given in one walk.

    `forced` holds answers that an earlier walk showed to be needed, by place.
    """

    def __init__(self, ownership: Ownership, forced: dict[Site, bool]) -> None:
        self.ownership = ownership
        self.forced = forced
        self.assumptions: list[Assumption] = []
        self.handed_out_number = False
        self._asked: dict[tuple[Site | None, tuple[int, ...]], int] = {}
        self._stood_in = False
        self.module_serials: tuple[int, ...] = ()

    def stand_in(self, tensor: torch.Tensor) -> Any:
        """The value of a fake scalar: True first; asked again at the same place of the
        same call, it flips."""
        self._stood_in = True
        value = default_stand_in(tensor)
        key = (self.ownership.nearest(), self.module_serials)
        count = self._asked[key] = self._asked.get(key, 0) + 1
        if isinstance(value, bool):
            return value if count <= PATIENCE else count % 2 == 1
        self.handed_out_number = True
        return type(value)(value + count - 1)

    def force(self, name: str, site: Site | None) -> bool | None:
        """The answer that was decided for this place before the walk, if any."""
        if name not in ("bool", "is_nonzero") or site is None:
            return None
        return self.forced.get(site)

    def note(
        self,
        name: str,
        tensor: torch.Tensor,
        answer: Any,
        site: Site | None,
        layer: str,
        forced: bool,
    ) -> None:
        """Remember that the walk hangs on this answer."""
        text = f"f a tensor of shape ({', '.join(map(str, tensor.shape))})"
        shown = repr(answer) if isinstance(answer, (bool, int, float)) else "its values"
        what = "the truth o" if name == "bool" else f"`.{name}()` o"
        stand_in, self._stood_in = self._stood_in, False
        self.assumptions.append(
            Assumption(what + text, shown, site, layer, forced, stand_in)
        )
