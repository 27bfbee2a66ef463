"""Operands that are no tensors: a layer made where it should be called, a method without
its parentheses, `self` handed on, a list of layers called as one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.assigned_values import values_before
from shapelint.changes.slip_edits import nodes_at_site, rewrite_all, source_of
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call
from shapelint.facts.slips import Slip, SlipKind
from shapelint.facts.walked_target import Walked
from shapelint.syntax.parsing import last_name
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file

_NO_TENSOR = re.compile(r"(?:must be Tensor, not|got \() ?(\w+)")
_METHODS = ("builtin_function_or_method", "method")
_TOO_MANY = re.compile(r"takes \d+ positional arguments? but \d+ were given")


def operand_candidates(walked: Walked, call: Call) -> list[Candidate]:
    """Corrections of the operands of a failed call that are no tensors."""
    failure = call.failure
    if failure is None or failure.error_type != "TypeError" or call.site is None:
        return []
    site = call.site
    source = parse_file(site.file, walked.texts)
    if source is None:
        return []
    calls = [*source.nodes_on(site.line, ast.Call)]
    if _TOO_MANY.search(failure.message):
        return [*_without_self(source, calls)]
    found = _NO_TENSOR.search(failure.message)
    if found is None:
        return []
    values = [value for _, value in values_before(source, site)]
    nodes = [node for each in (*calls, *values) for node in ast.walk(each)]
    if found[1] in _METHODS:
        return [*_with_parentheses(source, nodes)]
    return [*_call_layer(source, nodes, found[1])]


def _without_self(source: ParsedFile, calls: list[ast.Call]) -> Iterator[Candidate]:
    """`self.conv(x)` for `self.conv(self, x)`."""
    for call in calls:
        if not call.args or ast.unparse(call.args[0]) != "self":
            continue
        parts: list[ast.AST] = [*call.args[1:], *call.keywords]
        inside = ", ".join(source.segment(part) for part in parts)
        text = f"{source.segment(call.func)}({inside})"
        yield rewrite_all(source, [call], [text], weights.SLIP_REACHED)


def _with_parentheses(source: ParsedFile, nodes: list[ast.AST]) -> Iterator[Candidate]:
    """`x.flatten(1)` for `x.flatten`."""
    for node in nodes:
        parent = source.parents.get(node)
        is_called = isinstance(parent, ast.Call) and parent.func is node
        if not isinstance(node, ast.Attribute) or is_called:
            continue
        if isinstance(parent, ast.Attribute):
            continue
        argument = "1" if node.attr == "flatten" else ""
        text = f"{source.segment(node)}({argument})"
        yield rewrite_all(source, [node], [text], weights.SLIP_REACHED)


def _call_layer(
    source: ParsedFile, nodes: list[ast.AST], name: str
) -> Iterator[Candidate]:
    """`nn.ReLU()(x)` for `nn.ReLU(x)`."""
    for node in nodes:
        if not isinstance(node, ast.Call) or last_name(node.func) != name:
            continue
        if len(node.args) != 1 or node.keywords:
            continue
        made, given = source.segment(node.func), source.segment(node.args[0])
        yield rewrite_all(source, [node], [f"{made}()({given})"], weights.SLIP_REACHED)


def list_candidates(slip: Slip, texts: Texts) -> Iterator[Candidate]:
    """`nn.Sequential(*layers)` for an `nn.ModuleList(layers)` that is called."""
    source = source_of(slip, texts)
    is_list = slip.kind is SlipKind.NO_FORWARD and slip.owner == "ModuleList"
    if source is None or not is_list:
        return
    called = {
        node.attr
        for node in nodes_at_site(slip, source)
        if isinstance(node, ast.Attribute)
    }
    for node in source.calls.values():
        assigned = source.parents.get(node)
        if last_name(node.func) != "ModuleList" or not isinstance(assigned, ast.Assign):
            continue
        names = {last_name(target) for target in assigned.targets}
        if not names & called or len(node.args) != 1:
            continue
        prefix = source.segment(node.func).removesuffix("ModuleList")
        text = f"{prefix}Sequential(*{source.segment(node.args[0])})"
        yield rewrite_all(source, [node], [text], weights.SLIP_REACHED)
