"""Changes to the model's own statement that raised: its terms and its numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.changes import weights
from shapelint.changes.arguments import is_only_numbers
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.number_changes import Target, other_numbers
from shapelint.changes.text_at_place import write_text
from shapelint.facts.findings import Candidate
from shapelint.syntax.calls import operation_at
from shapelint.syntax.origins import Place
from shapelint.syntax.trees import ParsedFile, parse_file


def changes_of_statement(context: FailureContext) -> Iterator[Candidate]:
    """Changes to the terms and numbers of the statement that raised."""
    raised, walked = context.raised, context.walked
    if raised is None or not raised.sites:
        return
    site, callers = raised.sites[0], raised.sites[1:]
    source = parse_file(site.file, walked.texts)
    if source is None:
        return
    makers = walked.definitions.get(raised.layer, ())
    operation = operation_at(site, walked.texts)
    if operation is not None:
        place = Place(*operation, callers, makers)
        yield from _terms_of_operation(place, raised.layer)
    for name in _numbers_of_statement(source, site.line):
        place = Place(source, name, callers, makers)
        target = Target(place, raised.layer, weights.RAISED_NAME)
        yield from other_numbers(context, target, None)


def _terms_of_operation(place: Place, layer: str) -> Iterator[Candidate]:
    """Replace the operation that raised by one of its sides: `shape + 1`, which a tuple
    does not support, by `shape`."""
    operation = place.node
    if not isinstance(operation, ast.BinOp):
        return
    for kept in (operation.left, operation.right):
        if not is_only_numbers(kept):
            text = place.source.segment(kept)
            yield write_text(place, text, layer, weights.RAISED_TERM)


def _numbers_of_statement(source: ParsedFile, line: int) -> Iterator[ast.expr]:
    """The names and numbers in the value or the condition of a statement."""
    statements: Iterator[ast.Assert | ast.If | ast.Assign] = source.nodes_on(
        line, ast.Assert, ast.If, ast.Assign
    )
    for statement in statements:
        part = statement.value if isinstance(statement, ast.Assign) else statement.test
        for name in ast.walk(part):
            if isinstance(name, (ast.Name, ast.Attribute, ast.Constant)):
                yield name
