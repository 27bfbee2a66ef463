"""Skip connections and other maps, cropped, padded or resized to fit each other."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from shapelint.changes import weights
from shapelint.changes.operands import Operand, find_operands, rewrite_operand
from shapelint.changes.torch_prefixes import functional_prefix
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked

MOST_PADDING = 3
"""The most by which a skip connection is padded. A larger difference does not come from
halving an odd size."""


def crop_larger(
    walked: Walked, call: Call, tables: Collection[Shape]
) -> Iterator[Candidate]:
    """Crop a mask or table that is larger than the other operand:
    `mask[..., : x.size(-2), : x.size(-1)]`. `tables`: the shapes of operands that do not
    come from an input; what does, and has more dimensions, is not cut."""
    known = find_operands(walked, call)
    if len(known) != 2:
        return
    for one, other in ((known[0], known[1]), (known[1], known[0])):
        larger = _larger_sides(one.shape, other.shape)
        if not larger or not other.is_named or not _may_be_cut(one, other, larger):
            continue
        is_sample = len(one.shape) > len(other.shape) and one.shape not in tables
        if is_sample or _are_maps_of_one_kind(one, other):
            continue
        cuts = [
            f": {other.text}.size(-{side})" if side in larger else ":"
            for side in range(max(larger), 0, -1)
        ]
        text = f"{one.text}[..., {', '.join(cuts)}]"
        yield rewrite_operand(one, text, call.layer, weights.CROP_TABLE)


def _larger_sides(shape: Shape, other: Shape) -> list[int]:
    """The dimensions, counted from the end, in which one shape is larger than the
    other; empty if it is smaller in any."""
    sides = range(1, min(len(shape), len(other)) + 1)
    differing = [side for side in sides if shape[-side] not in (1, other[-side])]
    is_smaller = any(shape[-side] < other[-side] for side in differing)
    return [] if is_smaller else differing


def _may_be_cut(one: Operand, other: Operand, sides: list[int]) -> bool:
    """Whether these dimensions are spatial or time. Heads, channels and features are
    not cropped."""
    spatial = max(2, len(one.shape) - 2, len(other.shape) - 2)
    is_of_features = len(one.shape) == len(other.shape) == 3 and sides == [1]
    return not is_of_features and len(sides) <= 2 and max(sides) <= spatial


def _are_maps_of_one_kind(one: Operand, other: Operand) -> bool:
    """Whether both are results of the model for the same samples and channels; a mask
    or table is not."""
    is_map = len(one.shape) == len(other.shape) >= 3
    is_alike = one.shape[:2] == other.shape[:2]
    return is_map and is_alike and min(one.made_at, other.made_at) >= 0


def _is_skip(one: Operand, other: Operand) -> bool:
    """Whether one of two maps was kept from before the other was made from it: cut or
    resized, it would leave the result smaller than the input."""
    is_map = len(one.shape) == len(other.shape) >= 3
    return is_map and 0 <= one.made_at < other.made_at


def resize_maps(walked: Walked, call: Call, is_even: bool) -> Iterator[Candidate]:
    """Interpolate, crop or pad the feature map that was made last to the height and
    width of the other, which a decoder kept from its encoder.

    `is_even`: the input can be halved many times, so that a wrong window upstream is
    more plausible."""
    maps = _maps_to_fit(_odd_one_first(find_operands(walked, call)))
    if maps is None:
        return
    first, other = maps
    yield from _interpolations(first, other, call.layer, is_even)
    yield from _crops(first, other, call.layer, is_even)


def _maps_to_fit(known: list[Operand]) -> tuple[Operand, Operand] | None:
    """The map to resize and the map that sets the size. The latter must have a name,
    because its sizes are read from it."""
    if len(known) != 2 or len(known[0].shape) != len(known[1].shape):
        return None
    first, other = known
    if first.made_at != other.made_at:
        first, other = (other, first) if _is_skip(first, other) else (first, other)
    elif not other.is_named:
        first, other = other, first
    is_map = len(first.shape) in (3, 4, 5)
    return (first, other) if is_map and other.is_named else None


def _interpolations(
    first: Operand, other: Operand, layer: str, is_even: bool
) -> Iterator[Candidate]:
    """Interpolate the first map, or pad it if it is only slightly smaller."""
    prefix = functional_prefix(first.source)
    if prefix is None:
        return
    inside = first.source.segment(first.node)
    text = f"{prefix}interpolate({inside}, size={other.text}.shape[2:])"
    likely = weights.RESIZE_HALVED_WELL if is_even else weights.RESIZE
    yield rewrite_operand(first, text, layer, likely)
    missing = _missing_sides(first, other)
    is_small = all(0 <= size <= MOST_PADDING for size in missing)
    if is_small and isinstance(first.node, (ast.Name, ast.Call)):
        # F.pad counts dimensions from the last, and takes two sides of each
        amounts = ", ".join(f"0, {size}" for size in reversed(missing))
        likely = weights.PAD_HALVED_WELL if is_even else weights.PAD
        text = f"{prefix}pad({inside}, ({amounts}))"
        yield rewrite_operand(first, text, layer, likely)


def _crops(
    first: Operand, other: Operand, layer: str, is_even: bool
) -> Iterator[Candidate]:
    """Crop the other map to the first, if the first is smaller by more than halving
    makes it: then borders were lost, as in the first U-Net."""
    rank = len(first.shape)
    missing = _missing_sides(first, other)
    is_smaller = min(missing) >= 0 and max(missing) > MOST_PADDING
    if is_smaller and first.is_named and rank in (3, 4):
        cuts = ", ".join(f": {first.text}.shape[{at}]" for at in range(2, rank))
        likely = weights.CROP_HALVED_WELL if is_even else weights.CROP
        yield rewrite_operand(other, f"{other.text}[..., {cuts}]", layer, likely)


def _missing_sides(first: Operand, other: Operand) -> list[int]:
    """By how much the first map is smaller than the other in height and width."""
    sides = zip(first.shape[2:], other.shape[2:], strict=True)
    return [wanted - size for size, wanted in sides]


def _odd_one_first(known: list[Operand]) -> list[Operand]:
    """If one of several maps differs, that one and one of the others."""
    if len(known) <= 2:
        return known
    sizes = [operand.shape[2:] for operand in known]
    odd = [operand for operand in known if sizes.count(operand.shape[2:]) == 1]
    others = [operand for operand in known if sizes.count(operand.shape[2:]) > 1]
    return [odd[0], others[0]] if len(odd) == 1 and others else known
