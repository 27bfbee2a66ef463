"""The layers of a model that depend on the mode, found in the classes and calls that
make it.

None means "not known" throughout: something in the model comes from a library that is
not read. The empty tuple means that no layer depends on the mode."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from shapelint import ops
from shapelint.reading.library import makes_a_model
from shapelint.reading.library_classes import MODULE_BASES
from shapelint.reading.scopes import resolve_name
from shapelint.reading.values import Class, ClassKind, Reference, Scope

Layers = tuple[str, ...] | None


def add_layers(found: Iterable[Layers]) -> Layers:
    """Combine the layers of the parts of a whole. The result is unknown if none of the
    parts has such a layer and some part is unknown."""
    names: dict[str, None] = {}
    is_unknown = False
    for layers in found:
        is_unknown = is_unknown or layers is None
        names.update(dict.fromkeys(layers or ()))
    return None if is_unknown and not names else tuple(names)


def layers_of_class(owner: Class, seen: frozenset[str] = frozenset()) -> Layers:
    """The mode-dependent layers of a model class and of its parts. `seen`: the classes
    of which it is a part."""
    # A class that holds itself, as a tree does, adds nothing more.
    if owner.node.name in seen:
        return ()
    seen |= {owner.node.name}
    bases = [_layers_of_base(base, seen) for base in owner.bases]
    inside = [
        layers_of_expression(node, owner.scope, seen) for node in ast.walk(owner.node)
    ]
    return add_layers([*bases, *inside])


def _layers_of_base(base: object, seen: frozenset[str]) -> Layers:
    if isinstance(base, Class):
        return layers_of_class(base, seen)
    if not isinstance(base, Reference):
        return ()
    # A base of another library may have any layer in it.
    is_torch = base.dotted.startswith("torch.nn.") or base.dotted in MODULE_BASES
    return () if is_torch else None


def layers_of_call(node: ast.Call, scope: Scope) -> Layers:
    """The mode-dependent layers that a call and the calls inside it make:
    `nn.Sequential(nn.Dropout())`."""
    return add_layers(layers_of_expression(part, scope) for part in ast.walk(node))


def layers_of_expression(
    node: ast.AST, scope: Scope, seen: frozenset[str] = frozenset()
) -> Layers:
    """The layers that one node adds, without the nodes inside it."""
    if isinstance(node, ast.Attribute):
        return _layers_of_attribute(node)
    if not isinstance(node, ast.Call):
        return ()
    callee = resolve_name(node.func, scope)
    if isinstance(callee, Class):
        is_module = callee.kind is ClassKind.MODULE
        return layers_of_class(callee, seen) if is_module else ()
    if not isinstance(callee, Reference):
        return ()
    return _layers_of_library(callee, node)


def _layers_of_attribute(node: ast.Attribute) -> Layers:
    """`self.training` in a forward depends on the mode, whatever it decides."""
    owner = node.value
    is_own = isinstance(owner, ast.Name) and owner.id == "self"
    return ("`self.training`",) if is_own and node.attr == "training" else ()


def _layers_of_library(callee: Reference, node: ast.Call) -> Layers:
    name = callee.last
    # `F.dropout` with `training=self.training`: the name shows in the message as it is
    # written.
    if callee.dotted.startswith("torch.nn.functional."):
        return (f"F.{name}",) if ops.of(name).by_mode else ()
    if callee.dotted.startswith("torch.nn."):
        return (name,) if _acts_by_mode(name, node) else ()
    return None if makes_a_model(callee.dotted) else ()


def _acts_by_mode(name: str, node: ast.Call) -> bool:
    layer = ops.of(name)
    if layer.by_mode:
        return not _is_without_effect(name, node)
    return any(word.arg == layer.by_mode_with for word in node.keywords)


def _is_without_effect(name: str, node: ast.Call) -> bool:
    """Whether a layer does nothing in either mode, such as `Dropout(0.0)`."""
    if not name.endswith("Dropout"):
        return False
    probabilities = [word.value for word in node.keywords if word.arg == "p"]
    first = [*node.args, *probabilities][:1]
    return any(isinstance(each, ast.Constant) and each.value == 0 for each in first)
