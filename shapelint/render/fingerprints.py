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
class ReportedFinding:
    """A diagnostic in a report of many targets: the outcome it is from, and a
    fingerprint that no other finding of the report has."""

    diagnostic: Diagnostic
    outcome: Outcome
    fingerprint: str

    @property
    def place(self) -> Span | None:
        """Where it is shown: its own place, else where its layer is called."""
        return self.diagnostic.place


def list_findings(outcomes: list[Outcome]) -> list[ReportedFinding]:
    """Every finding of a run; of equal ones the second is numbered 2, and so on."""
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

    Line numbers and sizes are left out: a finding stays the same when code above it
    moves, or a number changes."""
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
    """`train.ipynb:cell 4` as file and cell; any other file with no cell."""
    file, _, cell = name.partition(CELL)
    return relative_path(file), cell


def uri(name: str) -> str:
    """A file as URI: relative to the working directory when below it, else absolute."""
    file, _ = file_and_cell(name)
    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix(), errors="surrogateescape")


def plain_text(diagnostic: Diagnostic) -> str:
    """Message, label and first fix in a line or two, for formats without room for
    more."""
    text = diagnostic.message
    if diagnostic.label:
        text += f": {diagnostic.label}"
    for fix in diagnostic.fixes[:1]:
        cost = f" [{fix.cost}]" if fix.cost else ""
        text += f"\nhelp: {fix.title}{cost}"
    return text
