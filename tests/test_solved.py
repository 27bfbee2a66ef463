"""First fixes that follow from where sizes come from, held against eager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.asked.inputs import parse_inputs
from tests import eager
from tests.conftest import check_target
from tests.programs.origins import MISTAKES, Mistake


def more_samples(inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The same inputs with three samples more."""
    changed = []
    for word, spec in zip(inputs, parse_inputs(inputs), strict=True):
        batch, *rest = spec.shape
        sizes = ",".join(map(str, (batch + 3, *rest)))
        changed.append(sizes + word.partition(":")[1] + word.partition(":")[2])
    return tuple(changed)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_help_is_what_a_person_would_change(
    name: str, write: Callable[..., Path]
) -> None:
    mistake: Mistake = MISTAKES[name]
    file = write(mistake.source)
    assert eager.raises(mistake.source, mistake.inputs, mistake.target)
    report: Any = check_target(f"net.py:{mistake.target}", *mistake.inputs)
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    assert [item.fixes[0].title for item in errors] == [mistake.help]
    changed = eager.edited(file.parent, errors[0].fixes[0])
    for inputs in (mistake.inputs, more_samples(mistake.inputs)):
        assert eager.raises(changed, inputs, mistake.target) == ""
