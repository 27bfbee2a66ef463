"""Attributes of `self` that were never set: layers kept in variables of `__init__`,
parameters not stored, names misspelled where they are set, statements in the wrong
order."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.near_names import rank_near_names, split_words
from shapelint.changes.slip_edits import (
    Function,
    attributes_of_self,
    class_of,
    first_statement,
    is_read,
    method_named,
    methods_of,
    remove_statement,
    shorten,
    slip_change,
    statement_around,
)
from shapelint.changes.super_calls import find_super_call
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.edits import insert_after, insert_before, replacement
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile


def member_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """Set the attribute that is missing, where a person would have set it."""
    found = class_of(slip, texts)
    if found is None or slip.kind is not SlipKind.ATTRIBUTE:
        return
    source, owner = found
    yield from _keep_variables(slip, source, owner)
    yield from _rename_where_set(slip, source, owner)
    init = method_named(owner, "__init__")
    if init is not None:
        yield from _set_earlier(slip, source, init)
        yield from _store_parameter(slip, source, owner, init)


# -- layers kept in variables ------------------------------------------------------------


def _keep_variables(
    slip: Slip, source: ParsedFile, owner: ast.ClassDef
) -> Iterator[Candidate]:
    """`self.conv = nn.Conv2d(...)` for `conv = nn.Conv2d(...)`, and the same for every
    other variable that is read as an attribute of `self`."""
    wanted = _missing_attributes(slip, owner)
    for function in methods_of(owner):
        made = _assigned_names(function)
        if slip.name not in made:
            continue
        names = [slip.name, *(name for name in made if name in wanted - {slip.name})]
        edits = _as_attributes(source, function, set(names))
        statement = made[slip.name]
        text = shorten(f"self.{source.segment(statement)}")
        others = ", ".join(f"`{name}`" for name in names[1:])
        title = f"`{text}`" + (f" and the same for {others}" if others else "")
        says = f"`{slip.name}` is a variable of `{function.name}`, and gone after it"
        yield slip_change(title, edits, weights.SLIP_REACHED, says)


def _missing_attributes(slip: Slip, owner: ast.ClassDef) -> set[str]:
    """The attributes of `self` that a class reads and neither has nor sets."""
    names = {
        node.attr
        for node in ast.walk(owner)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    is_set = {
        name
        for name in names
        if any(not is_read(node) for node in attributes_of_self(owner, name))
    }
    return names - is_set - set(slip.known)


def _assigned_names(function: Function) -> dict[str, ast.Assign]:
    """The variables of a function that are assigned to alone, without its
    parameters."""
    parameters = {arg.arg for arg in ast.walk(function) if isinstance(arg, ast.arg)}
    found: dict[str, ast.Assign] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id not in parameters:
            found.setdefault(target.id, node)
    return found


def _as_attributes(
    source: ParsedFile, function: Function, names: set[str]
) -> list[Edit]:
    return [
        replacement(source, node, f"self.{node.id}")
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id in names
    ]


# -- misspelled where it is set ----------------------------------------------------------


def _rename_where_set(
    slip: Slip, source: ParsedFile, owner: ast.ClassDef
) -> Iterator[Candidate]:
    """`self.conv2 = ...` for `self.covn2 = ...`, if the name that is read is the one
    whose words the file uses."""
    for distance, name in rank_near_names(slip.name, slip.known):
        nodes = attributes_of_self(owner, name)
        is_only_set = bool(nodes) and not any(is_read(node) for node in nodes)
        if not is_only_set or not _is_better_spelled(source, slip.name, name):
            continue
        edits = [replacement(source, node, f"self.{slip.name}") for node in nodes]
        statement = source.find_enclosing(nodes[0], ast.stmt)
        assert statement is not None
        text = source.segment(statement).replace(f"self.{name}", f"self.{slip.name}", 1)
        likely = weights.SLIP_REACHED + weights.SLIP_NEVER_USED
        likely -= weights.SLIP_STEP_EACH * distance
        says = f"`{slip.name}` is read, but `{name}` is set"
        yield slip_change(f"`{shorten(text)}`", edits, likely, says)


def _is_better_spelled(source: ParsedFile, name: str, other: str) -> bool:
    """Whether the words of a name are used more often in a file than those of another
    one, both themselves left out."""
    used = re.findall(r"[A-Za-z_]\w*", source.text)
    words = Counter(
        word for each in used if each not in (name, other) for word in split_words(each)
    )
    return _least(words, name) > _least(words, other)


def _least(words: Counter[str], name: str) -> int:
    own = [word for word in split_words(name) if word.isalpha()]
    return min((words[word] for word in own), default=0)


# -- in `__init__` -----------------------------------------------------------------------


def _set_earlier(slip: Slip, source: ParsedFile, init: Function) -> Iterator[Candidate]:
    """Move the statement that sets an attribute in front of the one that reads it."""
    sites = [site for site in slip.sites if site.file == source.file]
    line = next((site.line for site in sites if _has_line(init, site.line)), 0)
    reader = statement_around(init, line)
    if reader is None:
        return
    for statement in init.body:
        if statement.lineno <= reader.lineno or not _sets(statement, slip.name):
            continue
        removal = remove_statement(source, statement)
        if removal is not None:
            text = source.segment(statement)
            edits = (insert_before(source, reader, text), removal)
            title = f"`{shorten(text)}` before it is read"
            yield slip_change(title, edits, weights.SLIP_REACHED)


def _sets(statement: ast.stmt, name: str) -> bool:
    return any(not is_read(node) for node in attributes_of_self(statement, name))


def _store_parameter(
    slip: Slip, source: ParsedFile, owner: ast.ClassDef, init: Function
) -> Iterator[Candidate]:
    """`self.hidden = hidden`, for a parameter of `__init__` that is not kept; in
    `__init__` itself just `hidden`."""
    parameters = [*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs]
    if slip.name not in {each.arg for each in parameters}:
        return
    reads = [node for node in attributes_of_self(owner, slip.name) if is_read(node)]
    if reads and all(_has_line(init, node.lineno) for node in reads):
        edits = [replacement(source, node, slip.name) for node in reads]
        says = f"`{slip.name}` is a parameter, and no attribute"
        title = f"`{slip.name}` for `self.{slip.name}`"
        yield slip_change(title, edits, weights.SLIP_REACHED, says)
        return
    text = f"self.{slip.name} = {slip.name}"
    after = find_super_call(init)
    if after is not None:
        edit = insert_after(source, after, text)
    else:
        edit = insert_before(source, first_statement(init), text)
    says = f"`{slip.name}` is a parameter of `__init__`, and not kept"
    yield slip_change(f"`{text}` in `__init__`", (edit,), weights.SLIP_REACHED, says)


def _has_line(function: Function, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or 0)
