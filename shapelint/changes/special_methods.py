"""Methods that torch or Python look for by name: `__init__` and `forward` misspelled,
`forward` inside another method, attributes that hide methods of `nn.Module`."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.near_names import FAR, distance_between
from shapelint.changes.slip_edits import (
    Function,
    attributes_of_self,
    class_of,
    method_named,
    methods_of,
    rename_function,
    slip_change,
)
from shapelint.changes.super_calls import correct_super_call, find_super_call
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.places import Position
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.edits import replacement
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile

_INIT, _FORWARD = "__init__", "forward"
_FOR_INIT = ("init", "int", "inti", "ini", "nit", "intit", "initialize", "constructor")
_FOR_FORWARD = ("call", "fwd", "forwards")
"""Other words for the two, as they are written for them, without underscores."""


def method_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """Give a method the name under which it is looked for."""
    found = class_of(slip, texts)
    if found is None:
        return
    source, owner = found
    if slip.kind is SlipKind.NO_FORWARD:
        yield from _rename_to_forward(source, owner)
        yield from _dedent_forward(source, owner)
    elif slip.kind is SlipKind.NO_BASE:
        yield from _inherit(source, owner)
    elif slip.kind is SlipKind.HIDDEN_METHOD:
        yield from _rename_attribute(slip, source, owner)
    elif method_named(owner, _INIT) is None:
        yield from _rename_to_init(source, owner)


# -- misspelled --------------------------------------------------------------------------


def _rename_to_init(source: ParsedFile, owner: ast.ClassDef) -> Iterator[Candidate]:
    for method in methods_of(owner):
        if not _is_meant(method.name, _INIT, _FOR_INIT):
            continue
        edits = [rename_function(source, method, _INIT)]
        call = find_super_call(method)
        wrong = correct_super_call(source, method, owner.name) if call else None
        edits += wrong.edits if wrong is not None else ()
        says = f"`{method.name}` is never called; `__init__` is"
        yield slip_change(
            f"`def {_INIT}` for `def {method.name}`", edits, weights.SLIP_REACHED, says
        )


def _rename_to_forward(source: ParsedFile, owner: ast.ClassDef) -> Iterator[Candidate]:
    for method in methods_of(owner):
        if not _is_meant(method.name, _FORWARD, _FOR_FORWARD):
            continue
        edits = (rename_function(source, method, _FORWARD),)
        says = f"`{method.name}` is never called; `forward` is"
        title = f"`def {_FORWARD}` for `def {method.name}`"
        yield slip_change(title, edits, weights.SLIP_REACHED, says)


def _is_meant(name: str, wanted: str, words: tuple[str, ...]) -> bool:
    plain = name.strip("_").lower()
    if plain in words or plain == wanted.strip("_"):
        return True
    is_long = len(plain) > len("init")
    return is_long and distance_between(plain, wanted.strip("_")) < FAR


def _inherit(source: ParsedFile, owner: ast.ClassDef) -> Iterator[Candidate]:
    """`class Net(nn.Module)` for `class Net`."""
    line = source.lines[owner.lineno - 1].decode()
    head = f"class {owner.name}"
    if owner.bases or head not in line:
        return
    start = Position(owner.lineno, line.index(head) + 1)
    rest = line[line.index(head) + len(head) :].lstrip()
    # `class Net():` has its parentheses already
    written = len(head) + 2 * rest.startswith("()")
    end = Position(owner.lineno, start.column + written)
    edit = Edit(source.file, start, end, f"{head}(nn.Module)")
    yield slip_change(f"`{head}(nn.Module)`", (edit,), weights.SLIP_REACHED)


# -- inside another method ---------------------------------------------------------------


def _dedent_forward(source: ParsedFile, owner: ast.ClassDef) -> Iterator[Candidate]:
    """Move a `forward` that stands inside a method out of it."""
    for method in methods_of(owner):
        for inner in method.body:
            if not isinstance(inner, ast.FunctionDef) or inner.name != _FORWARD:
                continue
            edit = _dedent(source, inner, method.col_offset)
            says = f"it stands inside `{method.name}`"
            yield slip_change(
                "`def forward` indented as a method",
                (edit,),
                weights.SLIP_REACHED,
                says,
            )


def _dedent(source: ParsedFile, function: Function, column: int) -> Edit:
    first, last = function.lineno, function.end_lineno or function.lineno
    lines = b"\n".join(source.lines[first - 1 : last]).decode()
    moved = textwrap.indent(textwrap.dedent(lines), " " * column)
    return Edit(source.file, Position(first, 1), Position(last + 1, 1), f"{moved}\n")


# -- hidden methods ----------------------------------------------------------------------


def _rename_attribute(
    slip: Slip, source: ParsedFile, owner: ast.ClassDef
) -> Iterator[Candidate]:
    """Another name for an attribute that hides a method, wherever the attribute is
    meant."""
    nodes = attributes_of_self(owner, slip.name)
    meant = [node for node in nodes if not _calls_method(source, node)]
    name = _other_name(source, meant, slip.name)
    edits = [replacement(source, node, f"self.{name}") for node in meant]
    edits += _names_in_body(source, owner, slip.name, name)
    if not edits:
        return
    says = f"`{slip.name}` is a method of `nn.Module`, which this attribute hides"
    title = f"`self.{name}` for `self.{slip.name}`"
    yield slip_change(title, edits, weights.SLIP_REACHED, says)


def _calls_method(source: ParsedFile, node: ast.Attribute) -> bool:
    """Whether the method is meant: `self.train()`, `self.train(False)`."""
    call = source.parents.get(node)
    if not isinstance(call, ast.Call) or call.func is not node:
        return False
    return all(isinstance(argument, ast.Constant) for argument in call.args)


def _other_name(source: ParsedFile, nodes: list[ast.Attribute], name: str) -> str:
    """`is_train` for a flag, `children_` for anything else."""
    for node in nodes:
        statement = source.parents.get(node)
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            return f"is_{name}"
    return f"{name}_"


def _names_in_body(
    source: ParsedFile, owner: ast.ClassDef, name: str, new: str
) -> list[Edit]:
    """The edits of `train = True` in the body of the class itself."""
    targets = [
        target
        for item in owner.body
        if isinstance(item, ast.Assign)
        for target in item.targets
    ]
    return [
        replacement(source, target, new)
        for target in targets
        if isinstance(target, ast.Name) and target.id == name
    ]
