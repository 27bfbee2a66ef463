"""Another number in the place of one literal, with which both sizes are equal."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.mismatches import (
    Mismatch,
    divides_input,
    factors_of,
    keeps_factors,
)
from shapelint.changes.text_at_place import write_text
from shapelint.changes.window_values import WINDOW
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call
from shapelint.facts.numbers import Dimension, Fixed, Literal, Origin, ends_of, value_of
from shapelint.facts.walked_target import Walked
from shapelint.syntax.origins import Place
from shapelint.syntax.trees import ParsedFile, parse_file

_COUNTS = re.compile(
    r"(num_?|n_?)?(class(es)?|cls|labels?|outputs?|heads?|layers?|blocks?|stages?|groups?"
    r"|batch(_?size)?|bs)$|nc$|depth$",
    re.IGNORECASE,
)
"""Names of numbers that say what a model is for, or how much of it there is, and that no
mismatch of sizes is a reason to change."""


_WAYS = {
    *WINDOW,
    *("upscale_factor", "downscale_factor", "scale_factor", "size", "output_size"),
    *("dim", "dims", "start_dim", "end_dim"),
}
"""Names of numbers that say how something is done. Another one changes what a model
computes wherever it works."""


def in_literals(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """Each literal for which both sides come out equal with another number."""
    # where one side is unknown, its numbers could be wrong as well
    is_known = not isinstance(mismatch.takes, Fixed)
    is_known = is_known and not isinstance(mismatch.arrives, Fixed)
    kind = ChangeKind.SOLVED if is_known else ChangeKind.NUMBER
    for origin, is_taken in ((mismatch.takes, True), (mismatch.arrives, False)):
        for end in dict.fromkeys(ends_of(origin)):
            if not isinstance(end, Literal):
                continue
            value = mismatch.solve(end)
            if value is None or not keeps_factors(mismatch, end):
                continue
            # what the input is divided by is a window or a stride
            sides = (mismatch.takes, mismatch.arrives)
            if any(divides_input(side, end) for side in sides):
                continue
            # nobody writes `8 * 1`
            if value == 1 and end not in (mismatch.takes, mismatch.arrives):
                continue
            candidate = _change_literal(walked, end, value)
            if candidate is None:
                continue
            likely = weights.SOLVED_LITERAL
            likely += _gain(call, mismatch, origin, end, is_taken)
            yield Candidate(
                candidate.title,
                candidate.edits,
                call.layer,
                candidate.group,
                likely=likely,
                says=candidate.says,
                kind=kind,
            )


def _is_layout(call: Call, mismatch: Mismatch) -> bool:
    """Whether what is taken stands at another dimension of what arrives, or is several
    of them flattened: then the number is right."""
    wanted = value_of(mismatch.takes, {})
    shape = call.inputs[0].shape if call.inputs else ()
    ends = [math.prod(shape[at:]) for at in range(1, len(shape) - 1)]
    return wanted != 1 and wanted in (*shape[1:], *ends)


def _gain(
    call: Call, mismatch: Mismatch, origin: Origin, end: Literal, is_taken: bool
) -> float:
    """What speaks for one literal over another."""
    gain = 0.0
    if is_taken:
        gain += weights.SOLVED_TAKEN
    if end in factors_of(origin):
        gain += weights.SOLVED_WHOLE
    if _is_layout(call, mismatch):
        gain -= weights.SOLVED_BUT_LAYOUT
    other = mismatch.arrives if is_taken else mismatch.takes
    if all(isinstance(each, Dimension) for each in ends_of(other)):
        gain += weights.SOLVED_FOR_INPUT
    return gain


def _change_literal(walked: Walked, end: Literal, value: int) -> Candidate | None:
    source = parse_file(end.file, walked.texts)
    node = find_literal(source, end) if source is not None else None
    if source is None or node is None:
        return None
    role = role_of(source, node)
    is_no_end = _COUNTS.match(role) or _is_way(source, node, role)
    if is_no_end or _is_in_check(source, node):
        return None
    written = write_text(Place(source, node), str(value), "", 0.0)
    return replace(written, group=f"literal {end.line}:{end.column}")


def find_literal(source: ParsedFile, end: Literal) -> ast.Constant | None:
    """The node of a literal in its file."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Constant)
            and (node.lineno, node.col_offset) == (end.line, end.column)
            and node.value == end.value
        ):
            return node
    return None


def _is_way(source: ParsedFile, node: ast.expr, role: str) -> bool:
    """Whether a number says how an op of torch's works, or a window of the user's. What
    people call `dim` or `size` in their own classes is a width."""
    if role in WINDOW:
        return True
    around = source.find_enclosing(node, ast.Call)
    callee = source.segment(around.func).rpartition(".")[2] if around else ""
    return role in _WAYS and ops.is_known(callee)


def role_of(source: ParsedFile, node: ast.expr) -> str:
    """The name a literal goes by: its parameter's, its variable's, its key's; empty
    where it has none."""
    child: ast.AST = node
    parent = source.parents.get(child)
    while isinstance(parent, (ast.Tuple, ast.List)):
        child, parent = parent, source.parents.get(parent)
    if isinstance(parent, ast.keyword):
        return parent.arg or ""
    if isinstance(parent, ast.arguments):
        return _default_of(parent, child)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        return _name_of(parent.targets[0])
    if isinstance(parent, ast.AnnAssign):
        return _name_of(parent.target)
    if isinstance(parent, ast.Dict):
        for key, value in zip(parent.keys, parent.values, strict=True):
            if value is child and isinstance(key, ast.Constant):
                return str(key.value)
    if isinstance(parent, ast.Call) and child in parent.args:
        callee = source.segment(parent.func).rpartition(".")[2]
        arguments = ops.of(callee).arguments
        at = parent.args.index(child)
        return arguments[at] if at < len(arguments) else ""
    return ""


def _default_of(arguments: ast.arguments, node: ast.AST) -> str:
    names = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(names), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next((name.arg for name, default in pairs if default is node), "")


def _name_of(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return target.id
    return target.attr if isinstance(target, ast.Attribute) else ""


def _is_in_check(source: ParsedFile, node: ast.AST) -> bool:
    """Whether it stands in a condition or an assertion."""
    child, parent = node, source.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef):
        if isinstance(parent, ast.Assert):
            return True
        if isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is child:
            return True
        child, parent = parent, source.parents.get(parent)
    return False
