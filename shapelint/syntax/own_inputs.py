"""Inputs that a model class has of its own: an `example_input_array`, or a comment `#
shapelint: input=1,3,64,64`."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from shapelint.facts.errors import UsageError
from shapelint.syntax.parsing import parse_python
from shapelint.syntax.texts import DISK

_COMMENT = re.compile(r"#\s*shapelint:\s*input\s*=\s*(?P<specs>.+?)\s*$")


def has_own_input(file: str) -> bool:
    """Whether a class of a file has inputs of its own; words in strings and other
    comments do not count."""
    try:
        text = DISK.text_of(file)
        if "shapelint:" not in text and "example_input_array" not in text:
            return False
        tree = parse_python(text)
    except UsageError:
        return False
    classes = [
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases
    ]
    return any(_sets_example(node) or input_comment(text, node) for node in classes)


def _sets_example(owner: ast.ClassDef) -> bool:
    """Whether a class, or a method of it, assigns its `example_input_array`."""
    for node in ast.walk(owner):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        else:
            continue
        if any(
            "example_input_array"
            in (getattr(each, "attr", ""), getattr(each, "id", ""))
            for each in targets
        ):
            return True
    return False


def input_comment(text: str, owner: ast.ClassDef) -> tuple[str, ...]:
    """The inputs in comments above a class, on its line, or inside it before the first
    method."""
    first = first_line(owner)
    methods = [
        node
        for node in owner.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    end = min(
        (first_line(node) for node in methods), default=(owner.end_lineno or first) + 1
    )
    comments = dict(_comments(text))
    lines = text.split("\n")
    above = first - 1
    while above > 0 and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    found = [
        match
        for line in range(above + 1, end)
        if (match := _COMMENT.search(comments.get(line, "")))
    ]
    return tuple(
        spec
        for match in found
        for spec in re.sub(r"[\s;]+(?:input\s*=\s*)?", " ", match["specs"]).split()
    )


def first_line(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Of a class or function, that of its first decorator where it has one."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Every comment by its line."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):  # what comes before it counts
        return
