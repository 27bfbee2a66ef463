"""What `--fix`, `--unsafe-fixes`, `--diff` and `--fix-only` do after a check."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from shapelint.apply.files import SourceFile, difference, source_file, write
from shapelint.apply.rounds import CheckRequest, Fixed, fixed
from shapelint.asked.request import Read
from shapelint.cli import say
from shapelint.facts.errors import UsageError
from shapelint.facts.outcome import Outcome
from shapelint.process.runner import Worker
from shapelint.syntax.edits import file_of


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    fix: bool
    unsafe: bool
    diff: bool
    only: bool

    @classmethod
    def of(cls, words: dict[str, Any]) -> Wish:
        """From the options; `--diff` and `--fix-only` ask for fixes too."""
        diff, only = bool(words["diff"]), bool(words["fix_only"])
        return cls(
            bool(words["fix"]) or diff or only, bool(words["unsafe_fixes"]), diff, only
        )


def make_fixes(
    wish: Wish,
    requests: list[CheckRequest | None],
    outcomes: list[Outcome],
    started: float,
) -> tuple[list[Outcome], int, str]:
    """Reports after the fixes, how many were made, and the diff. Files are written
    unless a diff was asked for.

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
        after[at], state = fixed(request, first, _run, wish.unsafe, state)
        originals |= {
            file: source_file(file) for file in state.texts if file not in originals
        }
    if len(requests) > 1 and state.texts:
        after = [
            after[at] if request is None else _run(_with(request, state.texts))
            for at, request in enumerate(requests)
        ]
    if not wish.diff and state.texts:
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
    from dataclasses import replace

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
