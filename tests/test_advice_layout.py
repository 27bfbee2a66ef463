"""First fixes for dimensions that are elsewhere, held against the intact model: the same
results, for a batch and for a larger one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import eager
from tests.conftest import check_target
from tests.programs.advice_layout import MISTAKES, UNCLEAR, Mistake
from tests.test_solved import more_samples


def results(source: str, inputs: tuple[str, ...], target: str) -> list[torch.Tensor]:
    """What a model made with the same numbers gives."""
    torch.manual_seed(0)
    model = eager.build(source, target).eval()
    args, kwargs = eager.tensors(inputs)
    found = model(*args, **kwargs)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def intact(mistake: Mistake) -> str:
    """The model without its mistake."""
    source = mistake.source
    for old, new in mistake.right:
        assert old in source
        source = source.replace(old, new)
    return source


def errors_of(mistake: Mistake) -> list[Any]:
    report: Any = check_target(f"net.py:{mistake.target}", *mistake.inputs)
    return [item for item in report.diagnostics if item.severity.value == "error"]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_help_gives_what_the_intact_model_gives(
    name: str, write: Callable[..., Path]
) -> None:
    mistake = MISTAKES[name]
    file = write(mistake.source)
    assert eager.raises(mistake.source, mistake.inputs, mistake.target)
    errors = errors_of(mistake)
    assert [item.fixes[0].title for item in errors] == [mistake.help]
    changed = eager.edited(file.parent, errors[0].fixes[0])
    right = intact(mistake)
    for inputs in (mistake.inputs, mistake.more or more_samples(mistake.inputs)):
        assert eager.raises(changed, inputs, mistake.target) == ""
        found = results(changed, inputs, mistake.target)
        wanted = results(right, inputs, mistake.target)
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", UNCLEAR)
def test_no_help_changes_what_the_intact_model_gives(
    name: str, write: Callable[..., Path]
) -> None:
    """Of every help that is shown, the results have the rank that they have in the
    intact model, and as many samples."""
    mistake = UNCLEAR[name]
    file = write(mistake.source)
    wanted = results(intact(mistake), mistake.inputs, mistake.target)
    errors = errors_of(mistake)
    assert errors
    for fix in errors[0].fixes:
        if not fix.edits:
            continue
        changed = eager.edited(file.parent, fix)
        found = results(changed, mistake.inputs, mistake.target)
        for one, other in zip(found, wanted, strict=True):
            assert one.dim() == other.dim(), fix.title
            assert len(one) == len(other), fix.title
