"""Inputs that a model class declares itself: an `example_input_array`, or a comment
`# shapelint: input=1,3,64,64`."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from shapelint.facts.errors import UsageError
from shapelint.syntax.origins import assignments
from shapelint.syntax.parsing import last_name, nodes_of, parse_python
from shapelint.syntax.texts import DISK

EXAMPLE = "example_input_array"
"""The attribute in which Lightning keeps an input for a model's graph and summary."""

_COMMENT = re.compile(r"#\s*shapelint:\s*input\s*=\s*(?P<specs>.+?)\s*$")


def has_own_input(file: str) -> bool:
    """Whether a class in a file declares its own inputs. Strings and other comments do
    not count."""
    try:
        text = DISK.text_of(file)
        if "shapelint:" not in text and EXAMPLE not in text:
            return False
        tree = parse_python(text)
    except UsageError:
        return False
    return any(_has_own_input(text, node) for node in nodes_of(tree, ast.ClassDef))


def _has_own_input(text: str, owner: ast.ClassDef) -> bool:
    # a model inherits from something
    if not owner.bases:
        return False
    return _sets_example(owner) or bool(input_comment(text, owner))


def _sets_example(owner: ast.ClassDef) -> bool:
    """Whether a class, or a method of it, assigns its `example_input_array`."""
    return any(last_name(target) == EXAMPLE for target, _ in assignments(owner))


def input_comment(text: str, owner: ast.ClassDef) -> tuple[str, ...]:
    """The inputs in the comments above a class, on its line, or inside it before the
    first method."""
    comments = dict(_comments(text))
    found: list[str] = []
    for line in _lines_of_head(text, owner):
        match = _COMMENT.search(comments.get(line, ""))
        if match is not None:
            found += _split_specs(match["specs"])
    return tuple(found)


def _lines_of_head(text: str, owner: ast.ClassDef) -> range:
    """The lines of a class up to its first method, and of the comments directly above
    it."""
    lines = text.split("\n")
    first = first_line(owner)
    start = first
    while start > 1 and lines[start - 2].lstrip().startswith("#"):
        start -= 1
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    methods = [first_line(node) for node in owner.body if isinstance(node, kinds)]
    behind = (owner.end_lineno or first) + 1
    return range(start, min(methods, default=behind))


def _split_specs(specs: str) -> list[str]:
    """Split `1,3,8,8 2,4`, `1,3,8,8; 2,4` or `1,3,8,8 input=2,4` into `1,3,8,8` and
    `2,4`."""
    return re.sub(r"[\s;]+(?:input\s*=\s*)?", " ", specs).split()


def first_line(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The first line of a class or function, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """The comment of each line that has one."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):  # the comments before it count
        return
