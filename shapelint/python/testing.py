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
    from shapelint.facts.tensors import ValueFact
    from shapelint.python.api import Model

_SIZES = (4, 48, 40, 56, 24, 36, 28)
"""The sizes of names on the left of `->`, in the order of their occurrence. All differ,
so that dimensions cannot be confused; images are even and large enough for a few
poolings."""

SHAPE_RULES = "SHP1"
"""The prefix of the codes of the family `shape`."""

_TRAIL = 4
"""How many layers before the output a failed assertion names."""


def assert_clean(
    model: Model,
    inputs: Inputs,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = DEFAULTS.fail_on,
) -> Report:
    """Fail if a check of the model finds anything at or above a severity; else return
    its report.

    Raises:
        AssertionError: with the findings as the command line prints them.
    """
    __tracebackhide__ = True
    report = check(model, inputs, select=select, ignore=ignore)
    if report.failing(fail_on):
        raise AssertionError(f"shapelint found\n\n{report.to_text(report=False)}")
    return report


def assert_params(
    model: Model,
    inputs: Inputs,
    *,
    max: int,  # noqa: A002 - the word people know
) -> Report:
    """Fail if a model has more than `max` parameters, tied and lazy ones counted once;
    else return its report.

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
    """Fail if a model returns another structure or shape in train mode than in eval
    mode, or acts in eval mode as in training; else return its report.

    Raises:
        AssertionError: with the findings of SHP401, SHP407 and SHP409.
    """
    __tracebackhide__ = True
    by_mode = (DropoutIgnoresEval, NormIgnoresEval, ModeDependentOutput)
    codes = (*(rule.code for rule in by_mode), SHAPE_RULES)
    report = check(model, inputs, select=codes)
    # An output that depends on the mode is an info, since some models want it so.
    depends_on_mode = any(
        item.code == ModeDependentOutput.code for item in report.diagnostics
    )
    if depends_on_mode or report.failing("warning"):
        text = report.to_text(report=False)
        raise AssertionError(f"train and eval mode do not agree\n\n{text}")
    return report


def assert_shapes(model: Model, shapes: str, inputs: Inputs = None) -> Report:
    """Fail if the output has other shapes than the text says, such as
    `"B 3 64 64 -> B 10"`; else return the report of the walk.

    Tensors are separated by commas. A number stands for itself, a name for the same
    size wherever it is written, and `...` for any dimensions. A dtype may follow a
    colon: `"B 16:int64 -> B 16 32:float32"`. Names on the left get different sizes,
    unless `inputs` are given.

    Raises:
        AssertionError: SHP118, with the last shapes on the way; or the findings, where
            the forward fails.
        UsageError: the text cannot be read.
    """
    __tracebackhide__ = True
    left, arrow, right = (part.strip() for part in shapes.partition("->"))
    if not arrow or not right:
        raise UsageError(
            f"`{shapes}` is not a pair of shapes; write `B 3 64 64 -> B 10`"
        )
    names: dict[str, int] = {}
    given = inputs
    if given is None:
        given = " ".join(_write_input(part, names) for part in left.split(","))
    # Only eval mode: shapes rarely differ by mode, which `assert_modes_agree` is for.
    report = check(model, given, select=(SHAPE_RULES,), mode="eval")
    if report.errors:
        raise AssertionError(f"the forward fails\n\n{report.to_text(report=False)}")
    if inputs is not None:
        # For the names: inputs that were given are right whatever the text says.
        _find_mismatch(left, report.target.inputs, names)
    output = report.target.output
    problem = _find_mismatch(right, [output] if output is not None else [], names)
    if problem:
        raise AssertionError(_write_problem(report, right, names, problem))
    return report


def _write_problem(
    report: Report, wanted: str, names: dict[str, int], problem: str
) -> str:
    bound = ", ".join(f"{name}={size}" for name, size in names.items())
    where = f" with {bound}" if bound else ""
    steps = [
        f"{row.name or row.op} {', '.join(map(str, row.outputs))}"
        for row in report.target.rows[-_TRAIL:]
    ]
    trail = " -> ".join([", ".join(map(str, report.target.inputs)), "...", *steps])
    code = UnexpectedOutput.code
    return printable(
        f"{code}: the model returns {report.output} but `{wanted}` is expected{where}: "
        f"{problem}\n"
        f"  trail: {trail}"
    )


def _split_pattern(part: str) -> tuple[list[str], str]:
    """The words and the dtype of one tensor, as in `B 16:int64`."""
    sizes, _, dtype = part.strip().partition(":")
    return sizes.split(), dtype.strip()


def _write_input(part: str, names: dict[str, int]) -> str:
    """One input as after `--input`. Its names are given sizes."""
    words, dtype = _split_pattern(part)
    sizes = []
    for word in words:
        if word == "...":
            raise UsageError("`...` on the left needs `inputs=`")
        if word.isdigit():
            sizes.append(word)
            continue
        free = _SIZES[len(names) % len(_SIZES)]
        sizes.append(str(names.setdefault(word, free)))
    text = ",".join(sizes) + ("," if len(sizes) == 1 else "")
    return f"{text}:{dtype}" if dtype else text


def _find_mismatch(
    pattern: str, values: Iterable[ValueFact], names: dict[str, int]
) -> str:
    """Describe what does not fit; empty if everything does. Names are bound as they
    occur."""
    tensors = [tensor for value in values for tensor in value.tensors]
    parts = pattern.split(",")
    if len(parts) != len(tensors):
        return f"{len(tensors)} tensors, not {len(parts)}"
    for part, tensor in zip(parts, tensors, strict=True):
        words, wanted = _split_pattern(part)
        problem = _compare_sizes(words, list(tensor.shape), names)
        if problem:
            return problem
        if wanted and _abbreviate(wanted) != tensor.dtype:
            return f"{tensor.dtype}, not {wanted}"
    return ""


def _abbreviate(dtype: str) -> str:
    """A dtype as reports write it: `f32` for `float32`.

    Raises:
        UsageError: torch has no such dtype.
    """
    (spec,) = parse_inputs((f"1,1:{dtype}",))
    return spec.short_dtype


def _compare_sizes(words: list[str], sizes: list[int], names: dict[str, int]) -> str:
    if "..." in words:
        at = words.index("...")
        behind = len(words) - at - 1
        if len(sizes) < len(words) - 1:
            return f"{len(sizes)} dimensions, at least {len(words) - 1} are wanted"
        words = words[:at] + words[at + 1 :]
        sizes = sizes[:at] + sizes[len(sizes) - behind :]
    if len(words) != len(sizes):
        return f"{len(sizes)} dimensions, not {len(words)}"
    for word, size in zip(words, sizes, strict=True):
        is_number = word.isdigit()
        wanted = int(word) if is_number else names.setdefault(word, size)
        if wanted != size:
            return (
                f"{size} where {word if is_number else f'{word} = {wanted}'} is wanted"
            )
    return ""
