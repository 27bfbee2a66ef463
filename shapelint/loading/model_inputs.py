"""The tensors a model is fed, from `--input`, a factory, the model itself or a comment
on its class."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from shapelint import ops
from shapelint.asked.inputs import DTYPES, TensorSpec, parse_inputs
from shapelint.asked.target import parse_target
from shapelint.facts.errors import OutOfTimeError, UsageError
from shapelint.facts.places import Span
from shapelint.loading.imports import import_name, isolated_imports
from shapelint.loading.model import Loaded, NotLoadableError, import_target
from shapelint.ops.families.recurrent import recover_recurrent
from shapelint.ops.record import Family
from shapelint.syntax.own_inputs import input_comment
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import Texts
from shapelint.tracing.members import modules_of
from shapelint.tracing.nested import Inputs, tensors_in
from shapelint.tracing.user_text import message_of


@dataclass(frozen=True)
class Feed:
    """How inputs are made, afresh for each walk; `specs` where they are plain tensors,
    `note` where they came from."""

    make: Callable[[], Inputs]
    specs: tuple[TensorSpec, ...] = ()
    note: str = ""


def make_tensor(spec: TensorSpec, seed: int) -> torch.Tensor:
    """Floats uniform in [0, 1), integers and masks 1: valid as pixels, probabilities,
    indices and lengths."""
    dtype = getattr(torch, spec.dtype)
    if dtype.is_floating_point or dtype.is_complex:
        generator = torch.Generator().manual_seed(seed)
        sampled = (
            dtype
            if dtype
            in (torch.float32, torch.float64, torch.complex64, torch.complex128)
            else torch.float32
        )
        return torch.rand(spec.shape, dtype=sampled, generator=generator).to(dtype)
    return torch.ones(spec.shape, dtype=dtype)


def from_specs(specs: tuple[TensorSpec, ...], note: str = "") -> Feed:
    """Tensors of these shapes, in order, the named ones by keyword."""

    def make() -> Inputs:
        tensors = [
            (spec.name, make_tensor(spec, seed)) for seed, spec in enumerate(specs)
        ]
        args = tuple(tensor for name, tensor in tensors if name is None)
        return args, {name: tensor for name, tensor in tensors if name is not None}

    return Feed(make, specs, note)


def feed_for(loaded: Loaded, texts: tuple[str, ...], factory: str | None) -> Feed:
    """The inputs of a loaded model.

    Raises:
        UsageError: there are none, or the factory gives something else.
    """
    if factory is not None:
        return _from_factory(factory, loaded.texts)
    if texts:
        return from_specs(parse_inputs(texts))
    example = getattr(loaded.model, "example_input_array", None)
    if example is not None:
        named = isinstance(example, dict)  # as Lightning takes it

        def again() -> Inputs:
            return ((), _cloned(example)) if named else _as_inputs(_cloned(example))

        return Feed(again, note="inputs from the model's example_input_array")
    comment = _comment_on(type(loaded.model), loaded)
    if comment:
        return from_specs(
            parse_inputs(comment), note="inputs from the comment on the class"
        )
    raise UsageError(_how_to_give_one(loaded.model))


def specs_of(feed: Feed) -> tuple[TensorSpec, ...]:
    """What would be written after `--input` for what a feed gives; nothing where that
    are not only tensors."""
    if feed.specs:
        return feed.specs
    args, kwargs = feed.make()
    given: list[tuple[str | None, Any]] = [
        *((None, value) for value in args),
        *kwargs.items(),
    ]
    if not all(
        isinstance(value, torch.Tensor) and _dtype_of(value) in DTYPES
        for _, value in given
    ):
        return ()
    return tuple(
        TensorSpec(tuple(value.shape), _dtype_of(value), name) for name, value in given
    )


def _dtype_of(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def require_fitting(loaded: Loaded, feed: Feed) -> None:
    """Refuse inputs that the forward's signature cannot take, which says nothing about
    the model.

    Raises:
        NotLoadableError: too few, too many, or a keyword that is no parameter.
    """
    forward = loaded.model.forward
    try:
        signature = inspect.signature(forward)
    except (TypeError, ValueError):
        return
    args, kwargs = feed.make() if not feed.specs else _placeholders(feed.specs)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        name = (
            f"{type(loaded.model).__name__}.forward{str(signature).partition(' ->')[0]}"
        )
        required = [
            p.name
            for p in signature.parameters.values()
            if p.default is p.empty and p.kind not in _STARRED
        ]
        hint = (
            f"name them: {' '.join(f'--input {each}=...' for each in required)}"
            if required
            else ""
        )
        raise NotLoadableError(
            f"the inputs do not fit `{name}`: {error}", _line_of(forward), hint
        ) from None


_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _placeholders(specs: tuple[TensorSpec, ...]) -> Inputs:
    return tuple(None for spec in specs if not spec.name), {
        spec.name: None for spec in specs if spec.name
    }


def _line_of(function: Any) -> Span | None:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return Span(code.co_filename, code.co_firstlineno) if code is not None else None


def _cloned(value: Any) -> Any:
    """The same with tensors of its own."""
    memo = {id(tensor): tensor.detach().clone() for tensor in tensors_in(value)}
    return _rebuilt(value, memo)


def _rebuilt(value: Any, memo: dict[int, Any]) -> Any:
    """Containers anew, around what `memo` has for their members; it may hold itself."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, list):
        items: list[Any] = []
        memo[id(value)] = items
        items += [_rebuilt(item, memo) for item in value]
        return items
    if isinstance(value, dict):
        fields: dict[Any, Any] = {}
        memo[id(value)] = fields
        fields.update({key: _rebuilt(item, memo) for key, item in value.items()})
        return fields
    return (
        tuple(_rebuilt(item, memo) for item in value)
        if isinstance(value, tuple)
        else value
    )


def _as_inputs(value: Any) -> Inputs:
    """A factory's result as (args, kwargs): a pair of tuple and dict, a tuple, a dict
    (one argument), or one value."""
    if (
        isinstance(value, tuple)
        and len(value) == 2
        and isinstance(value[0], (tuple, list))
        and isinstance(value[1], dict)
    ):
        return tuple(value[0]), dict(value[1])
    if isinstance(value, tuple):
        return value, {}
    return (value,), {}


def _from_factory(text: str, texts: Texts) -> Feed:
    target = parse_target(text)
    _, roots, _ = import_name(target, texts)
    try:
        with isolated_imports(roots, texts):
            function = import_target(target, texts)
    except NotLoadableError as error:
        raise UsageError(f"--input-factory: {error}") from None
    if not callable(function):
        raise UsageError(
            f"--input-factory: `{text}` is a {type(function).__name__}, not a function"
        )
    try:
        _as_inputs(function())
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise UsageError(
            f"--input-factory: `{text}` raised {type(error).__name__}: {message_of(error)}"
        ) from None
    return Feed(lambda: _as_inputs(function()), note=f"inputs from {text}")


def _comment_on(cls: type, loaded: Loaded) -> tuple[str, ...]:
    """`# shapelint: input=1,3,64,64` above the class, on its line, or inside it before
    the first method."""
    try:
        with loaded.importable():
            # it asks `sys.modules` for the file
            file = inspect.getsourcefile(cls)
        text = loaded.texts.text_of(file or "")
        tree = parse_python(text)
    except (OSError, TypeError, UsageError):
        return ()
    own = _definition_of(cls, tree)
    return input_comment(text, own) if own is not None else ()


def _definition_of(cls: type, tree: ast.Module) -> ast.ClassDef | None:
    """Where a class is defined; of several of its name the one with its methods, else
    the last."""
    nodes = ast.walk(tree)
    named = [node for node in nodes if isinstance(node, ast.ClassDef)]
    named = [node for node in named if node.name == cls.__name__]
    lines = {
        value.__code__.co_firstlineno
        for value in vars(cls).values()
        if inspect.isfunction(value)
    }
    for node in named:
        if any(node.lineno <= line <= (node.end_lineno or 0) for line in lines):
            return node
    return named[-1] if named else None


def _how_to_give_one(model: torch.nn.Module) -> str:
    name = type(model).__name__
    hint = _guess(model)
    return f"`{name}` needs an input: add `--input {hint}` or a comment `# shapelint: input={hint}` on the class"


_USUAL_SIDES = {1: "1024", 2: "224", 3: "32"}
"""A side of the input, by how many dimensions of space it has."""


def _guess(model: torch.nn.Module) -> str:
    """An input that the first layer with weights would take."""
    for _, module in modules_of(model):
        kind = type(module).__name__
        takes = getattr(module, next(iter(ops.of(kind).takes), ""), 16)
        if ops.is_of(kind, Family.CONVOLUTION) and not ops.of(kind).is_transposed:
            dims = ops.spatial_dims(kind) or 2
            return ",".join(["1", str(takes), *([_USUAL_SIDES[dims]] * dims)])
        if kind == "Linear":
            return f"1,{takes}"
        if kind == "Embedding":
            return "1,16:int64"
        if ops.of(kind).recover is recover_recurrent:
            return f"1,16,{takes}"
    return "1,3,224,224"
