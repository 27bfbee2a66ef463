"""Where ways part and meet again, a finding is what holds on every way: each program is
run on all of them by torch."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import NamedTuple

import pytest
import torch

from shapelint.asked.request import Read
from shapelint.process.check_source import check_source
from shapelint.rules import catalogue
from tests.programs import branches

Write = Callable[..., Path]
ALL = tuple(catalogue().rules)
COINS = 4
"""So many coins are thrown in a run; one that asks for more is not counted."""


class Call(NamedTuple):
    """One call of a model while a program runs."""

    line: int
    training: bool
    records: bool


class ThrownError(Exception):
    """A run asked for more coins than there are."""


def chance(coins: tuple[int, ...], mode: str) -> ModuleType:
    """The module that decides which way a run goes."""
    left = iter(coins)

    def coin() -> int:
        for each in left:
            return each
        raise ThrownError

    def risky() -> None:
        if coin():
            raise ValueError("bad luck")

    module = ModuleType("chance")
    vars(module).update(coin=coin, risky=risky, mode=mode)
    return module


def line_in(program: str) -> int:
    """The line of a program that is being run now."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != program:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 0


def run(
    source: str, coins: tuple[int, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> list[Call]:
    """The calls of a model in one run of a program, to its end."""
    calls: list[Call] = []

    def note(module: torch.nn.Module, _inputs: object) -> None:
        if isinstance(module, torch.nn.Sequential):
            is_recorded = torch.is_grad_enabled() and any(
                each.requires_grad for each in module.parameters()
            )
            calls.append(Call(line_in("program"), module.training, is_recorded))

    monkeypatch.setitem(sys.modules, "chance", chance(coins, mode))
    hook = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        with torch.enable_grad(), suppress(ValueError, SystemExit):
            exec(compile(source, "program", "exec"), {"__name__": "__main__"})
    except ThrownError:
        return []
    finally:
        hook.remove()
    return calls


def runs(source: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """The calls in each run."""
    is_asked = "match mode" in source or "match (mode" in source
    modes = ("val", "train", "other") if is_asked else ("val",)
    throws = COINS if "coin()" in source or "risky()" in source else 0
    for mode, coins in itertools.product(
        modes, itertools.product((0, 1), repeat=throws)
    ):
        yield run(source, coins, mode, monkeypatch)


def always(
    source: str, is_wrong: Callable[[Call], bool], monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Whether the last call of a program is wrong in each run that comes to it."""
    line = len(source.rstrip().splitlines())
    reached = [
        [call for call in calls if call.line == line]
        for calls in runs(source, monkeypatch)
    ]
    wrong = [any(map(is_wrong, calls)) for calls in reached if calls]
    assert wrong, "no run comes to the call"
    return all(wrong)


def found(path: Path, code: str) -> bool:
    return any(
        item.code == code
        for item in check_source(Read(str(path), selected=ALL)).report.diagnostics
    )


def programs(bodies: dict[str, str], end: str) -> dict[str, str]:
    return {what: f"{branches.PRELUDE}\n{body}\n{end}" for what, body in bodies.items()}


FAULTY = {
    "SHP403": programs(branches.STILL_TRAINING, branches.VALIDATION),
    "SHP406": programs(branches.RECORDING, branches.VALIDATION_WITH_GRADIENTS),
}
CORRECT = {
    "SHP403": programs(branches.EVAL_ON_SOME_WAY, branches.VALIDATION),
    "SHP406": programs(
        branches.NOT_RECORDING_ON_SOME_WAY, branches.VALIDATION_WITH_GRADIENTS
    ),
}
if sys.version_info >= (3, 11):
    FAULTY["SHP403"]["except*"] = FAULTY["SHP403"]["except"].replace(
        "except ", "except* "
    )
    CORRECT["SHP403"]["except*"] = CORRECT["SHP403"]["except"].replace(
        "except ", "except* "
    )
WRONG: dict[str, Callable[[Call], bool]] = {
    "SHP403": lambda call: call.training,
    "SHP406": lambda call: call.records,
}


def cases(by_code: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(code, what) for code, each in by_code.items() for what in each]


@pytest.mark.parametrize(("code", "what"), cases(FAULTY))
def test_what_is_wrong_on_every_way_is_found(
    code: str, what: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FAULTY[code][what]
    assert always(source, WRONG[code], monkeypatch)
    assert found(write(source, "train.py"), code)


@pytest.mark.parametrize(("code", "what"), cases(CORRECT))
def test_what_is_right_on_some_way_is_left_alone(
    code: str, what: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CORRECT[code][what]
    assert not always(source, WRONG[code], monkeypatch)
    assert not found(write(source, "train.py"), code)


def has_handlers(node: ast.AST) -> bool:
    return isinstance(node, ast.Try) and bool(node.handlers)


def has_else(*kinds: type[ast.AST]) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, kinds) and bool(getattr(node, "orelse", []))


def one_of(*kinds: type[ast.AST]) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, kinds)


def with_operator(kind: type[ast.boolop]) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, ast.BoolOp) and isinstance(node.op, kind)


IS_STATEMENT: dict[str, Callable[[ast.AST], bool]] = {
    "if": one_of(ast.If),
    "match": one_of(ast.Match),
    "match with a guard": lambda node: (
        isinstance(node, ast.match_case) and node.guard is not None
    ),
    "try": one_of(ast.Try),
    "except": has_handlers,
    "else of try": has_else(ast.Try),
    "finally": lambda node: isinstance(node, ast.Try) and bool(node.finalbody),
    "for": one_of(ast.For),
    "else of for": has_else(ast.For),
    "while": one_of(ast.While),
    "else of while": has_else(ast.While),
    "with": one_of(ast.With),
    "conditional expression": one_of(ast.IfExp),
    "early return": one_of(ast.Return),
    "early raise": one_of(ast.Raise),
    "break": one_of(ast.Break),
    "continue": one_of(ast.Continue),
    "and": with_operator(ast.And),
    "or": with_operator(ast.Or),
    "comprehension": one_of(ast.ListComp),
}


@pytest.mark.parametrize("statement", IS_STATEMENT)
def test_each_statement_that_branches_has_a_faulty_and_a_correct_program(
    statement: str,
) -> None:
    """Both are run by torch and judged by the tests above."""
    faulty, correct = branches.STATEMENTS[statement]
    for body in (branches.STILL_TRAINING[faulty], branches.EVAL_ON_SOME_WAY[correct]):
        assert any(map(IS_STATEMENT[statement], ast.walk(ast.parse(body))))


def trains_in_eval_mode(source: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether some run trains in eval mode."""
    line = next(
        number
        for number, text in enumerate(source.splitlines(), 1)
        if text.endswith("# trains")
    )
    calls = [
        call for each in runs(source, monkeypatch) for call in each if call.line == line
    ]
    assert calls
    return not all(call.training for call in calls)


@pytest.mark.parametrize("what", branches.NOT_RESTORED)
def test_a_way_that_leaves_eval_mode_for_training_is_found(
    what: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = branches.PRELUDE + branches.NOT_RESTORED[what]
    assert trains_in_eval_mode(source, monkeypatch)
    assert found(write(source, "train.py"), "SHP404")


@pytest.mark.parametrize("what", branches.RESTORED_ON_SOME_WAY)
def test_train_mode_that_some_way_restores_is_left_alone(
    what: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = branches.PRELUDE + branches.RESTORED_ON_SOME_WAY[what]
    assert not trains_in_eval_mode(source, monkeypatch)
    assert not found(write(source, "train.py"), "SHP404")


EXCLUSIVE = """
import torch
from chance import coin
from torch import nn

model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in train_loader:
{}
    model(x).sum().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    "branch",
    [
        "match coin():\n    case 1:\n        optimizer.zero_grad()\n    case _:\n        pass",
        "try:\n    check(x)\nexcept ValueError:\n    optimizer.zero_grad()",
        "for part in x:\n    pass\nelse:\n    optimizer.zero_grad()",
        "while coin() > 0:\n    pass\nelse:\n    optimizer.zero_grad()",
        "coin() > 0 and optimizer.zero_grad()",
    ],
)
def test_gradients_that_some_way_sets_to_zero_do_not_pile_up(
    branch: str, write: Write
) -> None:
    indented = "\n".join(f"    {line}" for line in branch.splitlines())
    assert not found(write(EXCLUSIVE.format(indented), "train.py"), "SHP604")
    without = indented.replace("optimizer.zero_grad()", "print(x)")
    assert found(write(EXCLUSIVE.format(without), "train.py"), "SHP604")


@pytest.mark.parametrize(
    "context",
    [
        "torch.enable_grad() if optimizer is not None else torch.no_grad()",
        "torch.inference_mode() if fast else torch.no_grad()",
        "torch.no_grad() if not training else contextlib.nullcontext()",
    ],
)
def test_a_context_that_is_chosen_forbids_gradients_on_some_way(
    context: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import contextlib\nimport torch\n\n\ndef evaluate(model, val_loader, optimizer, fast, training):\n"
        f"    model.eval()\n    for x, y in val_loader:\n        with ({context}):\n"
        "            loss = (model(x) - y).abs().mean()\n        print(loss.item())\n"
    )
    assert not found(path, "SHP406")
