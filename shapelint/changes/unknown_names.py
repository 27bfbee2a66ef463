"""Other names for one that does not exist: attributes, variables, keys, keywords, and
names that have to be imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.near_names import rank_near_names
from shapelint.changes.slip_edits import (
    attributes_of_self,
    class_of,
    is_read,
    nodes_at_site,
    rewrite_all,
    slip_change,
    source_of,
)
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.places import Position
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile

MOST = 6
"""The most names tried for one."""

IMPORTS = {
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "optim": "from torch import optim",
    "partial": "from functools import partial",
    "OrderedDict": "from collections import OrderedDict",
    "dataclass": "from dataclasses import dataclass",
    "rearrange": "from einops import rearrange",
    "repeat": "from einops import repeat",
    "Optional": "from typing import Optional",
    "List": "from typing import List",
    "Tuple": "from typing import Tuple",
    "Dict": "from typing import Dict",
    "Any": "from typing import Any",
    "Union": "from typing import Union",
    "Callable": "from typing import Callable",
}
"""How names that models use are usually imported."""

ALIASES = {"torch.nn": "nn", "torch.nn.functional": "F", "torch": "torch"}
"""The usual name of each module of torch."""


def name_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """The names that may be meant, the nearest first."""
    source = source_of(slip, texts)
    if source is None:
        return
    if slip.kind is SlipKind.ATTRIBUTE:
        yield from _other_attributes(slip, source, texts)
    elif slip.kind is SlipKind.NAME:
        yield from _attribute_of_self(slip, source)
        yield from _missing_import(slip, source)
        yield from _other_variables(slip, source)
    elif slip.kind is SlipKind.KEY:
        yield from _other_keys(slip, source)
    elif slip.kind is SlipKind.KEYWORD:
        yield from _other_keywords(slip, source)


# -- attributes --------------------------------------------------------------------------


def _other_attributes(
    slip: Slip, source: ParsedFile, texts: Texts
) -> Iterator[Candidate]:
    at = _attributes_at(slip, source)
    if not at:
        return
    prefix = source.segment(at[0].value)
    found = class_of(slip, texts)
    is_self = prefix == "self" and found is not None
    same = _same_attributes(source, at[0], found[1] if is_self and found else None)
    yield from _in_other_modules(slip, source, same)
    near = rank_near_names(slip.name, slip.known)
    if is_self and found is not None:
        near = [*near, *_unused_siblings(slip, found[1])]
    for distance, name in near[:MOST]:
        likely = weights.SLIP_NEAR - weights.SLIP_STEP_EACH * distance
        if is_self and found is not None and not _is_used(found[1], name):
            likely += weights.SLIP_NEVER_USED
        written = [f"{prefix}.{name}"] * len(same)
        yield rewrite_all(source, same, written, likely)


def _attributes_at(slip: Slip, source: ParsedFile) -> list[ast.Attribute]:
    return [
        node
        for node in nodes_at_site(slip, source)
        if isinstance(node, ast.Attribute) and node.attr == slip.name
    ]


def _same_attributes(
    source: ParsedFile, first: ast.Attribute, owner: ast.ClassDef | None
) -> list[ast.expr]:
    """The expression, and those that read the same elsewhere: in the class if it is
    an attribute of `self`, else in the file."""
    text = source.segment(first)
    alike = [
        node
        for node in ast.walk(owner or source.tree)
        if isinstance(node, ast.Attribute)
        and is_read(node)
        and node is not first
        and node.attr == first.attr
        and source.segment(node) == text
    ]
    return [first, *alike]


def _unused_siblings(slip: Slip, owner: ast.ClassDef) -> list[tuple[int, str]]:
    """Layers of another number that are made and never used: `conv3` for `conv4`."""
    stem = slip.name.rstrip("0123456789")
    if stem == slip.name:
        return []
    return [
        (2, name)
        for name in slip.known
        if name.rstrip("0123456789") == stem != name and not _is_used(owner, name)
    ]


def _is_used(owner: ast.ClassDef, name: str) -> bool:
    return any(is_read(node) for node in attributes_of_self(owner, name))


def _in_other_modules(
    slip: Slip, source: ParsedFile, same: list[ast.expr]
) -> Iterator[Candidate]:
    """The same name in another module of torch: `F.relu` for `nn.relu`."""
    for module in slip.elsewhere:
        alias, imports = _alias_of(source, module)
        changed = rewrite_all(
            source, same, [f"{alias}.{slip.name}"] * len(same), weights.SLIP_REACHED
        )
        edits = (*changed.edits, *imports)
        yield slip_change(changed.title, edits, changed.likely, changed.says)


def _alias_of(source: ParsedFile, module: str) -> tuple[str, tuple[Edit, ...]]:
    """How a file calls a module of torch, and the edit that imports it if it does
    not."""
    alias = ALIASES[module]
    bound = _imported_names(source)
    if alias in bound:
        return alias, ()
    if "torch" in bound:
        return module, ()
    return alias, (_import_edit(source, IMPORTS.get(alias, f"import {alias}")),)


def _imported_names(source: ParsedFile) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in source.tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


# -- variables ---------------------------------------------------------------------------


def _names_at(slip: Slip, source: ParsedFile) -> list[ast.Name]:
    return [
        node
        for node in nodes_at_site(slip, source)
        if isinstance(node, ast.Name) and node.id == slip.name and is_read(node)
    ]


def _same_names(first: ast.Name, scope: ast.AST) -> list[ast.expr]:
    alike = [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Name)
        and node.id == first.id
        and is_read(node)
        and node is not first
    ]
    return [first, *alike]


def _attribute_of_self(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """`self.fc1` for `fc1`."""
    at = _names_at(slip, source)
    if not at or slip.name not in slip.of_self:
        return
    scope = source.find_enclosing(at[0], ast.FunctionDef)
    if scope is None:
        return
    same = _same_names(at[0], scope)
    written = [f"self.{slip.name}"] * len(same)
    yield rewrite_all(source, same, written, weights.SLIP_REACHED)


def _other_variables(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    at = _names_at(slip, source)
    if not at:
        return
    function = source.find_enclosing(at[0], ast.FunctionDef)
    known = {name: name for name in slip.known}
    known.update({name: f"self.{name}" for name in slip.of_self if name not in known})
    for distance, name in rank_near_names(slip.name, known)[:MOST]:
        is_inside = name in slip.variables or known[name] != name
        scope = function if is_inside and function is not None else source.tree
        same = _same_names(at[0], scope)
        likely = weights.SLIP_NEAR - weights.SLIP_STEP_EACH * distance
        yield rewrite_all(source, same, [known[name]] * len(same), likely)


# -- imports -----------------------------------------------------------------------------


def _missing_import(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """Import a module that is not imported; for a bare `Linear`, write `nn.Linear`."""
    name = slip.name
    written = IMPORTS.get(name)
    if written is None and (name == "torch" or name in sys.stdlib_module_names):
        written = f"import {name}"
    if written is not None:
        edit = _import_edit(source, written)
        yield slip_change(f"`{written}`", (edit,), weights.SLIP_REACHED)
        return
    at = _names_at(slip, source)
    if not at:
        return
    same = _same_names(at[0], source.tree)
    yield from _in_other_modules(slip, source, same)


def _import_edit(source: ParsedFile, text: str) -> Edit:
    """The edit that adds an import before the first one of the file."""
    imports = [
        node
        for node in source.tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and getattr(node, "module", "") != "__future__"
    ]
    line = imports[-1].end_lineno if imports else None
    at = Position((line or _line_before_code(source)) + 1, 1)
    return Edit(source.file, at, at, f"{text}\n")


def _line_before_code(source: ParsedFile) -> int:
    """The last line of a docstring or of `from __future__` at the top of a file."""
    first = 0
    for node in source.tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_text and not isinstance(node, ast.ImportFrom):
            break
        first = node.end_lineno or 0
    return first


# -- keys and keywords -------------------------------------------------------------------


def _other_keys(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """Other keys where the missing one is written."""
    written = [node for node in _constants(source.tree) if node.value == slip.name]
    at_site = {id(node) for node in nodes_at_site(slip, source)}
    # handed in from elsewhere, it is written there
    first = next((node for node in written if id(node) in at_site), None)
    first = first or next(iter(written), None)
    if first is None:
        return
    parent = source.parents.get(first)
    table = source.segment(parent.value) if isinstance(parent, ast.Subscript) else ""
    alike = [node for node in written if _indexes(source, node, table)]
    same: list[ast.expr] = [first, *(node for node in alike if node is not first)]
    for distance, key in rank_near_names(slip.name, slip.known)[:MOST]:
        quoted = source.segment(first)
        likely = weights.SLIP_NEAR - weights.SLIP_STEP_EACH * distance
        yield rewrite_all(
            source, same, [quoted.replace(slip.name, key)] * len(same), likely
        )


def _constants(tree: ast.AST) -> list[ast.Constant]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def _indexes(source: ParsedFile, node: ast.AST, table: str) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.Subscript) and source.segment(parent.value) == table


def _other_keywords(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    calls = [
        node
        for node in nodes_at_site(slip, source)
        if isinstance(node, ast.Call) and _keyword_of(node, slip.name) is not None
    ]
    if not calls:
        return
    call = calls[0]
    callee = source.segment(call.func)
    others = [
        node
        for node in source.calls.values()
        if node is not call
        and source.segment(node.func) == callee
        and _keyword_of(node, slip.name) is not None
    ]
    given = {word.arg for word in call.keywords}
    free = [name for name in slip.known if name not in given]
    near = rank_near_names(slip.name, free)
    for distance, name in near[:MOST]:
        likely = weights.SLIP_NEAR - weights.SLIP_STEP_EACH * distance
        same = list(dict.fromkeys([call, *others]))
        edits = [_rename_keyword(source, each, slip.name, name) for each in same]
        count = len(same) - 1
        where = f" and the same in {count} other place{'s' if count > 1 else ''}"
        title = f"`{callee}(..., {name}={_value_text(source, call, slip.name)})`"
        says = f"`{slip.owner}` has no `{slip.name}`, but `{name}`"
        yield slip_change(title + (where if count else ""), edits, likely, says)


def _keyword_of(call: ast.Call, name: str) -> ast.keyword | None:
    return next((word for word in call.keywords if word.arg == name), None)


def _value_text(source: ParsedFile, call: ast.Call, name: str) -> str:
    word = _keyword_of(call, name)
    return source.segment(word.value) if word is not None else "..."


def _rename_keyword(source: ParsedFile, call: ast.Call, old: str, new: str) -> Edit:
    word = _keyword_of(call, old)
    assert word is not None
    before = source.lines[word.lineno - 1][: word.col_offset].decode()
    start = Position(word.lineno, len(before) + 1)
    return Edit(source.file, start, Position(word.lineno, start.column + len(old)), new)
