"""Replacements for an in-place write: a new tensor, or a write to a clone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement
from shapelint.syntax.trees import parse_file

GROUP = "out of place"

_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}

_LOOSE = (ast.BinOp, ast.IfExp, ast.BoolOp, ast.Compare, ast.Lambda)
"""Expressions that need parentheses, because they bind less tightly than the operator
they become an operand of."""


def write_elsewhere(walked: Walked, writer: Call) -> Iterator[Candidate]:
    """Replace the write: `inplace=False`, `x.mul(y)` for `x.mul_(y)`, `x = x + y` for
    `x += y`."""
    if writer.is_module:
        called = layer_call(writer.definition, writer.module_class, walked.texts)
    else:
        called = call_at(writer.site, walked.texts)
    if called is not None:
        yield from _switch_flag_off(called, writer.layer)
        yield from _name_new_method(called, writer.layer)
    yield from _write_out_augmented(walked, writer)


def clone_result(walked: Walked, saver: Call, layer: str) -> Iterator[Candidate]:
    """Clone a result, `y = f(x).clone()`, so that the write does not change the saved
    tensor."""
    made = call_at(saver.site, walked.texts)
    if made is None:
        return
    statement = made.source.parents.get(made.node)
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        text = f"{made.text}.clone()"
        edits = (made.replace_node(made.node, text),)
        yield Candidate(f"`{text}`", edits, layer, group=GROUP)


def _switch_flag_off(called: CallExpression, layer: str) -> Iterator[Candidate]:
    """Write `nn.ReLU(inplace=False)` for `nn.ReLU(inplace=True)` and
    `nn.ReLU(True)`."""
    by_keyword = [word.value for word in called.node.keywords if word.arg == "inplace"]
    for node in [*by_keyword, *called.node.args]:
        if isinstance(node, ast.Constant) and node.value is True:
            title = f"`{called.name}(inplace=False)`"
            edits = (called.replace_node(node, "False"),)
            yield Candidate(title, edits, layer, group=GROUP)


def _name_new_method(called: CallExpression, layer: str) -> Iterator[Candidate]:
    """Write `x = x.mul(y)` for the statement `x.mul_(y)`, or `x.mul(y)` if the result
    is used."""
    func = called.node.func
    if not isinstance(func, ast.Attribute) or not _writes_in_place(func.attr):
        return
    owner = called.source.segment(func.value)
    old, new = f"{owner}.{func.attr}", f"{owner}.{func.attr.rstrip('_')}"
    text = called.text.replace(old, new, 1)
    is_statement = isinstance(called.source.parents.get(called.node), ast.Expr)
    if is_statement and not isinstance(func.value, ast.Name):
        return
    if is_statement:
        text = f"{owner} = {text}"
    edits = (called.replace_node(called.node, text),)
    yield Candidate(f"`{text}`", edits, layer, group=GROUP)


def _writes_in_place(method: str) -> bool:
    """Whether a method has the name of an in-place method of torch: `mul_`, but not
    `__imul__`."""
    return method.endswith("_") and not method.endswith("__")


def _write_out_augmented(walked: Walked, writer: Call) -> Iterator[Candidate]:
    """Write `x = x + y` for `x += y`."""
    site = writer.site
    source = parse_file(site.file, walked.texts) if site is not None else None
    if site is None or source is None:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.AugAssign):
            continue
        sign = _SIGNS.get(type(node.op))
        is_there = node.lineno <= site.line <= (node.end_lineno or 0)
        if sign is None or not is_there:
            continue
        target, value = source.segment(node.target), source.segment(node.value)
        if isinstance(node.value, _LOOSE):
            value = f"({value})"
        text = f"{target} = {target} {sign} {value}"
        edits = (replacement(source, node, text),)
        yield Candidate(f"`{text}`", edits, writer.layer, group=GROUP)
