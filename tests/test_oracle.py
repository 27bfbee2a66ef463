"""Random models: an error exactly where eager raises, and eager's shapes where it does
not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.compare import disagreement, judged
from tests.oracle.generator import cases

COUNT, PARTS = 300, 6


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("ignore")
def test_error_exactly_where_eager_raises(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = cases(seed=2026, count=COUNT)[part::PARTS]
    differences = [
        (case.source, found)
        for case in drawn
        if (found := disagreement(case, judged(case, tmp_path)))
    ]
    assert differences == []


def test_about_half_of_the_models_are_broken() -> None:
    from tests.oracle.compare import eager_result

    broken = sum(
        bool(eager_result(case)[0]) for case in cases(seed=2026, count=COUNT)[::3]
    )
    assert COUNT / 3 * 0.3 < broken < COUNT / 3 * 0.7
