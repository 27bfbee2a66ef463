"""Places as other tools want them: URIs, cells of notebooks, and fingerprints that
outlive a moved line."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome
from shapelint.facts.places import Span
from shapelint.syntax.notebooks import CELL
from shapelint.syntax.paths import relative_path
from shapelint.syntax.texts import DISK


@dataclass(frozen=True)
class Finding:
    """A diagnostic with what a report of many targets needs: its target's place in the
    run and a fingerprint."""

    diagnostic: Diagnostic
    outcome: Outcome
    fingerprint: str

    @property
    def place(self) -> Span | None:
        """Where it is shown: its own place, else where its layer is called."""
        return self.diagnostic.place


def findings(outcomes: list[Outcome]) -> list[Finding]:
    """Every finding of a run, each with a fingerprint of its own."""
    seen: Counter[str] = Counter()
    found = []
    for outcome in outcomes:
        for diagnostic in outcome.report.diagnostics:
            name = fingerprint(diagnostic)
            seen[name] += 1
            found.append(
                Finding(
                    diagnostic,
                    outcome,
                    name if seen[name] == 1 else f"{name}:{seen[name]}",
                )
            )
    return found


def fingerprint(diagnostic: Diagnostic) -> str:
    """Of the rule, the file, the class and the qualified name of the layer; without a
    layer, of the line's text.

    Line numbers and sizes are left out: a finding stays the same when code above it
    moves, or a number changes."""
    span = diagnostic.place
    file = relative_path(span.file) if span is not None else ""
    line = (
        DISK.line_of(span.file, span.line).strip()
        if span is not None and not diagnostic.layer
        else ""
    )
    target = diagnostic.target.rpartition(":")[2] if ":" in diagnostic.target else ""
    text = "\0".join(
        (diagnostic.code, file, target.partition("(")[0], diagnostic.layer, line)
    )
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def file_and_cell(name: str) -> tuple[str, str]:
    """`train.ipynb:cell 4` as file and cell; any other file with no cell."""
    file, _, cell = name.partition(CELL)
    return relative_path(file), cell


def uri(name: str) -> str:
    """A file as URI: relative to the working directory when below it, else absolute."""
    shown, _ = file_and_cell(name)
    path = Path(shown)
    return (
        path.as_uri()
        if path.is_absolute()
        else quote(path.as_posix(), errors="surrogateescape")
    )


def plain_text(diagnostic: Diagnostic) -> str:
    """Message, label and first fix in a line or two, for formats without room for
    more."""
    lines = [diagnostic.message + (f": {diagnostic.label}" if diagnostic.label else "")]
    lines += [
        f"help: {fix.title} [{fix.cost}]" if fix.cost else f"help: {fix.title}"
        for fix in diagnostic.fixes[:1]
    ]
    return "\n".join(lines)
