"""One mutant: what eager says of it, and what shapelint says."""

from __future__ import annotations

import gc
import os
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.mutation.eager import TooLongError, eager_failure, limit_work
from benchmarks.mutation.editable import Lines, Mutation
from benchmarks.mutation.mended import Mended, Restored, judge_fix
from benchmarks.mutation.subjects import Subject
from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.diagnostics import Diagnostic
from shapelint.rules import catalogue

SECONDS = 120
"""The most processor time for one mutant."""


@dataclass
class Verdict:
    """What came of one mutant. Counts that do not apply are None."""

    subject: str
    kinds: tuple[str, ...]
    text: str
    eager: str
    place: str = ""
    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    detected: bool | None = None
    false_error: bool | None = None
    primary: bool | None = None
    among: bool | None = None
    fix_offered: bool | None = None
    fix_runs: bool | None = None
    fix_restores: bool | None = None
    both: bool | None = None
    both_mended: bool | None = None
    """Whether each of two mistakes has a finding of its own with a fix."""
    fixes: list[Mended] = field(default_factory=list)
    """Every fix of the first error and what comes of it."""
    follow_ups: int | None = None
    """Errors beside the first one."""
    seconds: float = 0.0
    trouble: str = ""
    skipped: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


def verdict(
    subject: Subject,
    mutated: tuple[Mutation, ...],
    folder: Path,
    accepted_only: bool = False,
) -> Verdict:
    """Break the file, ask eager, ask shapelint, compare; with `accepted_only` not where
    eager raises."""
    warnings.simplefilter("ignore")
    source = subject.source
    for mutation in sorted(mutated, key=lambda item: item.start, reverse=True):
        source = mutation.applied(source)
    text = "; ".join(
        f"{m.lines[0]}: {subject.source[m.start : m.end]!r} -> {m.text!r}"
        for m in mutated
    )
    result = Verdict(subject.name, tuple(m.kind for m in mutated), text, "")
    (folder / "inputs.py").write_text(subject.inputs)
    try:
        with limit_work(SECONDS):
            result.eager, result.place = eager_failure(source, subject, folder)
            result.skipped = accepted_only and bool(result.eager)
            if not result.skipped:
                _judge(result, source, subject, mutated, folder)
    except TooLongError:
        result.trouble = "took too long"
    except MemoryError:
        result.trouble = "memory"
    except Exception as error:  # a fault of shapelint's own: told, and not detected
        result.trouble = f"fault: {type(error).__name__}: {error}"
        result.detected = False if result.eager else None
    finally:
        gc.collect()
    return result


def _judge(
    result: Verdict,
    source: str,
    subject: Subject,
    mutated: tuple[Mutation, ...],
    folder: Path,
) -> None:
    file = folder / "mutant.py"
    file.write_text(source)
    started = time.process_time()
    os.chdir(folder)
    request = Walk(
        f"mutant.py:{subject.expression}",
        (),
        "inputs.py:inputs",
        selected=tuple(catalogue().rules),
        seconds=1e6,  # nothing is decided by a clock
        fixes=True,
    )
    report = check(request)
    result.seconds = time.process_time() - started
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    result.codes = tuple(item.code for item in errors)
    result.messages = tuple(
        item.message
        for item in report.diagnostics
        if item.code not in ("SHP901", "SHP301")
    )
    if not result.eager:
        result.false_error = bool(errors)
        return
    result.detected = bool(errors)
    result.detail["places"] = [sorted(_lines_of(item, True)) for item in errors]
    result.detail["fixes"] = [[fix.title for fix in item.fixes] for item in errors]
    _placed(result, errors, mutated)
    if len(mutated) == 1:
        result.follow_ups = len(errors) - 1 if errors else 0
        result.detail["at"] = subject.source.split("\n")[
            mutated[0].lines[0] - 1
        ].strip()
        _mended(result, errors[:1], source, subject, folder)


def _lines_of(diagnostic: Diagnostic, everywhere: bool) -> set[int]:
    spans = [diagnostic.span]
    if everywhere:
        spans += [diagnostic.called_at, *(item.span for item in diagnostic.related)]
    return {
        line
        for span in spans
        if span is not None and span.file.endswith("mutant.py")
        for line in range(span.line, (span.end_line or span.line) + 1)
    }


def _touches(lines: set[int], changed: Lines) -> bool:
    return any(changed[0] <= line <= changed[1] for line in lines)


def _placed(
    result: Verdict, errors: list[Diagnostic], mutated: tuple[Mutation, ...]
) -> None:
    if len(mutated) == 1:
        result.primary = bool(errors) and _touches(
            _lines_of(errors[0], False), mutated[0].lines
        )
        result.among = any(
            _touches(_lines_of(item, True), mutated[0].lines) for item in errors
        )
        return
    first, second = (
        [item for item in errors if _touches(_lines_of(item, True), m.lines)]
        for m in mutated
    )
    pairs = [(a, b) for a in first for b in second if a is not b]
    result.both = bool(pairs)
    result.both_mended = any(_has_edits(a) and _has_edits(b) for a, b in pairs)


def _has_edits(diagnostic: Diagnostic) -> bool:
    return any(fix.edits for fix in diagnostic.fixes)


def _mended(
    result: Verdict,
    errors: list[Diagnostic],
    source: str,
    subject: Subject,
    folder: Path,
) -> None:
    fixes = [fix for item in errors for fix in item.fixes]
    result.fix_offered = bool(fixes)
    result.fix_runs = result.fix_restores = False
    result.fixes = [judge_fix(fix, source, subject, folder) for fix in fixes]
    if not result.fixes:
        return
    first = result.fixes[0]
    result.fix_runs = first.restored not in (Restored.RAISES, Restored.INPUT)
    result.fix_restores = first.restored is Restored.TEXT
    result.detail["after fix"] = first.raised
