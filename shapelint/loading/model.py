"""Makes the model of a target: imports the user's file, and calls the class or
function."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch

from shapelint.asked.target import Target
from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.places import Span
from shapelint.facts.slips import Slip
from shapelint.loading.imports import (
    TextLoader,
    import_name,
    isolate_imports,
    users_modules,
)
from shapelint.loading.literals import compile_with_origins
from shapelint.loading.not_loadable import (
    NoTimeToLoadError,
    NotLoadableError,
    definition_span,
    list_required_parameters,
    name_of,
    refusal_of_call,
    refusal_of_import,
    signature_of,
    suggest_module,
    suggest_name,
)
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget, construction_budget
from shapelint.tracing.definitions import Definitions, build_under_session
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.slip_facts import describe_slip, lacks_base
from shapelint.tracing.state import preserve_generators
from shapelint.tracing.user_text import message_of

TARGET = "<target>"
"""The file of a target's own expression."""


@dataclass
class Loaded:
    """A model, and where it came from. `file` is the file of its module."""

    model: torch.nn.Module
    module: ModuleType
    file: str
    ownership: Ownership
    definitions: Definitions
    used_fake: bool
    roots: list[str]
    user_modules: dict[str, ModuleType]
    has_origins: bool = False
    """Whether the numbers of the user's files know where they are written."""

    @property
    def texts(self) -> Texts:
        """The texts from which it was made, edited or not."""
        return self.ownership.texts

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """Restore the user's modules as they were when the model was made. A forward
        may import modules, or look up its own."""
        is_traced = self.ownership.owns if self.has_origins else None
        with isolate_imports(self.roots, self.texts, is_traced):
            sys.modules.update(self.user_modules)
            yield


def load(
    target: Target,
    texts: Texts,
    budget: Callable[[], Budget] | None = None,
    trial: bool = False,
    with_origins: bool = False,
) -> Loaded:
    """Import the target's file and make its model, in a session that saves memory.

    `texts`: the contents of its files. `budget`: replaces the usual budget. In a
    `trial` of a change, large weights are zeros instead of random. `with_origins`: the
    numbers in the user's files know where they are written (`facts/numbers.py`).

    Raises:
        NotLoadableError: import, name, constructor or result are not what a target
        needs.
    """
    name, roots, own_roots = import_name(target, texts)
    ownership = Ownership(own_roots, texts)
    definitions = Definitions(ownership)
    own_budget = (budget or construction_budget)()
    building = build_under_session(definitions, own_budget, trial, with_origins)
    is_traced = ownership.owns if with_origins else None
    with (
        preserve_generators(seed=0),
        isolate_imports(roots, texts, is_traced),
        building as session,
    ):
        module, model = enter_target(target, name, ownership, with_origins)
        modules = dict(sys.modules)
    definitions.fill_copies(model)
    file = os.path.abspath(getattr(module, "__file__", None) or target.path or "")
    own = users_modules(modules, roots)
    return Loaded(
        model,
        module,
        file,
        ownership,
        definitions,
        session.used_fake,
        roots,
        user_modules=own,
        has_origins=with_origins,
    )


def enter_target(
    target: Target, name: str, ownership: Ownership, with_origins: bool = False
) -> tuple[ModuleType, torch.nn.Module]:
    """Import the file and make the model. Frames outside of this function are not the
    user's."""
    try:
        module = _import(target, name, ownership, with_origins)
        value = _evaluate(target, module, ownership, with_origins)
        return module, _instantiate(target, value, ownership)
    except OutOfTimeError as error:
        sites = ownership.in_traceback(error.__traceback__)
        span = span_of(sites[0], ownership.texts) if sites else None
        hint = (
            'put slow code behind `if __name__ == "__main__":`, or raise the limit '
            "with `--timeout`"
        )
        raise NoTimeToLoadError(f"{error}: there is no model yet", span, hint) from None


def import_target(target: Target, texts: Texts) -> object:
    """Return the object that a target names, without calling it. For functions that
    make inputs.

    Raises:
        NotLoadableError: as `load`.
    """
    name, _, own_roots = import_name(target, texts)
    ownership = Ownership(own_roots, texts)
    with build_under_session(Definitions(ownership), construction_budget()):
        return _evaluate(target, _import(target, name, ownership), ownership)


def _import(
    target: Target, name: str, ownership: Ownership, with_origins: bool = False
) -> ModuleType:
    try:
        if target.path is None or "." in name:
            return importlib.import_module(name)
        return _import_file(target.path, name, ownership.texts, with_origins)
    except ModuleNotFoundError as error:
        missing = error.name
        if target.module and missing and name.startswith(missing):
            message = f"no module named `{missing}`{suggest_module(missing)}"
            raise NotLoadableError(message) from None
        raise refusal_of_import(target, ownership, error) from None
    except SyntaxError as error:
        place = (error.filename or "", error.lineno or 1, error.offset or 1)
        raise NotLoadableError(
            f"importing `{name_of(target)}` failed: {error.msg}",
            Span(*place) if error.filename else None,
        ) from None
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise refusal_of_import(target, ownership, error) from None


def _import_file(path: str, name: str, texts: Texts, with_origins: bool) -> ModuleType:
    """Import a file that belongs to no package, under a unique name."""
    path = str(Path(path).resolve())
    # scripts may parse their arguments when they are imported; ours are not for them
    sys.argv[:] = [path]
    loader = TextLoader(name, path, texts, with_origins)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # before it is run, as `import` does it: dataclasses and pickles look their module up
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def models_in(module: ModuleType) -> dict[str, object]:
    """The nn.Module classes that a file defines itself, and its public instances."""
    return {
        name: value
        for name, value in vars(module).items()
        if _is_own_class(value, module) or _is_public_instance(name, value)
    }


def _is_own_class(value: object, module: ModuleType) -> bool:
    if not isinstance(value, type) or not issubclass(value, torch.nn.Module):
        return False
    return value.__module__ == module.__name__


def _is_public_instance(name: str, value: object) -> bool:
    return isinstance(value, torch.nn.Module) and not name.startswith("_")


def _evaluate(
    target: Target, module: ModuleType, ownership: Ownership, with_origins: bool = False
) -> object:
    """The value of a target's expression in its module; without an expression, the only
    model."""
    expression = target.expression
    if expression is None:
        return _find_only_model(target, models_in(module))
    root = expression.split("(")[0].split(".")[0].strip()
    is_known = hasattr(module, root) or hasattr(builtins, root)
    if root.isidentifier() and not is_known:
        suggestion = suggest_name(root, models_in(module), vars(module))
        raise NotLoadableError(f"`{name_of(target)}` has no `{root}`{suggestion}")
    try:
        if with_origins:
            code = compile_with_origins(expression, TARGET, "eval")
        else:
            code = compile(expression, TARGET, "eval")
        return eval(code, dict(vars(module)))  # noqa: S307 - the user's own words, in their own module
    except TypeError as error:
        callee = getattr(module, root, None)
        # it was raised in no frame of the user's: by the call itself
        if callable(callee) and not ownership.in_traceback(error.__traceback__):
            slip = describe_slip(error, ownership, callee=callee)
            raise _explain_misfit(expression, callee, error, slip) from None
        raise refusal_of_call(target, "calling", ownership, error) from None
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise refusal_of_call(target, "calling", ownership, error) from None


def _explain_misfit(
    expression: str,
    callee: Callable[..., object],
    error: TypeError,
    slip: Slip | None,
) -> NotLoadableError:
    signature = signature_of(callee)
    return NotLoadableError(
        f"`{expression}` does not fit its signature, {signature}: {message_of(error)}",
        definition_span(callee),
        slip=slip,
    )


def _find_only_model(target: Target, found: Mapping[str, object]) -> object:
    """The only class of a file, even if it also has instances; or else the only
    instance."""
    classes = [value for value in found.values() if inspect.isclass(value)]
    if len(classes) == 1:
        return classes[0]
    if len(found) == 1:
        return next(iter(found.values()))
    where = name_of(target)
    if not found:
        hint = f"name what builds the model: `{where}:name`"
        raise NotLoadableError(f"`{where}` defines no nn.Module class", hint=hint)
    listed = ", ".join(f"`{where}:{name}`" for name in found)
    message = f"`{where}` has {len(found)} models; name one"
    raise NotLoadableError(message, hint=f"one of {listed}")


def _instantiate(
    target: Target, value: object, ownership: Ownership
) -> torch.nn.Module:
    """The model itself, or the result of calling a class or function without
    arguments."""
    if isinstance(value, torch.nn.Module):
        return value
    name = target.expression or str(getattr(value, "__name__", target.text))
    if not callable(value):
        kind = type(value).__name__
        raise NotLoadableError(f"`{name}` is a {kind}, not an nn.Module")
    missing = list_required_parameters(value)
    if missing:
        raise _explain_missing_arguments(target, name, value, missing)
    try:
        made: object = value()
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise refusal_of_call(target, "constructing", ownership, error, value) from None
    if isinstance(made, torch.nn.Module):
        return made
    raise NotLoadableError(
        f"`{name}()` gives a {type(made).__name__}, not an nn.Module",
        slip=lacks_base(made),
    )


def _explain_missing_arguments(
    target: Target, name: str, callee: Callable[..., object], missing: list[str]
) -> NotLoadableError:
    arguments = ", ".join(f"{each}=..." for each in missing)
    base = target.text if target.expression else f"{target.text}:{name}"
    return NotLoadableError(
        f"`{name}` needs arguments: {signature_of(callee)}",
        definition_span(callee),
        hint=f"write `{base}({arguments})`",
    )
