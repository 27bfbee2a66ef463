"""The model as a picture: what is in it, where it is put, and the SVG."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from shapelint.facts.drawing import Picture
from shapelint.facts.graph import TensorFact
from shapelint.facts.outcome import TargetReport
from shapelint.picture.blocks import LARGEST, MOST
from shapelint.picture.geometry import Layout
from shapelint.picture.layouts import FAR, Layouts
from shapelint.picture.plan import Plan
from shapelint.render.static_picture import render_svg
from tests.conftest import FIXTURES, check_target

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
    return {
        (named(picture, link.source), named(picture, link.target), str(link.shape))
        for link in picture.links
    }


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


def test_blocks_are_in_the_modules_that_call_them_and_a_module_called_twice_is_there_twice(
    lint: Lint,
) -> None:
    picture = drawn(lint)
    homes = {
        named(picture, at): block.within for at, block in enumerate(picture.blocks)
    }
    assert picture.blocks[0].kind == "container"
    assert picture.blocks[homes["body.0.conv:Conv2d"] or 0].layer == "body.0"
    assert picture.blocks[homes["body.0:Block"] or 0].layer == "body"
    assert [block.layer for block in picture.blocks].count(
        "again"
    ) == 4  # twice the module, twice the sum in it
    assert [
        block.params for block in picture.blocks if block.layer == "again.conv"
    ] == [584, 0]


def test_totals_of_the_outermost_block_are_those_of_the_model(lint: Lint) -> None:
    report = lint(NESTED, "1,3,8,8", "scale=1,8,8,8", picture=True, fixes=False)
    assert report.picture.blocks[0].params == report.totals.params
    assert report.picture.blocks[0].mult_adds == report.totals.mult_adds


def test_a_module_knows_what_goes_in_and_comes_out(lint: Lint) -> None:
    picture = drawn(lint)
    (body,) = [block for block in picture.blocks if block.layer == "body"]
    fact = TensorFact("f32", (1, 8, 8, 8))
    assert (body.inputs, body.outputs, body.size) == ([fact], [fact], 512)
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
def test_of_every_fixture_all_that_is_computed_is_linked(
    name: str, inputs: list[str]
) -> None:
    report = check_target(str(FIXTURES / name), *inputs, picture=True, fixes=False)
    blocks = report.picture.blocks
    fed = {link.target for link in report.picture.links}
    used = {link.source for link in report.picture.links}
    assert blocks[-1].kind == "output"
    for at, block in enumerate(blocks):
        if block.kind not in ("container", "input") and not any(
            shape.dtype == "i64" for shape in block.inputs
        ):
            assert at in fed, block
        if block.kind == "input":
            assert at in used, block


def test_a_failing_call_is_red_as_is_what_feeds_it(lint: Lint) -> None:
    picture = drawn(lint, NESTED.replace("8 * 8 * 8", "8 * 4 * 4"))
    assert [
        named(picture, at) for at, block in enumerate(picture.blocks) if block.failed
    ] == [":Net", "head:Linear"]
    broken = [
        (named(picture, link.source), named(picture, link.target))
        for link in picture.links
        if link.into_failed
    ]
    assert broken == [(":flatten", "head:Linear")]


@pytest.mark.parametrize("calls", [LARGEST + 1, MOST + 1])
def test_too_many_calls_lose_their_insides_first_and_then_the_picture(
    lint: Lint, calls: int
) -> None:
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
    assert "too many for a picture" in render_svg(
        TargetReport("n.py:Net", picture=flat)
    )


# -- layout
# -----------------------------------------------------------------------------------------


def everything(
    inside: Layout, left: float = 0.0, top: float = 0.0
) -> list[tuple[int, float, float, float, float]]:
    """All boxes that hold no others, where they are in the whole picture."""
    found = []
    for at, (x, y, width, height) in inside.boxes.items():
        inner = inside.inner.get(at)
        found += (
            everything(inner, left + x, top + y)
            if inner
            else [(at, left + x, top + y, width, height)]
        )
    return found


@pytest.mark.parametrize("opened", ["all", "none", "some"])
def test_no_box_covers_another_and_all_are_inside(lint: Lint, opened: str) -> None:
    plan = Plan(drawn(lint))
    chosen = {
        "all": set(plan.children),
        "none": {0},
        "some": plan.choose_open(room=12),
    }[opened]
    whole = Layouts(plan).lay_out(0, chosen.__contains__)
    boxes = everything(whole)
    assert {at for at, *_ in boxes} >= {
        at for at, block in enumerate(plan.blocks) if block.within == 0
    } - chosen
    for _, x, y, width, height in boxes:
        assert x >= 0
        assert y >= 0
        assert x + width <= whole.width
        assert y + height <= whole.height
    for (one, x, y, width, height), (
        other,
        x2,
        y2,
        width2,
        height2,
    ) in itertools.combinations(boxes, 2):
        apart = (
            x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y
        )
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
    ("source", "inputs"),
    [(NESTED, ("1,3,8,8", "scale=1,8,8,8")), (CROSSED, ("1,4", "1,5", "1,6"))],
)
def test_lines_end_at_their_blocks_and_go_through_borders_at_one_place(
    lint: Lint, source: str, inputs: tuple[str, ...]
) -> None:
    plan = Plan(drawn(lint, source, *inputs))

    def check(inside: Layout) -> None:
        for line in inside.lines:
            for at, (x, y), is_target in (
                (line.source, line.points[0], False),
                (line.target, line.points[-1], True),
            ):
                if at < 0:
                    assert y in (0.0, inside.height)
                    continue
                left, top, width, height = inside.boxes[at]
                assert left - 9 <= x <= left + width + 9, plan.blocks[at]
                assert top - 9 <= y <= top + height + 9
                if at in inside.inner:
                    ports = (
                        inside.inner[at].ports_in
                        if is_target
                        else inside.inner[at].ports_out
                    )
                    assert abs(left + ports[line.port] - x) <= 3
        for inner in inside.inner.values():
            check(inner)

    check(Layouts(plan).lay_out(0, lambda _: True))


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
    assert plan.count_detours(0) > FAR
    whole = Layouts(plan).lay_out(0, lambda _: True)
    lefts = [x + width / 2 for x, _, width, _ in whole.boxes.values()]
    assert max(lefts) - min(lefts) < 1
    tops = [y for _, y, _, _ in whole.boxes.values()]
    assert tops == sorted(tops)
    assert len(whole.lines) == len(plan.links)
    for line in whole.lines:
        assert all(
            0 <= x <= whole.width and 0 <= y <= whole.height for x, y in line.points
        )
        for at, (x, y) in (
            (line.source, line.points[0]),
            (line.target, line.points[-1]),
        ):
            left, top, width, height = whole.boxes[at]
            assert left <= x <= left + width
            assert top <= y <= top + height


def test_a_wider_block_gives_more_and_a_higher_one_has_more_parameters(
    lint: Lint,
) -> None:
    picture = drawn(lint)
    plan = Plan(picture)
    by_name = {
        named(picture, at): plan.size(at) for at in range(1, len(picture.blocks))
    }
    assert by_name["stem:Conv2d"][0] > by_name["head:Linear"][0]
    assert by_name["head:Linear"][1] > 2 * by_name["stem:Conv2d"][1]


def test_what_fails_is_open_however_deep_it_is(lint: Lint) -> None:
    source = NESTED.replace("self.conv = nn.Conv2d(8, 8", "self.conv = nn.Conv2d(4, 8")
    plan = Plan(drawn(lint, source))
    opened = plan.choose_open(room=1)
    assert "body.0" in {plan.blocks[at].layer for at in opened}
    assert Plan(drawn(lint)).choose_open(room=1) == {0}
