"""What rules that read training code share: the base class, places, and edits that put
a line in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import ClassVar

from shapelint.facts.diagnostics import Diagnostic, Edit, Related
from shapelint.facts.findings import Candidate, Finding, Rule
from shapelint.facts.graph import Walked
from shapelint.facts.places import Position, Span
from shapelint.reading.events import Forward, Frame, Path
from shapelint.reading.script import Script
from shapelint.reading.values import Where
from shapelint.syntax.trees import ParsedFile, parse_file


class SourceRule(Rule):
    """A rule that reads a file and runs nothing of it. `bad_script` and `good_script`
    are its examples."""

    bad_script: ClassVar[str] = ""
    good_script: ClassVar[str] = ""

    def check(self, walked: Walked) -> Iterator[Finding]:
        """Nothing: a walk is not what this rule looks at."""
        del walked
        yield from ()

    def check_script(self, script: Script) -> Iterator[Finding]:
        """What this rule finds in a file."""
        raise NotImplementedError


def span_of_where(where: Where) -> Span:
    """A place of a file that was read."""
    assert isinstance(where.node, (ast.expr, ast.stmt))
    source = parse_file(where.file, where.texts)
    return source.span(where.node) if source is not None else heading(where)


def heading(where: Where) -> Span:
    """The first line of a statement with a body."""
    return Span(where.file, where.line)


def around(call: Forward) -> tuple[Related, ...]:
    """The loop that a call of a model stands in, and where its function was called."""
    found = [Related(heading(loop.at), "in this loop") for loop in call.loops[-1:]]
    frames = [
        each
        for each in call.stack
        if isinstance(each, Frame) and each.called_at is not None
    ]
    found += [
        Related(heading(frame.called_at), "called here")
        for frame in frames[-1:]
        if frame.called_at is not None
    ]
    return tuple(
        each
        for each in found
        if each.span.line != call.at.line or each.span.file != call.at.file
    )


def outermost_block(call: Forward) -> tuple[ParsedFile, ast.stmt] | None:
    """The outermost loop or `with` around a call, within the function it stands in and
    for the same purpose."""
    source = parse_file(call.at.file, call.at.texts)
    node: ast.AST | None = call.at.node
    statement: ast.stmt | None = None
    inner = [loop.at.node for loop in call.loops if loop.purpose != "train"]
    while source is not None and node is not None:
        parent = source.parents.get(node)
        if isinstance(node, ast.stmt) and statement is None:
            statement = node
        if isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module, ast.ClassDef)
        ):
            break
        is_loop = isinstance(node, (ast.For, ast.While, ast.AsyncFor))
        if is_loop and node in inner and not _is_epochs(node):
            statement = node if isinstance(node, ast.stmt) else statement
        if (
            isinstance(node, (ast.With, ast.AsyncWith))
            and statement is not None
            and not is_loop
        ):
            statement = node
        node = parent
    return (source, statement) if source is not None and statement is not None else None


def own_statement(call: Forward) -> tuple[ParsedFile, ast.stmt] | None:
    """The statement that a call stands in."""
    source = parse_file(call.at.file, call.at.texts)
    node: ast.AST | None = call.at.node
    while source is not None and node is not None:
        if isinstance(node, ast.stmt):
            return source, node
        node = source.parents.get(node)
    return None


def _is_epochs(node: ast.AST) -> bool:
    """Whether a loop is over epochs, and so around training and validation both."""
    if isinstance(node, ast.While):
        return True
    target = getattr(node, "target", None)
    return "epoch" in ast.unparse(target).lower() if target is not None else False


def line_before(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that puts a line before a statement, indented as it is."""
    indent = " " * statement.col_offset
    at = Position(statement.lineno, statement.col_offset + 1)
    return Edit(source.file, at, at, f"{text}\n{indent}")


def line_after(source: ParsedFile, statement: ast.stmt, text: str) -> Edit:
    """The edit that puts a line after a statement, indented as it is."""
    span = source.span(statement)
    at = Position(span.end_line or span.line, span.end_column or 1)
    return Edit(source.file, at, at, f"\n{' ' * statement.col_offset}{text}")


def wrapped_in(source: ParsedFile, statement: ast.stmt, head: str) -> Edit | None:
    """The edit that puts a statement into a block of its own; None where a text of
    several lines is in it."""
    for part in ast.walk(statement):
        if (
            isinstance(part, (ast.Constant, ast.JoinedStr))
            and part.end_lineno != part.lineno
        ):
            return None
    indent = " " * statement.col_offset
    lines = source.segment(statement).split("\n")
    body = "\n".join(
        [lines[0], *(f"    {line}" if line.strip() else line for line in lines[1:])]
    )
    span = source.span(statement)
    return Edit(
        source.file,
        Position(span.line, span.column or 1),
        Position(span.end_line or span.line, span.end_column or 1),
        f"{head}\n{indent}    {body}",
    )


def put_in(title: str, edit: Edit | None) -> tuple[Candidate, ...]:
    """The candidate for an edit, if there is one."""
    return (Candidate(title, (edit,)),) if edit is not None else ()


def expression_of(call: Forward) -> str:
    """The text of a called model: `model`, `self.net`."""
    source = parse_file(call.at.file, call.at.texts)
    node = call.at.node
    if source is None or not isinstance(node, ast.Call):
        return call.model.name or "the model"
    text = source.segment(node.func)
    for suffix in (".forward", ".__call__"):
        text = text.removesuffix(suffix)
    return text


def each_once(
    found: Iterator[tuple[Where, Diagnostic, tuple[Candidate, ...]]],
) -> Iterator[Finding]:
    """One finding for each place."""
    seen: set[tuple[str, int, int]] = set()
    for where, diagnostic, candidates in found:
        key = (where.file, where.line, getattr(where.node, "col_offset", 0))
        if key not in seen:
            seen.add(key)
            yield Finding(diagnostic, candidates=candidates)


def certain(
    paths: list[Path], is_wrong: Callable[[Forward], bool]
) -> Iterator[Forward]:
    """Calls that validate or predict and are wrong on each path on which they do so,
    and differentiated on none."""
    found: dict[tuple[str, int, int], list[Forward | None]] = {}
    for path in paths:
        here: dict[tuple[str, int, int], Forward | None] = {}
        for call in path.forwards:
            key = (call.at.file, call.at.line, getattr(call.at.node, "col_offset", 0))
            if call.for_gradient:
                found.setdefault(key, []).append(None)
            if call.is_evaluation:
                here[key] = here.get(key) or (call if is_wrong(call) else None)
        for key, wrong in here.items():
            found.setdefault(key, []).append(wrong)
    for calls in found.values():
        first = calls[0]
        if first is not None and all(call is not None for call in calls):
            yield first
