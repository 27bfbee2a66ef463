"""Decides which case of a `match` a path takes. A constant in a pattern is compared
with the subject like `==` in an `if`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from shapelint.reading.decisions import Decisions, Operand
from shapelint.reading.values import Evaluate, Items, Scope


class MatchCases:
    """Decides the patterns of a `match`."""

    def __init__(self, evaluate: Evaluate, decisions: Decisions) -> None:
        self._evaluate = evaluate
        self._decisions = decisions

    def matches(
        self, pattern: ast.pattern, subject: Operand, scope: Scope
    ) -> bool | None:
        """Whether a pattern matches on this path; None if it may or may not."""
        if isinstance(pattern, ast.MatchAs):
            # `case _` and `case name` match everything.
            if pattern.pattern is None:
                return True
            return self.matches(pattern.pattern, subject, scope)
        if isinstance(pattern, ast.MatchOr):
            return self._any_matches(pattern.patterns, subject, scope)
        if isinstance(pattern, ast.MatchValue):
            return self._equals(ast.Eq(), subject, pattern.value, scope)
        if isinstance(pattern, ast.MatchSingleton):
            constant = ast.Constant(pattern.value)
            return self._equals(ast.Is(), subject, constant, scope)
        if isinstance(pattern, ast.MatchSequence):
            return self._all_match(pattern.patterns, subject, scope)
        return None

    def _equals(
        self, op: ast.cmpop, subject: Operand, node: ast.expr, scope: Scope
    ) -> bool | None:
        value = Operand(node, self._evaluate(node, scope))
        return self._decisions.compare(op, subject, value)

    def _any_matches(
        self, patterns: Iterable[ast.pattern], subject: Operand, scope: Scope
    ) -> bool | None:
        is_decided = True
        for each in patterns:
            truth = self.matches(each, subject, scope)
            if truth:
                return True
            is_decided = is_decided and truth is not None
        return False if is_decided else None

    def _all_match(
        self, patterns: list[ast.pattern], subject: Operand, scope: Scope
    ) -> bool | None:
        """Compare a sequence pattern with a tuple that is written in the `match`
        itself."""
        node, value = subject.node, subject.value
        if not isinstance(node, ast.Tuple) or not isinstance(value, Items):
            return None
        # `case (first, *rest)` takes tuples of several lengths.
        if any(isinstance(each, ast.MatchStar) for each in patterns):
            return None
        if len(patterns) != len(node.elts):
            return False
        is_decided = True
        parts = zip(node.elts, value.members, strict=True)
        for each, part in zip(patterns, parts, strict=True):
            truth = self.matches(each, Operand(*part), scope)
            if truth is False:
                return False
            is_decided = is_decided and truth is not None
        return True if is_decided else None


def list_captured_names(pattern: ast.pattern) -> Iterator[tuple[str, bool]]:
    """The names that a pattern binds, and whether each is bound to the whole
    subject."""
    for part in ast.walk(pattern):
        if isinstance(part, ast.MatchMapping):
            name = part.rest
        elif isinstance(part, (ast.MatchAs, ast.MatchStar)):
            name = part.name
        else:
            name = None
        if name is not None:
            yield name, part is pattern and isinstance(part, ast.MatchAs)
