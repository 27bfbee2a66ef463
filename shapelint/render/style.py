"""How output is coloured, and what a summary says of fixes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import in_one_line
from shapelint.syntax.paths import shown_path

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@dataclass(frozen=True)
class Style:
    """Whether to use colour, and whether the output can show more than ASCII."""

    colour: bool = False
    unicode: bool = False

    @classmethod
    def of(cls, color: str, output_file: str | None) -> Style:
        """What the flag says; else NO_COLOR, else FORCE_COLOR, else whether stdout is a
        terminal."""
        encoding = (
            "utf-8"
            if output_file
            else (getattr(sys.stdout, "encoding", None) or "ascii")
        )
        try:
            "─✗↻".encode(encoding)
            can = True
        except (UnicodeEncodeError, LookupError):
            can = False
        if color != "auto":
            return cls(color == "always", can)
        if os.environ.get("NO_COLOR"):
            return cls(False, can)
        if os.environ.get("FORCE_COLOR"):
            return cls(True, can)
        return cls(output_file is None and sys.stdout.isatty(), can)

    def paint(
        self,
        text: str,
        colour: str | None = None,
        bold: bool = False,
        dim: bool = False,
    ) -> str:
        """The text in colour, if colour is wanted."""
        return (
            click.style(text, fg=colour, bold=bold or None, dim=dim or None)
            if self.colour
            else text
        )

    def severity(self, diagnostic: Diagnostic, text: str) -> str:
        """The text in the colour of a finding."""
        return self.paint(text, _COLOURS[diagnostic.severity], bold=True)

    def finding_line(self, diagnostic: Diagnostic) -> str:
        """A finding in one line: place, code, message."""
        place = diagnostic.place
        target = in_one_line(diagnostic.target)
        where = (
            f"{shown_path(place.file)}:{place.line}:{place.column or 1}"
            if place
            else target
        )
        severity = self.severity(diagnostic, diagnostic.severity.value)
        return (
            f"{where}: {severity}[{diagnostic.code}] {in_one_line(diagnostic.message)}"
        )


@dataclass(frozen=True)
class Fixes:
    """How many fixes were made, whether unsafe ones were wanted, and whether any
    were."""

    made: int = 0
    unsafe: bool = False
    wanted: bool = False


NO_FIXES = Fixes()
