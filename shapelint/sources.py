"""`shapelint check train.py`: files and folders that are read and not run. No torch here."""

from __future__ import annotations

import fnmatch
import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shapelint.diagnostics import Diagnostic, Fix, Span, TargetReport, from_plain
from shapelint.errors import UsageError
from shapelint.fixes.apply import edited_texts
from shapelint.outcome import Outcome
from shapelint.process.readers import Readers
from shapelint.reading.files import BY_MODE, Files, Known
from shapelint.reading.script import read
from shapelint.reading.values import Class
from shapelint.request import Request
from shapelint.rules import Finding, catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.rules.source import SourceRule
from shapelint.suppress import Acted, not_ignored, suppressed
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.notebooks import placed, placed_edit
from shapelint.syntax.own_inputs import has_own_input
from shapelint.syntax.places import file_text, working_copies
from shapelint.syntax.texts import UnreadableError, syntax, with_deep_stack

SKIPPED = {"__pycache__", "node_modules", "build", "dist", "site-packages", "venv", "env"}
"""Folders that are not looked into, beside those whose name begins with a dot."""

ALONE = 40
"""Files from which more than one process reads them."""

SAFE = {"SHP406"}
"""Rules whose fix changes no result."""


def files_below(path: str, exclude: Iterable[str] = ()) -> list[str]:
    """A file, or every Python file and notebook below a folder, those left out that a pattern of `exclude` fits."""
    if os.path.isfile(path):
        return [path]
    patterns = list(exclude)

    def is_out(*parts: str) -> bool:
        file = os.path.abspath(os.path.join(*parts))
        return any(fnmatch.fnmatch(file, pattern) for pattern in patterns)

    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED and not name.startswith(".") and not is_out(folder, name)
        )
        own = sorted(name for name in names if name.endswith((".py", ".ipynb")) and not is_out(folder, name))
        found += [os.path.normpath(os.path.join(folder, name)) for name in own]
    return found


@dataclass
class Read:
    """What was found in files that were read: findings, what suppressed others, and faults of ours."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    acted: set[Acted] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Read) -> None:
        """Put what another process or another file gave with it."""
        self.diagnostics += other.diagnostics
        self.acted |= other.acted
        self.faults += other.faults


def check_source(request: Request, known: Known | None = None) -> Outcome:
    """All that is to be said of a file or folder without running it.

    `known`: by file and class, the layers that act by mode, of models that were walked.
    """
    return with_deep_stack(lambda: _all_of(request, known or {}))


def _all_of(request: Request, known: Known) -> Outcome:
    files = files_below(request.target, request.exclude)
    report = TargetReport(request.target, kind="source")
    if len(files) < ALONE:
        with working_copies(request.texts):
            found = read_files(files, request, known)
    else:
        found = _in_processes(files, request, known)
    if not files:
        found.diagnostics.append(not_loadable(f"no Python file or notebook in `{request.target}`", None, ""))
    once = {
        (item.code, item.span, item.message): item.with_target(request.target) for item in reversed(found.diagnostics)
    }
    report.diagnostics = sorted(once.values(), key=lambda item: item.sort_key)
    report.acted = sorted(found.acted)
    report.files = files
    failed = sum(item.code == "SHP902" for item in found.diagnostics)
    report.status = "failed" if failed and failed >= len(files) else ("partial" if failed else "checked")
    plural = "s" if len(files) != 1 else ""
    report.notes.append(f"read {len(files):,} file{plural}, nothing of it run")
    models = _models_of(files[0]) if len(files) == 1 and files[0] == request.target else []
    if models:
        report.notes.append(f"to walk a model: `shapelint check {request.target}:{models[-1]} --input ...`")
    return Outcome(report, fault="\n".join(found.faults) or None)


def _models_of(file: str) -> list[str]:
    """The model classes that a file defines."""
    scope = Files().scope(file) if file.endswith(".py") else None
    values = scope.names.values() if scope is not None else ()
    return [value.node.name for value in values if isinstance(value, Class) and value.kind == "module"]


def _in_processes(files: list[str], request: Request, known: Known) -> Read:
    asked = {"request": request.dumps(), "known": [[*place, layers] for place, layers in known.items()]}
    all_found = Read()
    for part, answer in Readers(asked).read(files):
        if answer is None:
            message = f"`{part[0]}` cannot be read: the process that read it has died"
            all_found.diagnostics.append(not_loadable(message, None, ""))
            continue
        plain, acted, faults = answer
        all_found.add(Read([from_plain(item) for item in plain], {tuple(place) for place in acted}, faults))
    return all_found


def read_files(files: Iterable[str], request: Request, known: Known) -> Read:
    """What there is in files, one after the other; what goes wrong with one is not the end of the others."""
    all_found = Read()
    for file in files:
        all_found.add(_read_file(file, request, known))
    return all_found


def _read_file(file: str, request: Request, known: Known) -> Read:
    try:
        left, comments = suppressed(not_ignored(_checked(file, request, known), request.ignored_in))
    except Exception:
        return Read([not_loadable(f"shapelint failed on `{file}`", None, "")], faults=[traceback.format_exc()])
    return Read([in_cells(item) for item in left], set(comments))


def _checked(file: str, request: Request, known: Known) -> list[Diagnostic]:
    """The findings in one file, each with the fixes that hold."""
    try:
        syntax(file_text(os.path.abspath(file)))
    except UnreadableError as error:
        span = Span(os.path.abspath(file), error.line, error.column) if error.line else None
        return [not_loadable(f"`{file}` cannot be read: {error}", span, "")]
    except UsageError as error:
        return [not_loadable(f"`{file}` cannot be read: {error}", None, "")]
    found = _findings(file, request.selected, known)
    if not request.fixes:
        return [finding.diagnostic for finding in found]
    return [replace(each.diagnostic, fixes=tuple(_fixes(each, found, file, request, known))) for each in found]


def in_cells(item: Diagnostic) -> Diagnostic:
    """A finding in a notebook with cell and line as its places, its fixes too."""
    if item.span is None or not item.span.file.endswith(".ipynb"):
        return item
    return replace(
        item,
        span=placed(item.span),
        related=tuple(replace(each, span=placed(each.span)) for each in item.related),
        fixes=tuple(replace(fix, edits=tuple(map(placed_edit, fix.edits))) for fix in item.fixes),
    )


def _findings(file: str, selected: Iterable[str], known: Known) -> list[Finding]:
    script = read(file, Files(known))
    if script is None:
        raise UnreadableError("it is no Python that can be parsed")
    rules = [rule for rule in catalogue().rules.values() if isinstance(rule, SourceRule) and rule.code in selected]
    return [finding for rule in rules for finding in rule.check_script(script)]


def _fixes(finding: Finding, before: list[Finding], file: str, request: Request, known: Known) -> Iterator[Fix]:
    """Candidates after which the file is read again: the finding must be gone, and nothing new there."""
    old = Counter(each.diagnostic.code for each in before)
    code = finding.diagnostic.code
    for candidate in finding.candidates:
        if edits_a_check(candidate.edits):
            continue
        texts = edited_texts(request.texts, list(candidate.edits))
        try:
            with working_copies(texts):
                after = _findings(file, request.selected, known)
        except UsageError:
            continue
        new = Counter(each.diagnostic.code for each in after)
        if new[code] < old[code] and all(new[other] <= old[other] for other in new if other != code):
            yield Fix(
                candidate.title, "safe" if code in SAFE else "unsafe", True, candidate.edits, "read again after it"
            )


def layers_walked(reports: Iterable[TargetReport]) -> Known:
    """What walks know of the layers of their models that act by mode."""
    known: Known = {}
    for report in reports:
        path, _, expression = report.target.partition(":")
        name = expression.lstrip(":").partition("(")[0]
        if report.rows and name and os.path.isfile(path) and report.status == "checked":
            known[(os.path.abspath(path), name)] = tuple(
                dict.fromkeys(row.op for row in report.rows if row.op in BY_MODE)
            )
    return known


def is_source(target: str, others: Iterable[str], words: Mapping[str, object]) -> bool:
    """Whether a word of the command line is a file or folder to be read, and not a model to be walked.

    A bare file is walked if it has inputs of its own, or if some are given and no other target takes them.
    """
    path = Path(target)
    if words.get("changed") and path.is_file():
        return True
    if path.is_dir() or (target.endswith(".ipynb") and path.is_file()):
        return True
    if not target.endswith(".py") or not path.is_file():
        return False
    has_input = bool(words.get("inputs") or words.get("input_factory"))
    if has_input:
        return any(_names_a_model(other) for other in others)
    return not has_own_input(os.path.abspath(target))


def _names_a_model(target: str) -> bool:
    return ":" in os.path.splitdrive(target)[1]
