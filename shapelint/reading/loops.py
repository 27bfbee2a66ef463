"""Runs loops. Each has two rounds, so that the effect of one round on the next is seen.

A loop is assumed to run at least once, because a loader without batches is no training.
The state at a `break` reaches the code after the loop, the state at a `continue` the
next round."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

from shapelint.reading.branching import Branching, Catch, Exit, Way
from shapelint.reading.expressions import Expressions
from shapelint.reading.journal import Journal
from shapelint.reading.modes import Where
from shapelint.reading.path_state import PathState, Snapshot
from shapelint.reading.values import Items, Loop, RunBlock, Scope, Value
from shapelint.reading.vocabulary import find_purpose

ROUNDS = 2
"""One round, and another that begins in the state where the first ended."""

UNROLLED = 4
"""How many members of a literal list a loop goes through, each in its own round:
`for phase in ["train", "val", "test"]`."""

ForNode = ast.For | ast.AsyncFor


@dataclass
class Rounds:
    """The end states of the rounds of a loop: those that went on, and those that ended
    in a `break`."""

    before: Snapshot
    ends: list[Snapshot] = field(default_factory=list)
    broken: list[Snapshot] = field(default_factory=list)


class Loops:
    """Runs loops."""

    def __init__(
        self,
        state: PathState,
        journal: Journal,
        branching: Branching,
        expressions: Expressions,
        run_block: RunBlock,
    ) -> None:
        self._state = state
        self._journal = journal
        self._branching = branching
        self._expressions = expressions
        self._run_block = run_block

    def run_for(self, node: ForNode, scope: Scope) -> None:
        """Run a `for`. One over a literal list goes through its members."""
        items = self._expressions.evaluate(node.iter, scope)
        loop = self._begin(node, node.iter, scope)
        members = _list_written_members(items)
        rounds = self._run_rounds(
            loop,
            [
                functools.partial(
                    self._expressions.binding.bind, node.target, member, scope
                )
                for member in members or [None] * ROUNDS
            ],
            node.body,
            scope,
        )
        if members:
            # All members are gone through, so that only the last round's end is one.
            rounds.ends = rounds.ends[-1:]
        self._run_after_loop(node.orelse, rounds, scope)

    def run_while(self, node: ast.While, scope: Scope) -> None:
        """Run a `while`. The code after an endless one is reached only from its
        `break`."""
        loop = self._begin(node, node.test, scope)
        begin = functools.partial(self._expressions.evaluate, node.test, scope)
        rounds = self._run_rounds(loop, [begin] * ROUNDS, node.body, scope)
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        # Without a state that broke, the `break` may come in a later round.
        if is_endless and (rounds.broken or not _has_break(node.body)):
            self._state.join(rounds.before, rounds.broken)
        else:
            self._run_after_loop(node.orelse, rounds, scope)

    def _begin(self, node: ast.stmt, over: ast.expr, scope: Scope) -> Loop:
        purpose = find_purpose(self._expressions.names_in(over, scope))
        models = len(self._state.objects.models)
        return Loop(Where(scope.source, node), purpose, models)

    def _run_rounds(
        self,
        loop: Loop,
        begins: list[Way[object]],
        body: list[ast.stmt],
        scope: Scope,
    ) -> Rounds:
        """Run a round after each of `begins`, until a round does not go on."""
        rounds = Rounds(self._state.fork())
        with self._branching.catch_exits(
            Catch(frozenset({Exit.BREAK, Exit.CONTINUE}))
        ) as catch:
            for begin in begins:
                start = self._state.fork()
                begin()
                ends = self._branching.end_of(
                    lambda: self._run_round(loop, body, scope)
                )
                ends += catch.take(Exit.CONTINUE)
                # Each way left the loop or the function in this round.
                if not ends:
                    break
                self._state.join(start, ends)
                rounds.ends.append(self._state.fork())
        rounds.broken = catch.take(Exit.BREAK)
        return rounds

    def _run_round(self, loop: Loop, body: list[ast.stmt], scope: Scope) -> None:
        with self._journal.inside(loop):
            self._run_block(body, scope)

    def _run_after_loop(
        self, orelse: list[ast.stmt], rounds: Rounds, scope: Scope
    ) -> None:
        """Run `else` after the rounds that went on, then join the states after the
        loop."""
        ends = rounds.ends
        if ends or not rounds.broken:
            # With neither, the script passes the loop only if it has no rounds.
            self._state.join(rounds.before, ends or [rounds.before])
            ends = self._branching.end_of(lambda: self._run_block(orelse, scope))
        self._state.join(rounds.before, [*ends, *rounds.broken])


def _list_written_members(items: Value | None) -> list[Value | None]:
    """The members of a literal list. A single member is listed twice; any other value
    gives none."""
    if not isinstance(items, Items) or items.keys:
        return []
    if len(items.members) == 1:
        return items.members * ROUNDS
    return items.members[:UNROLLED]


def _has_break(body: list[ast.stmt]) -> bool:
    """Whether a loop contains a `break`, which may also belong to an inner loop."""
    return any(
        isinstance(part, ast.Break)
        for statement in body
        for part in ast.walk(statement)
    )
