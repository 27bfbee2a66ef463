"""The base class of formats, which convert the outcomes of a run to one text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.render.style import NO_FIXES, Fixes, Style


class Escaping(Enum):
    """How a format makes other people's text (names, messages, source lines) safe.

    `PLAIN`: control characters are escaped in each text, and the whole contains no
    command for GitHub's runner. `COMMANDS`: like `PLAIN`, but some lines are such
    commands, and the format escapes the texts in them. `EXACT`: programs read the true
    strings, which the format escapes with `json_text`."""

    PLAIN = "plain"
    COMMANDS = "commands"
    EXACT = "exact"


@dataclass(frozen=True)
class Wanted:
    """Options of the output. `with_layers`: include the per-layer table, in formats
    that can show it."""

    style: Style
    with_layers: bool = False
    fixes: Fixes = NO_FIXES


class Format:
    """A format.

    A subclass sets the class variables and renders the findings of a check, the layers
    of a model, or both. It is alone in the file of its name in
    `shapelint/render/formats/`, and listed in `shapelint.asked.formats.FORMATS`."""

    name: ClassVar[str]
    escaping: ClassVar[Escaping] = Escaping.PLAIN
    is_for_terminals: ClassVar[bool] = False
    """Whether `--quiet` prints only the findings, by `write_finding`."""

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        """Render the check of some targets."""
        raise NotImplementedError

    def write_finding(self, diagnostic: Diagnostic, style: Style) -> str:
        """Render one finding."""
        raise NotImplementedError

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        """Render the layers of one model."""
        raise NotImplementedError
