"""Fixes of random broken models, applied to the file and run in eager PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import eager
from tests.oracle.compare import judged
from tests.oracle.generator import Case, cases


def broken_after(case: Case, folder: Path) -> list[str]:
    """Fixes of a case's only error after which eager still raises; an empty list where
    all hold."""
    report = judged(case, folder, fixes=True)
    found = [d for d in report.diagnostics if d.severity.value == "error"]
    if len(found) != 1:
        return []
    wrong = []
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
        raised = eager.raises(source, words)
        if raised:
            wrong.append(f"{fix.title}: {raised}")
        tried.append(fix.title)
    return wrong


tried: list[str] = []


@pytest.mark.filterwarnings("ignore")
def test_every_fix_of_a_single_error_runs_in_eager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = cases(seed=77, count=100)
    wrong = [
        (case.source, found)
        for case in drawn
        if (found := broken_after(case, tmp_path))
    ]
    assert wrong == []
    assert len(tried) > 20
