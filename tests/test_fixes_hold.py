"""Fixes of random broken models, applied to the file and run in eager PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import eager
from tests.oracle.compare import judged
from tests.oracle.generator import Case, cases

COUNT, PARTS = 100, 5


def judged_fixes(case: Case, folder: Path) -> Iterator[tuple[str, str]]:
    """Each fix of a case's only error, and what eager raises after it; an empty text
    where it runs."""
    report = judged(case, folder, fixes=True)
    found = [d for d in report.diagnostics if d.severity.value == "error"]
    if len(found) != 1:
        return
    for fix in found[0].fixes:
        assert fix.verified
        source = case.source
        words: tuple[str, ...] = (case.spec,)
        if fix.edits:
            source = eager.edited(folder, fix)
        else:
            words = tuple(
                word for word in fix.title.split("`")[1].split() if word != "--input"
            )
        yield fix.title, eager.raises(source, words)


# in parts, so that no worker is left alone with all of them
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("ignore")
def test_every_fix_of_a_single_error_runs_in_eager(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried, wrong = 0, []
    for case in cases(seed=77, count=COUNT)[part::PARTS]:
        for title, raised in judged_fixes(case, tmp_path):
            tried += 1
            if raised:
                wrong.append((case.source, title, raised))
    assert wrong == []
    assert tried
