"""Reads a file or folder without running it, in one process or in several. No torch
here."""

from __future__ import annotations

from shapelint.asked.request import Read, dump_request
from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.kinds import Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.plain import from_plain
from shapelint.process.readers import Readers
from shapelint.reading.scopes import Files, Known
from shapelint.reading.values import Class, ClassKind
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.sources.file_search import find_files
from shapelint.sources.read_source import FoundInFiles, read_files
from shapelint.syntax.parsing import run_with_deep_stack
from shapelint.syntax.texts import DISK, Texts

ALONE = 40
"""The number of files from which several processes read them."""


def check_source(request: Read, known: Known | None = None) -> Outcome:
    """Check a file or folder without running it.

    `known`: the mode-dependent layers of models that were walked, by file and class."""
    # a file may be nested deeper than the stack of a thread is by default
    return run_with_deep_stack(lambda: _check_files(request, known or {}))


def _check_files(request: Read, known: Known) -> Outcome:
    files = find_files(request.target, request.exclude)
    texts = DISK.with_copies(request.texts)
    is_small = len(files) < ALONE
    found = (
        read_files(files, request, texts, known)
        if is_small
        else _read_in_processes(files, request, known)
    )
    if not files:
        message = f"no Python file or notebook in `{request.target}`"
        found.diagnostics.append(not_loadable(message, None, ""))
    unreadable = sum(item.is_unchecked for item in found.diagnostics)
    report = TargetReport(
        request.target,
        status=_status(unreadable, len(files)),
        kind=TargetKind.SOURCE,
        files=files,
        diagnostics=_drop_repeated(found.diagnostics, request.target),
        acted=sorted(found.acted),
        notes=_notes(request, files, texts),
    )
    return Outcome(report, fault="\n".join(found.faults) or None)


def _drop_repeated(found: list[Diagnostic], target: str) -> list[Diagnostic]:
    """Keep the first of equal findings. Several files may report the same one in a file
    that they all import."""
    once = {
        (item.code, item.span, item.message): item.with_target(target)
        for item in reversed(found)  # so that of equal ones the first stays
    }
    return sorted(once.values(), key=lambda item: item.sort_key)


def _notes(request: Read, files: list[str], texts: Texts) -> list[str]:
    if len(files) != 1:
        return [f"read {len(files):,} files without running them"]
    notes = ["read 1 file without running it"]
    is_the_target = files[0] == request.target
    models = _models_of(files[0], texts) if is_the_target else []
    if models:
        target = f"{request.target}:{models[-1]}"
        notes.append(f"to walk a model: `shapelint check {target} --input ...`")
    return notes


def _status(unreadable: int, files: int) -> Status:
    """The status of the target. If there are no files at all, that is a finding of its
    own."""
    if not unreadable:
        return Status.CHECKED
    return Status.PARTIAL if unreadable < files else Status.FAILED


def _models_of(file: str, texts: Texts) -> list[str]:
    """The model classes that a file defines."""
    scope = Files(texts).scope(file) if file.endswith(".py") else None
    values = scope.names.values() if scope is not None else ()
    return [
        value.node.name
        for value in values
        if isinstance(value, Class) and value.kind is ClassKind.MODULE
    ]


def _read_in_processes(files: list[str], request: Read, known: Known) -> FoundInFiles:
    asked = {
        "request": dump_request(request),
        "known": [[*place, layers] for place, layers in known.items()],
    }
    all_found = FoundInFiles()
    for part, answer in Readers(asked).read(files):
        if answer is None:
            message = f"`{part[0]}` cannot be read: the process that read it has died"
            all_found.diagnostics.append(not_loadable(message, None, ""))
            continue
        plain, acted, faults = answer
        all_found.add(
            FoundInFiles(
                [from_plain(Diagnostic, item) for item in plain],
                {tuple(place) for place in acted},
                faults,
            )
        )
    return all_found
