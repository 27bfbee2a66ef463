"""The inputs of a model: from `--input`, a factory, the model itself, or a comment on
its class."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch

from shapelint.asked.inputs import DTYPES, TensorSpec, parse_inputs
from shapelint.asked.target import parse_target
from shapelint.facts.errors import OutOfTimeError, UsageError
from shapelint.facts.places import Span
from shapelint.facts.slips import Slip, SlipKind
from shapelint.loading.imports import import_name, isolate_imports
from shapelint.loading.input_hints import ask_for_inputs, ask_for_names
from shapelint.loading.model import Loaded, import_target
from shapelint.loading.not_loadable import NotLoadableError, list_required_names
from shapelint.syntax.own_inputs import EXAMPLE, input_comment
from shapelint.syntax.parsing import nodes_of, tree_of
from shapelint.syntax.texts import Texts
from shapelint.tracing.nested import Inputs, tensors_in
from shapelint.tracing.user_text import message_of


@dataclass(frozen=True)
class InputMaker:
    """Makes fresh inputs for each walk. `specs` describe them if all are plain tensors;
    `note` says where they came from."""

    make: Callable[[], Inputs]
    specs: tuple[TensorSpec, ...] = ()
    note: str = ""
    remake: Callable[[Texts], InputMaker] | None = None
    """The inputs that edited files make, where a function in them does."""

    def for_texts(self, texts: Texts) -> InputMaker:
        """The same inputs for edited files.

        Raises:
            UsageError: the function that makes them no longer does.
        """
        return self.remake(texts) if self.remake is not None else self

    def with_more_samples(self, more: int) -> InputMaker:
        """The same inputs with `more` samples, which repeat those from the start."""
        return self._with_samples(
            lambda count: torch.arange(count + more) % max(1, count)
        )

    def with_equal_samples(self) -> InputMaker:
        """The same inputs with the first sample in place of every other, and of one
        more."""
        return self._with_samples(
            lambda count: torch.zeros(count + 1, dtype=torch.long)
        )

    def _with_samples(self, choose: Callable[[int], torch.Tensor]) -> InputMaker:
        """The inputs with other samples: of every tensor whose first dimension is that of
        the first one."""

        def make() -> Inputs:
            args, kwargs = self.make()
            first = next(tensors_in((args, kwargs)), None)
            if first is None or not first.dim():
                return args, kwargs
            batch = first.shape[0]
            memo: dict[int, object] = {
                id(tensor): tensor.index_select(0, choose(batch))
                for tensor in tensors_in((args, kwargs))
                if tensor.dim() and tensor.shape[0] == batch
            }
            return cast(Inputs, _rebuild((args, kwargs), memo))

        return InputMaker(make)


def make_tensor(spec: TensorSpec, seed: int) -> torch.Tensor:
    """Make a tensor of floats, uniform in [0, 1), or of integers or truth values, all
    1. These are valid as pixels, probabilities, indices and lengths."""
    dtype: torch.dtype = getattr(torch, spec.dtype)
    if not dtype.is_floating_point and not dtype.is_complex:
        return torch.ones(spec.shape, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    # `torch.rand` draws no numbers of 8 bits
    drawn = dtype if dtype in _RANDOM_DTYPES else torch.float32
    return torch.rand(spec.shape, dtype=drawn, generator=generator).to(dtype)


_RANDOM_DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def inputs_of(specs: tuple[TensorSpec, ...], note: str = "") -> InputMaker:
    """Make tensors of these shapes, in order, those with a name as keyword
    arguments."""

    def make() -> Inputs:
        args: list[torch.Tensor] = []
        kwargs: dict[str, torch.Tensor] = {}
        for seed, spec in enumerate(specs):
            tensor = make_tensor(spec, seed)
            if spec.name is None:
                args.append(tensor)
            else:
                kwargs[spec.name] = tensor
        return tuple(args), kwargs

    return InputMaker(make, specs, note)


def find_inputs(
    loaded: Loaded, texts: tuple[str, ...], factory: str | None
) -> InputMaker:
    """Find the inputs of a loaded model: those of the command line, or else the model's
    own.

    Raises:
        UsageError: there are none, or the factory gives something else.
    """
    if factory is not None:
        return _call_factory(factory, loaded.texts)
    if texts:
        return inputs_of(parse_inputs(texts))
    example = getattr(loaded.model, EXAMPLE, None)
    if example is not None:
        return _copy_example(example)
    comment = _comment_on(type(loaded.model), loaded)
    if comment:
        note = "inputs from the comment on the class"
        return inputs_of(parse_inputs(comment), note)
    raise UsageError(ask_for_inputs(loaded.model))


def specs_of(inputs: InputMaker) -> tuple[TensorSpec, ...]:
    """The specs of inputs; empty unless all of them are tensors."""
    if inputs.specs:
        return inputs.specs
    args, kwargs = inputs.make()
    given = [*((None, value) for value in args), *kwargs.items()]
    specs = [_spec_of(name, value) for name, value in given]
    known = [spec for spec in specs if spec is not None]
    return tuple(known) if len(known) == len(specs) else ()


def _spec_of(name: str | None, value: object) -> TensorSpec | None:
    if not isinstance(value, torch.Tensor):
        return None
    dtype = str(value.dtype).removeprefix("torch.")
    return TensorSpec(tuple(value.shape), dtype, name) if dtype in DTYPES else None


def require_fitting(loaded: Loaded, inputs: InputMaker) -> None:
    """Refuse inputs that do not fit the signature of the forward. Such a failure would
    say nothing about the model.

    Raises:
        NotLoadableError: too few, too many, or a keyword that is not a parameter.
    """
    forward = loaded.model.forward
    try:
        signature = inspect.signature(forward)
    except (TypeError, ValueError):
        return
    args, kwargs = _placeholders(inputs.specs) if inputs.specs else inputs.make()
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        parameters = str(signature).partition(" ->")[0]
        name = f"{type(loaded.model).__name__}.forward{parameters}"
        raise NotLoadableError(
            f"the inputs do not fit `{name}`: {error}",
            _line_of(forward),
            ask_for_names(list_required_names(signature)),
            slip=_lacks_self(loaded.model, len(args)),
        ) from None


def _lacks_self(model: torch.nn.Module, given: int) -> Slip | None:
    """The slip of a forward that was written without `self`, in Python's own words."""
    function = getattr(model.forward, "__func__", None)
    code = getattr(function, "__code__", None)
    if code is None or code.co_varnames[:1] == ("self",):
        return None
    owner, taken = type(model).__name__, code.co_argcount
    message = f"{owner}.forward() takes {taken} positional arguments but {given + 1} were given"
    return Slip(SlipKind.ARGUMENTS, message, (), home=(code.co_filename, owner))


def _placeholders(specs: tuple[TensorSpec, ...]) -> Inputs:
    """As many arguments as there are specs. Binding a signature does not need their
    values."""
    args = tuple(None for spec in specs if not spec.name)
    return args, {spec.name: None for spec in specs if spec.name}


def _line_of(function: object) -> Span | None:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return Span(code.co_filename, code.co_firstlineno) if code is not None else None


def _copy_example(example: object) -> InputMaker:
    """Make inputs from a model's `example_input_array`, as Lightning does: a tuple
    holds all arguments, a dict all keyword arguments."""

    def make() -> Inputs:
        copy = _copy(example)
        return ((), copy) if isinstance(copy, dict) else _as_inputs(copy)

    return InputMaker(make, note=f"inputs from the model's {EXAMPLE}")


def _copy(value: object) -> object:
    """Copy a value with its tensors, since a walk may write into its inputs."""
    memo: dict[int, object] = {
        id(tensor): tensor.detach().clone() for tensor in tensors_in(value)
    }
    return _rebuild(value, memo)


def _rebuild(value: object, memo: dict[int, object]) -> object:
    """Rebuild containers around the copies in `memo`. A container may contain
    itself."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, list):
        items: list[object] = []
        memo[id(value)] = items
        items += [_rebuild(item, memo) for item in value]
        return items
    if isinstance(value, dict):
        fields: dict[object, object] = {}
        memo[id(value)] = fields
        fields.update({key: _rebuild(item, memo) for key, item in value.items()})
        return fields
    if isinstance(value, tuple):
        return tuple(_rebuild(item, memo) for item in value)
    return value


def _as_inputs(value: object) -> Inputs:
    """Convert a factory's result to (args, kwargs). It may be a pair of tuple and dict,
    a tuple, a dict (one argument), or a single value."""
    if not isinstance(value, tuple):
        return (value,), {}
    if len(value) == 2:
        args, kwargs = value
        if isinstance(args, (tuple, list)) and isinstance(kwargs, dict):
            return tuple(args), dict(kwargs)
    return value, {}


def _call_factory(text: str, texts: Texts) -> InputMaker:
    """Make inputs with a function of the user's. It is called once here, so that its
    errors are reported before anything is walked."""
    factory = _import_factory(text, texts)
    try:
        _as_inputs(factory())
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raised = f"{type(error).__name__}: {message_of(error)}"
        raise UsageError(f"--input-factory: `{text}` raised {raised}") from None
    return InputMaker(
        lambda: _as_inputs(factory()),
        note=f"inputs from {text}",
        remake=lambda edited: _call_factory(text, edited),
    )


def _import_factory(text: str, texts: Texts) -> Callable[[], object]:
    target = parse_target(text)
    _, roots, _ = import_name(target, texts)
    try:
        with isolate_imports(roots, texts):
            factory = import_target(target, texts)
    except NotLoadableError as error:
        raise UsageError(f"--input-factory: {error}") from None
    if callable(factory):
        return factory
    kind = type(factory).__name__
    raise UsageError(f"--input-factory: `{text}` is a {kind}, not a function")


def _comment_on(cls: type, loaded: Loaded) -> tuple[str, ...]:
    """The inputs in a comment `# shapelint: input=1,3,64,64` above the class, on its
    line, or inside it before the first method."""
    try:
        with loaded.importable():
            # it looks the class's module up in `sys.modules`
            file = inspect.getsourcefile(cls)
        text = loaded.texts.text_of(file or "")
        tree = tree_of(text)
    except (OSError, TypeError, UsageError):
        return ()
    own = _definition_of(cls, tree)
    return input_comment(text, own) if own is not None else ()


def _definition_of(cls: type, tree: ast.Module) -> ast.ClassDef | None:
    """The definition of a class in a syntax tree. If several have its name, the one
    that contains its methods, or else the last."""
    classes = nodes_of(tree, ast.ClassDef)
    named = [node for node in classes if node.name == cls.__name__]
    methods = [value for value in vars(cls).values() if inspect.isfunction(value)]
    lines = [method.__code__.co_firstlineno for method in methods]
    for node in named:
        last = node.end_lineno or node.lineno
        if any(node.lineno <= line <= last for line in lines):
            return node
    return named[-1] if named else None
