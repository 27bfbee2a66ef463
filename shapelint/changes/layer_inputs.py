"""Changes where a layer is called or made: its input written otherwise, a keyword
added."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.changes.operands import Operand, operands, turned, wrapped
from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Walked
from shapelint.facts.places import Position
from shapelint.syntax.calls import CallExpression


def layer_input_forms(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """The input transposed or flattened, where its last dimension is then what the
    layer takes."""
    found = turned(
        walked, call, lambda shapes: bool(shapes[0]) and shapes[0][-1] == takes
    )
    return [
        each
        for each in found
        if "flatten(1)" not in each.title and "squeeze" not in each.title
    ]


def keyword_added(
    made: CallExpression, name: str, value: str, layer: str
) -> Iterator[Candidate]:
    """A keyword that is not written yet: `batch_first=True`."""
    written = [word for word in made.node.keywords if word.arg == name]
    if written or not (made.node.args or made.node.keywords):
        return
    end = made.source.span(made.node)
    at = Position(end.end_line or end.line, (end.end_column or 2) - 1)
    comma = "" if made.text.rstrip(")").rstrip().endswith(",") else ", "
    edit = Edit(made.source.file, at, at, f"{comma}{name}={value}")
    title = f"`{made.callee}(..., {name}={value})`"
    yield Candidate(
        title, (edit,), layer, group=name, likely=1.5, says=f"`{name}={value}` fits"
    )


def cast(walked: Walked, call: Call, position: int, method: str) -> list[Candidate]:
    """One operand in another dtype: `ids.long()`."""
    known: list[Operand] = operands(walked, call)
    if position >= len(known):
        return []
    operand = known[position]
    return [wrapped(operand, f"{operand.text}{method}", call.layer, 2.0)]
