"""Changes to an order: of dimensions in a permute, of neighbours in a Sequential. Also
flips flags."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.other_values import permutations
from shapelint.changes.text_at_place import group_of, write_text
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, origins
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file

# -- dimensions --------------------------------------------------------------------------


def reorder_permute(
    call: Call, called: CallExpression, closeness: float
) -> Iterator[Candidate]:
    """Try other orders of a permute."""
    nodes = _read_written_order(called)
    order = _read_given_order(call)
    rank = len(call.inputs[0].shape) if call.inputs else 0
    if not rank or not nodes or len(order) != len(nodes):
        return
    if sorted(item % rank for item in order) != list(range(rank)):
        order = tuple(range(rank))
    is_identity = list(order) == sorted(order)
    for other in permutations(tuple(item % rank for item in order)):
        text = ", ".join(map(str, other))
        edit = _replace_all(called, nodes[0], nodes[-1], text)
        moved = sum(a != b for a, b in zip(other, order, strict=True))
        likely = closeness + weights.ORDER - weights.ORDER_MOVED_EACH * (moved - 2)
        if other[0] == 0:
            likely += weights.ORDER_BATCH_FIRST
        if is_identity:
            likely += weights.ORDER_WAS_IDENTITY
        yield Candidate(
            f"`{called.name}({text})`",
            (edit,),
            call.layer,
            group_of(edit),
            likely=likely,
            says=f"`{text}` fits",
        )


def _read_written_order(called: CallExpression) -> list[ast.expr]:
    """The expressions of the order in `x.permute(0, 2, 1)`, `x.permute((0, 2, 1))` or
    `torch.permute(x, (0, 2, 1))`."""
    nodes = called.node.args
    if called.callee == "torch.permute" and len(nodes) > 1:
        return getattr(nodes[1], "elts", [])
    if len(nodes) == 1 and isinstance(nodes[0], (ast.Tuple, ast.List)):
        return nodes[0].elts
    return nodes


def _read_given_order(call: Call) -> tuple[int, ...]:
    """The order passed to a permute; empty unless it consists of numbers."""
    given = call.args[1:]
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = tuple(given[0])
    return given if all(isinstance(item, int) for item in given) else ()


def _replace_all(
    called: CallExpression, first: ast.expr, last: ast.expr, text: str
) -> Edit:
    """The edit that replaces everything from one expression to another by `text`."""
    whole = replacement(called.source, first, text)
    return replace(whole, end=replacement(called.source, last, text).end)


# -- neighbours --------------------------------------------------------------------------


def swap_neighbours(
    trace: Trace, made: CallExpression, closeness: float
) -> Iterator[Candidate]:
    """Swap a layer with its neighbour in a Sequential or a list, if such layers follow
    each other that way elsewhere."""
    elements = _elements_around(made)
    if made.node not in elements:
        return
    source, at = made.source, elements.index(made.node)
    for left in (at - 1, at):
        if left < 0 or left + 1 >= len(elements):
            continue
        one, other = elements[left], elements[left + 1]
        if _takes_anything(one) or _takes_anything(other):
            continue
        first, second = source.segment(one), source.segment(other)
        edits = replacement(source, one, second), replacement(source, other, first)
        likely = closeness + weights.SWAP
        likely += _usual_order(trace, other, one)
        likely -= _usual_order(trace, one, other)
        yield Candidate(
            " ".join(f"`{second}` before `{first}`".split()),
            edits,
            "",
            f"swap {group_of(edits[0])}",
            likely=likely,
            says="these two exchanged fit",
        )


def _elements_around(made: CallExpression) -> list[ast.expr]:
    """The layers of the Sequential or list in which a layer is made."""
    parent = made.source.parents.get(made.node)
    if isinstance(parent, ast.Call):
        return parent.args if _class_named(parent) == "Sequential" else []
    return getattr(parent, "elts", [])


def _takes_anything(layer: ast.expr) -> bool:
    """Whether a layer takes and gives any shape, as an activation does: no other layer
    notices where it stands."""
    name = _class_named(layer)
    return ops.keeps_shape(name) and not ops.of(name).takes


def _usual_order(trace: Trace, first: ast.expr, second: ast.expr) -> float:
    """The bonus if, elsewhere in the model, a layer of the first class comes directly
    before one of the second."""
    names = [_class_named(node) for node in (first, second)]
    lines = {first.lineno, second.lineno}
    modules = (call for call in trace.calls if call.is_module)
    for before, after in pairwise(modules):
        places = {site.line for call in (before, after) for site in call.definition[:1]}
        is_elsewhere = not places & lines
        if is_elsewhere and [before.module_class, after.module_class] == names:
            return weights.SWAP_AS_ELSEWHERE
    return 0.0


def _class_named(node: ast.expr) -> str:
    """The last part of the name in an expression, or of the function that it calls."""
    func = node.func if isinstance(node, ast.Call) else node
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


# -- flags -------------------------------------------------------------------------------


def flip_flag(
    place: Place, name: str, layer: str, closeness: float
) -> Iterator[Candidate]:
    """Write `batch_first=True` for False, or the reverse."""
    for origin in origins(place, 3):
        node = origin.node
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            likely = closeness + weights.FLAG
            yield write_text(origin, str(not node.value), layer, likely, name)


# -- what a change puts in ---------------------------------------------------------------


_REARRANGING = (
    ("turn", (".transpose(", ".permute(")),
    ("flat", (".flatten(", "Flatten()")),
)


def find_added_rearrangements(candidate: Candidate, texts: Texts) -> set[str]:
    """The kinds of rearrangements that a change adds: `turn` for a transpose, `flat`
    for a flatten."""
    return {
        kind
        for edit in candidate.edits
        for kind, words in _REARRANGING
        if _writes_more(edit, words, texts)
    }


def _writes_more(edit: Edit, words: tuple[str, ...], texts: Texts) -> bool:
    """Whether an edit writes these words more often than the text it replaces."""
    count = sum(edit.replacement.count(word) for word in words)
    if not count:
        return False
    source = parse_file(edit.file, texts)
    if source is None or edit.start == edit.end:
        return True
    lines = source.text.split("\n")[edit.start.line - 1 : edit.end.line]
    there = "\n".join(lines)
    return count > sum(there.count(word) for word in words)
