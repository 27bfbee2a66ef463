"""The model as a picture: what is in it, where it is put, and the SVG."""

from __future__ import annotations

import itertools
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.diagnostics import Block, Picture, TargetReport
from shapelint.labels import shown_shape
from shapelint.layout import FAR, Plan
from shapelint.picture import LARGEST, MOST
from shapelint.placed import Inside
from shapelint.render.svg import family, note_lines, render_svg
from tests.conftest import FIXTURES, check_target, run_shapelint

Lint = Callable[..., Any]

NESTED = """
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1)
            self.act = nn.ReLU()

        def forward(self, x):
            return x + self.act(self.conv(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, padding=1)
            self.body = nn.Sequential(Block(), Block())
            self.again = Block()
            self.head = nn.Linear(8 * 8 * 8, 10)

        def forward(self, x, scale):
            x = self.body(self.stem(x))
            x = self.again(self.again(x)) * scale
            left, right = x.chunk(2, dim=1)
            return self.head(torch.cat([right, left], 1).flatten(1)), x[:, 0]
"""


def drawn(lint: Lint, source: str = NESTED, *inputs: str) -> Picture:
    given = inputs or ("1,3,8,8", "scale=1,8,8,8")
    picture: Picture = lint(source, *given, picture=True, fixes=False).picture
    return picture


def named(picture: Picture, at: int) -> str:
    return f"{picture.blocks[at].layer}:{picture.blocks[at].op}"


def flow(picture: Picture) -> set[tuple[str, str, str]]:
    return {(named(picture, link.source), named(picture, link.target), link.shape) for link in picture.links}


def test_what_flows_where_with_which_shape(lint: Lint) -> None:
    assert flow(drawn(lint)) >= {
        ("input:input", "stem:Conv2d", "f32[1,3,8,8]"),
        ("stem:Conv2d", "body.0.conv:Conv2d", "f32[1,8,8,8]"),
        ("stem:Conv2d", "body.0:add", "f32[1,8,8,8]"),
        ("scale:input", ":mul", "f32[1,8,8,8]"),
        (":chunk", ":cat", "f32[1,4,8,8]"),
        (":flatten", "head:Linear", "f32[1,512]"),
        ("head:Linear", "output:output", "f32[1,10]"),
        (":mul", "output:output", "f32[1,8,8]"),  # through `x[:, 0]`, which is no block
    }


def test_blocks_are_in_the_modules_that_call_them_and_a_module_called_twice_is_there_twice(lint: Lint) -> None:
    picture = drawn(lint)
    homes = {named(picture, at): block.within for at, block in enumerate(picture.blocks)}
    assert picture.blocks[0].kind == "container"
    assert picture.blocks[homes["body.0.conv:Conv2d"] or 0].layer == "body.0"
    assert picture.blocks[homes["body.0:Block"] or 0].layer == "body"
    assert [block.layer for block in picture.blocks].count("again") == 4  # twice the module, twice the sum in it
    assert [block.params for block in picture.blocks if block.layer == "again.conv"] == [584, 0]


def test_totals_of_the_outermost_block_are_those_of_the_model(lint: Lint) -> None:
    report = lint(NESTED, "1,3,8,8", "scale=1,8,8,8", picture=True, fixes=False)
    assert report.picture.blocks[0].params == report.totals.params
    assert report.picture.blocks[0].mult_adds == report.totals.mult_adds


def test_a_module_knows_what_goes_in_and_comes_out(lint: Lint) -> None:
    picture = drawn(lint)
    (body,) = [block for block in picture.blocks if block.layer == "body"]
    assert (body.inputs, body.outputs, body.size) == (["f32[1,8,8,8]"], ["f32[1,8,8,8]"], 512)
    assert body.made is not None
    assert body.made[1] == 18


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("small_cnn.py:SmallCNN", ["1,3,64,64"]),
        ("gpt.py:GPT", ["1,32:int64"]),
        ("unet.py:UNet", ["1,1,64,64"]),
        ("lstm_classifier.py:LSTMClassifier", ["2,20:int64"]),
        ("two_inputs.py:ImageAndMeta", ["1,3,32,32", "meta=1,5"]),
    ],
)
def test_of_every_fixture_all_that_is_computed_is_linked(name: str, inputs: list[str]) -> None:
    report = check_target(str(FIXTURES / name), *inputs, picture=True, fixes=False)
    blocks = report.picture.blocks
    fed = {link.target for link in report.picture.links}
    used = {link.source for link in report.picture.links}
    assert blocks[-1].kind == "output"
    for at, block in enumerate(blocks):
        if block.kind not in ("container", "input") and not any(shape.startswith("i64") for shape in block.inputs):
            assert at in fed, block
        if block.kind == "input":
            assert at in used, block


def test_a_failing_call_is_red_as_is_what_feeds_it(lint: Lint) -> None:
    picture = drawn(lint, NESTED.replace("8 * 8 * 8", "8 * 4 * 4"))
    assert [named(picture, at) for at, block in enumerate(picture.blocks) if block.failed] == [":Net", "head:Linear"]
    broken = [(named(picture, link.source), named(picture, link.target)) for link in picture.links if link.into_failed]
    assert broken == [(":flatten", "head:Linear")]


@pytest.mark.parametrize("calls", [LARGEST + 1, MOST + 1])
def test_too_many_calls_lose_their_insides_first_and_then_the_picture(lint: Lint, calls: int) -> None:
    deep = f"""
    from torch import nn

    class Inner(nn.Module):
        def forward(self, x):
            for _ in range({calls}):
                x = x + 1
            return x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.out = nn.Linear(2, 2)

        def forward(self, x):
            return self.out(self.inner(x))
    """
    picture = drawn(lint, deep, "1,2")
    assert [named(picture, at) for at in range(len(picture.blocks))] == [
        *(":Net", "input:input", "inner:Inner", "out:Linear", "output:output"),
    ]
    assert len(picture.links) == 3
    flat = drawn(
        lint,
        deep.replace("class Inner(nn.Module)", "class Net(nn.Module)").split(
            "    class Net(nn.Module):\n        def __init__"
        )[0],
        "1,2",
    )
    assert (flat.blocks, flat.left_out) == ([], calls)
    assert "too many for a picture" in render_svg(TargetReport("n.py:Net", picture=flat))


# -- layout -----------------------------------------------------------------------------------------


def everything(inside: Inside, left: float = 0.0, top: float = 0.0) -> list[tuple[int, float, float, float, float]]:
    """All boxes that hold no others, where they are in the whole picture."""
    found = []
    for at, (x, y, width, height) in inside.boxes.items():
        inner = inside.inner.get(at)
        found += everything(inner, left + x, top + y) if inner else [(at, left + x, top + y, width, height)]
    return found


@pytest.mark.parametrize("opened", ["all", "none", "some"])
def test_no_box_covers_another_and_all_are_inside(lint: Lint, opened: str) -> None:
    plan = Plan(drawn(lint))
    chosen = {"all": set(plan.children), "none": {0}, "some": plan.opened(room=12)}[opened]
    whole = plan.inside(0, chosen.__contains__)
    boxes = everything(whole)
    assert {at for at, *_ in boxes} >= {at for at, block in enumerate(plan.blocks) if block.within == 0} - chosen
    for _, x, y, width, height in boxes:
        assert x >= 0
        assert y >= 0
        assert x + width <= whole.width
        assert y + height <= whole.height
    for (one, x, y, width, height), (other, x2, y2, width2, height2) in itertools.combinations(boxes, 2):
        apart = x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y
        assert apart, (plan.blocks[one], plan.blocks[other])


CROSSED = """
    import torch
    from torch import nn

    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = nn.Linear(4, 4), nn.Linear(5, 5), nn.Linear(6, 6)

        def forward(self, a, b, c):
            third, second = self.three(c), self.two(b)
            return self.one(a), second, third

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.crossed = Crossed()
            self.more = Crossed()

        def forward(self, a, b, c):
            a, b, c = self.crossed(a, b, c)
            c, a, b = c.relu(), a.relu(), b.relu()
            return self.more(a, b, c)
"""


@pytest.mark.parametrize(
    ("source", "inputs"), [(NESTED, ("1,3,8,8", "scale=1,8,8,8")), (CROSSED, ("1,4", "1,5", "1,6"))]
)
def test_lines_end_at_their_blocks_and_go_through_borders_at_one_place(
    lint: Lint, source: str, inputs: tuple[str, ...]
) -> None:
    plan = Plan(drawn(lint, source, *inputs))

    def check(inside: Inside) -> None:
        for line in inside.lines:
            for at, (x, y), is_target in ((line.source, line.points[0], False), (line.target, line.points[-1], True)):
                if at < 0:
                    assert y in (0.0, inside.height)
                    continue
                left, top, width, height = inside.boxes[at]
                assert left - 9 <= x <= left + width + 9, plan.blocks[at]
                assert top - 9 <= y <= top + height + 9
                if at in inside.inner:
                    ports = inside.inner[at].ports_in if is_target else inside.inner[at].ports_out
                    assert abs(left + ports[line.port] - x) <= 3
        for inner in inside.inner.values():
            check(inner)

    check(plan.inside(0, lambda _: True))


DENSE = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4 * (i + 1), 4) for i in range(24)])

        def forward(self, x):
            known = [x]
            for layer in self.layers:
                known.append(layer(torch.cat(known, 1)))
            return torch.cat(known, 1)
"""


def test_where_lines_would_go_around_very_many_blocks_they_are_arcs(lint: Lint) -> None:
    plan = Plan(drawn(lint, DENSE, "1,4"))
    assert plan._detours(0) > FAR
    whole = plan.inside(0, lambda _: True)
    lefts = [x + width / 2 for x, _, width, _ in whole.boxes.values()]
    assert max(lefts) - min(lefts) < 1
    tops = [y for _, y, _, _ in whole.boxes.values()]
    assert tops == sorted(tops)
    assert len(whole.lines) == len(plan.links)
    for line in whole.lines:
        assert all(0 <= x <= whole.width and 0 <= y <= whole.height for x, y in line.points)
        for at, (x, y) in ((line.source, line.points[0]), (line.target, line.points[-1])):
            left, top, width, height = whole.boxes[at]
            assert left <= x <= left + width
            assert top <= y <= top + height


def test_a_wider_block_gives_more_and_a_higher_one_has_more_parameters(lint: Lint) -> None:
    picture = drawn(lint)
    plan = Plan(picture)
    by_name = {named(picture, at): plan.size(at) for at in range(1, len(picture.blocks))}
    assert by_name["stem:Conv2d"][0] > by_name["head:Linear"][0]
    assert by_name["head:Linear"][1] > 2 * by_name["stem:Conv2d"][1]


def test_what_fails_is_open_however_deep_it_is(lint: Lint) -> None:
    source = NESTED.replace("self.conv = nn.Conv2d(8, 8", "self.conv = nn.Conv2d(4, 8")
    plan = Plan(drawn(lint, source))
    opened = plan.opened(room=1)
    assert "body.0" in {plan.blocks[at].layer for at in opened}
    assert Plan(drawn(lint)).opened(room=1) == {0}


# -- SVG --------------------------------------------------------------------------------------------


def test_the_svg_is_xml_that_asks_for_nothing(lint: Lint) -> None:
    report = lint(NESTED.replace("8 * 8 * 8", "8 * 4 * 4"), "1,3,8,8", "scale=1,8,8,8", picture=True)
    text = render_svg(report)
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in text
    assert "url(http" not in text
    words = "".join(root.itertext())
    for part in ("SHP101", "takes 128 features but gets 512", "fix: nn.Linear(", "1×512", "scale 1×8×8×8", "again"):
        assert part in words, part
    assert 'class="line broken"' in text
    assert "made at net.py:20" in words
    assert "self.head = nn.Linear(8 * 4 * 4, 10)" in words


def test_warnings_stand_beside_their_blocks_and_infos_do_not() -> None:
    report = check_target(f"{FIXTURES / 'vgg_head.py'}:VGGLike", "1,3,224,224", picture=True)
    assert [item.severity.value for item in report.diagnostics] == ["warning"]
    text = render_svg(report)
    assert 'class="note warning"' in text
    assert "warned" in text


def test_words_of_the_user_are_escaped() -> None:
    block = Block("<b>&", "Evil<script>", "module", ["f32[1]"], ["f32[1]"], 1, within=0)
    report = TargetReport("n.py:N", picture=Picture([Block("", "N", "container"), block]))
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
    assert family(Block("", op, "function" if op.islower() else "module")) == expected


def test_shapes_are_short_and_dtypes_named_where_they_matter() -> None:
    assert shown_shape("f32[1,3,64,64]") == "1×3×64×64"
    assert shown_shape("i64[1,16]") == "i64 1×16"
    assert shown_shape("f32[]") == "scalar"
    assert shown_shape("(f32[1,2], f32[1,8])") == "(f32[1,2], f32[1,8])"


def test_a_note_is_short_and_has_the_first_fix() -> None:
    report = check_target(str(FIXTURES / "small_cnn.py:SmallCNN"), "1,3,32,32", picture=True)
    lines = note_lines(report.diagnostics[0])
    assert lines[0] == ("code", "SHP101 linear-input-mismatch")
    assert lines[-1] == ("mend", "fix: nn.Linear(32 * 8 * 8, 64)")
    assert all(len(text) <= 50 for _, text in lines)


# -- the commands -----------------------------------------------------------------------------------


def test_report_writes_pictures(tmp_path: Path) -> None:
    for name in ("svg", "html"):
        file = tmp_path / f"net.{name}"
        words = ("report", "fixtures/small_cnn.py:SmallCNN", "--input", "1,3,32,32")
        done = run_shapelint(*words, "--format", name, "--output-file", str(file))
        assert (done.code, done.out) == (1, "")
        assert "fix: nn.Linear(32 * 8 * 8, 64)" in file.read_text(encoding="utf-8")


def test_without_graphviz_the_way_to_it_is_said_before_anything_is_walked(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['pygraphviz'] = None\n")
    (tmp_path / "net.py").write_text("print('imported')\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent.parent)])
    for words in (("check", "net.py:N", "--output-format", "html"), ("report", "net.py:N", "--format", "svg")):
        done = run_shapelint(*words, cwd=tmp_path, PYTHONPATH=path)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "error: pictures are laid out by Graphviz, which is not there; `pip install 'shapelint[html]'`\n"
        )
