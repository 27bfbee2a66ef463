"""The model as an SVG, and the commands that write pictures."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.facts.drawing import Block, Picture
from shapelint.facts.graph import TensorFact, ValueFact
from shapelint.facts.kinds import BlockKind
from shapelint.facts.outcome import TargetReport
from shapelint.picture.labels import write_shape, write_value
from shapelint.render.notes import note_lines
from shapelint.render.static_picture import render_svg
from shapelint.render.svg_elements import family
from tests.conftest import FIXTURES, check_target, run_shapelint
from tests.test_picture import NESTED

Lint = Callable[..., Any]


def test_the_svg_is_xml_that_asks_for_nothing(lint: Lint) -> None:
    report = lint(
        NESTED.replace("8 * 8 * 8", "8 * 4 * 4"),
        "1,3,8,8",
        "scale=1,8,8,8",
        picture=True,
    )
    text = render_svg(report)
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in text
    assert "url(http" not in text
    words = "".join(root.itertext())
    for part in (
        "SHP101",
        "takes 128 features but gets 512",
        "fix: nn.Linear(",
        "1×512",
        "scale 1×8×8×8",
        "again",
    ):
        assert part in words, part
    assert 'class="line broken"' in text
    assert "made at net.py:20" in words
    assert "self.head = nn.Linear(8 * 4 * 4, 10)" in words


def test_warnings_stand_beside_their_blocks_and_infos_do_not() -> None:
    report = check_target(
        f"{FIXTURES / 'vgg_head.py'}:VGGLike", "1,3,224,224", picture=True
    )
    assert [item.severity.value for item in report.diagnostics] == ["warning"]
    text = render_svg(report)
    assert 'class="note warning"' in text
    assert "warned" in text


def test_words_of_the_user_are_escaped() -> None:
    fact = TensorFact("f32", (1,))
    block = Block("<b>&", "Evil<script>", BlockKind.MODULE, [fact], [fact], 1, within=0)
    report = TargetReport(
        "n.py:N", picture=Picture([Block("", "N", BlockKind.CONTAINER), block])
    )
    text = render_svg(report)
    ET.fromstring(text)
    assert "<script" not in text


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("Conv2d", "conv"),
        ("ConvTranspose2d", "conv"),
        ("BatchNorm2d", "norm"),
        ("layer_norm", "norm"),
        ("MultiheadAttention", "attention"),
        ("scaled_dot_product_attention", "attention"),
        ("LSTM", "recurrent"),
        ("Embedding", "embedding"),
        ("AdaptiveAvgPool2d", "pool"),
        ("NonDynamicallyQuantizableLinear", "linear"),
        ("GELU", "activation"),
        ("flatten", "reshape"),
        ("add", "math"),
        ("Mystery", "module"),
    ],
)
def test_kinds_of_blocks(op: str, expected: str) -> None:
    assert (
        family(Block("", op, BlockKind.FUNCTION if op.islower() else BlockKind.MODULE))
        == expected
    )


def test_shapes_are_short_and_dtypes_named_where_they_matter() -> None:
    image, ids = TensorFact("f32", (1, 3, 64, 64)), TensorFact("i64", (1, 16))
    assert write_shape(image) == "1×3×64×64"
    assert write_shape(ids) == "i64 1×16"
    assert write_shape(TensorFact("f32", ())) == "scalar"
    assert write_value(ValueFact(str(ids), (ids,))) == "i64 1×16"
    assert write_value(ValueFact(str(ids), (ids,), "ids")) == "ids=i64[1,16]"
    pair = ValueFact("(f32[1,2], f32[1,8])", (ids, image))
    assert write_value(pair) == "(f32[1,2], f32[1,8])"


def test_a_note_is_short_and_has_the_first_fix() -> None:
    report = check_target(
        str(FIXTURES / "small_cnn.py:SmallCNN"), "1,3,32,32", picture=True
    )
    lines = note_lines(report.diagnostics[0])
    assert lines[0] == ("code", "SHP101 linear-input-mismatch")
    assert lines[-1] == ("mend", "fix: nn.Linear(32 * 8 * 8, 64)")
    assert all(len(text) <= 50 for _, text in lines)


# -- the commands
# -----------------------------------------------------------------------------------


def test_report_writes_pictures(tmp_path: Path) -> None:
    for name in ("svg", "html"):
        file = tmp_path / f"net.{name}"
        words = ("report", "fixtures/small_cnn.py:SmallCNN", "--input", "1,3,32,32")
        done = run_shapelint(*words, "--format", name, "--output-file", str(file))
        assert (done.code, done.out) == (1, "")
        assert "fix: nn.Linear(32 * 8 * 8, 64)" in file.read_text(encoding="utf-8")


def test_without_graphviz_the_way_to_it_is_said_before_anything_is_walked(
    tmp_path: Path,
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['pygraphviz'] = None\n"
    )
    (tmp_path / "net.py").write_text("print('imported')\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent.parent)])
    for words in (
        ("check", "net.py:N", "--output-format", "html"),
        ("report", "net.py:N", "--format", "svg"),
    ):
        done = run_shapelint(*words, cwd=tmp_path, PYTHONPATH=path)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "error: pictures need Graphviz, which is not installed; `pip install 'shapelint[html]'`\n"
        )
