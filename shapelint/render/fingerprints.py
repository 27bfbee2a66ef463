"""Places in the form that other tools need: URIs, cells of notebooks, and fingerprints
that stay when a line moves."""

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
class ReportedFinding:
    """A diagnostic in a report on several targets, with its outcome and a fingerprint
    that is unique in the report."""

    diagnostic: Diagnostic
    outcome: Outcome
    fingerprint: str

    @property
    def place(self) -> Span | None:
        """The place to show: the finding's own, or else the call of its layer."""
        return self.diagnostic.place


def list_findings(outcomes: list[Outcome]) -> list[ReportedFinding]:
    """Every finding of a run. Equal fingerprints are numbered, from 2 on."""
    seen: Counter[str] = Counter()
    found = []
    for outcome in outcomes:
        for diagnostic in outcome.report.diagnostics:
            name = fingerprint(diagnostic)
            seen[name] += 1
            own = name if seen[name] == 1 else f"{name}:{seen[name]}"
            found.append(ReportedFinding(diagnostic, outcome, own))
    return found


def fingerprint(diagnostic: Diagnostic) -> str:
    """A hash of the rule, the file, the class and the qualified name of the layer;
    without a layer, of the line's text.

    Line numbers and sizes are left out, so that it stays the same when code above moves
    or a number changes."""
    span = diagnostic.place
    file = relative_path(span.file) if span is not None else ""
    line = ""
    if span is not None and not diagnostic.layer:
        line = DISK.line_of(span.file, span.line).strip()
    # Not the arguments: `Net(10)` and `Net(20)` have the same bug.
    _, colon, expression = diagnostic.target.rpartition(":")
    class_name = expression.partition("(")[0] if colon else ""
    text = "\0".join((diagnostic.code, file, class_name, diagnostic.layer, line))
    # Half a SHA-256 is more than enough, and baselines stay readable.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def file_and_cell(name: str) -> tuple[str, str]:
    """Split `train.ipynb:cell 4` into file and cell. Any other file has no cell."""
    file, _, cell = name.partition(CELL)
    return relative_path(file), cell


def uri(name: str) -> str:
    """A file as a URI: relative to the working directory if it is below it, otherwise
    absolute."""
    file, _ = file_and_cell(name)
    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix(), errors="surrogateescape")


def plain_text(diagnostic: Diagnostic) -> str:
    """Message, label and first fix in one or two lines, for formats without room for
    more."""
    text = diagnostic.message
    if diagnostic.label:
        text += f": {diagnostic.label}"
    for fix in diagnostic.fixes[:1]:
        cost = f" [{fix.cost}]" if fix.cost else ""
        text += f"\nhelp: {fix.title}{cost}"
    return text
