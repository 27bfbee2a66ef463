"""What is taken, written in the words of what arrives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.layer_numbers import callers_of
from shapelint.changes.made_tensors import find_tensor_sizes
from shapelint.changes.mismatches import Mismatch
from shapelint.changes.scope_words import put_in_parentheses, write_in
from shapelint.changes.text_at_place import write_text
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call
from shapelint.facts.numbers import Operation, Origin, Scope, value_of
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.walked_calls import find_constructor_call

MOST_BESIDE = 8
"""The most that is written out beside a name: a few tokens, or how often it comes."""


def in_words(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """The argument of the failing layer that says what it takes, written as what
    arrives is computed."""
    made = find_constructor_call(walked, call) if call.is_module else None
    scopes = walked.scopes.get(call.module_path, ()) if call.is_module else ()
    if made is None or not scopes:
        return
    op = ops.of(call.op)
    for name in op.takes:
        value = call.attributes.get(name)
        node = made.argument(op.arguments.index(name), name)
        if node is None or value != value_of(mismatch.takes, {}):
            continue
        places = [(made, node), *callers_of(made, node, call.definition)]
        for level, (place, written) in enumerate(places):
            scope = scopes[level] if level < len(scopes) else {}
            text = write_in(scope, mismatch.arrives)
            text = text or _unread_parameter(place, scope, mismatch.arrives)
            if not isinstance(written, ast.Constant):
                text = text or _with_rest(place.source.segment(written), mismatch)
            if text is None or text == place.source.segment(written):
                continue
            yield Candidate(
                f"`{_call_with(place, written, text)}`",
                (place.replace_node(written, text),),
                call.layer,
                group=f"{name} here",
                likely=_likely_at(level, len(places)),
                says=f"`{text}` fits as `{name}`",
                kind=ChangeKind.SOLVED,
            )


def _likely_at(level: int, levels: int) -> float:
    """How plausible the words are at a call: where a number was only handed on, the one
    that gave it is likelier wrong, unless others fail by it as well."""
    is_handed_in = level < levels - 1
    handed_in = weights.ORIGIN_HANDED_IN if is_handed_in else 0.0
    return weights.SOLVED_IN_WORDS - handed_in


def in_tables(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """The size of a parameter or buffer with what was put in or left out on the way:
    `patches + 1` for a position table behind a class token."""
    for fact in call.inputs:
        if value_of(mismatch.takes, {}) not in fact.shape or not fact.name:
            continue
        path, _, attribute = fact.name.rpartition(".")
        for place in find_tensor_sizes(walked, path, attribute):
            text = _with_rest(place.text, mismatch)
            if text is None or isinstance(place.node, ast.Constant):
                continue
            written = write_text(place, text, path, weights.SOLVED_IN_WORDS)
            yield replace(written, kind=ChangeKind.SOLVED)


def _with_rest(text: str, mismatch: Mismatch) -> str | None:
    """What says how much is taken, with the number that arrives beside as much; None
    where what arrives is not that and a small number."""
    origin, taken = mismatch.arrives, value_of(mismatch.takes, {})
    if not isinstance(origin, Operation) or origin.right is None:
        return None
    sides = [(origin.left, origin.right)]
    if origin.symbol in "+*":
        sides.append((origin.right, origin.left))
    elif origin.symbol != "-":
        return None
    for same, rest in sides:
        value = value_of(rest, {})
        is_small = isinstance(value, int) and 0 < value <= MOST_BESIDE
        if origin.symbol == "+" and value == taken == value_of(same, {}):
            return f"{put_in_parentheses(text)} * 2"
        if value_of(same, {}) == taken and is_small:
            kept = put_in_parentheses(text) if origin.symbol == "*" else text
            return f"{kept} {origin.symbol} {value}"
    return None


def _unread_parameter(
    place: CallExpression, scope: Scope, origin: Origin
) -> str | None:
    """A parameter of the function around a call that has the value, and that nothing
    reads: it was made for it."""
    function = place.source.find_enclosing(place.node, ast.FunctionDef)
    if function is None:
        return None
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    parameters = [*function.args.posonlyargs, *function.args.args]
    value = value_of(origin, {})
    names = [each.arg for each in (*parameters, *function.args.kwonlyargs)]
    fitting = [name for name in names if name not in read and scope.get(name) == value]
    return fitting[0] if len(fitting) == 1 else None


def _call_with(made: CallExpression, node: ast.expr, text: str) -> str:
    source = made.source
    before, old = made.text, source.segment(node)
    if node.lineno != made.node.lineno or node.end_lineno != made.node.lineno:
        return " ".join(before.replace(old, text, 1).split())
    line = before.encode()
    start = node.col_offset - made.node.col_offset
    end = start + len(old.encode())
    return (line[:start] + text.encode() + line[end:]).decode()
