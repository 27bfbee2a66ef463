"""Calls that do not fit what they call: arguments too many or too few, `self` handed on
or left out, a method without its parentheses, a quotient as a size."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.slip_edits import (
    Function,
    nodes_at_site,
    rewrite_all,
    slip_change,
    source_of,
)
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.places import Position
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.calls import call_at
from shapelint.syntax.parsing import last_name
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file

_TOO_MANY = re.compile(
    r"(?:(\w+)\.)?(\w+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+)"
)
_MISSING = re.compile(r"required (?:positional|keyword-only) arguments?: (.*)")
_SHARED = {"kernel_size", "num_heads", "nhead"}
"""Arguments that calls of one class often have in common, unlike widths."""

_SIZES = ("integer", "tuple of ints")
"""Words of the messages that a float as a size leads to."""


def call_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """Make a call and what it calls fit each other."""
    if slip.kind is SlipKind.ARGUMENTS:
        yield from _take_self(slip, texts)
    source = source_of(slip, texts)
    if source is None:
        return
    if slip.kind is SlipKind.ARGUMENTS:
        yield from _drop_arguments(slip, source, texts)
        yield from _add_arguments(slip, source, texts)
    elif slip.kind is SlipKind.OPERATION:
        yield from _call_method(slip, source)
        yield from _index_shape(slip, source)
        yield from _divide_whole(slip, source)
        yield from _without_quotes(slip, source)


# -- arguments ---------------------------------------------------------------------------


def _take_self(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """`def forward(self, x)` for `def forward(x)`."""
    found = _TOO_MANY.search(slip.message)
    if found is None or not found[1]:
        return
    files = dict.fromkeys([slip.home[0], *(site.file for site in slip.sites[:1])])
    for file in files:
        source = parse_file(file, texts) if file else None
        if source is not None:
            yield from _add_self(source, found[1], found[2])


def _add_self(source: ParsedFile, owner: str, name: str) -> Iterator[Candidate]:
    """Give a method the parameter `self`, if it has none."""
    for method in source.methods(owner, name):
        names = [arg.arg for arg in method.args.args]
        if method.decorator_list or (names and names[0] in ("self", "cls")):
            continue
        edit = _add_parameter(source, method, bool(names))
        text = ", ".join(["self", *names])
        yield slip_change(f"`def {name}({text})`", (edit,), weights.SLIP_REACHED)


def _add_parameter(source: ParsedFile, method: Function, has_others: bool) -> Edit:
    line = source.lines[method.lineno - 1].decode()
    column = line.index("(", line.index(method.name)) + 2
    at = Position(method.lineno, column)
    return Edit(source.file, at, at, "self, " if has_others else "self")


def _drop_arguments(
    slip: Slip, source: ParsedFile, texts: Texts
) -> Iterator[Candidate]:
    """The call without `self`, or without its last arguments."""
    found = _TOO_MANY.search(slip.message)
    call = call_at(slip.sites[0], texts)
    if found is None or call is None or call.source.file != source.file:
        return
    given = call.node.args
    if given and isinstance(given[0], ast.Name) and given[0].id == "self":
        yield _with_arguments(source, call.node, given[1:], weights.SLIP_REACHED)
        return
    kept = given[: len(given) - (int(found[4]) - int(found[3]))]
    if kept:
        yield _with_arguments(source, call.node, kept, weights.SLIP_GUESSED)


def _with_arguments(
    source: ParsedFile, call: ast.Call, args: list[ast.expr], likely: float
) -> Candidate:
    parts: list[ast.AST] = [*args, *call.keywords]
    inside = ", ".join(source.segment(part) for part in parts)
    text = f"{source.segment(call.func)}({inside})"
    return rewrite_all(source, [call], [text], likely)


def _add_arguments(slip: Slip, source: ParsedFile, texts: Texts) -> Iterator[Candidate]:
    """The missing arguments: variables or attributes of their names, or what another
    call of the same layer has there."""
    found = _MISSING.search(slip.message)
    call = call_at(slip.sites[0], texts)
    if found is None or call is None:
        return
    names = re.findall(r"'(\w+)'", found[1])
    values = [_value_named(slip, name) for name in names]
    if all(values):
        inside = [f"{name}={value}" for name, value in zip(names, values, strict=True)]
        yield _append(source, call.node, inside, weights.SLIP_REACHED)
    if set(names) <= _SHARED:
        yield from _as_sibling(source, call.node)


def _value_named(slip: Slip, name: str) -> str:
    if name in slip.variables:
        return name
    return f"self.{name}" if name in slip.of_self else ""


def _append(
    source: ParsedFile, call: ast.Call, inside: list[str], likely: float
) -> Candidate:
    parts = [source.segment(each) for each in (*call.args, *call.keywords)]
    text = f"{source.segment(call.func)}({', '.join([*parts, *inside])})"
    return rewrite_all(source, [call], [text], likely)


def _as_sibling(source: ParsedFile, call: ast.Call) -> Iterator[Candidate]:
    """The further arguments that another call of the same class has: `3, padding=1`."""
    callee = source.segment(call.func)
    given = len(call.args)
    own = {word.arg for word in call.keywords}
    for other in source.calls.values():
        if other is call or source.segment(other.func) != callee:
            continue
        further = [source.segment(node) for node in other.args[given:]]
        named = [source.segment(w) for w in other.keywords if w.arg not in own]
        if further and len(other.args) > given:
            yield _inserted(source, call, [*further, *named])
            return


def _inserted(source: ParsedFile, call: ast.Call, further: list[str]) -> Candidate:
    args = [source.segment(node) for node in call.args]
    words = [source.segment(word) for word in call.keywords]
    positional = [text for text in further if "=" not in text]
    named = [text for text in further if "=" in text]
    inside = ", ".join([*args, *positional, *words, *named])
    text = f"{source.segment(call.func)}({inside})"
    return rewrite_all(source, [call], [text], weights.SLIP_GUESSED)


# -- operations --------------------------------------------------------------------------


def _call_method(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """`x.size(0)` for `x.size[0]`."""
    if "not subscriptable" not in slip.message or "method" not in slip.message:
        return
    for node in nodes_at_site(slip, source):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            owner, index = source.segment(node.value), source.segment(node.slice)
            yield rewrite_all(
                source, [node], [f"{owner}({index})"], weights.SLIP_REACHED
            )


def _index_shape(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """`x.shape[0]` for `x.shape(0)`."""
    if "'torch.Size' object is not callable" not in slip.message:
        return
    for node in nodes_at_site(slip, source):
        is_shape = isinstance(node, ast.Call) and last_name(node.func) == "shape"
        if is_shape and isinstance(node, ast.Call) and len(node.args) == 1:
            owner, index = source.segment(node.func), source.segment(node.args[0])
            yield rewrite_all(
                source, [node], [f"{owner}[{index}]"], weights.SLIP_REACHED
            )


def _divide_whole(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """`dim // 2` for `dim / 2`, in the statement that raised or in one before it that
    gives one of its names."""
    if not any(words in slip.message for words in _SIZES):
        return
    for site in slip.sites:
        if site.file != source.file:
            continue
        for node in _quotients(source, site.line):
            left, right = source.segment(node.left), source.segment(node.right)
            yield rewrite_all(
                source, [node], [f"{left} // {right}"], weights.SLIP_REACHED
            )


def _without_quotes(slip: Slip, source: ParsedFile) -> Iterator[Candidate]:
    """`3` for `"3"`."""
    if not any(words in slip.message for words in _SIZES):
        return
    for node in nodes_at_site(slip, source):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and value.isdigit():
            yield rewrite_all(source, [node], [value], weights.SLIP_REACHED)


def _quotients(source: ParsedFile, line: int) -> list[ast.BinOp]:
    """The quotients in a statement, and in what is assigned to its names in the same
    class."""
    statement = next(iter([*source.nodes_on(line, ast.stmt)][::-1]), None)
    if statement is None:
        return []
    names = {_name_of(node) for node in ast.walk(statement)} - {""}
    scope = source.find_enclosing(statement, ast.ClassDef) or source.tree
    assigned = [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        and any(_name_of(target) in names for target in node.targets)
    ]
    return [
        node
        for each in (statement, *assigned)
        for node in ast.walk(each)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]


def _name_of(node: ast.AST) -> str:
    """`width` for `width` and for `self.width`."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return last_name(node)
    return ""
