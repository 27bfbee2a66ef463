"""Guesses inputs from a model's layers and the parameters of its forward, the likeliest
first."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator

from torch import nn

from shapelint import ops
from shapelint.asked.inputs import TensorSpec
from shapelint.facts.tensors import Shape
from shapelint.tracing.members import children_of, modules_of

SIZES = (224, 64, 32, 28, 128, 256, 96, 299, 48, 160, 384, 512, 227, 240, 16, 8)
"""Heights and widths of images, beginning with those of ImageNet, small pictures, CIFAR
and MNIST."""

LENGTHS = (16, 64, 128, 32, 100, 256, 512, 1024)
"""Lengths of sequences."""

SIGNAL_LENGTHS = (128, 1024, *LENGTHS, 16000)
"""Lengths of signals; the last is a second of speech."""

VOLUMES = ((16, 112), (16, 64), (32, 32), (64, 64))
"""Depths of videos and volumes, with their heights and widths. C3D and R(2+1)D take the
first."""

SEEDS = (1, 4, 7, 8, 16, 32)
"""Sizes of the maps with which decoders and generators begin."""

USUAL = (
    *((3, 224, 224), (3, 64, 64), (3, 32, 32), (1, 28, 28), (1, 32, 32)),
    *((16,), (10,), (64,), (16, 64)),
)
"""Usual inputs, without the batch, of models whose layers do not state theirs."""

FIRST_LAYERS = 4
"""How many of the first layers are tried."""

COMBINATIONS = 40
"""How many combinations of further inputs are tried with one guess for the first."""

WIDTHS = 6
"""How many widths of `Linear` layers are tried for further parameters."""

_IDS = ("ids", "token", "tokens", "src", "tgt", "idx", "indices", "sequence", "words")
_MASKS = ("mask",)
_COUNTS = (
    *("length", "lengths", "lens", "label", "labels", "target", "targets"),
    *("y", "class", "classes"),
)
_TIMES = ("t", "time", "timestep", "timesteps", "step", "sigma", "noise_level")

_WITH_PARTS = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.Transformer)
"""Layers of torch that contain others but state their own input."""

_LAYERS: tuple[type[nn.Module], ...] = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.Embedding, nn.EmbeddingBag, nn.Linear, nn.RNNBase, nn.RNNCellBase),
    *(nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d),
    *_WITH_PARTS,
)
"""Layers that state their input."""

Guess = tuple[TensorSpec, ...]


def guess_inputs(model: nn.Module) -> Iterator[Guess]:
    """Inputs for all required parameters, the likeliest first; with a batch of one,
    then of two."""
    name, *further = _list_required_parameters(model)
    for batch in (1, 2):
        for first in _guess_first(model, name, batch):
            others = [_guess_further(model, each, first) for each in further]
            combined = itertools.product(*others)
            for rest in itertools.islice(combined, COMBINATIONS):
                yield (first, *rest)
            is_row_alone = batch == 1 and len(first.shape) == 2
            if is_row_alone and not further:
                # batch norm needs two in train mode
                yield (TensorSpec((2, *first.shape[1:]), first.dtype),)


def _list_required_parameters(model: nn.Module) -> list[str]:
    """The parameters of the forward without a default, or the first one if all have a
    default."""
    if "forward" not in dir(model) or type(model).forward is nn.Sequential.forward:
        return ["input"]
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return ["input"]
    own = [each for each in parameters if each.kind in kinds]
    needed = [each.name for each in own if each.default is each.empty]
    return needed or [each.name for each in own[:1]] or ["input"]


# -- the first parameter -----------------------------------------------------------------


def _guess_first(model: nn.Module, name: str, batch: int) -> Iterator[TensorSpec]:
    """The inputs that the first layers take, then those that models usually take."""
    layers = _find_telling_layers(model)
    if any(word in name.lower() for word in _IDS):
        layers.sort(key=lambda layer: not isinstance(layer, nn.Embedding))
    taken = [_make_tensors_for(layer, batch) for layer in layers[:FIRST_LAYERS]]
    usual = [TensorSpec((batch, *shape)) for shape in USUAL]
    yield from dict.fromkeys([*itertools.chain(*taken), *usual])
    yield TensorSpec((batch, 16), "int64")


def _find_telling_layers(model: nn.Module) -> list[nn.Module]:
    """The layers whose attributes state their input, each kind once, in the order in
    which they were made."""
    # which is mostly the order in which they are called
    found: dict[tuple[str, object], nn.Module] = {}
    for _, layer in modules_of(model):
        is_part = not children_of(layer) or isinstance(layer, _WITH_PARTS)
        if is_part and isinstance(layer, _LAYERS):
            found.setdefault((type(layer).__name__, _width(layer)), layer)
    return list(found.values())


def _width(layer: nn.Module) -> object:
    """The channels or features of a layer's input, according to its attribute."""
    names = (name for name in ops.list_input_arguments() if hasattr(layer, name))
    return next((getattr(layer, name) for name in names), None)


def _channels(layer: nn.Module) -> int | None:
    """The same as a number."""
    if isinstance(layer, nn.TransformerEncoderLayer):
        layer = layer.self_attn
    width = _width(layer)
    if isinstance(width, tuple):
        width = width[-1] if width else None
    return width if isinstance(width, int) else None


def _make_tensors_for(layer: nn.Module, batch: int) -> list[TensorSpec]:
    """The inputs with which a layer could be the first."""
    if isinstance(layer, (nn.Embedding, nn.EmbeddingBag)):
        shapes = [*((batch, length) for length in LENGTHS), (batch,)]
        return [TensorSpec(shape, "int64") for shape in shapes]
    width = _channels(layer)
    if width is None:
        return []
    return [TensorSpec(shape) for shape in _shapes_for(layer, batch, width)]


Layers = tuple[type[nn.Module], ...]
Sizes = tuple[Shape, ...]

_SPATIAL: tuple[tuple[Layers, Sizes], ...] = (
    ((nn.Conv2d, nn.BatchNorm2d), tuple((size, size) for size in SIZES)),
    ((nn.Conv1d,), tuple((length,) for length in SIGNAL_LENGTHS)),
    ((nn.Conv3d,), tuple((depth, size, size) for depth, size in VOLUMES)),
    ((nn.ConvTranspose1d,), tuple((size,) for size in SEEDS)),
    ((nn.ConvTranspose2d,), tuple((size, size) for size in SEEDS)),
    ((nn.ConvTranspose3d,), tuple((size, size, size) for size in SEEDS)),
)
"""Layers with channels second, and the sizes that are tried after the channels."""


def _shapes_for(layer: nn.Module, batch: int, width: int) -> list[Shape]:
    for layers, sizes in _SPATIAL:
        if isinstance(layer, layers):
            return [(batch, width, *size) for size in sizes]
    if isinstance(layer, nn.RNNBase) and not layer.batch_first:
        # people forget that it is the length that comes first
        forgotten = (batch, 16, width)
        return [*((length, batch, width) for length in LENGTHS), forgotten]
    sequences: list[Shape] = [(batch, length, width) for length in LENGTHS]
    takes_rows = isinstance(layer, nn.Linear | nn.BatchNorm1d | nn.RNNCellBase)
    return [(batch, width), *sequences] if takes_rows else sequences


# -- the parameters after it -------------------------------------------------------------


def _guess_further(model: nn.Module, name: str, first: TensorSpec) -> list[TensorSpec]:
    """The inputs for a parameter after the first, by its name and then all others, the
    likeliest first."""
    batch, rank = first.shape[0], len(first.shape)
    numbers, column = TensorSpec((batch,)), TensorSpec((batch, 1))
    count = TensorSpec((batch,), "int64")
    ids = TensorSpec(first.shape if rank == 2 else (batch, 16), "int64")
    mask = TensorSpec(first.shape[:2] if rank in (2, 3) else first.shape, "bool")
    by_words = (
        (_MASKS, (mask, TensorSpec(mask.shape, "int64"), TensorSpec(mask.shape))),
        (_COUNTS, (count, ids)),
        (_TIMES, (numbers, count, column)),
        (_IDS, (ids, count)),
    )
    words = {name.lower(), *name.lower().split("_")}
    fitting = (specs for known, specs in by_words if not words.isdisjoint(known))
    likely: tuple[TensorSpec, ...] = next(fitting, ())
    widths = [TensorSpec((batch, width)) for width in _linear_widths(model)]
    further = [first, *widths, numbers, column, count, ids, mask]
    return list(dict.fromkeys([*likely, *further]))


def _linear_widths(model: nn.Module) -> list[int]:
    """The input widths of the first `Linear` layers, each once."""
    layers = (layer for _, layer in modules_of(model))
    widths = [layer.in_features for layer in layers if isinstance(layer, nn.Linear)]
    return list(dict.fromkeys(widths))[:WIDTHS]
