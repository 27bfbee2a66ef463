"""Target -> model: the user's file imported as Python would, the class called, nothing left behind."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from shapelint.diagnostics import Span
from shapelint.syntax.places import span_of
from shapelint.target import Target
from shapelint.trace.costs import Budget, construction_budget
from shapelint.trace.definitions import Definitions, construction
from shapelint.trace.source import Ownership


class NotLoadableError(Exception):
    """The target gave no model: the line that says why, the place in the user's file, and a note."""

    def __init__(self, message: str, span: Span | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.span = span
        self.hint = hint


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

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """The user's modules as they were when the model was made: a forward may import, or look itself up."""
        with isolated_imports(self.roots, {}):
            sys.modules.update(self.user_modules)
            yield


class _Overlay(importlib.abc.MetaPathFinder):
    """Serves edited copies of files to `import`, so that a fix is tried without writing it."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin and os.path.abspath(spec.origin) in self.texts:
            spec.loader = _TextLoader(fullname, spec.origin, self.texts)
            return spec
        return None


class _TextLoader(importlib.machinery.SourceFileLoader):
    """Compiles the edited text under the file's own name; never reads or writes bytecode."""

    def __init__(self, fullname: str, path: str, texts: dict[str, str]) -> None:
        super().__init__(fullname, path)
        self.text = texts.get(os.path.abspath(path))

    def get_code(self, fullname: str) -> Any:
        source = self.text.encode() if self.text is not None else self.get_data(self.path)
        return self.source_to_code(source, self.path)


@contextlib.contextmanager
def isolated_imports(roots: list[str], overlay: dict[str, str]) -> Iterator[None]:
    """`sys.path` leads with `roots`; on leaving, `sys.path` and `sys.modules` are as they were.

    Modules from below the roots are imported afresh, so that an overlay reaches them all.
    """
    path, modules, argv = list(sys.path), dict(sys.modules), list(sys.argv)
    finder = _Overlay(overlay)
    write_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    for name in [name for name, module in modules.items() if _is_users(module, roots)]:
        del sys.modules[name]
    sys.path[:0] = roots
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path
        sys.argv[:] = argv
        sys.dont_write_bytecode = write_bytecode
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name not in modules]:
            if _is_users(sys.modules[name], roots):
                del sys.modules[name]
        for name, module in modules.items():
            sys.modules.setdefault(name, module)


def _is_users(module: ModuleType | None, roots: list[str]) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or "site-packages" in file or "dist-packages" in file:
        return False
    if file.startswith((os.path.dirname(torch.__file__), str(sysconfig.get_path("stdlib")))):
        return False
    if os.path.abspath(file).startswith(os.path.dirname(os.path.abspath(__file__)) + os.sep):
        return False
    return any(os.path.abspath(file).startswith(os.path.abspath(root or ".") + os.sep) for root in roots)


def load(target: Target, overlay: dict[str, str] | None = None, budget: Callable[[], Budget] | None = None) -> Loaded:
    """Import the target's file and make its model, under a session that spares memory.

    `overlay` maps absolute paths to edited texts. `budget` defaults to `construction_budget`.

    Raises:
        NotLoadableError: import, name, constructor or result are not what a target needs.
    """
    name, roots, own_roots = import_name(target)
    ownership = Ownership(own_roots)
    definitions = Definitions(ownership)
    own_budget = (budget or construction_budget)()
    with isolated_imports(roots, overlay or {}), construction(definitions, own_budget) as session:
        module, model = enter_target(target, name, ownership, overlay or {})
        user_modules = {key: item for key, item in sys.modules.items() if _is_users(item, roots)}
    definitions.fill_copies(model)
    file = os.path.abspath(getattr(module, "__file__", None) or target.path or "")
    return Loaded(model, module, file, ownership, definitions, session.used_fake, roots, user_modules)


def enter_target(
    target: Target, name: str, ownership: Ownership, overlay: dict[str, str]
) -> tuple[ModuleType, torch.nn.Module]:
    """Import and construct. Frames beyond this function are not the user's."""
    module = _import(target, name, ownership, overlay)
    value = _evaluate(target, module, ownership)
    return module, _instantiate(target, value, ownership)


def import_target(target: Target) -> Any:
    """What a target names, not called and not constructed; for functions that make inputs.

    Raises:
        NotLoadableError: as `load`.
    """
    name, _, own_roots = import_name(target)
    ownership = Ownership(own_roots)
    with construction(Definitions(ownership), construction_budget()):
        return _evaluate(target, _import(target, name, ownership, {}), ownership)


def import_name(target: Target) -> tuple[str, list[str], tuple[str, ...]]:
    """Name to import, directories for `sys.path`, and directories whose files count as the user's own."""
    here = os.getcwd()
    if target.module is not None:
        spec = _find_spec(target.module, here)
        file = os.path.abspath(spec.origin) if spec is not None and spec.origin else ""
        levels = target.module.count(".") + (1 if file.endswith("__init__.py") else 0)
        return target.module, [here], (str(Path(file).parents[max(0, levels - 1)]),) if file and levels else (file,)
    path = Path(target.path or "").resolve()
    parts = [path.stem]
    folder = path.parent
    climb = _relative_levels(path)
    while (folder / "__init__.py").is_file() or climb > 0:
        parts.insert(0, folder.name)
        folder = folder.parent
        climb -= 1
    if len(parts) == 1:
        name = path.stem if path.stem not in sys.modules and path.stem.isidentifier() else f"_target_{path.stem}"
        return name, [str(path.parent)], (str(path.parent),)
    name = ".".join(parts[:-1] if path.stem == "__init__" else parts)
    return name, [str(folder), here, str(path.parent)], (str(folder / parts[0]),)


def _find_spec(module: str, here: str) -> Any:
    path = list(sys.path)
    sys.path.insert(0, here)
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    finally:
        sys.path[:] = path


def _relative_levels(path: Path) -> int:
    """How far up relative imports reach: `from ..x import y` needs two packages, marked as such or not."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return 0
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


def _import(target: Target, name: str, ownership: Ownership, overlay: dict[str, str]) -> ModuleType:
    try:
        if target.path is None or "." in name:
            return importlib.import_module(name)
        path = str(Path(target.path).resolve())
        sys.argv[:] = [path]
        loader = _TextLoader(name, path, overlay)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
        return module
    except ModuleNotFoundError as error:
        if target.module is not None and error.name is not None and name.startswith(error.name):
            raise NotLoadableError(f"no module named `{error.name}`{_near_module(error.name)}") from None
        raise _failed("importing", target, ownership, error) from None
    except SyntaxError as error:
        span = Span(error.filename or "", error.lineno or 1, error.offset or 1) if error.filename else None
        raise NotLoadableError(f"importing `{_where(target)}` failed: {error.msg}", span) from None
    except (Exception, SystemExit) as error:
        raise _failed("importing", target, ownership, error) from None


def _near_module(name: str) -> str:
    siblings = [path.stem for path in Path.cwd().glob("*.py")]
    siblings += [path.parent.name for path in Path.cwd().glob("*/__init__.py")]
    close = difflib.get_close_matches(name.partition(".")[0], siblings, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _failed(doing: str, target: Target, ownership: Ownership, error: BaseException) -> NotLoadableError:
    sites = ownership.in_traceback(error.__traceback__)
    text = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    subject = f"`{_where(target)}`" if doing == "importing" else f"`{target.expression or target.text}`"
    return NotLoadableError(f"{doing} {subject} raised {what}", span_of(sites[0]) if sites else None)


def _where(target: Target) -> str:
    return target.path or target.module or target.text


def models_in(module: ModuleType) -> dict[str, Any]:
    """The Module classes that a file defines itself, and the instances it holds."""
    return {
        name: value
        for name, value in vars(module).items()
        if (inspect.isclass(value) and issubclass(value, torch.nn.Module) and value.__module__ == module.__name__)
        or (isinstance(value, torch.nn.Module) and not name.startswith("_"))
    }


def _evaluate(target: Target, module: ModuleType, ownership: Ownership) -> Any:
    if target.expression is None:
        return _only_model(target, module)
    root = target.expression.split("(")[0].split(".")[0].strip()
    if root.isidentifier() and not hasattr(module, root) and root not in dir(__builtins__):
        raise NotLoadableError(_no_such_name(target, module, root))
    try:
        return eval(compile(target.expression, "<target>", "eval"), dict(vars(module)))  # noqa: S307 - the user's own words, in their own module
    except TypeError as error:
        sites = ownership.in_traceback(error.__traceback__)
        callee = getattr(module, root, None)
        if not sites and callable(callee):
            raise NotLoadableError(
                f"`{target.expression}` does not fit its signature, {_signature(callee)}: {error}", _definition(callee)
            ) from None
        raise _failed("calling", target, ownership, error) from None
    except (Exception, SystemExit) as error:
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
            f"`{where}` defines no nn.Module class", hint=f"write `{where}:name` for what makes the model"
        )
    listed = ", ".join(f"`{where}:{name}`" for name in found)
    raise NotLoadableError(f"`{where}` has {len(found)} models; name one", hint=f"one of {listed}")


def _no_such_name(target: Target, module: ModuleType, name: str) -> str:
    names = [key for key in vars(module) if not key.startswith("_")]
    models = list(models_in(module))
    close = difflib.get_close_matches(name, models, n=1, cutoff=0.5) or difflib.get_close_matches(name, names, n=1)
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
        init = callee.__init__ if inspect.isclass(callee) and "__init__" in vars(callee) else callee
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
        except (Exception, SystemExit) as error:
            raise _failed("constructing", target, ownership, error) from None
        if isinstance(made, torch.nn.Module):
            return made
        raise NotLoadableError(f"`{shown}()` gives a {type(made).__name__}, not an nn.Module")
    raise NotLoadableError(f"`{shown}` is a {type(value).__name__}, not an nn.Module")
