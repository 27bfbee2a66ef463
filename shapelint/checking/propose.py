"""An input that a model runs with, guessed from its layers and its forward's
parameters, and walked to be sure."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import time
from collections.abc import Callable, Iterator

from torch import nn

from shapelint.asked.inputs import TensorSpec
from shapelint.asked.request import Propose, Walk
from shapelint.asked.target import parse_target
from shapelint.checking.merging import run_rules
from shapelint.facts.diagnostics import Severity
from shapelint.facts.errors import UsageError
from shapelint.facts.graph import Key, ValueFact
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import TargetReport
from shapelint.loading.model import Loaded, NotLoadableError, load
from shapelint.loading.model_inputs import Feed, feed_for, from_specs, require_fitting
from shapelint.rules import catalogue
from shapelint.rules.gaps.target_not_loadable import not_loadable
from shapelint.syntax.texts import DISK
from shapelint.tracing.costs import walk_budget
from shapelint.tracing.members import children_of, modules_of

SIZES = (224, 64, 32, 28, 128, 256, 96, 299, 48, 160, 384, 512, 227, 240, 16, 8)
"""Heights and widths of images, in the order in which they are tried."""

LENGTHS = (16, 64, 128, 32, 100, 256, 512, 1024)
"""Lengths of sequences."""

TRIES, FURTHER_TRIES = 150, 12
"""Inputs tried for a model; those tried after one that runs, but of which there is
something to be said."""

_IDS = ("ids", "token", "tokens", "src", "tgt", "idx", "indices", "sequence", "words")
_MASKS = ("mask",)
_COUNTS = (
    "length",
    "lengths",
    "lens",
    "label",
    "labels",
    "target",
    "targets",
    "y",
    "class",
    "classes",
)
_TIMES = ("t", "time", "timestep", "timesteps", "step", "sigma", "noise_level")


def propose(request: Propose, on_step: Callable[[str], None]) -> TargetReport:
    """A report whose `proposed` inputs are what the model was walked with, cleanly in both
    modes.

    Without any, `status` is partial, and they are the likeliest of those that were
    tried. `notes` say where the model has inputs of its own, which need not be written.
    """
    report = TargetReport(request.target)
    on_step("loading")
    try:
        loaded = load(parse_target(request.target), DISK)
        on_step("walking in train mode")
        found = _found(
            loaded, Walk(request.target), time.monotonic() + request.seconds * 0.8
        )
    except (NotLoadableError, UsageError) as error:
        span = error.span if isinstance(error, NotLoadableError) else None
        report.status, report.diagnostics = (
            Status.FAILED,
            [not_loadable(str(error), span, "")],
        )
        return report
    if found is None:
        report.status = Status.PARTIAL
        report.proposed = [spec.spelling for spec in next(_guesses(loaded.model), ())]
        return report
    feed, report.output = found
    report.proposed = [spec.spelling for spec in feed.specs] if not feed.note else []
    report.notes = [feed.note] if feed.note else []
    return report


def _found(
    loaded: Loaded, request: Walk, deadline: float
) -> tuple[Feed, ValueFact | None] | None:
    """The first input with nothing to be said of; else the first without an error."""
    passable, since = None, 0
    for feed in _feeds(loaded):
        since += passable is not None
        if time.monotonic() > deadline or since > FURTHER_TRIES:
            break
        worst, output = _worst(loaded, feed, request, deadline)
        if worst is None and (not feed.specs or _keeps_the_batch(feed.specs, output)):
            return feed, output
        if worst is not Severity.ERROR and passable is None:
            passable = (feed, output)
    return passable


def _keeps_the_batch(specs: tuple[TensorSpec, ...], output: ValueFact | None) -> bool:
    """Whether each result begins as the input does: a flatten that takes more into the
    batch does not."""
    if output is None or not output.tensors:
        return False
    batch = specs[0].shape[:1]
    return all(tensor.shape[:1] == batch for tensor in output.tensors)


def _feeds(loaded: Loaded) -> Iterator[Feed]:
    with contextlib.suppress(UsageError):
        yield feed_for(loaded, (), None)
    for specs in itertools.islice(_guesses(loaded.model), TRIES):
        yield from_specs(specs)


def _worst(
    loaded: Loaded, feed: Feed, request: Walk, deadline: float
) -> tuple[Severity | None, ValueFact | None]:
    """The worst that is to be said with this input, infos left out; and what comes out
    in eval mode."""
    from shapelint.checking.walk_target import describe, shown_trace, walker_of

    try:
        require_fitting(loaded, feed)
    except NotLoadableError:
        return Severity.ERROR, None
    walker = walker_of(loaded, feed, walk_budget, deadline, retries=1)
    traces = {}
    for mode in request.modes:
        with loaded.importable():
            trace = traces[mode] = walker.walk(mode, unwanted=any_call)
        if trace.raised is not None or trace.failure_count or trace.given_up:
            return Severity.ERROR, None
    if not any(
        trace.calls and trace.output is not None and trace.output.tensors
        for trace in traces.values()
    ):
        return Severity.ERROR, None  # an empty container runs with anything
    walked = describe(request, loaded, traces, feed)
    found = [
        item.diagnostic.severity for item in run_rules(walked, set(catalogue().rules))
    ]
    said = [severity for severity in found if severity is not Severity.INFO]
    return min(said, key=lambda severity: severity.rank, default=None), shown_trace(
        walked
    ).output


def any_call(key: Key) -> bool:
    """Whichever call fails, the input is not the one."""
    del key
    return True


# -- guesses
# ----------------------------------------------------------------------------------------


def _guesses(model: nn.Module) -> Iterator[tuple[TensorSpec, ...]]:
    """Inputs for all parameters that must be given, the likely ones first; with a batch
    of one, then of two."""
    names = _parameters(model)
    if not names:
        return
    for batch in (1, 2):
        for first in _first_guesses(model, names[0], batch):
            others = [_further_guesses(model, name, first) for name in names[1:]]
            for rest in itertools.islice(itertools.product(*others), 40):
                yield (first, *rest)
            if batch == 1 and len(first.shape) == 2 and len(names) == 1:
                yield (
                    TensorSpec((2, *first.shape[1:]), first.dtype),
                )  # batch norm needs two in train mode


def _parameters(model: nn.Module) -> list[str]:
    """The parameters of the forward without a default; the first one, where all have
    one."""
    if "forward" not in dir(model) or type(model).forward is nn.Sequential.forward:
        return ["input"]
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        own = [
            each
            for each in inspect.signature(model.forward).parameters.values()
            if each.kind in kinds
        ]
    except (TypeError, ValueError):
        return ["input"]
    needed = [each.name for each in own if each.default is each.empty]
    return needed or [each.name for each in own[:1]] or ["input"]


def _first_guesses(model: nn.Module, name: str, batch: int) -> Iterator[TensorSpec]:
    """What the first layers take; then what models usually take."""
    seen: dict[TensorSpec, None] = {}
    layers = [
        layer
        for _, layer in modules_of(model)
        if not children_of(layer) or _is_known(layer)
    ]
    is_ids = any(word in name.lower() for word in _IDS)
    for layer in sorted(
        _taking(layers),
        key=lambda layer: is_ids and not isinstance(layer, nn.Embedding),
    )[:4]:
        for spec in _taken_by(layer, batch):
            if spec not in seen:
                seen[spec] = None
                yield spec
    for shape in (
        (3, 224, 224),
        (3, 64, 64),
        (3, 32, 32),
        (1, 28, 28),
        (1, 32, 32),
        (16,),
        (10,),
        (64,),
        (16, 64),
    ):
        spec = TensorSpec((batch, *shape))
        if spec not in seen:
            yield spec
    yield TensorSpec((batch, 16), "int64")


def _is_known(layer: nn.Module) -> bool:
    return isinstance(
        layer, (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.Transformer)
    )


_LAYERS: tuple[type[nn.Module], ...] = (
    *(
        nn.Conv1d,
        nn.Conv2d,
        nn.Conv3d,
        nn.ConvTranspose1d,
        nn.ConvTranspose2d,
        nn.ConvTranspose3d,
    ),
    *(
        nn.Embedding,
        nn.EmbeddingBag,
        nn.Linear,
        nn.RNNBase,
        nn.LayerNorm,
        nn.BatchNorm1d,
        nn.BatchNorm2d,
    ),
    *(
        nn.MultiheadAttention,
        nn.TransformerEncoderLayer,
        nn.Transformer,
        nn.RNNCellBase,
    ),
)


def _taking(layers: list[nn.Module]) -> list[nn.Module]:
    """The layers that say what they take, each sort once, in the order in which they
    were made."""
    found: dict[tuple[str, object], nn.Module] = {}
    for layer in layers:
        if isinstance(layer, _LAYERS):
            found.setdefault((type(layer).__name__, _width(layer)), layer)
    return list(found.values())


def _width(layer: nn.Module) -> object:
    names = (
        "in_channels",
        "in_features",
        "input_size",
        "embed_dim",
        "num_features",
        "normalized_shape",
        "d_model",
    )
    return next((getattr(layer, name) for name in names if hasattr(layer, name)), None)


def _taken_by(layer: nn.Module, batch: int) -> Iterator[TensorSpec]:
    """Tensors that a layer could be the first to get."""
    width = _width(layer)
    if isinstance(layer, (nn.Embedding, nn.EmbeddingBag)):
        yield from (TensorSpec((batch, length), "int64") for length in LENGTHS)
        yield TensorSpec((batch,), "int64")
        return
    if isinstance(layer, nn.TransformerEncoderLayer):
        width = layer.self_attn.embed_dim
    if isinstance(width, tuple):
        width = width[-1] if width else None
    if not isinstance(width, int):
        return
    if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
        yield from (TensorSpec((batch, width, size, size)) for size in SIZES)
    elif isinstance(layer, nn.Conv1d):
        yield from (
            TensorSpec((batch, width, length))
            for length in (128, 1024, *LENGTHS, 16000)
        )
    elif isinstance(layer, nn.Conv3d):
        yield from (
            TensorSpec((batch, width, depth, size, size))
            for depth, size in ((16, 112), (16, 64), (32, 32), (64, 64))
        )
    elif isinstance(
        layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    ):
        dims = (
            1
            if isinstance(layer, nn.ConvTranspose1d)
            else (2 if isinstance(layer, nn.ConvTranspose2d) else 3)
        )
        yield from (
            TensorSpec((batch, width, *(size,) * dims)) for size in (1, 4, 7, 8, 16, 32)
        )
    elif isinstance(layer, nn.RNNBase) and not layer.batch_first:
        yield from (TensorSpec((length, batch, width)) for length in LENGTHS)
        yield TensorSpec((batch, 16, width))
    elif isinstance(layer, nn.Linear | nn.BatchNorm1d | nn.RNNCellBase):
        yield TensorSpec((batch, width))
        yield from (TensorSpec((batch, length, width)) for length in LENGTHS)
    else:
        yield from (TensorSpec((batch, length, width)) for length in LENGTHS)


def _further_guesses(
    model: nn.Module, name: str, first: TensorSpec
) -> list[TensorSpec]:
    """Tensors for a parameter beside the first, by its name; all of them, the likely
    ones first."""
    batch = first.shape[0]
    words = set(name.lower().split("_")) | {name.lower()}
    same = first
    ids = TensorSpec((batch, 16) if len(first.shape) != 2 else first.shape, "int64")
    mask = TensorSpec(
        first.shape[:2] if len(first.shape) in (2, 3) else first.shape, "bool"
    )
    count = TensorSpec((batch,), "int64")
    widths = {
        layer.in_features: None
        for _, layer in modules_of(model)
        if isinstance(layer, nn.Linear)
    }
    several = [same, *(TensorSpec((batch, width)) for width in list(widths)[:6])]
    several += [TensorSpec((batch,)), TensorSpec((batch, 1))]
    likely: list[TensorSpec] = []
    if words & set(_MASKS):
        likely = [mask, TensorSpec(mask.shape, "int64"), TensorSpec(mask.shape)]
    elif words & set(_COUNTS):
        likely = [count, ids]
    elif words & set(_TIMES):
        likely = [TensorSpec((batch,)), count, TensorSpec((batch, 1))]
    elif words & set(_IDS):
        likely = [ids, count]
    return list(dict.fromkeys([*likely, *several, count, ids, mask]))
