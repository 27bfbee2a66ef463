"""The Python interface as people use it, with the types that they get; mypy and pyright
read it, nothing runs it."""

from __future__ import annotations

from typing import Any

import torch
import torch.fx
from torch import nn
from typing_extensions import assert_type

import shapelint
from shapelint import (
    assert_clean,
    assert_modes_agree,
    assert_params,
    assert_shapes,
    check,
    trace,
)
from shapelint.facts.diagnostics import Diagnostic, Fix, Severity
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Span


class Net(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.fc = nn.Linear(8, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc(x)
        return out


def models_and_inputs() -> None:
    check(Net)
    check(Net(), (1, 8))
    check(lambda: Net(4), "1,8")
    check(Net, torch.zeros(1, 8))
    check(
        Net,
        {"x": (1, 8)},
        select=["SHP1"],
        ignore=["SHP101"],
        mode="eval",
        expect=["1,10"],
    )
    check(Net, [(1, 8)], thresholds={"max-params": 100})


def a_report() -> None:
    report = assert_type(check(Net, (1, 8)), shapelint.Report)
    assert_type(report.ok, bool)
    assert_type(report.params, int)
    assert_type(report.output, str | None)
    assert_type(report.target, TargetReport)
    assert_type(report.diagnostics, tuple[Diagnostic, ...])
    assert_type(report.errors, tuple[Diagnostic, ...])
    assert_type(report.failing("error"), tuple[Diagnostic, ...])
    assert_type(report.to_json(), dict[str, Any])
    assert_type(report.to_text(), str)
    assert_type(report.to_html(), str)
    assert_type(report.to_svg(), str)
    for finding in report.diagnostics:
        assert_type(finding.code, str)
        assert_type(finding.severity, Severity)
        assert_type(finding.span, Span | None)
        assert_type(finding.fixes, tuple[Fix, ...])


def a_trace() -> None:
    walked = assert_type(trace(Net, (1, 8), mode="train"), shapelint.WalkedModel)
    assert_type(walked.graph_module, torch.fx.GraphModule)
    assert_type(walked.shapes, dict[str, tuple[int, ...]])


def assertions() -> None:
    assert_type(assert_clean(Net, (1, 8), fail_on="error"), shapelint.Report)
    assert_type(assert_shapes(Net, "B 8 -> B 10"), shapelint.Report)
    assert_type(assert_params(Net, (1, 8), max=100), shapelint.Report)
    assert_type(assert_modes_agree(Net, (1, 8)), shapelint.Report)
