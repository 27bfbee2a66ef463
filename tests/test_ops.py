"""The records of ops against eager torch, and their place as the only lists of ops."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint import ops
from shapelint.ops.record import Asks, Draws, Family, Op
from shapelint.ops.registry import Registry, load_registry

OPS = list(load_registry())
PACKAGE = Path(shapelint.__file__).parent


def test_registry_refuses_a_second_entry_for_any_name() -> None:
    known = Registry([Op("twice", "Twice", aliases=("double",), kernels=("_twice",))])
    for second in (
        Op("twice"),
        Op("other", "Twice"),
        Op("double"),
        Op("other", kernels=("_twice",)),
    ):
        with pytest.raises(ValueError, match="registered twice"):
            known.add(second)


def test_an_unknown_op_claims_nothing() -> None:
    unknown = ops.of("no_such_op")
    assert unknown == Op("no_such_op")
    assert not ops.is_known("no_such_op")
    assert not ops.keeps_channels("no_such_op")


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Conv2d", "conv2d"),
        ("module:LSTM", "LSTM"),
        ("concat", "cat"),
        ("einops.rearrange", "Rearrange"),
    ],
)
def test_an_op_is_found_by_each_of_its_names(name: str, same: str) -> None:
    assert ops.is_known(name)
    assert ops.of(name) is ops.of(same)


# -- constructors
# -----------------------------------------------------------------------


LAYERS = {
    name: cls
    for name, cls in vars(nn).items()
    if isinstance(cls, type) and issubclass(cls, nn.Module)
}
SIZES = {
    *ops.list_input_arguments(),
    *ops.list_output_arguments(),
    *ops.list_count_arguments(),
    *("kernel_size", "stride", "padding", "dilation", "output_padding"),
    *("num_embeddings", "in1_features", "in2_features", "num_parameters"),
}
BESIDE = {
    "AdaptiveLogSoftmaxWithLoss",
    "LinearCrossEntropyLoss",
    "RNNBase",
    "RNNCellBase",
}
"""Losses with weights of their own and bases of layers: not walked as ops."""


def signature(name: str) -> list[str]:
    """The constructor arguments of a layer, in order."""
    parameters = list(inspect.signature(LAYERS[name]).parameters)
    if name in ("LSTM", "GRU", "RNN"):  # they hand `*args` on
        _, *shared = inspect.signature(nn.RNNBase).parameters
        own = ["nonlinearity"] if name == "RNN" else []
        return [*shared[:3], *own, *shared[3:]]
    return parameters


@pytest.mark.parametrize(
    "name",
    [name for name in LAYERS if SIZES & set(signature(name)) and name not in BESIDE],
)
def test_every_layer_that_takes_sizes_is_known_with_its_arguments(name: str) -> None:
    arguments = list(ops.of(name).arguments)
    found = signature(name)
    assert arguments == found[: len(arguments)]
    assert not SIZES & (set(found[len(arguments) :]) - {"proj_size"})


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.arguments], ids=lambda op: op.layer or op.name
)
def test_roles_of_arguments_are_arguments(op: Op) -> None:
    assert {*op.takes, *op.gives, *op.resizes, *op.counts} <= set(op.arguments)
    layer = op.layer or op.name
    assert layer in LAYERS
    assert list(op.arguments) == signature(layer)[: len(op.arguments)]


def test_recurrent_layers_take_their_arguments_in_this_order() -> None:
    """Their signature is `*args`: eager is asked."""
    assert nn.RNN(3, 4, 2, "relu").nonlinearity == "relu"
    lstm = nn.LSTM(3, 4, 2, False, True, 0.1, True, 2)
    assert (lstm.bias, lstm.batch_first, lstm.bidirectional) == (False, True, True)
    assert (lstm.dropout, lstm.proj_size) == (0.1, 2)


# -- shapes, against eager
# -------------------------------------------------------------------


MAP = (2, 4, 6, 6)
GIVEN: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("softmax", "log_softmax", "softmin", "cumsum"), (1,)),
    "flip": ((1,),),
    "roll": (1, 1),
    "type": (torch.float64,),
    "to": (torch.float64,),
    "clamp": (0.0, 1.0),
    "clip": (0.0, 1.0),
    "threshold": (0.1, 0.0),
    "prelu": (torch.rand(4),),
    "layer_norm": ((6, 6),),
    "rms_norm": ((6, 6),),
    "group_norm": (2,),
    "batch_norm": (torch.zeros(4), torch.ones(4)),
    "local_response_norm": (3,),
    "channel_shuffle": (2,),
    "masked_scatter": (torch.ones(MAP, dtype=torch.bool), torch.rand(300)),
    "feature_dropout": (0.5, True),
    "copy": (torch.zeros(MAP),),
    "type_as": (torch.zeros(1),),
}
"""What functions are given beside the map."""
BUILT: dict[str, tuple[object, ...]] = {
    **{f"LazyBatchNorm{dims}d": () for dims in (1, 2, 3)},
    **{f"LazyInstanceNorm{dims}d": () for dims in (1, 2, 3)},
    **{f"BatchNorm{dims}d": (4,) for dims in (1, 2, 3)},
    **{f"InstanceNorm{dims}d": (4,) for dims in (1, 2, 3)},
    **{f"MaxUnpool{dims}d": (2,) for dims in (1, 2, 3)},
    "LayerNorm": (6,),
    "RMSNorm": (6,),
    "GroupNorm": (2, 4),
    "SyncBatchNorm": (4,),
    "LocalResponseNorm": (3,),
    "CrossMapLRN2d": (3,),
    "ChannelShuffle": (2,),
    "Softmax": (1,),
    "LogSoftmax": (1,),
    "Softmin": (1,),
    "Threshold": (0.1, 0.0),
    "Upsample": (3,),
    "UpsamplingBilinear2d": (3,),
    "UpsamplingNearest2d": (3,),
}
"""How layers are built."""
NOT_ON_THIS_MACHINE = {"cuda", "SyncBatchNorm"}


def map_for(dims: int | None) -> torch.Tensor:
    """Two samples of four channels, with so many dimensions of space."""
    return torch.rand(2, 4, *[6] * (2 if dims is None else dims))


def given_by_layer(op: Op, layer: str) -> Any:
    dims = op.spatial_dims or dims_in(layer)
    x = map_for(dims)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if op.name.startswith("max_unpool"):
            _, places = getattr(F, f"max_pool{dims}d")(x, 2, return_indices=True)
            pooled = x[(slice(None), slice(None), *[slice(3)] * (dims or 0))]
            return LAYERS[layer](2)(pooled, places)
        if op.family is Family.POOLING and "Adaptive" not in layer:
            more = {"output_size": 2} if "Fractional" in layer else {}
            powers = (2,) if layer.startswith("LP") else ()
            return LAYERS[layer](*powers, 2, **more)(x)
        built = BUILT.get(layer, (1,) if op.arguments[:1] == ("output_size",) else ())
        padding = (1, 0.0) if layer.startswith("ConstantPad") else (1,)
        built = padding if op.family is Family.PADDING else built
        return LAYERS[layer](*built)(x)


def dims_in(name: str) -> int | None:
    """The 2 of `Dropout2d`."""
    return int(name[-2]) if name[-2:-1].isdigit() else None


def function_of(name: str) -> Any:
    """The function, method or method in place of that name."""
    found = [
        getattr(owner, each, None)
        for owner in (F, torch, torch.Tensor)
        for each in (name, f"{name}_")
    ]
    return next(each for each in found if callable(each))


def given_by_function(op: Op, x: torch.Tensor) -> torch.Tensor:
    out = function_of(op.name)(x, *GIVEN.get(op.name, ()))
    first: torch.Tensor = out[0] if isinstance(out, tuple) else out
    return first


def kept_cases() -> Iterator[tuple[Op, str]]:
    """Ops that claim to keep something, each by its function and by its layer."""
    for op in OPS:
        names = {op.name, op.layer} - {"", *NOT_ON_THIS_MACHINE}
        for name in sorted(names) if op.keeps_channels else ():
            if name in LAYERS or op.keeps_shape:
                yield op, name


@pytest.mark.parametrize(
    ("op", "name"), [pytest.param(*case, id=case[1]) for case in kept_cases()]
)
def test_what_an_op_claims_to_keep_it_keeps_in_eager(op: Op, name: str) -> None:
    x = map_for(op.spatial_dims or dims_in(name))
    is_layer = name in LAYERS
    out = given_by_layer(op, name) if is_layer else given_by_function(op, x)
    if op.keeps_shape:
        assert out.shape == x.shape
    assert out.shape[:2] == x.shape[:2]


@pytest.mark.parametrize("name", ["glu", "flatten", "transpose", "mean", "narrow"])
def test_an_op_that_changes_the_shape_does_not_claim_to_keep_it(name: str) -> None:
    assert ops.is_known(name)
    assert not ops.keeps_shape(name)


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.family is Family.LOSS], ids=lambda op: op.name
)
def test_losses_that_broadcast_are_those_that_do_in_eager(op: Op) -> None:
    loss = getattr(F, op.name)
    given: tuple[object, ...] = (torch.rand(8, 1), torch.rand(8))
    if op.name == "gaussian_nll_loss":
        given = (*given, torch.ones(8))
    if op.target is not ops.of("mse_loss").target:
        assert not op.broadcasts  # it takes another kind of target
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spread = loss(*given, reduction="none").shape == (8, 8)
    except (RuntimeError, ValueError):
        spread = False
    assert op.broadcasts == spread


@pytest.mark.parametrize(
    "op",
    [op for op in OPS if op.family is Family.ELEMENTWISE],
    ids=lambda op: op.name,
)
def test_elementwise_ops_broadcast_in_eager(op: Op) -> None:
    assert op.broadcasts
    name = f"__{op.name}__" if op.name in ("and", "or", "xor") else op.name
    one, other = torch.ones(3, 1), torch.ones(4)
    if op.name in ("and", "or", "xor", "bitwise_and", "bitwise_or"):
        one, other = one.int(), other.int()
    given: tuple[object, ...] = (one, other)
    if op.name in ("lerp", "addcmul", "addcdiv"):
        given = (one, other, torch.ones(1))
    elif op.name == "masked_fill":
        given = (one, other.bool(), 0.0)
    elif op.name == "where":
        given = (one.bool(), other, one)
    function = getattr(torch, name, None) or getattr(torch.Tensor, name)
    assert function(*given).shape == (3, 4)


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.ranks and op.layer], ids=lambda op: op.layer
)
def test_layers_take_as_many_dimensions_as_their_record_says(op: Op) -> None:
    dims = op.spatial_dims or 0
    numbers = {"output_size": 2, "in_channels": 4, "out_channels": 5, "kernel_size": 2}
    build = {name: numbers[name] for name in op.arguments if name in numbers}
    layer = LAYERS[op.layer](**build)
    for rank in range(1, 6):
        x = torch.rand(*(2, 4, *[6] * dims)[-rank:] if rank <= dims + 2 else [4] * rank)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                layer(x)
        except (RuntimeError, ValueError, IndexError, AssertionError):
            assert rank not in op.ranks
        else:
            assert rank in op.ranks


@pytest.mark.parametrize(
    "op",
    [op for op in OPS if op.draws is Draws.DROPS and op.layer],
    ids=lambda o: o.name,
)
def test_dropouts_act_by_mode_in_eager(op: Op) -> None:
    assert op.by_mode
    layer, x = LAYERS[op.layer](0.9), map_for(dims_in(op.layer))
    torch.manual_seed(0)
    assert not torch.equal(layer(x), x)
    assert torch.equal(layer.eval()(x), x)


def test_every_op_that_is_recovered_has_an_entry() -> None:
    for name in ("linear", "conv2d", "add", "cat", "view", "module:LSTM", "pad"):
        assert ops.of(name).recover is not None


def test_a_cast_asks_as_a_word_only() -> None:
    assert all(
        op.asks is Asks.VALUE and op.keeps_shape for op in OPS if op.only_as_dunder
    )


# -- one place
# --------------------------------------------------------------------------------


COMMON = {
    *("shape", "size", "dim", "dtype", "device", "layout", "names", "data", "index"),
    *("set", "format", "range", "type", "max", "min", "sum", "all", "any", "round"),
    *("copy", "iter", "len", "hash", "repr", "array", "tensor", "module", "split"),
    *("where", "select", "reduce", "repeat", "bool", "int", "float", "half", "double"),
    *("long", "getattr", "isinstance", "t", "T", "and", "or", "eq", "ne", "norm"),
    *("numpy", "grad", "linear", "cpu", "cuda", "to", "dropout", "embedding", "full"),
    *("compile", "normal"),
}
"""Names of ops that are words of Python, of arguments or of modules too; what is made
of them alone is no list of ops."""

EXCEPTIONS = {
    "reading.": "what a script's calls do to a model's mode is knowledge of the reader",
    "tracing.op_names": "the dunder methods of tensors, before they have a name",
}
"""Where collections of such names are something else, and why."""


def collections_of_ops(source: str) -> Iterator[str]:
    """Line and names of each set, tuple, list or table that holds three ops."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Set, ast.Tuple, ast.List)):
            items: list[ast.expr | None] = [*node.elts]
        elif isinstance(node, ast.Dict):
            items = [*node.keys]
        else:
            continue
        words = [
            item.value
            for item in items
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        named = [word for word in words if ops.is_known(word) and word not in COMMON]
        if len(named) >= 3:
            yield f"{node.lineno}: {named}"


def test_outside_of_their_room_no_collection_holds_three_names_of_ops() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if not module.startswith(("ops.", *EXCEPTIONS)):
            found[module] = [*collections_of_ops(path.read_text(encoding="utf-8"))]
    assert not {module: lists for module, lists in found.items() if lists}


@pytest.mark.parametrize(
    "source",
    [
        'OPS = {"cat", "stack", "matmul"}',
        'if op in ("view", "reshape", "flatten"): pass',
        'COSTS = {"conv2d": 1, "conv1d": 2, "conv3d": 3}',
    ],
)
def test_a_list_of_ops_would_be_found(source: str) -> None:
    assert list(collections_of_ops(source))


def test_words_that_are_ops_too_make_no_list_of_ops() -> None:
    assert not list(collections_of_ops('NAMES = ("size", "dim", "data", "index")'))
