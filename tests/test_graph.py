"""The recorded fx graph: valid, with the keys that fx tools know, for models that
symbolic tracing gives up on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.fx
from torch import nn

from shapelint.facts.kinds import Mode
from shapelint.tracing.walk import Walker
from tests.conftest import FIXTURES


def trace_of(model: nn.Module, *inputs: torch.Tensor, mode: Mode = Mode.EVAL) -> Any:
    return Walker(model, lambda: (inputs, {})).walk(mode)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.hidden = [nn.Linear(4, 4)]
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> Any:
        assert x.shape[1] == 4
        if x.sum() > 0:
            x = self.fc(x)
        values, _indices = x.max(dim=1)
        return {"y": self.hidden[0](x) * self.scale, "z": [values[None].T, x[:, 1:3]]}


def test_graph_where_symbolic_tracing_gives_up() -> None:
    model = Branching()
    with pytest.raises(torch.fx.proxy.TraceError):
        torch.fx.symbolic_trace(model)
    trace = trace_of(model, torch.rand(2, 4))
    trace.graph.lint()
    ops = [(node.op, str(node.target)) for node in trace.graph.nodes]
    assert ("call_module", "fc") in ops
    assert ("get_attr", "scale") in ops
    assert ops[0] == ("placeholder", "input_1")
    assert ops[-1][0] == "output"


def test_nodes_carry_the_standard_keys() -> None:
    trace = trace_of(Branching(), torch.rand(2, 4))
    (fc,) = [node for node in trace.graph.nodes if node.target == "fc"]
    assert fc.meta["tensor_meta"].shape == (2, 4)
    assert fc.meta["tensor_meta"].dtype == torch.float32
    assert list(fc.meta["nn_module_stack"]) == [""]
    assert "test_graph.py" in fc.meta["stack_trace"]
    assert fc.meta["shapelint"].site.file == __file__


def test_recorded_graph_computes_what_the_model_computes() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "resnet_fixture", FIXTURES / "resnet.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.ResNet().eval()
    x = torch.rand(2, 3, 32, 32)
    trace = trace_of(model, x)
    replayed = torch.fx.GraphModule(model, trace.graph)
    with torch.no_grad():
        assert torch.allclose(replayed(x), model(x))


def test_mult_adds_belong_to_their_calls() -> None:
    trace = trace_of(
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), torch.rand(3, 4)
    )
    assert [call.mult_adds for call in trace.calls] == [96, 0, 48]


def test_both_modes_from_the_same_flags() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(4).eval())
    model.train()
    model[1].eval()
    walker = Walker(model, lambda: ((torch.rand(2, 4),), {}))
    assert [[call.training for call in walker.walk(mode).calls] for mode in Mode] == [
        [True] * 2,
        [False] * 2,
    ]
    assert [module.training for module in model] == [True, False]
