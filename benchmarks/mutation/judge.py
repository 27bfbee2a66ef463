"""One mutant: what eager says of it, and what shapelint says."""

from __future__ import annotations

import ast
import gc
import importlib.util
import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.mutation.editable import Lines, Mutation
from benchmarks.mutation.subjects import Subject
from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.diagnostics import Diagnostic, Fix
from shapelint.rules import catalogue
from shapelint.syntax.edits import apply_edits
from shapelint.tracing.nested import tensors_in

SECONDS = 40


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
    seconds: float = 0.0
    trouble: str = ""
    skipped: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


class TooLongError(Exception):
    """Neither eager nor shapelint may take for ever."""


def _alarm(*_: Any) -> None:
    raise TooLongError


def eager_error(source: str, subject: Subject, folder: Path) -> str:
    """What plain PyTorch raises; empty where it runs."""
    return eager_failure(source, subject, folder)[0]


def eager_failure(source: str, subject: Subject, folder: Path) -> tuple[str, str]:
    """What plain PyTorch raises in the constructor, in a forward of either mode or in
    the backward, and where.

    Where: the innermost line of the file, and the innermost module. Both empty where it
    runs."""
    file = folder / "plain.py"
    made: torch.nn.Module | None = None
    file.write_text(source)
    try:
        module = _imported("plain", file)
        given = _imported("plain_inputs", folder / "inputs.py")
        value = eval(subject.expression, vars(module))
        made = value if isinstance(value, torch.nn.Module) else value()
        for train in (False, True):
            torch.manual_seed(0)
            args, kwargs = given.inputs()
            made.train(train)
            out = made(*args, **kwargs)
            if train:
                _differentiate(out)
    except TooLongError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().splitlines()[0], _place(
            error, made
        )
    finally:
        sys.modules.pop("plain", None)
        sys.modules.pop("plain_inputs", None)
    return "", ""


def _place(error: BaseException, model: torch.nn.Module | None) -> str:
    names = (
        {id(module): name for name, module in model.named_modules()}
        if model is not None
        else {}
    )
    traceback, line, module = error.__traceback__, 0, ""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.endswith("plain.py"):
            line = traceback.tb_lineno
        module = names.get(id(frame.f_locals.get("self")), module)
        traceback = traceback.tb_next
    return f"{line} {module}"


def _differentiate(out: Any) -> None:
    """The backward of the first result that has one: of interest is only whether a
    write in place breaks it."""
    found = next((tensor for tensor in tensors_in(out) if tensor.requires_grad), None)
    try:
        if found is not None:
            torch.autograd.backward(found.sum())
    except RuntimeError as error:
        if "inplace operation" in str(error):
            raise


def _imported(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    code = compile(file.read_text(), str(file), "exec")
    exec(code, vars(module))
    return module


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
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(SECONDS)
    try:
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
        signal.alarm(0)
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
    started = time.monotonic()
    os.chdir(folder)
    request = Walk(
        f"mutant.py:{subject.expression}",
        (),
        "inputs.py:inputs",
        selected=tuple(catalogue().rules),
        fixes=True,
    )
    report = check(request)
    result.seconds = time.monotonic() - started
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
    result.both = any(a is not b for a in first for b in second)


def _mended(
    result: Verdict,
    errors: list[Diagnostic],
    source: str,
    subject: Subject,
    folder: Path,
) -> None:
    fixes = [fix for item in errors for fix in item.fixes]
    result.fix_offered = bool(fixes)
    if not fixes or not fixes[0].edits:
        result.fix_runs = result.fix_restores = False
        return
    mended = _applied(fixes[0], source)
    raised = eager_error(mended, subject, folder)
    result.fix_runs = not raised
    result.detail["after fix"] = raised
    result.fix_restores = ast.dump(ast.parse(mended)) == ast.dump(
        ast.parse(subject.source)
    )


def _applied(fix: Fix, source: str) -> str:
    return apply_edits(source, list(fix.edits))
