"""What a format is: how the outcomes of a run become one text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.render.style import NO_FIXES, Fixes, Style


class Escaping(Enum):
    """What makes other people's text (names, messages, source lines) safe in a format.

    `PLAIN`: all that acts is written out, in each text and then in the whole, where no
    line may be a command for GitHub's runner. `COMMANDS`: as `PLAIN`, but some lines
    are such commands, and the format escapes the texts in them. `EXACT`: programs read
    it and get the true strings; the format escapes them with `json_text`."""

    PLAIN = "plain"
    COMMANDS = "commands"
    EXACT = "exact"


@dataclass(frozen=True)
class Wanted:
    """How a check is to be printed. `with_layers`: with the per-layer table, in formats
    that have room for it."""

    style: Style
    with_layers: bool = False
    fixes: Fixes = NO_FIXES


class Format:
    """One format. A subclass sets the class variables and writes what it can show: the
    findings of a check, the layers of a model, or both.

    It stands alone in the file of its name in `shapelint/render/formats/`, and in
    `shapelint.asked.formats.FORMATS`."""

    name: ClassVar[str]
    escaping: ClassVar[Escaping] = Escaping.PLAIN
    is_for_terminals: ClassVar[bool] = False
    """Whether `--quiet` leaves the findings alone, by `write_finding`."""

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        """All that a check of some targets found."""
        raise NotImplementedError

    def write_finding(self, diagnostic: Diagnostic, style: Style) -> str:
        """One finding, as it stands among others."""
        raise NotImplementedError

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        """The layers of one model."""
        raise NotImplementedError
