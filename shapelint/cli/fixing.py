"""Implements `--fix`, `--unsafe-fixes`, `--diff` and `--fix-only` after a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapelint.apply.rounds import CheckRequest, FixedTexts, fix_target
from shapelint.apply.written_files import (
    SourceFile,
    difference,
    require_unchanged,
    source_file,
    write,
)
from shapelint.asked.request import Read
from shapelint.cli import say
from shapelint.facts.outcome import Outcome
from shapelint.process.check_source import check_source
from shapelint.process.runner import Worker
from shapelint.syntax.edits import file_of


def make_fixes(
    requests: Sequence[CheckRequest | None],
    outcomes: list[Outcome],
    started: float,
    with_unsafe: bool,
    is_dry: bool,
) -> tuple[list[Outcome], int, str]:
    """Make the fixes. Return the reports after them, the number of fixes, and the diff.

    `is_dry`: no file is written. `started`: when the check began (seconds since the
    epoch). A file that was changed since then was not checked.

    Raises:
        UsageError: a file was changed in the meantime, or cannot be written; then none
        is.
    """
    originals = _read_sources(outcomes, started)
    state = FixedTexts()
    after = list(outcomes)
    for at, request in enumerate(requests):
        if request is None or outcomes[at].fault:
            continue
        first = outcomes[at]
        if state.texts:
            first = _run(replace(request, texts=state.texts))
        after[at], state = fix_target(request, first, _run, with_unsafe, state)
        for file in state.texts:
            if file not in originals:
                originals[file] = source_file(file)
    if len(requests) > 1 and state.texts:
        # a fix for a later target may have changed what an earlier one is made of
        for at, request in enumerate(requests):
            if request is not None:
                after[at] = _run(replace(request, texts=state.texts))
    if not is_dry and state.texts:
        write(state.texts, originals)
    return after, state.count, difference(state.texts, originals)


def _read_sources(outcomes: list[Outcome], started: float) -> dict[str, SourceFile]:
    """Read every file that a fix would edit."""
    found = [item for outcome in outcomes for item in outcome.report.diagnostics]
    edits = [edit for item in found for fix in item.fixes for edit in fix.edits]
    files = {file_of(edit) for edit in edits}
    for file in files:
        require_unchanged(file, started)
    return {file: source_file(file) for file in files}


def _run(request: CheckRequest) -> Outcome:
    if isinstance(request, Read):
        return check_source(request)
    worker = Worker()
    try:
        return worker.ask(request)
    except BaseException:
        worker.kill()
        raise


def say_right_inputs(outcomes: list[Outcome]) -> None:
    """Report on stderr each input that is wrong while the model is right, since such a
    finding is not fixed."""
    for outcome in outcomes:
        of_target = f"{outcome.report.target}: " if len(outcomes) > 1 else ""
        right = [item.right_input for item in outcome.report.diagnostics]
        for inputs in dict.fromkeys(fix.inputs for fix in right if fix is not None):
            words = " ".join(f"--input {word}" for word in inputs)
            said = f"not fixed: the input is wrong; the model runs with `{words}`"
            say(of_target + said, err=True)


def say_diff(text: str, count: int) -> None:
    """Print the diff to stdout and the number of fixes to stderr."""
    say(text, nl=False)
    plural = "s" if count != 1 else ""
    say(f"would fix {count} finding{plural}" if count else "no fixes to make", err=True)
