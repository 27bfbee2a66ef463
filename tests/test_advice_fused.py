"""Attention that torch computes in two ways, held against eager on both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.kinds import Mode
from shapelint.fixes.more_samples import MORE_SAMPLES
from shapelint.loading.model_inputs import make_tensor
from shapelint.tracing import fused_paths, recorder
from tests import eager
from tests.conftest import check_target
from tests.programs.advice_fused import (
    EVAL,
    EVERYWHERE,
    FUSED,
    PROGRAMS,
    RECORDED,
    TRAIN,
    Attending,
)

WAYS = {TRAIN: (True, True), RECORDED: (False, True), EVAL: (False, False)}
"""Whether the model trains, and whether gradients are recorded."""


def raising_ways(
    source: str, inputs: tuple[str, ...], more: int = 0
) -> tuple[str, ...]:
    """The ways of running a model in which eager raises."""
    specs = [
        replace(spec, shape=(spec.shape[0] + more, *spec.shape[1:]))
        for spec in parse_inputs(inputs)
    ]
    return tuple(way for way in WAYS if raises(source, specs, *WAYS[way]))


def raises(source: str, specs: list[TensorSpec], trains: bool, gradients: bool) -> bool:
    with warnings.catch_warnings(), torch.set_grad_enabled(gradients):
        warnings.simplefilter("ignore")
        try:
            eager.build(source, "Net").train(trains)(
                *(make_tensor(spec, 0) for spec in specs)
            )
        except Exception:
            return True
    return False


def errors_of(report: Any) -> list[Any]:
    return [item for item in report.diagnostics if item.severity.value == "error"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_said_once_when_it_happens_and_mended(
    name: str, write: Callable[..., Path]
) -> None:
    program: Attending = PROGRAMS[name]
    file = write(program.source)
    assert raising_ways(program.source, program.inputs) == program.raising
    errors = errors_of(check_target("net.py:Net", *program.inputs))
    assert len(errors) == bool(program.note)
    for error in errors:
        said = [note for note in error.notes if "mode" in note]
        assert said == ([] if program.note == EVERYWHERE else [program.note])
        assert error.span is not None
    if program.help:
        assert errors[0].fixes[0].title == program.help
        changed = eager.edited(file.parent, errors[0].fixes[0])
        for more in (0, MORE_SAMPLES):
            assert not raising_ways(changed, program.inputs, more)


def test_one_mode_alone_says_the_same(write: Callable[..., Path]) -> None:
    """Where there is no walk in train mode to compare with."""
    program = PROGRAMS["causal from batch"]
    write(program.source)
    report: Any = check_target(
        "net.py:Net", *program.inputs, modes=(Mode.EVAL,), fixes=False
    )
    assert [FUSED in error.notes for error in errors_of(report)] == [True]


def test_rows_show_the_parts(write: Callable[..., Path]) -> None:
    """The kernel is only asked: what a layer consists of is walked as before."""
    program = PROGRAMS["causal from batch"]
    write(program.source)
    report: Any = check_target("net.py:Net", *program.inputs, fixes=False)
    ops = [row.op for row in report.rows]
    assert ops.count("MultiheadAttention") == 3
    assert ops.count("LayerNorm") == 6
    assert report.output.tensors[0].shape == (5, 3)


def test_only_a_layer_with_a_mask_is_asked_twice(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    original = fused_paths.run_fused

    def count(*given: Any, **named: Any) -> Any:
        asked.append(given)
        return original(*given, **named)

    monkeypatch.setattr(recorder, "run_fused", count)
    source = PROGRAMS["right on both"].source
    write(source.replace("mask=causal, is_causal=True", ""))
    check_target("net.py:Net", "5,7,16")
    assert not asked
    write(source)
    check_target("net.py:Net", "5,7,16", fixes=False)
    assert len(asked) == 1
