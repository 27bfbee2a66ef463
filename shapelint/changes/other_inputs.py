"""Other inputs that might be what was meant: with a batch dimension, channels first,
other channels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.changes import weights
from shapelint.changes.first_layers import first_layer, lacks_batch
from shapelint.changes.other_values import Pairs
from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.walked_calls import count_noun

SAMPLE = 3
"""The most dimensions that an input has of which no layer says that its batch is
missing."""

COLOURS = (1, 3, 4)
"""Grey, RGB, with alpha: images come in these, models are made for one of them."""

STEPS = (2, 4, 8, 16, 32)
"""Multiples of these can be halved once, twice, and so on, to five times."""

LARGER = (2, 4, 8)
"""By how much an image is enlarged that runs out of room."""

WITH_BATCH = "a batch dimension in front"
RIGHT_SIZE = "the size it fits"

Specs = Sequence[TensorSpec]

# -- one input, exchanged for the shape that a layer takes -------------------------------


def input_candidates(walked: Walked, trace: Trace) -> list[Candidate]:
    """Inputs under which the model might be clean."""
    first = first_layer(trace)
    if first is None or not lacks_batch(trace):
        return []
    given = first[0].inputs[0].shape
    return _exchange(walked, given, (1, *given), WITH_BATCH)


def add_batch_to_input(walked: Walked, call: Call, wanted: int) -> list[Candidate]:
    """The input with a batch dimension, where a call is fed with it as it comes and
    lacks just one."""
    shape = call.inputs[0].shape if 0 in call.from_input else ()
    if len(shape) != wanted - 1:
        return []
    return _exchange(walked, shape, (1, *shape), WITH_BATCH)


def permute_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Channels moved from last to first."""
    wanted = (given[0], given[-1], *given[1:-1])
    return _exchange(walked, given, wanted, "channels first")


def permute_and_batch_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Channels moved from last to first, and a batch dimension in front."""
    wanted = (1, given[-1], *given[:-1])
    return _exchange(walked, given, wanted, "a batch, then channels first")


def other_channels(
    walked: Walked, given: Shape, channels: int, dims: int
) -> list[Candidate]:
    """The input with the channels that the first layer takes."""
    at = len(given) - dims - 1
    wanted = (*given[:at], channels, *given[at + 1 :])
    is_usual = channels in COLOURS and given[at] in COLOURS
    likely = weights.INPUT_OF_USUAL_COLOURS if is_usual else 0.0
    return _exchange(walked, given, wanted, count_noun(channels, "channel"), likely)


def _exchange(
    walked: Walked,
    given: Shape,
    wanted: Shape,
    why: str,
    likely: float = weights.INPUT_MUST_DIFFER,
) -> list[Candidate]:
    """The first input of a shape with another one; none where no input has it."""
    specs = _specs(walked)
    for at, spec in enumerate(specs):
        if spec.shape == given:
            specs[at] = replace(spec, shape=wanted)
            return [_candidate(specs, why, likely)]
    return []


# -- another number of dimensions --------------------------------------------------------


def other_ranks(walked: Walked, trace: Trace) -> list[Candidate]:
    """Every input with a batch in front, or with one less; an image of one channel with
    it. All is to be clean then.

    An input of one dimension has hardly ever a batch: of more it may.
    """
    specs = _specs(walked)
    if not specs:
        return []
    found = []
    if all(1 <= len(spec.shape) <= SAMPLE for spec in specs):
        found.append(_as_batches_of_one(specs, trace))
    if len(specs) == 1 and _may_lack_channel(specs[0]):
        found.append(_with_channel(specs[0]))
    if all(len(spec.shape) > 2 and spec.shape[0] == 1 for spec in specs):
        found.append(_with_dimension_less(specs))
    return found


def _as_batches_of_one(specs: Specs, trace: Trace) -> Candidate:
    is_sure = _are_vectors(specs) or lacks_batch(trace)
    likely = weights.INPUT_MUST_DIFFER if is_sure else weights.INPUT_MAY_LACK_BATCH
    return _size_candidate(_with_batch(specs), WITH_BATCH, likely)


def _may_lack_channel(spec: TensorSpec) -> bool:
    """Whether it may be (H, W) or (N, H, W) of a grey image."""
    return spec.dtype == "float32" and len(spec.shape) in (2, 3)


def _with_channel(spec: TensorSpec) -> Candidate:
    batch, sides = spec.shape[:-2] or (1,), spec.shape[-2:]
    image = replace(spec, shape=(*batch, 1, *sides))
    why = "an image with its one channel"
    return _size_candidate([image], why, weights.INPUT_MAY_LACK_CHANNEL)


def _with_dimension_less(specs: Specs) -> Candidate:
    single = [replace(spec, shape=spec.shape[1:]) for spec in specs]
    likely = weights.INPUT_WITH_DIMENSION_LESS
    return _size_candidate(single, "a dimension less", likely)


def _are_vectors(specs: Specs) -> bool:
    return all(len(spec.shape) == 1 for spec in specs)


def _with_batch(specs: Specs) -> list[TensorSpec]:
    return [replace(spec, shape=(1, *spec.shape)) for spec in specs]


def larger_batch(walked: Walked) -> list[Candidate]:
    """Every input with a batch of two."""
    specs = _specs(walked)
    if not specs or any(spec.shape[:1] != (1,) for spec in specs):
        return []
    doubled = [replace(spec, shape=(2, *spec.shape[1:])) for spec in specs]
    return [_candidate(doubled, "a batch of two or more")]


# -- another dtype -----------------------------------------------------------------------


def integer_input(walked: Walked, call: Call) -> list[Candidate]:
    """The input as integers, where a look-up is fed with it as it comes; of one
    dimension with a batch as well."""
    found = _exchange_dtype(walked, call, "int64", "integers")
    if not found:
        return []
    specs = parse_inputs(found[0].inputs)
    if not _are_vectors(specs):
        return found
    why = f"integers with {WITH_BATCH}"
    batched = _size_candidate(_with_batch(specs), why, weights.INPUT_MUST_DIFFER)
    return [*found, batched]


def float_input(walked: Walked, call: Call, dtype: str) -> list[Candidate]:
    """The input as floats, where a layer is fed with it as it comes."""
    return _exchange_dtype(walked, call, "float32", "floats") if dtype == "f32" else []


def _exchange_dtype(
    walked: Walked, call: Call, dtype: str, why: str
) -> list[Candidate]:
    """The first input of another dtype that a call is fed with, in this one."""
    specs = _specs(walked)
    shapes = [spec.shape for spec in specs]
    for position in call.from_input:
        shape = call.inputs[position].shape
        if shape not in shapes:
            continue
        at = shapes.index(shape)
        if specs[at].dtype != dtype:
            specs[at] = replace(specs[at], dtype=dtype)
            return [_candidate(specs, why, weights.INPUT_OF_OTHER_DTYPE)]
    return []


# -- another size ------------------------------------------------------------------------


def recolour_inputs(walked: Walked) -> list[Candidate]:
    """Every image-like input in colour, or grey: for a model that checks its input
    itself."""
    specs = _specs(walked)
    images = [at for at, spec in enumerate(specs) if _is_image(spec)]
    found = []
    for at, channels in itertools.product(images, (3, 1)):
        batch, given, *sides = specs[at].shape
        if given == channels:
            continue
        changed = [*specs]
        changed[at] = replace(specs[at], shape=(batch, channels, *sides))
        why = count_noun(channels, "channel")
        found.append(_size_candidate(changed, why, weights.INPUT_OF_ANY_COLOURS))
    return found


def other_sizes(
    walked: Walked, ratio: tuple[int, int] | None = None
) -> list[Candidate]:
    """Feature maps of another height and width: scaled by a ratio, or the next
    multiples of 4, 8, 16, 32."""
    specs = _specs(walked)
    images = [spec for spec in specs if _is_image(spec) and min(spec.shape[2:]) > 4]
    if not images:
        return []
    given = images[0].shape[2:]
    found = []
    for wanted in _list_sizes(given, ratio):
        changed = [_resize(spec, given, wanted) for spec in specs]
        if changed == specs:
            continue
        why, likely = RIGHT_SIZE, weights.INPUT_OF_OTHER_SIZE
        if wanted == given[::-1]:
            why = "height and width exchanged"
            likely = weights.INPUT_SIDES_EXCHANGED
        found.append(_size_candidate(changed, why, likely))
    return found


def _list_sizes(given: Shape, ratio: tuple[int, int] | None) -> list[Shape]:
    """Other sizes of an image, and its sides exchanged."""
    sizes = [_round_up(given, step) for step in STEPS]
    if ratio is not None and ratio[1]:
        sizes = [tuple(side * ratio[0] // ratio[1] for side in given)]
    return list(dict.fromkeys([*sizes, given[::-1]]))


def _round_up(sides: Shape, step: int) -> Shape:
    """Each side as the next multiple of a step."""
    return tuple(-(-side // step) * step for side in sides)


def _resize(spec: TensorSpec, given: Shape, wanted: Shape) -> TensorSpec:
    """An image with other sides, if it has the given ones."""
    if spec.shape[2:] != given:
        return spec
    return replace(spec, shape=(*spec.shape[:2], *wanted))


def larger_images(walked: Walked) -> list[Candidate]:
    """Images two, four and eight times as large, where one runs out of room."""
    specs = _specs(walked)
    if not any(_is_image(spec) for spec in specs):
        return []
    found = []
    for times in LARGER:
        likely = weights.INPUT_LARGER - weights.INPUT_LARGER_EACH * times
        larger = [_enlarge(spec, times) for spec in specs]
        found.append(_size_candidate(larger, "room enough", likely))
    return found


def _enlarge(spec: TensorSpec, times: int) -> TensorSpec:
    if not _is_image(spec):
        return spec
    sides = (side * times for side in spec.shape[2:])
    return replace(spec, shape=(*spec.shape[:2], *sides))


def are_sides_halvable(walked: Walked) -> bool:
    """Whether every image that goes in has sides of multiples of 16."""
    images = [shape for shape in _shapes_fed(walked) if len(shape) in (4, 5)]
    sides = [side for shape in images for side in shape[2:]]
    return bool(sides) and all(side % 16 == 0 for side in sides)


def _shapes_fed(walked: Walked) -> Iterator[Shape]:
    """The shapes of the model's inputs, wherever a call gets one as it comes."""
    for trace in walked.traces.values():
        for call in trace.calls:
            yield from (call.inputs[at].shape for at in call.from_input)


def resize_inputs(walked: Walked, pairs: Iterable[tuple[int, int]]) -> list[Candidate]:
    """Inputs with a size exchanged for the one it was held against: 99 tokens for the
    64 that there is room for."""
    specs = _specs(walked)
    both_ways: Pairs = [way for pair in pairs for way in (pair, pair[::-1])]
    likely = weights.INPUT_OF_SIZE_COMPARED
    found: dict[tuple[str, ...], Candidate] = {}
    for old, new in both_ways:
        changed = [_with_size(spec, old, new) for spec in specs]
        if new > 0 and changed != specs:
            candidate = _size_candidate(changed, RIGHT_SIZE, likely)
            found.setdefault(candidate.inputs, candidate)
    return list(found.values())


def _with_size(spec: TensorSpec, old: int, new: int) -> TensorSpec:
    """A size exchanged for another wherever it stands, but for the batch."""
    sizes = (new if size == old else size for size in spec.shape[1:])
    return replace(spec, shape=(*spec.shape[:1], *sizes))


def _is_image(spec: TensorSpec) -> bool:
    """Whether it has a batch, channels, and two or three dimensions of space."""
    return len(spec.shape) in (4, 5)


# -- candidates --------------------------------------------------------------------------


def _specs(walked: Walked) -> list[TensorSpec]:
    """The inputs that were given; none where they are not only tensors."""
    try:
        return list(parse_inputs(walked.input_spellings))
    except UsageError:
        return []


def _size_candidate(specs: Specs, why: str, likely: float) -> Candidate:
    """An input of another size, of which the first that holds is enough."""
    candidate = _candidate(specs, why, likely)
    return replace(candidate, kind=ChangeKind.INPUT_SIZE, group="size")


def _candidate(specs: Specs, why: str, likely: float = 0.0) -> Candidate:
    words = tuple(spec.spelling for spec in specs)
    command = " ".join(f"--input {word}" for word in words)
    return Candidate(f"`{command}`, {why}", inputs=words, group=why, likely=likely)
