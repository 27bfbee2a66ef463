"""What `--fix`, `--unsafe-fixes`, `--diff` and `--fix-only` do after a check."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from shapelint.apply.rounds import CheckRequest, Fixed, fixed
from shapelint.apply.source_files import SourceFile, difference, source_file, write
from shapelint.asked.request import Read
from shapelint.cli import say
from shapelint.facts.errors import UsageError
from shapelint.facts.outcome import Outcome
from shapelint.process.runner import Worker
from shapelint.syntax.edits import file_of


def make_fixes(
    requests: Sequence[CheckRequest | None],
    outcomes: list[Outcome],
    started: float,
    with_unsafe: bool,
    is_dry: bool,
) -> tuple[list[Outcome], int, str]:
    """Reports after the fixes, how many were made, and the diff. `is_dry`: no file is
    written.

    `started`: when the check began (seconds since the epoch); what was changed since
    then was not checked.

    Raises:
        UsageError: a file was changed in the meantime, or cannot be written; then none
        is."""
    originals = _sources(outcomes, started)
    state = Fixed()
    after = list(outcomes)
    for at, request in enumerate(requests):
        if request is None or outcomes[at].fault:
            continue
        first = outcomes[at] if not state.texts else _run(_with(request, state.texts))
        after[at], state = fixed(request, first, _run, with_unsafe, state)
        originals |= {
            file: source_file(file) for file in state.texts if file not in originals
        }
    if len(requests) > 1 and state.texts:
        after = [
            after[at] if request is None else _run(_with(request, state.texts))
            for at, request in enumerate(requests)
        ]
    if not is_dry and state.texts:
        write(state.texts, originals)
    return after, state.count, difference(state.texts, originals)


def _sources(outcomes: list[Outcome], started: float) -> dict[str, SourceFile]:
    """Every file that a fix would edit, as it is now."""
    files = {
        file_of(edit)
        for outcome in outcomes
        for item in outcome.report.diagnostics
        for fix in item.fixes
        for edit in fix.edits
    }
    for file in files:
        if os.stat(file).st_mtime > started:
            raise UsageError(
                f"`{file}` was changed while it was checked; nothing was written"
            )
    return {file: source_file(file) for file in files}


def _with(request: CheckRequest, texts: dict[str, str]) -> CheckRequest:
    return replace(request, texts=texts)


def _run(request: CheckRequest) -> Outcome:
    if isinstance(request, Read):
        from shapelint.process.check_source import check_source

        return check_source(request)
    worker = Worker()
    try:
        return worker.ask(request)
    except BaseException:
        worker.kill()
        raise


def say_right_inputs(outcomes: list[Outcome]) -> None:
    """To stderr, a line each, where nothing of the model was mended because the input
    is what is wrong."""
    for outcome in outcomes:
        of_target = f"{outcome.report.target}: " if len(outcomes) > 1 else ""
        right = [item.right_input for item in outcome.report.diagnostics]
        for inputs in dict.fromkeys(fix.inputs for fix in right if fix is not None):
            words = " ".join(f"--input {word}" for word in inputs)
            said = (
                f"not fixed: the input is what is wrong; the model runs with `{words}`"
            )
            say(of_target + said, err=True)


def say_diff(text: str, count: int) -> None:
    """The diff to stdout, the count to stderr."""
    say(text, nl=False)
    plural = "s" if count != 1 else ""
    say(f"would fix {count} finding{plural}" if count else "no fixes to make", err=True)
