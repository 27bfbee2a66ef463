"""Describes exceptions about names and calls: which name is missing, and which names
there are at that place."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType, ModuleType, TracebackType

import torch
from torch import nn

from shapelint.facts.places import Site
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.calls import call_at, operation_at
from shapelint.tracing.members import modules_of
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.torch_private import (
    buffers_in,
    has_registries,
    modules_in,
    parameters_in,
)
from shapelint.tracing.user_text import message_of

MOST_NAMES = 4000
"""The most names of an object that are listed."""

HOMES: tuple[ModuleType, ...] = (nn, nn.functional, torch)
"""The modules in which a missing name of torch may be found instead."""

_KEYWORD = re.compile(r"unexpected keyword argument '(\w+)'")
_ARGUMENTS = re.compile(
    r"positional arguments? but|required (?:positional|keyword-only)"
)
_BEFORE_INIT = re.compile(r"before Module\.__init__\(\) call")
_UNCALLABLE = re.compile(r"^'(\w+)' object is not callable")
_OPERATION = re.compile(
    r"not subscriptable|not callable|cannot be interpreted as an integer"
    r"|type must be tuple of ints|must be tuple of ints|super\(type, obj\)"
    r"|needs an argument|unsupported operand"
)


@dataclass(frozen=True)
class _Scene:
    """An exception, the user's frames in its traceback, and the innermost of them."""

    error: BaseException
    sites: tuple[Site, ...]
    frame: FrameType | None
    ownership: Ownership

    @property
    def holder(self) -> object:
        """What `self` is in the innermost frame of the user's."""
        return self.frame.f_locals.get("self") if self.frame is not None else None

    def slip(self, kind: SlipKind, name: str = "") -> Slip:
        frame, holder = self.frame, self.holder
        variables = tuple(frame.f_locals) if frame is not None else ()
        has_self = isinstance(holder, nn.Module)
        return Slip(
            kind,
            message_of(self.error),
            self.sites,
            name,
            home=_home_of(type(holder)) if has_self else ("", ""),
            of_self=_own_names(holder) if has_self else (),
            variables=variables,
        )


def describe_slip(
    error: BaseException,
    ownership: Ownership,
    model: nn.Module | None = None,
    callee: object = None,
) -> Slip | None:
    """Describe an exception about a name or a call; None if it is about something
    else. `model`: the model whose run raised. `callee`: what shapelint itself called, if
    that raised."""
    sites = tuple(ownership.in_traceback(error.__traceback__))
    frame = _innermost(error.__traceback__, ownership)
    scene = _Scene(error, sites, frame, ownership)
    try:
        slip = _describe(scene, model)
        if slip is not None and not slip.sites and isinstance(callee, type):
            return replace(slip, home=_home_of(callee))
        return slip
    except Exception:  # an object of the user's that cannot be asked for its names
        return None


def lacks_base(made: object) -> Slip | None:
    """The slip of a class with a `forward` that does not inherit from `nn.Module`."""
    cls = type(made)
    if not hasattr(cls, "forward") or isinstance(made, nn.Module):
        return None
    return Slip(SlipKind.NO_BASE, "", (), home=_home_of(cls))


def _describe(scene: _Scene, model: nn.Module | None) -> Slip | None:
    match scene.error:
        case NotImplementedError():
            return _lacks_forward(scene)
        case AttributeError():
            return _lacks_attribute(scene)
        case NameError():
            return _lacks_name(scene)
        case KeyError():
            return _lacks_key(scene)
        case TypeError():
            return _does_not_fit(scene, model)
    return None


# -- names -------------------------------------------------------------------------------


def _lacks_attribute(scene: _Scene) -> Slip | None:
    error = scene.error
    assert isinstance(error, AttributeError)
    owner, name = error.obj, error.name
    message = message_of(error)
    is_half_made = isinstance(owner, nn.Module) and not has_registries(owner)
    if _BEFORE_INIT.search(message) or is_half_made:
        return scene.slip(SlipKind.NO_INIT)
    if not name or owner is None or not scene.sites:
        return None
    if isinstance(owner, super):
        return scene.slip(SlipKind.NO_INIT, name)
    slip = replace(
        scene.slip(SlipKind.ATTRIBUTE, name),
        owner=_name_of(owner),
        known=_own_names(owner),
        elsewhere=_homes_of(name) if isinstance(owner, ModuleType) else (),
    )
    if isinstance(owner, nn.Module):
        return replace(slip, home=_home_of(type(owner)))
    return slip


def _lacks_name(scene: _Scene) -> Slip | None:
    error, frame = scene.error, scene.frame
    assert isinstance(error, NameError)
    if not error.name or frame is None:
        return None
    known = [*frame.f_locals, *frame.f_globals, *dir(builtins)]
    return replace(
        scene.slip(SlipKind.NAME, error.name),
        known=tuple(dict.fromkeys(known)),
        elsewhere=_homes_of(error.name),
    )


def _lacks_key(scene: _Scene) -> Slip | None:
    """A missing key of a dict that is written as a name, such as `CFG["hiden"]`."""
    key = scene.error.args[0] if scene.error.args else None
    if not isinstance(key, str) or not scene.sites:
        return None
    for table in _indexed_tables(scene):
        if key not in table:
            known = tuple(each for each in table if isinstance(each, str))
            return replace(scene.slip(SlipKind.KEY, key), known=known[:MOST_NAMES])
    return None


def _indexed_tables(scene: _Scene) -> Iterator[Mapping[object, object]]:
    found = operation_at(scene.sites[0], scene.ownership.texts)
    nodes = [found[1]] if found is not None else []
    for node in nodes:
        if isinstance(node, ast.Subscript):
            table = _look_up(node.value, scene.frame)
            if isinstance(table, Mapping):
                yield table
            elif isinstance(table, (nn.ModuleDict, nn.ParameterDict)):
                yield dict(table.items())


def _look_up(node: ast.expr, frame: FrameType | None) -> object:
    """The value of a name or of an attribute in a frame; None for anything else."""
    if frame is None:
        return None
    if isinstance(node, ast.Name):
        scopes = (frame.f_locals, frame.f_globals, frame.f_builtins)
        return next((scope[node.id] for scope in scopes if node.id in scope), None)
    if isinstance(node, ast.Attribute):
        return getattr(_look_up(node.value, frame), node.attr, None)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        table = _look_up(node.value, frame)
        return table.get(node.slice.value) if isinstance(table, dict) else None
    return None


# -- calls -------------------------------------------------------------------------------


def _lacks_forward(scene: _Scene) -> Slip | None:
    traceback = scene.error.__traceback__
    frames = [each.tb_frame for each in _steps(traceback)]
    if not frames or frames[-1].f_code.co_name != "_forward_unimplemented":
        return None
    module = frames[-1].f_locals.get("self")
    slip = scene.slip(SlipKind.NO_FORWARD)
    return replace(slip, owner=_name_of(module), home=_home_of(type(module)))


def _does_not_fit(scene: _Scene, model: nn.Module | None) -> Slip | None:
    message = message_of(scene.error)
    keyword = _KEYWORD.search(message)
    callee = _callee_of(scene)
    if keyword is not None:
        slip = scene.slip(SlipKind.KEYWORD, keyword[1])
        return replace(
            slip,
            owner=_name_of(callee),
            known=_parameters_of(callee),
            home=_home_of(callee) if isinstance(callee, type) else slip.home,
        )
    if _ARGUMENTS.search(message):
        slip = replace(scene.slip(SlipKind.ARGUMENTS), known=_parameters_of(callee))
        if isinstance(callee, type):
            return replace(slip, home=_home_of(callee), owner=_name_of(callee))
        return slip
    if model is not None and not scene.sites:
        return _hides_method(scene, model)
    uncalled = _UNCALLABLE.search(message)
    cls = _class_named(scene, uncalled[1]) if uncalled is not None else None
    if cls is not None and hasattr(cls, "forward"):
        return replace(scene.slip(SlipKind.NO_BASE), home=_home_of(cls))
    return scene.slip(SlipKind.OPERATION) if _OPERATION.search(message) else None


def _class_named(scene: _Scene, name: str) -> type | None:
    """The class of this name in the file that raised."""
    known = scene.frame.f_globals.get(name) if scene.frame is not None else None
    return known if isinstance(known, type) else None


def _callee_of(scene: _Scene) -> object:
    if not scene.sites:
        return None
    call = call_at(scene.sites[0], scene.ownership.texts)
    return _look_up(call.node.func, scene.frame) if call is not None else None


def _parameters_of(callee: object) -> tuple[str, ...]:
    """The parameters of a callable, those without a default first."""
    if not callable(callee):
        return ()
    parameters = [*inspect.signature(callee).parameters.values()]
    named = [each for each in parameters if each.kind not in _STARRED]
    required = [each.name for each in named if each.default is each.empty]
    return tuple(dict.fromkeys([*required, *(each.name for each in named)]))


_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _hides_method(scene: _Scene, model: nn.Module) -> Slip | None:
    """The first attribute of a module that hides a method of `nn.Module` and cannot be
    called."""
    for _, module in modules_of(model):
        for name in _own_names(module):
            method = getattr(nn.Module, name, None)
            is_hidden = callable(method) and not name.startswith("__")
            if is_hidden and not callable(getattr(module, name)):
                slip = scene.slip(SlipKind.HIDDEN_METHOD, name)
                return replace(slip, home=_home_of(type(module)))
    return None


# -- objects -----------------------------------------------------------------------------


def _own_names(owner: object) -> tuple[str, ...]:
    """The names that an object has: of a module of torch's those that it sets itself,
    of anything else all."""
    if not isinstance(owner, nn.Module):
        return tuple(name for name in dir(owner) if _is_public(name))[:MOST_NAMES]
    registries = (modules_in(owner), parameters_in(owner), buffers_in(owner))
    names = [name for each in registries for name in each]
    # with an underscore, they are torch's own
    names += [name for name in vars(owner) if name[0] != "_" and name != "training"]
    for each in type(owner).__mro__:
        if each is nn.Module:
            break
        names += [name for name in vars(each) if _is_public(name)]
    return tuple(dict.fromkeys(names))[:MOST_NAMES]


def _is_public(name: str) -> bool:
    return not name.startswith("__")


def _homes_of(name: str) -> tuple[str, ...]:
    return tuple(each.__name__ for each in HOMES if hasattr(each, name))


def _name_of(owner: object) -> str:
    name = getattr(owner, "__name__", None)
    return name if isinstance(name, str) else type(owner).__name__


def _home_of(cls: type) -> tuple[str, str]:
    """File and name of a class."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    code = getattr(vars(cls).get("__init__"), "__code__", None)
    return file or (code.co_filename if code is not None else ""), cls.__name__


def _steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _innermost(
    traceback: TracebackType | None, ownership: Ownership
) -> FrameType | None:
    """The innermost frame of the user's."""
    found = None
    for step in _steps(traceback):
        if ownership.owns(step.tb_frame.f_code.co_filename):
            found = step.tb_frame
    return found
