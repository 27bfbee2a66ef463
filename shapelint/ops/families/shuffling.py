"""Pixel shuffles: channels to pixels, and pixels to channels."""

from __future__ import annotations

from shapelint.facts.graph import Call, Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family, Op
from shapelint.ops.wording import subject
from shapelint.syntax.walked_calls import shape_text


def recover_shuffle(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    factor = failure.arg(1, "upscale_factor", 1)
    if len(shape) < 3 or factor < 1:
        return []
    *lead, channels, height, width = shape
    fewer = max(1, channels // factor**2)
    return [(*lead, fewer, height * factor, width * factor)]


def recover_unshuffle(failure: Failure) -> list[Shape]:
    shape = failure.arg(0, "input").shape
    factor = failure.arg(1, "downscale_factor", 1)
    if len(shape) < 3 or factor < 1:
        return []
    *lead, channels, height, width = shape
    return [(*lead, channels * factor**2, height // factor, width // factor)]


def explain_shuffle(call: Call, failure: Failure) -> tuple[str, str] | None:
    shape, factor = failure.tensors[0].shape, failure.arg(1, "upscale_factor")
    if len(shape) < 3 or not isinstance(factor, int):
        return None
    block, channels = factor**2, shape[-3]
    takes = f"takes channels in multiples of {block}"
    message = f"{subject(call)} by {factor} {takes} but gets {channels}"
    return message, f"a multiple of {block} expected, {channels} found"


def explain_unshuffle(call: Call, failure: Failure) -> tuple[str, str] | None:
    shape, factor = failure.tensors[0].shape, failure.arg(1, "downscale_factor")
    if len(shape) < 3 or not isinstance(factor, int):
        return None
    takes = f"takes heights and widths in multiples of {factor}"
    gets = shape_text(shape[-2:])
    message = f"{subject(call)} by {factor} {takes} but gets {gets}"
    return message, f"multiples of {factor} expected"


OPS = (
    Op(
        "pixel_shuffle",
        "PixelShuffle",
        family=Family.SHUFFLING,
        arguments=("upscale_factor",),
        counts=("upscale_factor",),
        recover=recover_shuffle,
        misfit=explain_shuffle,
    ),
    Op(
        "pixel_unshuffle",
        "PixelUnshuffle",
        family=Family.SHUFFLING,
        arguments=("downscale_factor",),
        counts=("downscale_factor",),
        recover=recover_unshuffle,
        misfit=explain_unshuffle,
    ),
)
