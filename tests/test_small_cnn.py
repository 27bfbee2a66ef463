"""The main job, as the README shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests import eager
from tests.conftest import FIXTURES, check_target, errors, run_shapelint

SOURCE = (FIXTURES / "small_cnn.py").read_text()
TARGET = "fixtures/small_cnn.py:SmallCNN"


def test_clean_at_64() -> None:
    done = run_shapelint("check", TARGET, "--input", "1,3,64,64", "--color", "never")
    assert done.code == 0
    assert done.err == ""
    assert "error" not in done.out
    assert "info[SHP301]" in done.out
    assert "529,570 parameters" in done.out
    assert "f32[1,32,16,16]" in done.out


def test_finding_at_32_says_it_all() -> None:
    done = run_shapelint("check", TARGET, "--input", "1,3,32,32")
    assert done.code == 1
    finding = done.out.split("\n\n")[0]
    assert finding == "\n".join(
        [
            "error[SHP101]: `Linear` takes 8192 features but gets 2048",
            "  --> fixtures/small_cnn.py:15:23",
            "   |",
            "15 |             nn.Linear(32 * 16 * 16, 64),",
            "   |                       ^^^^^^^^^^^^ 8192 expected, 2048 found",
            "   |",
            "   = layer: classifier.1, called at fixtures/small_cnn.py:21",
            "   = trail: (1, 3, 32, 32) -> features.0 Conv2d (1, 16, 32, 32) -> ... -> features.4 ReLU (1, 32, 16, 16)"
            " -> features.5 MaxPool2d (1, 32, 8, 8) -> classifier.0 Flatten (1, 2048)",
            "   = note: 2048 = 32 * 8 * 8, from flattening (1, 32, 8, 8)",
            "   = help: `nn.Linear(32 * 8 * 8, 64)`  [verified; 131,136 parameters instead of 524,352; new weights]",
            "   = help: `nn.AdaptiveAvgPool2d((16, 16))` before `nn.Flatten()` at fixtures/small_cnn.py:13"
            "  [verified; keeps trained weights; other sizes too]",
            "   = help: `nn.AdaptiveAvgPool2d(1)` before `nn.Flatten()` and `nn.Linear(32, 64)` at fixtures/small_cnn.py:13"
            "  [verified; 2,112 parameters instead of 524,352; new weights; other sizes too]",
        ]
    )
    assert "✗ classifier.1" in done.out
    assert done.out.rstrip().endswith("1 error\n1 fixable with `--fix`")


def test_the_fixes_run_in_eager_and_cost_what_they_say() -> None:
    report = check_target(f"{FIXTURES / 'small_cnn.py'}:SmallCNN", "1,3,32,32")
    trained = eager.build(SOURCE, "SmallCNN").state_dict()
    costs = []
    for fix in report.diagnostics[0].fixes:
        model = eager.build(eager.edited(Path("/"), fix), "SmallCNN")
        assert model(torch.rand(1, 3, 32, 32)).shape == (1, 2)
        keeps = {k: v.shape for k, v in model.state_dict().items()} == {
            k: v.shape for k, v in trained.items()
        }
        assert ("keeps trained weights" in fix.cost) == keeps == (fix.safety == "safe")
        costs.append(
            sum(p.numel() for p in model.get_submodule("classifier.1").parameters())
        )
    assert costs == [131_136, 524_352, 2_112]


def test_eager_agrees() -> None:
    assert "mat1 and mat2" in eager.raises(SOURCE, ("1,3,32,32",), "SmallCNN")
    assert not eager.raises(SOURCE, ("1,3,64,64",), "SmallCNN")


def test_other_spellings_of_the_same_bug(lint: Callable[..., Any]) -> None:
    head = """
        import torch, torch.nn as nn, torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self, size=16):
                super().__init__()
                self.conv = nn.Conv2d(3, 4, 3, padding=1)
                self.fc = {made}
            def forward(self, x):
                x = F.max_pool2d(F.relu(self.conv(x)), 2)
                x = {flat}
                return {call}
    """
    spellings = [
        (
            "nn.Linear(in_features=4 * size * size, out_features=2)",
            "x.view(x.size(0), -1)",
            "self.fc(x)",
        ),
        ("nn.Linear(4*size**2, 2)", "x.reshape(len(x), -1)", "self.fc(x)"),
        (
            "nn.Sequential(nn.Dropout(0.1), nn.Linear(1024, 2))",
            "torch.flatten(x, start_dim=1)",
            "self.fc(x)",
        ),
        (
            "nn.Linear(1024, 2)",
            "nn.Flatten()(x)",
            "F.linear(x, self.fc.weight, self.fc.bias)",
        ),
        ("nn.LazyLinear(2)", "x.flatten(1)", "self.fc(x)"),
    ]
    for made, flat, call in spellings:
        report = lint(head.format(made=made, flat=flat, call=call), "2,3,24,24")
        if "Lazy" in made:
            assert errors(report) == []
            continue
        assert errors(report) == ["SHP101"], made
        finding = report.diagnostics[0]
        # a size that was given is wrong where it is given
        line = 4 if "size" in made else 7
        assert (finding.expected, finding.found, finding.span.line) == (
            "1024",
            "576",
            line,
        )
        assert finding.fixes, made


def test_json_carries_the_same(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    done = run_shapelint(
        "check",
        TARGET,
        "--input",
        "1,3,32,32",
        "--output-format",
        "json",
        "--output-file",
        str(out),
    )
    assert (done.code, done.out) == (1, "")
    data = json.loads(out.read_text())
    (finding,) = data["diagnostics"]
    assert finding["location"] == {
        "file": "fixtures/small_cnn.py",
        "line": 15,
        "column": 23,
        "end_line": 15,
        "end_column": 35,
    }
    assert (finding["expected"], finding["found"]) == ("8192", "2048")
    assert [fix["verified"] for fix in finding["fixes"]] == [True, True, True]
