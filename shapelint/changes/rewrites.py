"""Changes of more than a number: another order, neighbours exchanged, a flag, the sizes
of a table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from shapelint.changes.other_values import permutations
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place, assignments, origins
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file


def shown(place: Place, text: str) -> str:
    """The smallest call or statement around a place, with `text` in it, on one line and
    not too long."""
    node: ast.AST = place.node
    parameter = _parameter_of(place)
    if parameter:
        return f"{parameter}={text}"
    while not isinstance(node, (ast.Call, ast.stmt)) or node is place.node:
        parent = place.source.parents.get(node)
        if parent is None or isinstance(
            parent, (ast.FunctionDef, ast.ClassDef, ast.Module)
        ):
            break
        node = parent
    whole = " ".join(_with(place, node, text).split())
    if (
        len(whole) > 70
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
    ):
        before = " ".join(place.source.segment(node.func.value).split())
        whole = whole.removeprefix(
            before
        )  # of `torch.stack(...).flatten(3)` what comes last
    return whole if len(whole) <= 70 and "`" not in whole else text


def _parameter_of(place: Place) -> str:
    """The parameter whose default an expression is."""
    signature = place.source.parents.get(place.node)
    if not isinstance(signature, ast.arguments):
        return ""
    names = [*signature.posonlyargs, *signature.args]
    pairs = [
        *zip(
            names[len(names) - len(signature.defaults) :],
            signature.defaults,
            strict=True,
        )
    ]
    pairs += [
        (arg, node)
        for arg, node in zip(signature.kwonlyargs, signature.kw_defaults, strict=True)
        if node
    ]
    return next((arg.arg for arg, node in pairs if node is place.node), "")


def _with(place: Place, outer: ast.AST, text: str) -> str:
    assert isinstance(outer, (ast.expr, ast.stmt, ast.arguments)) or outer is place.node
    whole = place.source.segment(outer) or text
    start_line, start_column = (
        getattr(outer, "lineno", 0),
        getattr(outer, "col_offset", 0),
    )
    lines = whole.split("\n")
    line, column = place.node.lineno - start_line, place.node.col_offset
    end_line, end_column = (
        (place.node.end_lineno or 0) - start_line,
        place.node.end_col_offset or 0,
    )
    if line == 0:
        column -= start_column
    if end_line == 0:
        end_column -= start_column
    if not 0 <= line <= end_line < len(lines):
        return text
    before = "\n".join(
        [*lines[:line], lines[line].encode()[:column].decode(errors="replace")]
    )
    after = "\n".join(
        [
            lines[end_line].encode()[end_column:].decode(errors="replace"),
            *lines[end_line + 1 :],
        ]
    )
    return before + text + after


def orders(call: Call, called: CallExpression, near: float) -> Iterator[Candidate]:
    """Other orders of a permute."""
    nodes = called.node.args
    if len(nodes) == 1 and isinstance(nodes[0], (ast.Tuple, ast.List)):
        nodes = nodes[0].elts
    if (
        isinstance(called.node.func, ast.Attribute)
        and called.callee == "torch.permute"
        and len(called.node.args) > 1
    ):
        nodes = getattr(called.node.args[1], "elts", [])
    given = call.args[1:]
    order = (
        tuple(given[0])
        if len(given) == 1 and isinstance(given[0], (list, tuple))
        else given
    )
    rank = len(call.inputs[0].shape) if call.inputs else 0
    if (
        not rank
        or not nodes
        or len(order) != len(nodes)
        or any(not isinstance(item, int) for item in order)
    ):
        return
    if sorted(item % rank for item in order) != list(range(rank)):
        order = tuple(range(rank))
    for other in permutations(tuple(item % rank for item in order)):
        text = ", ".join(map(str, other))
        edit = _over(called, nodes[0], nodes[-1], text)
        moved = sum(a != b for a, b in zip(other, order, strict=True))
        likely = near + 1.7 - 0.15 * (moved - 2) + (0.2 if other[0] == 0 else 0)
        likely += 1.0 if list(order) == sorted(order) else 0.0
        yield Candidate(
            f"`{called.name}({text})`",
            (edit,),
            call.layer,
            _group(edit),
            likely=likely,
            says=f"`{text}` fits",
        )


def flattened(call: Call, called: CallExpression, near: float) -> Iterator[Candidate]:
    """A flatten after a call that gives a feature map."""
    rank = len(call.output.shape) if call.output is not None else 0
    for start in (1, 2) if rank >= 4 else (1,) if rank == 3 else ():
        text = f"{' '.join(called.text.split())}.flatten({start})"
        edit = replacement(called.source, called.node, text)
        says = "a flatten is missing here"
        yield Candidate(
            f"`{text}`",
            (edit,),
            call.layer,
            _group(edit),
            likely=near + 1.0 - 0.1 * start,
            says=says,
        )


def flattened_before(
    call: Call, called: CallExpression, near: float
) -> Iterator[Candidate]:
    """`x.flatten(2).transpose(1, 2)` of a feature map: positions behind channels, as
    sequences have them."""
    func = called.node.func
    if (
        not call.inputs
        or len(call.inputs[0].shape) != 4
        or not isinstance(func, ast.Attribute)
        or not call.is_method
    ):
        return
    text = f"{called.source.segment(func.value)}.flatten(2)"
    edit = replacement(called.source, func.value, text)
    says = "a flatten is missing here"
    yield Candidate(
        f"`{text}.{called.name}(...)`",
        (edit,),
        call.layer,
        _group(edit),
        likely=near + 1.8,
        says=says,
    )


def _over(called: CallExpression, first: ast.expr, last: ast.expr, text: str) -> Edit:
    start, end = (
        called.source.span(first),
        called.source.span(last),
    )
    whole = replacement(called.source, first, text)
    return replace(
        whole,
        end=replace(
            whole.end,
            line=end.end_line or end.line,
            column=end.end_column or start.column or 1,
        ),
    )


def _group(edit: Edit) -> str:
    return f"{edit.start.line}:{edit.start.column}"


def swaps(trace: Trace, made: CallExpression, near: float) -> Iterator[Candidate]:
    """A layer exchanged with its neighbour in a Sequential or a list, as such layers
    follow one another elsewhere."""
    parent = made.source.parents.get(made.node)
    elements = (
        parent.args if isinstance(parent, ast.Call) else getattr(parent, "elts", [])
    )
    if made.node not in elements or (
        isinstance(parent, ast.Call) and not _is_sequential(parent)
    ):
        return
    at = elements.index(made.node)
    for left, right in ((at - 1, at), (at, at + 1)):
        if left < 0 or right >= len(elements):
            continue
        one, other = elements[left], elements[right]
        texts = made.source.segment(one), made.source.segment(other)
        edits = (
            replacement(made.source, one, texts[1]),
            replacement(made.source, other, texts[0]),
        )
        title = " ".join(f"`{texts[1]}` before `{texts[0]}`".split())
        likely = near + 1.1 + _usual(trace, other, one) - _usual(trace, one, other)
        yield Candidate(
            title,
            edits,
            "",
            f"swap {_group(edits[0])}",
            likely=likely,
            says="these two exchanged fit",
        )


def _usual(trace: Trace, first: ast.expr, second: ast.expr) -> float:
    """Whether elsewhere in the model a layer of the one class comes straight before one
    of the other."""
    names = [_class_named(node) for node in (first, second)]
    lines = {first.lineno, second.lineno}
    for before, after in pairwise(call for call in trace.calls if call.is_module):
        places = {site.line for call in (before, after) for site in call.definition[:1]}
        if [before.module_class, after.module_class] == names and not places & lines:
            return 0.7
    return 0.0


def put_in(candidate: Candidate, texts: Texts) -> set[str]:
    """What a change puts in that was not there: `turn` for a transpose, `flat` for a
    flatten."""
    found = set()
    for edit in candidate.edits:
        source = parse_file(edit.file, texts)
        lines = (
            source.text.split("\n")[edit.start.line - 1 : edit.end.line]
            if source is not None
            else []
        )
        there = "\n".join(lines)
        for kind, words in (
            ("turn", (".transpose(", ".permute(")),
            ("flat", (".flatten(", "Flatten()")),
        ):
            count = sum(edit.replacement.count(word) for word in words)
            if count and count > sum(
                there.count(word) for word in words if edit.start < edit.end
            ):
                found.add(kind)
    return found


def _class_named(node: ast.expr) -> str:
    func = node.func if isinstance(node, ast.Call) else node
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _is_sequential(node: ast.Call) -> bool:
    func = node.func
    return (
        func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    ) == "Sequential"


def flipped(place: Place, name: str, layer: str, near: float) -> Iterator[Candidate]:
    """`batch_first=True` for False, and the other way."""
    for origin in origins(place, 3):
        if isinstance(origin.node, ast.Constant) and isinstance(
            origin.node.value, bool
        ):
            text = str(not origin.node.value)
            edit = replacement(origin.source, origin.node, text)
            yield Candidate(
                f"`{shown(origin, text)}`",
                (edit,),
                layer,
                _group(edit),
                likely=near + 0.6,
                says=f"`{text}` fits as `{name}`",
            )


def made_tensor(walked: Walked, path: str, attribute: str) -> Iterator[Place]:
    """The sizes written where a module makes a parameter or buffer of its own."""
    home = walked.homes.get(path)
    source = parse_file(home[0], walked.texts) if home is not None else None
    if home is None or source is None:
        return
    makers = walked.definitions.get(path, ())
    for owner in ast.walk(source.tree):
        if not isinstance(owner, ast.ClassDef) or owner.name != home[1]:
            continue
        values = [
            value
            for target, value in assignments(owner)
            if isinstance(target, ast.Attribute) and target.attr == attribute
        ]
        values += [
            node.args[1]
            for node in ast.walk(owner)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("register_buffer", "register_parameter")
            and len(node.args) > 1
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value == attribute
        ]
        for value in values:
            for origin in origins(Place(source, value, makers, makers), 3):
                yield from _sizes(origin)


def _sizes(place: Place) -> Iterator[Place]:
    """The numbers in the calls of an expression: `torch.zeros(1, 17, dim)`."""
    for node in ast.walk(place.node):
        if isinstance(node, ast.Call):
            for argument in node.args:
                inner = (
                    argument.elts
                    if isinstance(argument, (ast.Tuple, ast.List))
                    else [argument]
                )
                for each in inner:
                    if isinstance(
                        each, (ast.Constant, ast.Name, ast.Attribute, ast.BinOp)
                    ):
                        yield replace(place, node=each)
