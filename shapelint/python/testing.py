"""Assertions for people's own tests. Each failure names its rule and reads like a
finding.

from shapelint import assert_clean, assert_shapes

def test_net():
    assert_clean(Net, (1, 3, 64, 64))
    assert_shapes(Net, "B 3 64 64 -> B 10")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shapelint.asked.inputs import parse_inputs
from shapelint.asked.settings import DEFAULTS
from shapelint.facts.errors import UsageError
from shapelint.facts.escape import printable
from shapelint.python.api import Inputs, check
from shapelint.python.results import Report
from shapelint.rules.economy.too_many_parameters import TooManyParameters
from shapelint.rules.gaps.unexpected_output import UnexpectedOutput
from shapelint.rules.mode.dropout_ignores_eval import DropoutIgnoresEval
from shapelint.rules.mode.mode_dependent_output import ModeDependentOutput
from shapelint.rules.mode.norm_ignores_eval import NormIgnoresEval

if TYPE_CHECKING:
    from shapelint.facts.graph import TensorFact, ValueFact
    from shapelint.python.api import Model

_SIZES = (4, 48, 40, 56, 24, 36, 28)
"""What names on the left of `->` stand for, in the order in which they come: all
different, images large enough."""

SHAPE_RULES = "SHP1"
"""The prefix of the codes of the family `shape`."""


def assert_clean(
    model: Model,
    inputs: Inputs,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = DEFAULTS.fail_on,
) -> Report:
    """Fail if a check of the model finds anything at or above a severity; else give its
    report.

    Raises:
        AssertionError: with the findings as the command line prints them.
    """
    __tracebackhide__ = True
    report = check(model, inputs, select=select, ignore=ignore)
    if report.failing(fail_on):
        raise AssertionError(f"shapelint found\n\n{report.to_text(report=False)}")
    return report


def assert_params(model: Model, inputs: Inputs, *, max: int) -> Report:  # noqa: A002 - the word people know
    """Fail if a model has more than `max` parameters, tied and lazy ones counted once;
    else give its report.

    Raises:
        AssertionError: SHP304, with the layers that hold most of them.
    """
    __tracebackhide__ = True
    report = check(
        model,
        inputs,
        select=(TooManyParameters.code,),
        mode="eval",
        thresholds={"max-params": max},
    )
    if report.diagnostics:
        raise AssertionError(report.to_text(report=False))
    return report


def assert_modes_agree(model: Model, inputs: Inputs) -> Report:
    """Fail if a model gives other structures or shapes in train mode than in eval, or
    in eval acts as in training.

    Raises:
        AssertionError: with the findings of SHP401, SHP407 and SHP409.
    """
    __tracebackhide__ = True
    by_mode = (DropoutIgnoresEval, NormIgnoresEval, ModeDependentOutput)
    codes = (*(rule.code for rule in by_mode), SHAPE_RULES)
    report = check(model, inputs, select=codes)
    if report.failing("warning") or any(
        item.code == ModeDependentOutput.code for item in report.diagnostics
    ):
        raise AssertionError(
            f"train and eval mode do not agree\n\n{report.to_text(report=False)}"
        )
    return report


def assert_shapes(model: Model, shapes: str, inputs: Inputs = None) -> Report:
    """Fail if other shapes come out than `"B 3 64 64 -> B 10"` says; else give the
    report of the walk.

    Tensors are divided by commas. A number must be that number; a name stands for one
    size wherever it is written; `...` is for any dimensions; a dtype may follow a
    colon: `"B 16:int64 -> B 16 32:float32"`. On the left names are given sizes that
    differ from each other, unless `inputs` says what to feed.

    Raises:
        AssertionError: SHP118, with the way of the shapes; or the findings, where the
        forward fails.
        UsageError: the text cannot be read.
    """
    __tracebackhide__ = True
    left, arrow, right = shapes.partition("->")
    if not arrow or not right.strip():
        raise UsageError(f"`{shapes}` is no pair of shapes; write `B 3 64 64 -> B 10`")
    names: dict[str, int] = {}
    given = inputs
    if given is None:
        given = " ".join(_input(part, names) for part in left.split(","))
    report = check(model, given, select=(SHAPE_RULES,), mode="eval")
    if report.errors:
        raise AssertionError(f"the forward fails\n\n{report.to_text(report=False)}")
    if inputs is not None:
        _match(left, _tensors(report.target.inputs), names)
    output = report.target.output
    problem = _match(right, output.tensors if output is not None else (), names)
    if problem:
        way = " -> ".join(
            f"{row.name or row.op} {', '.join(map(str, row.outputs))}"
            for row in report.target.rows[-4:]
        )
        bound = ", ".join(f"{name}={size}" for name, size in names.items())
        where = f" with {bound}" if bound else ""
        text = (
            f"{UnexpectedOutput.code}: {report.output} comes out where `{right.strip()}` is expected{where}: {problem}\n"
            f"  trail: {', '.join(map(str, report.target.inputs))} -> ... -> {way}"
        )
        raise AssertionError(printable(text))
    return report


def _words(part: str) -> tuple[list[str], str]:
    sizes, _, dtype = part.strip().partition(":")
    return sizes.split(), dtype.strip()


def _input(part: str, names: dict[str, int]) -> str:
    """One input as after `--input`, its names given sizes."""
    words, dtype = _words(part)
    sizes = []
    for word in words:
        if word == "...":
            raise UsageError("`...` on the left needs `inputs=` to say what to feed")
        if not word.isdigit():
            names.setdefault(word, _SIZES[len(names) % len(_SIZES)])
        sizes.append(int(word) if word.isdigit() else names[word])
    text = ",".join(map(str, sizes)) + ("," if len(sizes) == 1 else "")
    return f"{text}:{dtype}" if dtype else text


def _tensors(values: Iterable[ValueFact]) -> tuple[TensorFact, ...]:
    return tuple(tensor for value in values for tensor in value.tensors)


def _match(pattern: str, tensors: tuple[TensorFact, ...], names: dict[str, int]) -> str:
    """What does not fit; empty where all does. Names are bound as they are met."""
    parts = pattern.split(",")
    if len(parts) != len(tensors):
        return f"{len(tensors)} tensors, not {len(parts)}"
    for part, tensor in zip(parts, tensors, strict=True):
        words, wanted = _words(part)
        problem = _sizes_differ(words, list(tensor.shape), names)
        if problem:
            return problem
        if not wanted:
            continue
        (spec,) = parse_inputs((f"1,1:{wanted}",))
        if spec.short_dtype != tensor.dtype:
            return f"{tensor.dtype}, not {wanted}"
    return ""


def _sizes_differ(words: list[str], sizes: list[int], names: dict[str, int]) -> str:
    if "..." in words:
        at = words.index("...")
        behind = len(words) - at - 1
        if len(sizes) < len(words) - 1:
            return f"{len(sizes)} dimensions, at least {len(words) - 1} are wanted"
        words = words[:at] + words[at + 1 :]
        sizes = sizes[:at] + (sizes[len(sizes) - behind :] if behind else [])
    if len(words) != len(sizes):
        return f"{len(sizes)} dimensions, not {len(words)}"
    for word, size in zip(words, sizes, strict=True):
        wanted = int(word) if word.isdigit() else names.setdefault(word, size)
        if wanted != size:
            return f"{size} where {word if word.isdigit() else f'{word} = {wanted}'} is wanted"
    return ""
