"""How far the search for a target's fixes came, and what is said where it was cut."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint.facts.outcome import MORE_TIME


@dataclass
class Searched:
    """How many changes were tried for a target, in all looks. `is_late`: the time limit
    ended the search. `is_spent`: its limit of work did, which is the same on every
    machine."""

    tried: int = 0
    is_late: bool = False
    is_spent: bool = False

    @property
    def note(self) -> str:
        """What the report says of a search that was cut; empty for any other."""
        count = f"{self.tried} {'try' if self.tried == 1 else 'tries'}"
        if self.is_late:
            return f"the search for fixes was cut after {count}: {MORE_TIME}"
        if self.is_spent:
            return f"the search for fixes was cut after {count}, at its limit of work"
        return ""
