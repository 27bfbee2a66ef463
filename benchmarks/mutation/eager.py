"""A file run by plain PyTorch: what it raises and where, what it costs, and what it
computes."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.mutation.subjects import Subject
from shapelint.tracing.nested import tensors_in

MORE = 2
"""The samples added to a batch, to see what follows it."""


class TooLongError(Exception):
    """Neither eager nor shapelint may take for ever."""


def _alarm(*_: Any) -> None:
    raise TooLongError


@contextlib.contextmanager
def limit_work(seconds: float) -> Iterator[None]:
    """Raise TooLongError after so many seconds of processor time, which are the same on
    a busy machine."""
    signal.signal(signal.SIGPROF, _alarm)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def eager_error(source: str, subject: Subject, folder: Path) -> str:
    """What plain PyTorch raises; empty where it runs."""
    return eager_failure(source, subject, folder)[0]


def eager_failure(source: str, subject: Subject, folder: Path) -> tuple[str, str]:
    """What plain PyTorch raises in the constructor, in a forward of either mode or in
    the backward, and where.

    Where: the innermost line of the file, and the innermost module. Both empty where it
    runs."""
    file = folder / "plain.py"
    made: torch.nn.Module | None = None
    file.write_text(source)
    try:
        module = _imported("plain", file)
        given = _imported("plain_inputs", folder / "inputs.py")
        value = eval(subject.expression, vars(module))
        made = value if isinstance(value, torch.nn.Module) else value()
        for train in (False, True):
            torch.manual_seed(0)
            args, kwargs = given.inputs()
            made.train(train)
            out = made(*args, **kwargs)
            if train:
                _differentiate(out)
    except TooLongError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().splitlines()[0], _place(
            error, made
        )
    finally:
        sys.modules.pop("plain", None)
        sys.modules.pop("plain_inputs", None)
    return "", ""


def _place(error: BaseException, model: torch.nn.Module | None) -> str:
    names = (
        {id(module): name for name, module in model.named_modules()}
        if model is not None
        else {}
    )
    traceback, line, module = error.__traceback__, 0, ""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.endswith("plain.py"):
            line = traceback.tb_lineno
        module = names.get(id(frame.f_locals.get("self")), module)
        traceback = traceback.tb_next
    return f"{line} {module}"


def _differentiate(out: Any) -> None:
    """The backward of the first result that has one: of interest is only whether a
    write in place breaks it."""
    found = next((tensor for tensor in tensors_in(out) if tensor.requires_grad), None)
    try:
        if found is not None:
            torch.autograd.backward(found.sum())
    except RuntimeError as error:
        if "inplace operation" in str(error):
            raise


def _imported(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    code = compile(file.read_text(), str(file), "exec")
    exec(code, vars(module))
    return module


class _Cost(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations, and the elements of their results."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = self.elements = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operations += 1
        self.elements += sum(tensor.numel() for tensor in tensors_in(result))
        return result


def cost_of(subject: Subject, folder: Path) -> tuple[int, int] | None:
    """The operations of a correct file's run in eager and the elements they compute;
    None where it does not run as it is."""
    (folder / "inputs.py").write_text(subject.inputs)
    with _Cost() as cost:
        raised = eager_error(subject.source, subject, folder)
    return None if raised else (cost.operations, cost.elements)


@dataclass
class Seen:
    """What a file computes in eval mode, with the samples that were given and with
    more."""

    raised: str = ""
    """What it raises with the samples that were given."""
    raised_with_more: str = ""
    results: list[torch.Tensor] = field(default_factory=list)
    results_with_more: list[torch.Tensor] = field(default_factory=list)
    is_apart: bool | None = None
    """Whether another first sample leaves the results of all others as they are."""
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    has_weights_of: bool = False
    """Whether the weights that were given fit."""


def observe(
    source: str,
    subject: Subject,
    folder: Path,
    weights: dict[str, torch.Tensor] | None = None,
) -> Seen:
    """Run a file in both modes and at two batch sizes, with `weights` where they fit."""
    seen = Seen()
    seen.raised = eager_error(source, subject, folder)
    if seen.raised:
        return seen
    file = folder / "plain.py"
    file.write_text(source)
    with _both_imported(file, folder) as (module, given), torch.no_grad():
        torch.manual_seed(0)
        model = _made(subject, module)
        seen.has_weights_of = _fits(model, weights)
        seen.state = {name: each.clone() for name, each in model.state_dict().items()}
        seen.results = _results(model.eval(), given.inputs())
        seen.raised_with_more = _observe_more(model, given, seen)
    return seen


def _observe_more(model: torch.nn.Module, given: Any, seen: Seen) -> str:
    """Fill in what is computed with more samples. Return what is raised."""
    try:
        more = _with_more(given.inputs())
        seen.results_with_more = _results(model, more)
        others = _results(model, _with_other_first(more))
        seen.is_apart = _are_apart(seen.results_with_more, others)
        model.train()
        _results(model, _with_more(given.inputs()))
    except TooLongError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return ""


def _made(subject: Subject, module: Any) -> torch.nn.Module:
    value = eval(subject.expression, vars(module))
    made: torch.nn.Module = value if isinstance(value, torch.nn.Module) else value()
    return made


def _fits(model: torch.nn.Module, weights: dict[str, torch.Tensor] | None) -> bool:
    if weights is None:
        return True
    own = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if own != {name: tensor.shape for name, tensor in weights.items()}:
        return False
    model.load_state_dict(weights)
    return True


def _results(model: torch.nn.Module, inputs: Any) -> list[torch.Tensor]:
    args, kwargs = inputs
    torch.manual_seed(0)
    return [each.detach().clone() for each in _tensors(model(*args, **kwargs))]


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of a result, those in dataclasses and objects counted in."""
    found = list(tensors_in(value))
    if not found and hasattr(value, "__dict__"):
        found = list(tensors_in(list(vars(value).values())))
    yield from found


def _batch(inputs: Any) -> int:
    first = next(tensors_in(inputs))
    return int(first.shape[0]) if first.dim() else 0


def _changed(value: Any, batch: int, change: Any) -> Any:
    """The inputs with every tensor changed whose first dimension is the batch."""
    if isinstance(value, torch.Tensor):
        has_batch = value.dim() > 0 and value.shape[0] == batch
        return change(value) if has_batch else value
    if isinstance(value, (list, tuple)):
        return type(value)([_changed(item, batch, change) for item in value])
    if isinstance(value, dict):
        return {key: _changed(item, batch, change) for key, item in value.items()}
    return value


def _with_more(inputs: Any) -> Any:
    batch = _batch(inputs)
    chosen = torch.arange(batch + MORE) % max(1, batch)
    return _changed(inputs, batch, lambda tensor: tensor.index_select(0, chosen))


def _with_other_first(inputs: Any) -> Any:
    def change(tensor: torch.Tensor) -> torch.Tensor:
        other = tensor.clone()
        other[0] = other[0].flip(-1) * 0.5 if other.is_floating_point() else other[0]
        return other

    return _changed(inputs, _batch(inputs), change)


def _are_apart(ones: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(
        one.shape == other.shape and equal(one[1:], other[1:])
        for one, other in zip(ones, others, strict=True)
        if one.dim()
    )


def equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two results are the same but for the order of sums."""
    return one.shape == other.shape and torch.allclose(
        one.to(torch.float64) if not one.is_complex() else one,
        other.to(torch.float64) if not other.is_complex() else other,
        rtol=1e-3,
        atol=1e-5,
        equal_nan=True,
    )


@contextlib.contextmanager
def _both_imported(file: Path, folder: Path) -> Iterator[tuple[Any, Any]]:
    try:
        yield _imported("plain", file), _imported("plain_inputs", folder / "inputs.py")
    finally:
        sys.modules.pop("plain", None)
        sys.modules.pop("plain_inputs", None)
