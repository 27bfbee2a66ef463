"""Every layer of `torch.nn` with each of its numbers at 0: no fault, and eager's
verdict.

`python -m tests.layers` asks the same with -1, -2 and numbers up to 10**30, of every
form in the table and with the search for fixes; `--value`, `--only` and `--behind`
choose a part of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from tests.layer_table import EXCLUDED, FUNCTIONS, LAYERS, Form
from tests.layers import Asked, Case, changed, disagreement, forms

FIRST = {form.name: form for form in reversed(forms())}

WITH_FIXES = (
    *(
        "MaxPool2d",
        "AvgPool2d",
        "LPPool2d",
        "PixelShuffle",
        "PixelUnshuffle",
        "Unflatten",
    ),
    *(
        "Upsample",
        "Fold",
        "Unfold",
        "GroupNorm",
        "F.max_pool2d",
        "F.pixel_shuffle",
        "x.view",
        "torch.chunk",
    ),
)
"""What changes are looked for, too: those whose numbers are windows, blocks or
sizes."""

SINGLE = (
    *(
        "nn.Conv2d(4, 6, 3, stride=0)",
        "nn.ConvTranspose2d(4, 6, 3, stride=0)",
        "nn.Conv2d(4, 6, 0)",
    ),
    "nn.Sequential(nn.Conv2d(4, 6, 3, stride=0), nn.Flatten(), nn.Linear(10, 2))",
    *(
        "nn.Conv2d(4, 6, 3, stride=-1)",
        "nn.MaxPool2d(-2)",
        "nn.PixelShuffle(-1)",
        "nn.PixelShuffle(2**62)",
    ),
    *(
        "nn.GroupNorm(-3, 4)",
        "nn.AdaptiveAvgPool2d((2**62, 2))",
        "nn.ReflectionPad2d(2**62)",
        "nn.Conv2d(4, 2**62, 3)",
    ),
    *(
        "nn.Linear(8, 10**30)",
        "nn.Upsample(scale_factor=10**30)",
        "nn.MaxPool2d(10**30)",
        "nn.ZeroPad2d(2**40)",
    ),
    *(
        "torch.chunk(x, -1)[0]",
        "torch.split(x, -1)[0]",
        "x.expand(2**62, 4, 8, 8)",
        "x.repeat(2**62, 1, 1, 1)",
    ),
    "F.scaled_dot_product_attention(x[..., :0], x[..., :0], x)",
    *(
        "torch.arange(0, 1, 0) + x",
        "F.pad(x, (-(2**62), 0))",
        "x.reshape(2**62, -1)",
        "x.tile(10**30)",
    ),
)


@pytest.fixture(scope="module")
def asked() -> Iterator[dict[str, Asked]]:
    sides = {
        "eager": Asked("eager"),
        "own": Asked("own", fixes=False),
        "with fixes": Asked("own"),
    }
    yield sides
    for side in sides.values():
        side.close()


def differences(asked: dict[str, Asked], side: str, cases: list[Case]) -> list[str]:
    """What eager and shapelint disagree on, in words."""
    found = []
    for case in cases:
        eager, words = asked["eager"].verdict(case)
        own, answer = asked[side].verdict(case)
        if disagreement(eager, own):
            found.append(
                f"{case.written}: eager {eager} {words}; shapelint {own} {answer}"
            )
    return found


def test_every_layer_of_torch_is_in_the_table() -> None:
    import torch

    values = {name: getattr(torch.nn, name) for name in dir(torch.nn)}
    layers = {
        name
        for name, each in values.items()
        if inspect.isclass(each) and issubclass(each, torch.nn.Module)
    }
    assert layers - {form.name for form in LAYERS} - set(EXCLUDED) == set()


@pytest.mark.parametrize("form", [*LAYERS, *FUNCTIONS], ids=lambda form: form.written)
def test_forms_run_as_they_are_written(form: Form, asked: dict[str, Asked]) -> None:
    if form not in forms():
        pytest.skip(f"this torch has no {form.name}")
    assert asked["eager"].verdict(Case(form, form.written)) == ("runs", "")


@pytest.mark.parametrize("name", FIRST)
def test_a_number_of_0_gives_eagers_verdict(name: str, asked: dict[str, Asked]) -> None:
    cases = list(changed(FIRST[name], (0,)))
    assert differences(asked, "own", cases) == []


@pytest.mark.parametrize("name", WITH_FIXES)
def test_changes_are_looked_for_with_a_number_of_0(
    name: str, asked: dict[str, Asked]
) -> None:
    """With a layer behind that fails too, so that the broken one is looked at from
    there as well."""
    cases = list(changed(FIRST[name], (0,), broken_behind=True))
    assert differences(asked, "with fixes", cases) == []


@pytest.mark.parametrize("written", SINGLE)
def test_single_numbers_at_0_below_0_and_beyond_memory(
    written: str, asked: dict[str, Asked]
) -> None:
    case = Case(Form("", written, ("2,4,8,8",)), written)
    assert differences(asked, "with fixes", [case]) == []
