"""Other inputs that the user may have meant: with a batch dimension, channels first, or
other channels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.first_layers import first_layer, lacks_batch
from shapelint.changes.other_values import Pairs
from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.tensors import Shape
from shapelint.facts.walked_target import Walked
from shapelint.syntax.walked_calls import count_noun

COLOURS = (1, 3, 4)
"""Grey, RGB and RGBA. Images have one of these numbers of channels, and models are made
for one of them."""

WITH_BATCH = "a batch dimension in front"
RIGHT_SIZE = "the size it fits"

Specs = Sequence[TensorSpec]

# -- one input, exchanged for the shape that a layer takes -------------------------------


def input_candidates(walked: Walked, trace: Trace) -> list[Candidate]:
    """Inputs with which the model may be clean."""
    first = first_layer(trace)
    if first is None or not lacks_batch(trace):
        return []
    given = first[0].inputs[0].shape
    return _exchange(walked, given, (1, *given), WITH_BATCH)


def add_batch_to_input(walked: Walked, call: Call, wanted: int) -> list[Candidate]:
    """Add a batch dimension to the input, if a call gets the input directly and lacks
    only that."""
    shape = call.inputs[0].shape if 0 in call.from_input else ()
    if len(shape) != wanted - 1:
        return []
    return _exchange(walked, shape, (1, *shape), WITH_BATCH)


def permute_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Move the channels from last to first."""
    wanted = (given[0], given[-1], *given[1:-1])
    return _exchange(walked, given, wanted, "channels first")


def permute_and_batch_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Move the channels from last to first, and add a batch dimension in front."""
    wanted = (1, given[-1], *given[:-1])
    return _exchange(walked, given, wanted, "a batch, then channels first")


def other_channels(
    walked: Walked, given: Shape, channels: int, dims: int
) -> list[Candidate]:
    """Give the input the channels that the first layer requires."""
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
    """Change the shape of the first input that has the shape `given`; empty if there is
    none."""
    specs = specs_given(walked)
    for at, spec in enumerate(specs):
        if spec.shape == given:
            specs[at] = replace(spec, shape=wanted)
            return [_candidate(specs, why, likely)]
    return []


# -- another number of dimensions --------------------------------------------------------


def recolour_for(walked: Walked, call: Call) -> list[Candidate]:
    """Make images RGB or grey where a layer takes three times the features that arrive,
    or a third of them: patches hold all channels."""
    pairs = find_required_pairs(call)
    ratios = {(one * 3 == other, one == other * 3) for one, other in pairs}
    if not ratios & {(True, False), (False, True)}:
        return []
    return [
        replace(each, likely=weights.INPUT_OF_USUAL_COLOURS, group="colours")
        for each in recolour_inputs(walked)
        if _has_colours(walked)
    ]


def _has_colours(walked: Walked) -> bool:
    """Whether an image that was given has channels that images come in."""
    images = [spec for spec in specs_given(walked) if is_image(spec)]
    return any(spec.shape[1] in COLOURS for spec in images)


def larger_batch(walked: Walked) -> list[Candidate]:
    """Give every input a batch of two."""
    specs = specs_given(walked)
    if not specs or any(spec.shape[:1] != (1,) for spec in specs):
        return []
    doubled = [replace(spec, shape=(2, *spec.shape[1:])) for spec in specs]
    return [_candidate(doubled, "a batch of two or more")]


# -- another dtype -----------------------------------------------------------------------


def integer_input(walked: Walked, call: Call) -> list[Candidate]:
    """Make the input integers if a look-up gets it directly. If it has one dimension,
    also try it with a batch."""
    found = _exchange_dtype(walked, call, "int64", "integers")
    if not found:
        return []
    specs = parse_inputs(found[0].inputs)
    if not are_vectors(specs):
        return found
    why = f"integers with {WITH_BATCH}"
    batched = size_candidate(with_batch(specs), why, weights.INPUT_MUST_DIFFER)
    return [*found, batched]


def float_input(walked: Walked, call: Call, dtype: str) -> list[Candidate]:
    """Make the input floats if a layer gets it directly."""
    return _exchange_dtype(walked, call, "float32", "floats") if dtype == "f32" else []


def _exchange_dtype(
    walked: Walked, call: Call, dtype: str, why: str
) -> list[Candidate]:
    """Change the dtype of the first input that a call gets directly in another
    dtype."""
    specs = specs_given(walked)
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
    """Make each image-like input RGB or grey, for a model that checks its input
    itself."""
    specs = specs_given(walked)
    images = [at for at, spec in enumerate(specs) if is_image(spec)]
    found = []
    for at, channels in itertools.product(images, (3, 1)):
        batch, given, *sides = specs[at].shape
        if given == channels:
            continue
        changed = [*specs]
        changed[at] = replace(specs[at], shape=(batch, channels, *sides))
        why = count_noun(channels, "channel")
        found.append(size_candidate(changed, why, weights.INPUT_OF_ANY_COLOURS))
    return found


def exchange_sides(walked: Walked) -> list[Candidate]:
    """Exchange the height and width of every image."""
    specs = specs_given(walked)
    images = [spec for spec in specs if is_image(spec)]
    if not images:
        return []
    given = images[0].shape[2:]
    changed = [_resize(spec, given, given[::-1]) for spec in specs]
    if changed == specs:
        return []
    why, likely = "height and width exchanged", weights.INPUT_SIDES_EXCHANGED
    return [size_candidate(changed, why, likely)]


def _resize(spec: TensorSpec, given: Shape, wanted: Shape) -> TensorSpec:
    """Give an image other sides, if it has the sides `given`."""
    if spec.shape[2:] != given:
        return spec
    return replace(spec, shape=(*spec.shape[:2], *wanted))


def are_sides_halvable(walked: Walked) -> bool:
    """Whether the sides of every input image are multiples of 16."""
    images = [shape for shape in _shapes_fed(walked) if len(shape) in (4, 5)]
    sides = [side for shape in images for side in shape[2:]]
    return bool(sides) and all(side % 16 == 0 for side in sides)


def _shapes_fed(walked: Walked) -> Iterator[Shape]:
    """The shape of every model input that a call gets directly."""
    for trace in walked.traces.values():
        for call in trace.calls:
            yield from (call.inputs[at].shape for at in call.from_input)


def resize_inputs(walked: Walked, pairs: Iterable[tuple[int, int]]) -> list[Candidate]:
    """Replace a size of the inputs by the one with which it was compared: 99 tokens by
    the 64 that fit."""
    specs = specs_given(walked)
    both_ways: Pairs = [way for pair in pairs for way in (pair, pair[::-1])]
    likely = weights.INPUT_OF_SIZE_COMPARED
    found: dict[tuple[str, ...], Candidate] = {}
    for old, new in both_ways:
        changed = [_with_size(spec, old, new) for spec in specs]
        if new > 0 and changed != specs:
            candidate = size_candidate(changed, RIGHT_SIZE, likely)
            found.setdefault(candidate.inputs, candidate)
    return list(found.values())


def _with_size(spec: TensorSpec, old: int, new: int) -> TensorSpec:
    """Replace a size wherever it occurs, except in the batch dimension."""
    sizes = (new if size == old else size for size in spec.shape[1:])
    return replace(spec, shape=(*spec.shape[:1], *sizes))


def is_image(spec: TensorSpec) -> bool:
    """Whether an input has a batch, channels, and two or three spatial dimensions."""
    return len(spec.shape) in (4, 5)


# -- candidates --------------------------------------------------------------------------


def specs_given(walked: Walked) -> list[TensorSpec]:
    """The inputs that were given; empty unless all of them are tensors."""
    try:
        return list(parse_inputs(walked.input_spellings))
    except UsageError:
        return []


def size_candidate(specs: Specs, why: str, likely: float) -> Candidate:
    """An input of another size. Of these, only the first that works is shown."""
    candidate = _candidate(specs, why, likely)
    return replace(candidate, kind=ChangeKind.INPUT_SIZE, group="size")


def _candidate(specs: Specs, why: str, likely: float = 0.0) -> Candidate:
    words = tuple(spec.spelling for spec in specs)
    command = " ".join(f"--input {word}" for word in words)
    return Candidate(f"`{command}`, {why}", inputs=words, group=why, likely=likely)


def are_vectors(specs: Specs) -> bool:
    return all(len(spec.shape) == 1 for spec in specs)


def with_batch(specs: Specs) -> list[TensorSpec]:
    return [replace(spec, shape=(1, *spec.shape)) for spec in specs]
