"""What `import shapelint` gives: check, trace, a report, and assertions for people's
own tests."""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from tests.conftest import ROOT


class Net(nn.Module):
    def __init__(self, width: int = 8 * 8 * 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc(self.norm(self.conv(x)).flatten(1))
        return out


class Pooled(Net):
    def __init__(self) -> None:
        super().__init__(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc(self.norm(self.conv(x)).mean((2, 3)))
        return out


class Two(nn.Module):
    def forward(
        self, x: torch.Tensor, ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor] | torch.Tensor:
        return (x.transpose(1, 2), ids + 1) if not self.training else x.transpose(1, 2)


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, shapelint; assert 'torch' not in sys.modules; shapelint.check; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "False\n"


def test_every_name_is_there_and_others_are_not() -> None:
    for name in shapelint.__all__:
        assert getattr(shapelint, name) is not None
    with pytest.raises(AttributeError, match="has no `chekc`"):
        shapelint.chekc  # noqa: B018


@pytest.mark.parametrize(
    "inputs",
    [
        (1, 3, 16, 16), "1,3,16,16", torch.rand(1, 3, 16, 16), (torch.rand(1, 3, 16, 16),), ((1, 3, 16, 16),),
        {"x": (1, 3, 16, 16)}, ["1,3,16,16:float32"],
    ],
)  # fmt: skip
def test_inputs_as_people_have_them(inputs: Any) -> None:
    report = shapelint.check(Net, inputs, ignore=["SHP301"])
    assert report.ok
    assert report.output == "f32[1,10]"
    assert report.params == sum(param.numel() for param in Net().parameters())


def test_a_class_has_its_findings_at_its_lines_and_an_instance_at_the_call() -> None:
    for model in (lambda: Net(100), Net(100)):
        (finding,) = shapelint.check(model, (1, 3, 16, 16), ignore=["SHP301"]).errors
        assert (finding.code, finding.layer) == ("SHP101", "fc")
        span = finding.span or finding.called_at
        assert span is not None
        assert span.file == __file__
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        Net(100)(torch.rand(1, 3, 16, 16))


def test_a_model_of_ones_own_is_as_it_was() -> None:
    model = Net()
    model.fc.eval()
    model.norm.running_mean = torch.arange(8.0)
    hook = model.conv.register_forward_hook(
        lambda *_: pytest.fail("hooks of others ran") if False else None
    )
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    shapelint.check(model, (1, 3, 16, 16))
    assert torch.equal(state, torch.get_rng_state())
    assert all(
        torch.equal(value, before[key]) for key, value in model.state_dict().items()
    )
    assert [module.training for module in model.modules()] == [True, True, True, False]
    assert list(model.conv._forward_hooks) == [hook.id]
    assert all(param.grad is None for param in model.parameters())
    assert not any(name.startswith("_shapelint") for name in vars(model))


def test_a_report_reads_as_the_command_line_and_as_a_page() -> None:
    report = shapelint.check(lambda: Net(100), (1, 3, 16, 16))
    assert "error[SHP101]: `Linear` takes 100 features but gets 512" in str(report)
    assert report.to_json()["diagnostics"][0]["code"] == "SHP101"
    page = report._repr_html_()
    assert "<td>fc</td><td>Linear</td><td>f32[1,512]</td>" in page
    assert "<script" not in page
    assert not report.ok


def test_a_trace_bears_a_graph_that_computes_the_same() -> None:
    model = Net().eval()
    walked = shapelint.trace(model, (2, 3, 16, 16))
    assert walked.shapes["conv"] == (2, 8, 8, 8)
    module = walked.graph_module
    assert isinstance(module, torch.fx.GraphModule)
    x = torch.rand(2, 3, 16, 16)
    assert torch.allclose(module.eval()(x), model(x))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: shapelint.check(3, (1, 3)), "not `int`"),  # type: ignore[arg-type]
        (lambda: shapelint.check(dict, (1, 3)), "returns `dict`"),  # type: ignore[arg-type]
        (lambda: shapelint.check(Net, (1, 3), mode="evil"), "`mode` is"),
        (lambda: shapelint.check(Net, (1, 3), select=["SHP1O1"]), "no rule `SHP1O1`"),
        (lambda: shapelint.check(Two, (1, 3)), "do not fit"),
        (lambda: shapelint.check(Net, "1,x"), "1,x"),
        (lambda: shapelint.trace(Net, (1, 3), mode="both"), "one mode"),
        (lambda: shapelint.assert_shapes(Net, "B 3 16 16"), "is not a pair of shapes"),
        (lambda: shapelint.assert_shapes(Net, "... 16 16 -> B 10"), "needs `inputs=`"),
    ],
)
def test_what_cannot_be_used_is_said(call: Any, said: str) -> None:
    with pytest.raises(shapelint.UsageError, match=said):
        call()


# -- assertions
# -------------------------------------------------------------------------------------


def test_assert_clean() -> None:
    assert shapelint.assert_clean(Pooled, (2, 3, 16, 16)).output == "f32[2,10]"
    with pytest.raises(AssertionError, match=r"error\[SHP101\]") as raised:
        shapelint.assert_clean(lambda: Net(100), (2, 3, 16, 16))
    assert "trail: (2, 3, 16, 16)" in str(raised.value)
    shapelint.assert_clean(Net, (2, 3, 16, 16), fail_on="error")
    with pytest.raises(AssertionError):
        shapelint.assert_clean(
            lambda: Net(100), (2, 3, 16, 16), fail_on="error", ignore=["SHP3"]
        )


@pytest.mark.parametrize(
    ("model", "shapes"),
    [
        (Net, "B 3 16 16 -> B 10"),
        (Pooled, "B 3 H W -> B 10"),
        (Pooled, "2 3 16 16:float32 -> 2 10:float32"),
        (Pooled, "B 3 H W -> ... 10"),
        (Pooled, "B 3 H W -> B ..."),
        (Two, "B T C, B T:int64 -> B C T, B T:int64"),
    ],
)
def test_assert_shapes_that_hold(model: Any, shapes: str) -> None:
    shapelint.assert_shapes(model, shapes)


@pytest.mark.parametrize(
    ("model", "shapes", "said"),
    [
        (
            Net,
            "B 3 16 16 -> B 11",
            "SHP118: the model returns f32[4,10] but `B 11` is expected with B=4: 10 where 11",
        ),
        (Pooled, "B 3 H W -> B H", "10 where H = 48 is wanted"),
        (Pooled, "B 3 H W -> B 10 1", "2 dimensions, not 3"),
        (Pooled, "B 3 H W -> B 10:float64", "f32, not float64"),
        (Pooled, "B 3 H W -> B 10, B", "1 tensors, not 2"),
        (Two, "B T C, B T:int64 -> B T C, B T", "40 where T = 48 is wanted"),
        (Net, "B 3 32 32 -> B 10", "the forward fails"),
        (Net, "B 3 32 32 -> B 10", "error[SHP101]"),
    ],
)
def test_assert_shapes_that_do_not(model: Any, shapes: str, said: str) -> None:
    with pytest.raises(AssertionError) as raised:
        shapelint.assert_shapes(model, shapes)
    assert said in str(raised.value)


def test_assert_shapes_with_inputs_binds_the_left_side() -> None:
    shapelint.assert_shapes(Pooled, "... H W -> 5 10", inputs=(5, 3, 16, 16))
    with pytest.raises(AssertionError, match="W=16"):
        shapelint.assert_shapes(Pooled, "... H W -> W 10", inputs=(5, 3, 16, 16))


def test_assert_params() -> None:
    assert shapelint.assert_params(Net, (1, 3, 16, 16), max=5_370).params == 5_370
    with pytest.raises(
        AssertionError, match=r"SHP304.*5,370 parameters but `max-params` is 5,369"
    ) as raised:
        shapelint.assert_params(Net, (1, 3, 16, 16), max=5_369)
    assert "fc: 5,130 (95.5 %)" in str(raised.value)


def test_assert_modes_agree() -> None:
    shapelint.assert_modes_agree(Pooled, (2, 3, 16, 16))
    with pytest.raises(AssertionError, match="SHP409"):
        shapelint.assert_modes_agree(
            Two, ((2, 3, 4), torch.ones(2, 3, dtype=torch.long))
        )


# -- fixes
# ------------------------------------------------------------------------------------------

BROKEN = """
print("imported")

from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of a file, imported as people do."""
    (tmp_path / "broken_net.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("broken_net")
    del sys.modules["broken_net"]


def test_an_error_of_a_class_in_a_file_has_fixes_at_its_cause(broken: Any) -> None:
    (error,) = shapelint.check(broken.Net, (1, 3, 8, 8)).errors
    assert error.fixes[0].title == "`nn.Linear(8 * 6 * 6, 10)`"
    assert error.fixes[0].verified
    assert error.target == "Net"
    assert error.span is not None
    assert error.span.line == 11


@pytest.mark.parametrize(
    "made",
    [
        lambda module: shapelint.check(module.Net(), (1, 3, 8, 8)),
        lambda module: shapelint.check(module.Net, torch.zeros(1, 3, 8, 8)),
        lambda module: shapelint.check(module.Net, (1, 3, 8, 8), fixes=False),
        lambda module: shapelint.check(functools.partial(module.Net), (1, 3, 8, 8)),
    ],
    ids=["an instance", "a tensor", "not wanted", "a partial"],
)
def test_where_another_process_cannot_see_the_same_there_are_none(
    broken: Any, made: Any, monkeypatch: Any
) -> None:
    import shapelint.python.api

    monkeypatch.setattr(shapelint.python.api, "Worker", None)  # none is started
    (error,) = made(broken).errors
    assert (error.code, error.fixes) == ("SHP101", ())


def test_a_script_is_not_run_again_for_fixes(tmp_path: Path) -> None:
    script = (
        BROKEN
        + "\nimport shapelint\n\nprint([len(item.fixes) for item in shapelint.check(Net, (1, 3, 8, 8)).errors])\n"
    )
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "other.py").write_text("import script\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def out(name: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, name],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=90,
        )
        return done.stdout.split("\n")

    assert out("script.py") == ["imported", "[0]", ""]
    assert out("other.py") == [
        "imported",
        "[3]",
        "",
    ]  # once for us; what the worker imports checks without fixes
