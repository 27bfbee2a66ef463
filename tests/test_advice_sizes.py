"""First helps for inputs of a size or rank that does not go through, held against
eager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import eager
from tests.conftest import check_target
from tests.programs.advice_sizes import CASES, SOUND, UNET, Case
from tests.test_solved import more_samples


@pytest.mark.parametrize("name", CASES)
def test_the_first_help_is_what_a_person_would_do(
    name: str, write: Callable[..., Path]
) -> None:
    case: Case = CASES[name]
    file = write(case.source)
    assert eager.raises(case.source, case.inputs)
    report: Any = check_target("net.py:Net", *case.inputs)
    errors = [item for item in report.diagnostics if item.severity.value == "error"]
    assert [item.fixes[0].title for item in errors] == [case.help]
    assert not case.label or errors[0].label == case.label
    first = errors[0].fixes[0]
    if first.inputs:
        assert first.runs
        assert eager.raises(case.source, first.inputs) == ""
        assert {fix.safety.value for fix in errors[0].fixes if fix.edits} <= {"unsafe"}
        return
    changed = eager.edited(file.parent, first)
    for inputs in (case.inputs, more_samples(case.inputs)):
        assert eager.raises(changed, inputs) == ""


@pytest.mark.parametrize("case", [UNET, SOUND])
def test_the_decoder_is_resized_and_the_output_stays_as_large_as_the_input(
    case: Case, write: Callable[..., Path]
) -> None:
    file = write(case.source)
    report: Any = check_target("net.py:Net", *case.inputs)
    fixes = [fix for item in report.diagnostics for fix in item.fixes if fix.edits]
    assert [fix.title for fix in fixes] == ["`F.interpolate(x, size=skip.shape[2:])`"]
    changed = eager.edited(file.parent, fixes[0])
    assert eager.raises(changed, case.inputs) == ""
    file.write_text(changed)
    sides = case.inputs[0].split(",")[2:]
    checked: Any = check_target("net.py:Net", *case.inputs)
    output = checked.output if isinstance(checked.output, str) else str(checked.output)
    assert output.rstrip("]").split(",")[2:] == sides
