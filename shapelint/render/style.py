"""The colours of the output, and what a summary says about fixes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.escape import in_one_line
from shapelint.syntax.paths import shown_path

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}

_BEYOND_ASCII = "─✗↻"
"""Characters that tables use if the output can show them."""


@dataclass(frozen=True)
class Style:
    """Whether the output may use colour, and whether it can show more than ASCII."""

    colour: bool = False
    unicode: bool = False

    @classmethod
    def of(cls, color: str, output_file: str | None) -> Style:
        """The style for an output. `color` is the value of `--color`: `auto`, `always`
        or `never`."""
        return cls(_has_colour(color, output_file), _has_unicode(output_file))

    def paint(
        self,
        text: str,
        colour: str | None = None,
        bold: bool = False,
        dim: bool = False,
    ) -> str:
        """Colour a text, if colour is used."""
        if not self.colour:
            return text
        # None, and not False, which would write a code that turns it off.
        return click.style(text, fg=colour, bold=bold or None, dim=dim or None)

    def severity(self, diagnostic: Diagnostic, text: str) -> str:
        """Colour a text by the severity of a finding."""
        return self.paint(text, _COLOURS[diagnostic.severity], bold=True)

    def finding_line(self, diagnostic: Diagnostic) -> str:
        """A finding in one line: place, code and message."""
        place = diagnostic.place
        if place is not None:
            # Python 3.10 knows no columns; the form of the line stays.
            where = f"{shown_path(place.file)}:{place.line}:{place.column or 1}"
        else:
            where = in_one_line(diagnostic.target)
        severity = self.severity(diagnostic, diagnostic.severity.value)
        message = in_one_line(diagnostic.message)
        return f"{where}: {severity}[{diagnostic.code}] {message}"


def _has_colour(color: str, output_file: str | None) -> bool:
    """The flag decides; if it is `auto`, then NO_COLOR, then FORCE_COLOR, then whether
    stdout is a terminal."""
    if color != "auto":
        return color == "always"
    # An empty value is none: https://no-color.org, https://force-color.org
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return output_file is None and sys.stdout.isatty()


def _has_unicode(output_file: str | None) -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        _BEYOND_ASCII.encode("utf-8" if output_file else encoding)
    except (UnicodeEncodeError, LookupError):  # the latter: Python has no such encoding
        return False
    return True


@dataclass(frozen=True)
class Fixes:
    """The number of fixes made, whether unsafe ones were allowed, and whether fixing
    was asked for."""

    made: int = 0
    unsafe: bool = False
    wanted: bool = False


NO_FIXES = Fixes()
