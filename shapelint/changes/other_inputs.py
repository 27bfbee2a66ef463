"""Other inputs that might be what was meant: with a batch dimension, channels first,
other channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shapelint import ops
from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Shape, Trace, Walked
from shapelint.ops.record import Family

_SAMPLE = 3
"""The most dimensions that an input has of which no layer says that its batch is
missing."""


def first_layer(trace: Trace) -> tuple[Call, int] | None:
    """The first layer that is fed a model input and takes it without a batch too, and
    the dimensions it works on.

    A convolution works on those of space, a recurrent or attention layer on that of
    time."""
    for call in trace.calls:
        dims = _sample_dims(call.op)
        if dims is not None and 0 in call.from_input:
            return call, dims
    return None


def _sample_dims(op: str) -> int | None:
    """How many dimensions a single sample has beside its channels or features; None for
    layers that do not take one."""
    if ops.is_of(op, Family.CONVOLUTION):
        return ops.spatial_dims(op)
    return 1 if ops.of(op).takes_sequences else None


def input_candidates(walked: Walked, trace: Trace) -> list[Candidate]:
    """Inputs under which the model might be clean."""
    first = first_layer(trace)
    if first is None or not walked.input_spellings:
        return []
    call, dims = first
    given = call.inputs[0].shape
    found: list[Candidate] = []
    if len(given) == dims + 1:
        found += [
            replace(each, likely=4.0)
            for each in _other(walked, given, (1, *given), "a batch dimension in front")
        ]
    return found


def batched_input(walked: Walked, call: Call, wanted: int) -> list[Candidate]:
    """The input with a batch dimension, where a call is fed with it as it comes and
    lacks just one."""
    shape = call.inputs[0].shape if 0 in call.from_input else ()
    if len(shape) != wanted - 1:
        return []
    return [
        replace(each, likely=4.0)
        for each in _other(walked, shape, (1, *shape), "a batch dimension in front")
    ]


def other_ranks(walked: Walked, trace: Trace) -> list[Candidate]:
    """Every input with a batch in front, or with one less; an image of one channel with
    it. All is to be clean then.

    An input of one dimension has hardly ever a batch: of more it may.
    """
    specs = _specs(walked)
    found = []
    if specs and all(1 <= len(spec.shape) <= _SAMPLE for spec in specs):
        batched = [replace(spec, shape=(1, *spec.shape)) for spec in specs]
        likely = 4.0 if _lack_batch(specs) or unbatched_note(trace) else 1.5
        found.append(
            replace(
                _candidate(batched, "a batch dimension in front"),
                group="size",
                likely=likely,
            )
        )
    if (
        len(specs) == 1
        and len(specs[0].shape) in (2, 3)
        and specs[0].dtype == "float32"
    ):
        shape = specs[0].shape
        image = replace(specs[0], shape=(*(shape[:-2] or (1,)), 1, *shape[-2:]))
        found.append(
            replace(
                _candidate([image], "an image with its one channel"),
                group="size",
                likely=1.5,
            )
        )
    if specs and all(len(spec.shape) > 2 and spec.shape[0] == 1 for spec in specs):
        single = [replace(spec, shape=spec.shape[1:]) for spec in specs]
        found.append(
            replace(_candidate(single, "a dimension less"), group="size", likely=1.2)
        )
    return found


def unbatched_note(trace: Trace) -> tuple[str, ...]:
    """A note where the first layer took the input for a single sample without a
    batch."""
    first = first_layer(trace)
    if first is None or len(first[0].inputs[0].shape) != first[1] + 1:
        return ()
    shape = first[0].inputs[0].shape
    return (
        f"the input ({', '.join(map(str, shape))}) has no batch dimension; `{first[0].op}` takes it for one sample",
    )


def permuted_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Channels moved from last to first."""
    wanted = (given[0], given[-1], *given[1:-1])
    return [
        replace(each, likely=4.0)
        for each in _other(walked, given, wanted, "channels first")
    ]


def unbatched_permuted_input(walked: Walked, given: Shape) -> list[Candidate]:
    """Channels moved from last to first, and a batch dimension in front."""
    wanted = (1, given[-1], *given[:-1])
    return [
        replace(each, likely=4.0)
        for each in _other(walked, given, wanted, "a batch, then channels first")
    ]


def other_channels(
    walked: Walked, given: Shape, channels: int, dims: int
) -> list[Candidate]:
    """The input with the channels that the first layer takes."""
    at = len(given) - dims - 1
    wanted = (*given[:at], channels, *given[at + 1 :])
    found = _other(walked, given, wanted, f"{channels} channels")
    colours = (
        1,
        3,
        4,
    )  # grey, RGB, with alpha: images come in these, models are made for one of them
    likely = 3.2 if channels in colours and given[at] in colours else 0.0
    return [replace(each, likely=likely) for each in found]


def wanted_channels(walked: Walked) -> list[Candidate]:
    """Every image-like input in colour, or grey: for a model that checks its input
    itself."""
    found = []
    for at, spec in enumerate(specs := _specs(walked)):
        if len(spec.shape) in (4, 5):
            for channels in (3, 1):
                changed = [*specs]
                changed[at] = TensorSpec(
                    (spec.shape[0], channels, *spec.shape[2:]), spec.dtype, spec.name
                )
                if changed != specs:
                    found.append(
                        replace(
                            _candidate(changed, f"{channels} channels"),
                            group="size",
                            likely=0.5,
                        )
                    )
    return found


def larger_batch(walked: Walked) -> list[Candidate]:
    """Every input with a batch of two."""
    specs = _specs(walked)
    if not specs or any(not spec.shape or spec.shape[0] != 1 for spec in specs):
        return []
    doubled = [
        TensorSpec((2, *spec.shape[1:]), spec.dtype, spec.name) for spec in specs
    ]
    return [_candidate(doubled, "a batch of two or more")]


def integer_input(walked: Walked, call: Call) -> list[Candidate]:
    """The input as integers, where a look-up is fed with it as it comes; of one
    dimension with a batch as well."""
    found = _with_dtype(walked, call, "int64", "integers")
    specs = [parse_inputs(candidate.inputs) for candidate in found]
    batched = [
        [replace(spec, shape=(1, *spec.shape)) for spec in each]
        for each in specs
        if _lack_batch(each)
    ]
    why = "integers with a batch dimension in front"
    return [
        *found,
        *(replace(_candidate(each, why), group="size", likely=4.0) for each in batched),
    ]


def _lack_batch(specs: Iterable[TensorSpec]) -> bool:
    return all(len(spec.shape) == 1 for spec in specs)


def float_input(walked: Walked, call: Call, dtype: str) -> list[Candidate]:
    """The input as floats, where a layer is fed with it as it comes."""
    return _with_dtype(walked, call, "float32", "floats") if dtype == "f32" else []


def _with_dtype(walked: Walked, call: Call, dtype: str, why: str) -> list[Candidate]:
    specs = _specs(walked)
    for position in call.from_input:
        shape = call.inputs[position].shape
        at = next(
            (index for index, spec in enumerate(specs) if spec.shape == shape), None
        )
        if at is not None and specs[at].dtype != dtype:
            specs[at] = TensorSpec(shape, dtype, specs[at].name)
            return [replace(_candidate(specs, why), likely=2.2)]
    return []


def other_sizes(
    walked: Walked, ratio: tuple[int, int] | None = None
) -> list[Candidate]:
    """Feature maps of another height and width: scaled by a ratio, or the next
    multiples of 4, 8, 16, 32."""
    specs = _specs(walked)
    images = [
        index
        for index, spec in enumerate(specs)
        if len(spec.shape) in (4, 5) and min(spec.shape[2:]) > 4
    ]
    if not images:
        return []
    found = []
    first = specs[images[0]].shape[2:]
    sizes = [
        tuple(-(-side // step) * step for side in first) for step in (2, 4, 8, 16, 32)
    ]
    if ratio is not None and ratio[1]:
        sizes = [tuple(side * ratio[0] // ratio[1] for side in first)]
    for wanted in dict.fromkeys([*sizes, first[::-1]]):
        changed = list(specs)
        for index in images:
            spec = specs[index]
            if spec.shape[2:] == first and wanted != first:
                changed[index] = TensorSpec(
                    (*spec.shape[:2], *wanted), spec.dtype, spec.name
                )
        if changed != specs:
            turned = wanted == first[::-1]
            why = "height and width exchanged" if turned else "the size it fits"
            found.append(
                replace(
                    _candidate(changed, why),
                    group="size",
                    likely=2.0 if turned else 0.4,
                )
            )
    return found


def larger_images(walked: Walked) -> list[Candidate]:
    """Images two, four and eight times as large, where one runs out of room."""
    found = []
    for times in (2, 4, 8):
        specs = [
            replace(
                spec,
                shape=(*spec.shape[:2], *(side * times for side in spec.shape[2:])),
            )
            if len(spec.shape) in (4, 5)
            else spec
            for spec in _specs(walked)
        ]
        if specs != _specs(walked):
            found.append(
                replace(
                    _candidate(specs, "room enough"),
                    group="size",
                    likely=2.2 - 0.01 * times,
                )
            )
    return found


def halves_well(walked: Walked) -> bool:
    """Whether every image that goes in has sides of multiples of 16."""
    fed = [
        call.inputs[at].shape
        for trace in walked.traces.values()
        for call in trace.calls
        for at in call.from_input
    ]
    images = [shape[2:] for shape in fed if len(shape) in (4, 5)]
    return bool(images) and all(side % 16 == 0 for sides in images for side in sides)


def sized_inputs(walked: Walked, pairs: Iterable[tuple[int, int]]) -> list[Candidate]:
    """Inputs with a size exchanged for the one it was held against: 99 tokens for the
    64 that there is room for."""
    found: dict[tuple[str, ...], Candidate] = {}
    for pair in pairs:
        for old, new in (pair, pair[::-1]):
            specs = _specs(walked)
            for at, spec in enumerate(specs):
                shape = (
                    *spec.shape[:1],
                    *(new if size == old else size for size in spec.shape[1:]),
                )
                specs[at] = TensorSpec(shape, spec.dtype, spec.name)
            if new > 0 and specs != _specs(walked):
                candidate = replace(
                    _candidate(specs, "the size it fits"), group="size", likely=0.6
                )
                found.setdefault(candidate.inputs, candidate)
    return list(found.values())


def _specs(walked: Walked) -> list[TensorSpec]:
    try:
        return list(parse_inputs(walked.input_spellings))
    except UsageError:
        return []


def _other(walked: Walked, given: Shape, wanted: Shape, why: str) -> list[Candidate]:
    specs = _specs(walked)
    at = next((index for index, spec in enumerate(specs) if spec.shape == given), None)
    if at is None:
        return []
    specs[at] = TensorSpec(wanted, specs[at].dtype, specs[at].name)
    return [_candidate(specs, why)]


def _candidate(specs: list[TensorSpec], why: str) -> Candidate:
    words = tuple(spec.spelling for spec in specs)
    return Candidate(
        f"`{' '.join('--input ' + word for word in words)}`, {why}",
        inputs=words,
        group=why,
    )
