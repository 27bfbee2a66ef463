"""Target -> model: the user's file imported as Python would, the class called, nothing
left behind."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from shapelint.asked.target import Target
from shapelint.facts.errors import OutOfTimeError
from shapelint.facts.places import Site, Span
from shapelint.loading.imports import (
    TextLoader,
    import_name,
    is_users_module,
    isolated_imports,
)
from shapelint.syntax.spans import span_of
from shapelint.syntax.texts import Texts
from shapelint.tracing.costs import Budget, construction_budget
from shapelint.tracing.definitions import Definitions, build_under_session
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.state import preserve_generators
from shapelint.tracing.user_text import first_line, message_of


class NotLoadableError(Exception):
    """The target gave no model: the line that says why, the place in the user's file,
    and a note.

    `sites`: the user's frames, innermost first. `refused_by`: the layer of torch's
    whose constructor raised, and `reason` what it said."""

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        hint: str = "",
        sites: tuple[Site, ...] = (),
        refused_by: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.span = span
        self.hint = hint
        self.sites = sites
        self.refused_by = refused_by
        self.reason = reason


@dataclass
class Loaded:
    """A model and where it came from. `file` is the file of its module."""

    model: torch.nn.Module
    module: ModuleType
    file: str
    ownership: Ownership
    definitions: Definitions
    used_fake: bool
    roots: list[str]
    user_modules: dict[str, ModuleType]

    @property
    def texts(self) -> Texts:
        """The files that it was made from, edited or not."""
        return self.ownership.texts

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """The user's modules as they were when the model was made: a forward may
        import, or look itself up."""
        with isolated_imports(self.roots, self.texts):
            sys.modules.update(self.user_modules)
            yield


def load(
    target: Target,
    texts: Texts,
    budget: Callable[[], Budget] | None = None,
    trial: bool = False,
) -> Loaded:
    """Import the target's file and make its model, under a session that spares memory.

    `texts`: what its files hold. `budget` defaults to
    `construction_budget`. In a `trial` of a change large weights are zeros, not random.

    Raises:
        NotLoadableError: import, name, constructor or result are not what a target
        needs."""
    name, roots, own_roots = import_name(target, texts)
    ownership = Ownership(own_roots, texts)
    definitions = Definitions(ownership)
    own_budget = (budget or construction_budget)()
    imports = isolated_imports(roots, texts)
    with (
        preserve_generators(seed=0),
        imports,
        build_under_session(definitions, own_budget, trial) as session,
    ):
        module, model = enter_target(target, name, ownership)
        user_modules = {
            key: item
            for key, item in sys.modules.items()
            if is_users_module(item, roots)
        }
    definitions.fill_copies(model)
    file = os.path.abspath(getattr(module, "__file__", None) or target.path or "")
    return Loaded(
        model,
        module,
        file,
        ownership,
        definitions,
        session.used_fake,
        roots,
        user_modules,
    )


def enter_target(
    target: Target, name: str, ownership: Ownership
) -> tuple[ModuleType, torch.nn.Module]:
    """Import and construct. Frames beyond this function are not the user's."""
    try:
        module = _import(target, name, ownership)
        value = _evaluate(target, module, ownership)
        return module, _instantiate(target, value, ownership)
    except OutOfTimeError as error:
        sites = ownership.in_traceback(error.__traceback__)
        hint = 'what takes long belongs behind `if __name__ == "__main__":`; `--timeout` gives it more time'
        span = span_of(sites[0], ownership.texts) if sites else None
        raise NotLoadableError(f"{error}: there is no model yet", span, hint) from None


def import_target(target: Target, texts: Texts) -> Any:
    """What a target names, not called and not constructed; for functions that make
    inputs.

    Raises:
        NotLoadableError: as `load`.
    """
    name, _, own_roots = import_name(target, texts)
    ownership = Ownership(own_roots, texts)
    with build_under_session(Definitions(ownership), construction_budget()):
        return _evaluate(target, _import(target, name, ownership), ownership)


def _import(target: Target, name: str, ownership: Ownership) -> ModuleType:
    try:
        if target.path is None or "." in name:
            return importlib.import_module(name)
        path = str(Path(target.path).resolve())
        sys.argv[:] = [path]
        loader = TextLoader(name, path, ownership.texts)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
        return module
    except ModuleNotFoundError as error:
        if (
            target.module is not None
            and error.name is not None
            and name.startswith(error.name)
        ):
            raise NotLoadableError(
                f"no module named `{error.name}`{_near_module(error.name)}"
            ) from None
        raise _failed("importing", target, ownership, error) from None
    except SyntaxError as error:
        span = (
            Span(error.filename or "", error.lineno or 1, error.offset or 1)
            if error.filename
            else None
        )
        raise NotLoadableError(
            f"importing `{_where(target)}` failed: {error.msg}", span
        ) from None
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise _failed("importing", target, ownership, error) from None


def _near_module(name: str) -> str:
    siblings = [path.stem for path in Path.cwd().glob("*.py")]
    siblings += [path.parent.name for path in Path.cwd().glob("*/__init__.py")]
    close = difflib.get_close_matches(name.partition(".")[0], siblings, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _failed(
    doing: str, target: Target, ownership: Ownership, error: BaseException
) -> NotLoadableError:
    sites = ownership.in_traceback(error.__traceback__)
    text = first_line(error)
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    subject = (
        f"`{_where(target)}`"
        if doing == "importing"
        else f"`{target.expression or target.text}`"
    )
    span = span_of(sites[0], ownership.texts) if sites else None
    refused_by = _refusing_layer(error) if doing != "importing" else ""
    return NotLoadableError(
        f"{doing} {subject} raised {what}", span, "", tuple(sites), refused_by, text
    )


def _refusing_layer(error: BaseException) -> str:
    """The outermost of torch's own layers whose constructor an exception came out
    of."""
    if not isinstance(error, (ValueError, AssertionError, RuntimeError)):
        return ""
    traceback = error.__traceback__
    name = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        layer = (
            traceback.tb_frame.f_locals.get("self")
            if code.co_name == "__init__"
            else None
        )
        is_own = os.path.dirname(torch.nn.modules.__file__) == os.path.dirname(
            code.co_filename
        )
        name = (
            name or type(layer).__name__
            if is_own and isinstance(layer, torch.nn.Module)
            else ""
        )
        traceback = traceback.tb_next
    return name


def _where(target: Target) -> str:
    return target.path or target.module or target.text


def models_in(module: ModuleType) -> dict[str, Any]:
    """The Module classes that a file defines itself, and the instances it holds."""
    return {
        name: value
        for name, value in vars(module).items()
        if (
            inspect.isclass(value)
            and issubclass(value, torch.nn.Module)
            and value.__module__ == module.__name__
        )
        or (isinstance(value, torch.nn.Module) and not name.startswith("_"))
    }


def _evaluate(target: Target, module: ModuleType, ownership: Ownership) -> Any:
    if target.expression is None:
        return _only_model(target, module)
    root = target.expression.split("(")[0].split(".")[0].strip()
    if (
        root.isidentifier()
        and not hasattr(module, root)
        and root not in dir(__builtins__)
    ):
        raise NotLoadableError(_no_such_name(target, module, root))
    try:
        return eval(compile(target.expression, "<target>", "eval"), dict(vars(module)))  # noqa: S307 - the user's own words, in their own module
    except TypeError as error:
        sites = ownership.in_traceback(error.__traceback__)
        callee = getattr(module, root, None)
        if not sites and callable(callee):
            raise NotLoadableError(
                f"`{target.expression}` does not fit its signature, {_signature(callee)}: {message_of(error)}",
                _definition(callee),
            ) from None
        raise _failed("calling", target, ownership, error) from None
    except (KeyboardInterrupt, OutOfTimeError):
        raise
    except BaseException as error:
        raise _failed("calling", target, ownership, error) from None


def _only_model(target: Target, module: ModuleType) -> Any:
    found = models_in(module)
    classes = {name: value for name, value in found.items() if inspect.isclass(value)}
    if len(classes) == 1:
        return next(iter(classes.values()))
    if len(found) == 1:
        return next(iter(found.values()))
    where = _where(target)
    if not found:
        raise NotLoadableError(
            f"`{where}` defines no nn.Module class",
            hint=f"write `{where}:name` for what makes the model",
        )
    listed = ", ".join(f"`{where}:{name}`" for name in found)
    raise NotLoadableError(
        f"`{where}` has {len(found)} models; name one", hint=f"one of {listed}"
    )


def _no_such_name(target: Target, module: ModuleType, name: str) -> str:
    names = [key for key in vars(module) if not key.startswith("_")]
    models = list(models_in(module))
    close = difflib.get_close_matches(
        name, models, n=1, cutoff=0.5
    ) or difflib.get_close_matches(name, names, n=1)
    if close:
        hint = f" (did you mean `{close[0]}`?)"
    elif models:
        hint = f" (it has {', '.join(f'`{model}`' for model in models[:8])})"
    else:
        hint = " (it defines no nn.Module class)"
    return f"`{_where(target)}` has no `{name}`{hint}"


def _signature(callee: Any) -> str:
    try:
        parameters = str(inspect.signature(callee)).partition(" ->")[0]
    except (TypeError, ValueError):
        parameters = "(...)"
    return f"`{getattr(callee, '__name__', 'it')}{parameters}`"


def _definition(callee: Any) -> Span | None:
    try:
        init = (
            callee.__init__
            if inspect.isclass(callee) and "__init__" in vars(callee)
            else callee
        )
        file = inspect.getsourcefile(init)
        _, line = inspect.getsourcelines(init)
    except (TypeError, OSError):
        return None
    return Span(os.path.abspath(file), line) if file else None


def _required(callee: Any) -> list[str]:
    try:
        parameters = inspect.signature(callee).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def _instantiate(target: Target, value: Any, ownership: Ownership) -> torch.nn.Module:
    if isinstance(value, torch.nn.Module):
        return value
    shown = target.expression or getattr(value, "__name__", target.text)
    if callable(value):
        missing = _required(value)
        if missing:
            example = ", ".join(f"{name}=..." for name in missing)
            base = target.text if target.expression else f"{target.text}:{shown}"
            raise NotLoadableError(
                f"`{shown}` needs arguments: {_signature(value)}",
                _definition(value),
                hint=f"write `{base}({example})`",
            )
        try:
            made = value()
        except (KeyboardInterrupt, OutOfTimeError):
            raise
        except BaseException as error:
            raise _failed("constructing", target, ownership, error) from None
        if isinstance(made, torch.nn.Module):
            return made
        raise NotLoadableError(
            f"`{shown}()` gives a {type(made).__name__}, not an nn.Module"
        )
    raise NotLoadableError(f"`{shown}` is a {type(value).__name__}, not an nn.Module")
