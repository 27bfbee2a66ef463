"""Totals against torchinfo, which people know."""

from __future__ import annotations

import pytest
import torchinfo

from tests import eager
from tests.conftest import FIXTURES, check_target

MODELS = [
    ("small_cnn.py", "SmallCNN", ("1,3,64,64",)),
    ("pooled_cnn.py", "PooledCNN", ("2,3,32,32",)),
    ("resnet.py", "ResNet", ("2,3,32,32",)),
    ("unet.py", "UNet", ("1,1,32,32",)),
    ("vae.py", "VAE", ("2,1,28,28",)),
    ("two_inputs.py", "ImageAndMeta", ("1,3,32,32", "1,5")),
    ("gpt.py", "GPT", ("1,8:int64",)),
    ("lstm_classifier.py", "LSTMClassifier", ("2,20:int64",)),
]


PLAIN = [case for case in MODELS[:5] if case[1] != "UNet"]
"""torchinfo counts a transposed convolution by its output's size, which is stride
squared too many."""


@pytest.mark.parametrize(
    ("file", "name", "inputs"), MODELS, ids=[name for _, name, _ in MODELS]
)
@pytest.mark.filterwarnings("ignore")
def test_parameters_are_those_of_the_model(
    file: str, name: str, inputs: tuple[str, ...]
) -> None:
    report = check_target(f"{FIXTURES / file}:{name}", *inputs)
    model = eager.build((FIXTURES / file).read_text(), name)
    unique = {id(p): p for p in model.parameters()}.values()
    assert report.totals.params == sum(p.numel() for p in unique)
    assert report.totals.param_bytes == 4 * report.totals.params
    assert sum(row.params for row in report.rows) == report.totals.params


@pytest.mark.parametrize(
    ("file", "name", "inputs"), PLAIN, ids=[name for _, name, _ in PLAIN]
)
def test_mult_adds_are_torchinfos_less_biases(
    file: str, name: str, inputs: tuple[str, ...]
) -> None:
    """torchinfo counts a bias as a mult-add an output, and norms; torch's registry
    counts products alone."""
    report = check_target(f"{FIXTURES / file}:{name}", *inputs)
    model = eager.build((FIXTURES / file).read_text(), name)
    args, _ = eager.tensors(inputs)
    known = torchinfo.summary(model, input_data=list(args), verbose=0).total_mult_adds
    assert report.totals.mult_adds == pytest.approx(known, rel=0.05)
    assert report.totals.mult_adds <= known


def test_repeats_are_marked() -> None:
    report = check_target(f"{FIXTURES / 'siamese.py'}:Siamese", "(1,1,28,28)x2")
    rows = [(row.repeat, row.params) for row in report.rows if row.name == "embed"]
    assert rows == [(False, 8224), (True, 0)]


def test_frozen_parameters_are_not_trainable(tmp_path: object, lint: object) -> None:
    source = (
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a = nn.Linear(4, 4).requires_grad_(False)\n        self.b = nn.Linear(4, 2)\n"
        "    def forward(self, x):\n        return self.b(self.a(x))\n"
    )
    report = lint(source, "1,4")  # type: ignore[operator]
    assert (report.totals.params, report.totals.trainable_params) == (30, 10)
