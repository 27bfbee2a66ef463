"""The user's own expression, its trail, and what is done about odd outputs and
terminals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import errors, run_shapelint

Lint = Callable[..., Any]


def test_trail_follows_the_activations_not_the_mask(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 1)
            self.fc = nn.Linear(17, 2)
        def forward(self, x, mask):
            return self.fc(self.encoder(x, src_key_padding_mask=mask))
    """
    (finding,) = lint(source, "2,5,16", "2,5:bool").diagnostics
    assert finding.trail[0].shape == "(2, 5, 16)"
    assert finding.trail[-1].layer == "encoder.layers.0.norm2"


def test_missing_flatten_and_missing_batch_are_named_first(lint: Lint) -> None:
    head = "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    mlp = f"{head}        self.fc = nn.Linear(784, 10)\n    def forward(self, x):\n        return self.fc(x)\n"
    (finding,) = lint(mlp, "4,1,28,28").diagnostics
    assert finding.fixes[0].title == "`x.flatten(1)`"
    cnn = (
        f"{head}        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))\n"
        "    def forward(self, x):\n        return self.net(x)\n"
    )
    (finding,) = lint(cnn, "3,8,8").diagnostics
    assert finding.fixes[0].title == "`--input 1,3,8,8`, a batch dimension in front"


def test_inputs_that_the_forward_cannot_take_are_a_usage_matter(lint: Lint) -> None:
    source = "from torch import nn\nclass Net(nn.Module):\n    def forward(self, image, mask):\n        return image\n"
    report = lint(source, "1,3")
    assert errors(report) == ["SHP902"]
    finding = report.diagnostics[0]
    assert (
        finding.message
        == "the inputs do not fit `Net.forward(image, mask)`: missing a required argument: 'mask'"
    )
    assert finding.notes == ("name them: --input image=... --input mask=...",)
    assert finding.span.line == 3


def test_configuration_reaches_the_rules(tmp_path: Path) -> None:
    from tests.conftest import ROOT

    (tmp_path / "pyproject.toml").write_text(
        "[tool.shapelint]\nhead-params = 500_000\noutput-format = 'concise'\n"
    )
    (tmp_path / "small_cnn.py").write_text(
        (ROOT / "fixtures" / "small_cnn.py").read_text()
    )
    done = run_shapelint("check", "small_cnn.py", "--input", "1,3,64,64", cwd=tmp_path)
    assert done.code == 1
    assert "warning[SHP301]" in done.out
    (tmp_path / "pyproject.toml").write_text("[tool.shapelint]\nhead-share = 0.999\n")
    done = run_shapelint("check", "small_cnn.py", "--input", "1,3,64,64", cwd=tmp_path)
    assert (done.code, "SHP301" in done.out) == (0, False)


def test_a_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.größe = nn.Linear(9, 2)\n    def forward(self, x):\n        return self.größe(x)\n",
        encoding="utf-8",
    )
    done = run_shapelint(
        "check",
        "net.py",
        "--input",
        "2,8",
        cwd=tmp_path,
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="0",
    )
    assert done.code == 1
    assert done.out.isascii()
    assert "x gr??e" in done.out


def test_dropout_that_eval_does_not_reach(lint: Lint) -> None:
    source = """
    from torch import nn
    import torch.nn.functional as F
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = [nn.Dropout(0.5)]
            self.on_purpose = nn.Dropout(0.5)
        def eval(self):
            super().eval()
            self.on_purpose.train()
            return self
        def forward(self, x):
            x = self.on_purpose(self.hidden[0](x))
            x = F.dropout2d(x[:, None, None], p=0.2)[:, 0, 0]
            x = F.dropout(x, p=0.0)
            return F.dropout(x, 0.1, self.training)
    """
    report = lint(source, "2,8")
    assert [(d.code, d.span.line) for d in report.diagnostics] == [
        ("SHP401", 14),
        ("SHP401", 15),
    ]
    assert report.diagnostics[1].fixes[0].title == "`training=self.training`"


def test_a_change_that_only_moves_the_error_is_not_shown(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(*[nn.Linear(8, 4)] * 3)
        def forward(self, x):
            return self.layers(x)
    """
    (finding,) = lint(source, "2,8").diagnostics
    assert (finding.code, [fix.title for fix in finding.fixes]) == (
        "SHP101",
        ["`nn.Linear(8, 8)`"],
    )  # not (4, 4)


def test_pooling_with_indices_and_sizes_of_expand(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool = nn.MaxPool2d({kernel}, return_indices=True)
        def forward(self, x):
            y, indices = self.pool(x)
            return y.expand(4, -1, -1, -1)
    """
    assert errors(lint(source.format(kernel=9), "1,3,8,8")) == ["SHP111"]
    (finding,) = lint(source.format(kernel=2), "2,3,8,8").diagnostics
    assert (finding.code, finding.fixes) == ("SHP107", ())


def test_every_answer_of_a_question_is_named_once(lint: Lint) -> None:
    source = """
    from torch import nn
    class Net(nn.Module):
        def forward(self, x):
            for limit in (0.0, 5.0):
                if x.max() > limit:
                    x = x / 2
            return x
    """
    (finding,) = lint(source, "2,8").diagnostics
    assert (
        finding.message
        == "the walk depends on the truth of a tensor of shape (), which was True and False"
    )
    assert finding.modes == ("train", "eval")


def test_a_product_whose_other_side_is_not_in_the_source(lint: Lint) -> None:
    source = """
    import torch
    from torch import nn
    class Net(nn.Module):
        def forward(self, x):
            pair = (x, x)
            return torch.matmul(*pair) + torch.matmul(x, other=x)
    """
    assert set(errors(lint(source, "2,3,4"))) == {"SHP106"}
