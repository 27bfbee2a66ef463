"""Everyday slips of a model's author are never a fault of ours: eager's verdict is what
is said of them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint.tracing.members import buffers_of, cycles_of, modules_of, parameters_of
from shapelint.tracing.user_text import causes_of, message_of
from shapelint.tracing.value_facts import spell_shapes
from tests import eager
from tests.conftest import codes

HEAD = "import torch\nfrom torch import nn\n\n\n"


def model(
    inside: str = "", after: str = "", forward: str = "return self.conv(x)"
) -> str:
    """A small model with something more in its constructor, in its class, or in its
    forward."""
    lines = [
        "class Net(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        "        self.conv = nn.Conv2d(3, 4, 3)",
        textwrap.indent(textwrap.dedent(inside), " " * 8),
        "    def forward(self, x):",
        textwrap.indent(textwrap.dedent(forward), " " * 8),
        textwrap.indent(textwrap.dedent(after), " " * 4),
    ]
    return HEAD + "\n".join(lines) + "\n"


PART = """
class Part(nn.Module):
    def __init__(self, other):
        {}
        self.other = other

    def forward(self, x):
        return x


"""


def with_part(call: str, first: str = "pass") -> str:
    """A model that has a module of its own class as well."""
    return model(f"self.part = Part({call})").replace(HEAD, HEAD + PART.format(first))


HALF_MADE = {
    "the model": HEAD
    + "class Net(nn.Module):\n    def __init__(self):\n        self.n = 3\n\n"
    "    def forward(self, x):\n        return x * self.n\n",
    "a part": with_part("3"),
}


@pytest.mark.parametrize("source", HALF_MADE.values(), ids=HALF_MADE)
def test_a_forgotten_super_init_is_named_and_mended(
    source: str, lint: Callable[..., Any], tmp_path: Any
) -> None:
    assert "AttributeError" in eager.raises(source, ("1,3,8,8",))
    report = lint(source, "1,3,8,8")
    assert codes(report) == ["SHP504"]
    (fix,) = report.diagnostics[0].fixes
    assert not eager.raises(eager.edited(tmp_path, fix), ("1,3,8,8",))


def test_a_module_made_without_its_constructor_is_named(
    lint: Callable[..., Any],
) -> None:
    assert codes(
        lint(
            model() + "\n\ndef make():\n    return Net.__new__(Net)\n",
            "1,3,8,8",
            target="make",
        )
    ) == ["SHP504"]


def test_an_error_beyond_a_forgotten_super_init_is_found_in_the_same_run(
    lint: Callable[..., Any],
) -> None:
    source = with_part("3").replace(
        "return self.conv(x)", "return self.conv(self.conv(x))"
    )
    assert set(codes(lint(source, "1,3,8,8"))) == {"SHP102", "SHP504"}


CIRCLES = {
    "itself": model("self.me = self"),
    "its parent": with_part("self", "super().__init__()"),
    "each other": model(
        "self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)\nself.a.one = self.b\nself.b.two = self.a"
    ),
}


@pytest.mark.parametrize("source", CIRCLES.values(), ids=CIRCLES)
def test_a_model_that_holds_itself_is_named_and_mended(
    source: str, lint: Callable[..., Any], tmp_path: Any
) -> None:
    assert "RecursionError" in eager.raises(source, ("1,3,8,8",))
    report = lint(source, "1,3,8,8")
    assert codes(report) == ["SHP119"]
    diagnostic = report.diagnostics[0]
    assert "`train()` and `eval()` never end" in diagnostic.message
    assert diagnostic.span is not None
    assert not eager.raises(eager.edited(tmp_path, diagnostic.fixes[0]), ("1,3,8,8",))


BAD = """

class Odd:
    def __str__(self):
        raise KeyError("odd")

    __repr__ = __str__


class Number(int):
    __repr__ = __str__ = Odd.__str__


class Bad(Exception):
    def __init__(self, said):
        self.said = said

    def __str__(self):
        if self.said is None:
            raise KeyError("said")
        return self.said
"""


FINE = {
    "buffers are a list": model("self._buffers = []"),
    "parameters are a list": model("self._parameters = [nn.Parameter(torch.ones(2))]"),
    "a list that holds itself": model("self.me = [self]\nself.me.append(self.me)"),
    "a dict that holds itself": model(
        forward="out = {'y': self.conv(x)}\nout['out'] = out\nreturn out"
    ),
    "a list in a list": model(
        forward="out = [self.conv(x)]\nout.append(out)\nreturn out"
    ),
    "nested deeply": model(
        forward="out = self.conv(x)\nfor _ in range(3000):\n    out = (out,)\nreturn out"
    ),
    "values without a text": model(
        forward="return {Odd(): self.conv(x) * Number(2), 'n': Number(2), 'w': Odd()}"
    )
    + BAD,
    "a number beyond what Python prints": model(
        forward="return self.conv(x), 10**5000"
    ),
    "shadowed methods": model(
        "self.modules = self.named_modules = self.parameters = self.buffers = [1]"
    ),
    "unhashable": model(after="def __eq__(self, other):\n    return True"),
    "a length that raises": model(
        after="def __len__(self):\n    raise ValueError\n\n__iter__ = __bool__ = __len__"
    ),
    "a text that raises": model(after="def __repr__(self):\n    raise ValueError"),
    "properties that raise": model(
        after="@property\ndef device(self):\n    raise StopIteration"
    ),
    "its own __call__": model(
        after="def __call__(self, x):\n    return self.forward(x) * 2"
    ),
    "a generator": model(forward="yield self.conv(x)"),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_what_eager_takes_is_clean(source: str, lint: Callable[..., Any]) -> None:
    assert not eager.raises(source, ("1,3,8,8",))
    assert codes(lint(source, "1,3,8,8")) == []


REFUSED = {
    "modules are a list": model("self._modules = [nn.Conv2d(3, 3, 1)]"),
    "a module is a number": model('self._modules["n"] = 5'),
    "children shadowed": model("self.children = [1]"),
    "train shadowed": model("self.train = True"),
    "no forward": model().replace("forward", "foward"),
    "forward is None": model(after="forward = None"),
    "an exception without a text": model(forward="raise Bad(None)") + BAD,
    "an exception whose text is a number": model(forward="raise Bad(3)") + BAD,
    "calls itself for ever": model(forward="return self(x + 1)"),
    "recurses for ever": model(forward="return self.forward(x + 1)"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_eager_refuses_is_an_error(what: str, lint: Callable[..., Any]) -> None:
    source = REFUSED[what]
    with pytest.raises(Exception):  # noqa: B017, PT011 - of any class, and some have no text
        eager.build(source, "Net").train()(torch.rand(1, 3, 8, 8))
    assert set(codes(lint(source, "1,3,8,8"))) == {"SHP119"}


def test_an_exception_without_a_text_is_told_wherever_it_comes_from(
    lint: Callable[..., Any],
) -> None:
    told = "Bad: <exception str() failed>"
    constructor = model("raise Bad(None)") + BAD
    assert told in lint(constructor, "1,3,8,8").diagnostics[0].message
    assert (
        told
        in lint(model() + BAD + "\n\nraise Bad(None)\n", "1,3,8,8")
        .diagnostics[0]
        .message
    )
    inputs = model() + BAD + "\n\ndef make():\n    raise Bad(None)\n"
    assert told in lint(inputs, input_factory="net.py:make").diagnostics[0].message


def test_the_text_of_an_exception_is_bounded_and_printable() -> None:
    assert len(message_of(ValueError("a" * 10_000_000))) <= 2000
    assert message_of(ValueError("a\ud800")) == "a\\ud800"


def test_an_exception_may_be_its_own_cause() -> None:
    error = ValueError("x")
    error.__cause__ = error
    assert list(causes_of(error)) == [error]


def test_a_result_that_holds_itself_is_described() -> None:
    out: dict[str, Any] = {"y": torch.ones(2)}
    out["out"] = out
    assert spell_shapes(out) == "{y: f32[2], out: ...}"


def nested(depth: int, kernel: int = 1) -> nn.Module:
    """Sequentials within each other, a convolution innermost."""
    inner: nn.Module = nn.Conv2d(3, 3, kernel)
    for _ in range(depth):
        inner = nn.Sequential(inner)
    return inner


def works_in_eager(depth: int) -> bool:
    try:
        nested(depth).eval()(torch.ones(1, 3, 4, 4))
    except RecursionError:
        return False
    return True


def test_what_eager_nests_is_clean() -> None:
    works, fails = 1, sys.getrecursionlimit()
    while fails - works > 1:
        middle = (works + fails) // 2
        works, fails = (middle, fails) if works_in_eager(middle) else (works, middle)
    limit = sys.getrecursionlimit()
    assert shapelint.check(nested(works), (1, 3, 4, 4), fixes=False).diagnostics == ()
    assert (
        shapelint.check(lambda: nested(works), (1, 3, 4, 4), fixes=False).diagnostics
        == ()
    )
    assert sys.getrecursionlimit() == limit


def test_members_are_those_of_torch_in_its_order() -> None:
    shared = nn.BatchNorm1d(4)
    net = nn.ModuleDict(
        {
            "a": nn.Sequential(nn.Linear(4, 4), shared),
            "b": nn.ModuleList([shared, nn.LSTM(4, 4)]),
        }
    )
    assert [(name, id(each)) for name, each in modules_of(net)] == [
        (n, id(m)) for n, m in net.named_modules()
    ]
    assert [name for name, _ in parameters_of(net)] == [
        name for name, _ in net.named_parameters()
    ]
    assert [name for name, _ in buffers_of(net)] == [
        name for name, _ in net.named_buffers()
    ]
    assert list(cycles_of(net)) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_members_of_a_script_module_are_found() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 4)))
    assert [name for name, _ in parameters_of(scripted)] == ["0.weight", "0.bias"]
