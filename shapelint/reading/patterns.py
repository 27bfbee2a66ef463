"""Which case of a `match` a path takes: constants are held against a name as `==` in an
`if` is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from shapelint.reading.conditions import Conditions
from shapelint.reading.values import Items, Scope


class Patterns(Conditions):
    """Decides patterns; mixed into what runs statements."""

    def matches(
        self, pattern: ast.pattern, node: ast.expr, subject: Any, scope: Scope
    ) -> bool | None:
        """Whether a pattern matches on this path; None where it may and may not."""
        if isinstance(pattern, ast.MatchAs):
            return (
                True
                if pattern.pattern is None
                else self.matches(pattern.pattern, node, subject, scope)
            )
        if isinstance(pattern, ast.MatchOr):
            return self._any_matches(pattern.patterns, node, subject, scope)
        if isinstance(pattern, ast.MatchValue):
            return self.compare(
                ast.Eq(),
                (node, subject),
                (pattern.value, self.value(pattern.value, scope)),
            )
        if isinstance(pattern, ast.MatchSingleton):
            constant = ast.Constant(pattern.value)
            return self.compare(
                ast.Is(), (node, subject), (constant, self.value(constant, scope))
            )
        if (
            isinstance(pattern, ast.MatchSequence)
            and isinstance(node, ast.Tuple)
            and isinstance(subject, Items)
        ):
            return self._all_match(pattern.patterns, node.elts, subject, scope)
        return None

    def _any_matches(
        self, patterns: list[ast.pattern], node: ast.expr, subject: Any, scope: Scope
    ) -> bool | None:
        undecided = False
        for each in patterns:
            truth = self.matches(each, node, subject, scope)
            if truth:
                return True
            undecided = undecided or truth is None
        return None if undecided else False

    def _all_match(
        self,
        patterns: list[ast.pattern],
        nodes: list[ast.expr],
        subject: Items,
        scope: Scope,
    ) -> bool | None:
        if any(isinstance(each, ast.MatchStar) for each in patterns):
            return None
        if len(patterns) != len(nodes):
            return False
        undecided = False
        for each, node, value in zip(patterns, nodes, subject.members, strict=True):
            truth = self.matches(each, node, value, scope)
            if truth is False:
                return False
            undecided = undecided or truth is None
        return None if undecided else True


def captured(pattern: ast.pattern) -> Iterator[tuple[str, bool]]:
    """The names that a pattern binds, and whether to the whole subject."""
    for part in ast.walk(pattern):
        name = (
            getattr(part, "rest", None)
            if isinstance(part, ast.MatchMapping)
            else getattr(part, "name", None)
        )
        if isinstance(name, str):
            yield name, part is pattern and isinstance(part, ast.MatchAs)
