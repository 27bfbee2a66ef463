"""Numbers that know where they come from: in all else they are numbers."""

from __future__ import annotations

import copy
import json
import math
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from shapelint.asked.request import Walk
from shapelint.asked.target import parse_target
from shapelint.facts.kinds import Mode
from shapelint.facts.numbers import (
    LARGEST,
    Fixed,
    Literal,
    Operation,
    Origin,
    Real,
    Whole,
    ends_of,
    origin_of,
    value_of,
    whole,
)
from shapelint.loading.literals import compile_with_origins
from shapelint.loading.not_loadable import NotLoadableError
from shapelint.loading.walkable import load_walkable
from shapelint.syntax.texts import DISK
from shapelint.tracing.same_walk import is_same_walk
from tests.oracle.generator import Case, cases


def literal(value: float, line: int = 1) -> Any:
    """A number as if written in a file."""
    origin = Literal("net.py", line, 0, line, 1, value)
    kind: Any = Whole if isinstance(value, int) else Real
    return kind(value, origin)


SIX, SEVEN, HALF = literal(6), literal(7, 2), literal(0.5, 3)


def spell(origin: Origin | None) -> str:
    if isinstance(origin, Operation):
        if origin.right is None:
            return f"{origin.symbol}({spell(origin.left)})"
        return f"({spell(origin.left)} {origin.symbol} {spell(origin.right)})"
    if isinstance(origin, Literal):
        return f"{origin.value}@{origin.line}"
    return str(origin.value) if isinstance(origin, Fixed) else str(origin)


@pytest.mark.parametrize(
    ("computed", "value", "origin"),
    [
        (SIX * SEVEN, 42, "(6@1 * 7@2)"),
        (SIX + 1, 7, "(6@1 + 1)"),
        (1 + SIX, 7, "(1 + 6@1)"),
        (10 - SIX, 4, "(10 - 6@1)"),
        (SEVEN // 2, 3, "(7@2 // 2)"),
        (SEVEN / 2, 3.5, "(7@2 / 2)"),
        (SEVEN % 4, 3, "(7@2 % 4)"),
        (SIX**2, 36, "(6@1 ** 2)"),
        (2**SIX, 64, "(2 ** 6@1)"),
        (-SIX, -6, "-(6@1)"),
        (whole(SEVEN * HALF), 3, "int((7@2 * 0.5@3))"),
        (math.ceil(SEVEN / 2), 4, "ceil((7@2 / 2))"),
        (round(SEVEN * 0.3), 2, "round((7@2 * 0.3))"),
        (sum([SIX, SEVEN]), 13, "(6@1 + 7@2)"),
        (math.prod([SIX, SEVEN]), 42, "(6@1 * 7@2)"),
        (max(SIX, SEVEN), 7, "7@2"),
        (SIX + 0, 6, "6@1"),
        (SIX // 1, 6, "6@1"),
    ],
)
def test_arithmetic_carries_origins_on(computed: Any, value: Any, origin: str) -> None:
    assert computed == value
    assert spell(origin_of(computed)) == origin


@pytest.mark.parametrize(
    "number", [SIX, HALF, SIX * SEVEN], ids=["whole", "real", "computed"]
)
def test_a_number_is_a_number(number: Any) -> None:
    plain = number.plain_type(number)
    assert (number, hash(number), repr(number)) == (plain, hash(plain), repr(plain))
    assert f"{number}|{number:>8}" == f"{plain}|{plain:>8}"
    assert json.dumps([number]) == json.dumps([plain])
    assert type(pickle.loads(pickle.dumps(number))) is type(plain)
    assert origin_of(copy.deepcopy({"a": number})["a"]) == origin_of(number)


def test_what_is_no_arithmetic_between_numbers_is_left_to_the_other() -> None:
    assert SIX * [1] == [1] * 6
    assert "ab" * SIX == "ab" * 6
    assert (SIX * torch.ones(2)).tolist() == [6, 6]
    with pytest.raises(TypeError):
        SIX + "a"
    with pytest.raises(ZeroDivisionError):
        SIX // 0


@pytest.mark.filterwarnings("ignore")
def test_torch_takes_them_for_what_they_are() -> None:
    assert torch.zeros(SIX, SEVEN).view(SEVEN, -1).shape == (7, 6)
    assert origin_of(torch.Size([SIX])[0]) is not None
    layer = torch.nn.Linear(SIX, SEVEN)
    assert origin_of(layer.in_features) == origin_of(SIX)
    assert torch.jit.script(layer)(torch.zeros(1, 6)).shape == (1, 7)


def test_a_counter_does_not_remember_every_step() -> None:
    count = SIX
    for _ in range(10 * LARGEST):
        count = count + 2
    assert count == 6 + 20 * LARGEST


def test_other_values_at_its_ends() -> None:
    origin = origin_of(whole(SIX * HALF) + SEVEN)
    assert origin is not None
    assert [spell(end) for end in ends_of(origin)] == ["6@1", "0.5@3", "7@2"]
    six = next(ends_of(origin))
    assert value_of(origin, {six: 20}) == 17


SOURCE = '''
from __future__ import annotations
import dataclasses
"""A text."""
WIDTH = 6
def f(a: int = 5, *, b: "int" = 7) -> int:
    while 1:
        break
    if 0: return 3
    return a * 3 if a in (5, 9) else not 0
match 3:
    case 3: matched = "three"
    case _: matched = None
@dataclasses.dataclass
class Config:
    dim: int = 64
    ratio: float = 4.0
hidden = int(Config().dim * Config().ratio)
text = f"{3:>4} {WIDTH:02d}"
nested = (1, (2, 3.5))
part = [*range(3)][-1:2]
either = 0 or 5
chosen = 1 if 0 else 2
is_int = type(WIDTH) is int
same = WIDTH is WIDTH
never = not 1
few = [i for i in range(3) if 1]
pairs = {1: 2, "k": [3]}
assert 1
'''


def test_a_file_means_the_same() -> None:
    plain: dict[str, Any] = {}
    traced: dict[str, Any] = {}
    exec(compile(SOURCE, "net.py", "exec"), plain)
    exec(compile_with_origins(SOURCE, "net.py"), traced)
    names = [
        *("WIDTH", "matched", "hidden", "text", "nested", "part", "either", "chosen"),
        *("is_int", "same", "never", "few", "pairs"),
    ]
    assert {name: traced[name] for name in names} == {
        name: plain[name] for name in names
    }
    assert traced.keys() == plain.keys()
    assert (traced["f"](), traced["f"](1)) == (plain["f"](), plain["f"](1))
    assert spell(origin_of(traced["hidden"])) == "int((64@16 * 4.0@17))"
    assert origin_of(traced["f"]()) is not None


@pytest.mark.parametrize("case", cases(seed=5, count=40), ids=range(40))
@pytest.mark.filterwarnings("ignore")
def test_a_walk_with_origins_is_the_same_walk(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(case.source)
    request = Walk("net.py:Net", (case.spec,))
    target, modes = parse_target("net.py:Net"), (Mode.TRAIN, Mode.EVAL)
    try:
        plain = load_walkable(request, target, DISK)
    except NotLoadableError as error:
        with pytest.raises(NotLoadableError, match=re.escape(str(error))):
            load_walkable(request, target, DISK, with_origins=True)
        return
    traced = load_walkable(request, target, DISK, with_origins=True)
    walks = (plain.walk_modes(modes), traced.walk_modes(modes))
    for mode in (Mode.TRAIN, Mode.EVAL):
        assert is_same_walk(walks[0][mode], walks[1][mode])
