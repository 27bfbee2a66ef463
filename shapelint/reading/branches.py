"""Statements that branch: each way is run from the state at the fork, and what all ways
that go on leave is joined.

A loop is taken to run at least once. What a `break` leaves reaches what follows the
loop, what a `continue` leaves the next round, what a `return` leaves the caller, and
what was known at any moment of a `try` its handlers."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shapelint.reading.contexts import Contexts, swallows
from shapelint.reading.events import Loop, Path
from shapelint.reading.patterns import Patterns, captured
from shapelint.reading.states import NothingFollowsError, State, States
from shapelint.reading.values import Items, Scope, purpose

ROUNDS = 2
UNROLLED = 4
"""Members of a written list that a loop goes through."""

WAYS_OUT = ("return", "break", "continue", "raise")
Way = Callable[[], Any]


@dataclass
class Catch:
    """Where ways out of a block end: the states that each brings. `all_raised`: whether
    no exception goes past."""

    kinds: tuple[str, ...]
    all_raised: bool = True
    states: dict[str, list[State]] = field(default_factory=dict)

    def add(self, kind: str, state: State) -> None:
        """One more state, unless it is the one that came last."""
        known = self.states.setdefault(kind, [])
        if not known or known[-1] != state:
            known.append(state)

    def take(self, kind: str) -> list[State]:
        """The states of one kind that came since the last time."""
        return self.states.pop(kind, [])


class Branches(States, Patterns, Contexts):
    """Runs what branches; mixed into what runs statements."""

    path: Path
    stack: Any
    names_in: Any
    where: Any
    catches: list[Catch]

    # -- forks
    # --------------------------------------------------------------------------------------

    def fork(self, ways: list[Way]) -> list[Any]:
        """Run each way from the state that is now, and go on with what they leave; the
        values of those that end.

        Raises:
            NothingFollowsError: none of them goes on.
        """
        before = self.state()
        values: list[Any] = []
        ends: list[State] = []
        for way in ways:
            self.restore(before)
            try:
                values.append(way())
                ends.append(self.state())
            except NothingFollowsError:
                continue
        self.resume(before, ends)
        return values

    def choose(self, truth: bool | None, then: Way, otherwise: Way) -> list[Any]:
        """Go the way that was decided on, or both."""
        if truth is None:
            return self.fork([then, otherwise])
        return [then() if truth else otherwise()]

    def end_of(self, way: Way) -> list[State]:
        """Run something; the state in which it ends, if it does."""
        try:
            way()
        except NothingFollowsError:
            return []
        return [self.state()]

    def leave(self, kind: str) -> None:
        """Go on where a `return`, `break`, `continue` or `raise` leads.

        Raises:
            NothingFollowsError: always; nothing follows here.
        """
        state = self.state()
        for catch in self._catching(kind):
            catch.add(kind, state)
        raise NothingFollowsError

    def may_raise(self) -> None:
        """Something was run that might have raised, with what is known now."""
        catching = [*self._catching("raise")]
        if catching:
            state = self.state()
            for catch in catching:
                catch.add("raise", state)

    def _catching(self, kind: str) -> Iterator[Catch]:
        for catch in reversed(self.catches):
            if kind in catch.kinds:
                yield catch
                if kind != "raise" or catch.all_raised:
                    return

    @contextmanager
    def catching(self, catch: Catch) -> Iterator[Catch]:
        """While this lasts, ways out lead to `catch`."""
        self.catches.append(catch)
        try:
            yield catch
        finally:
            self.catches.pop()

    def guarded(self, body: Way, final: Way, swallowing: bool = False) -> None:
        """Run something, then `final` whichever way it was left; `swallowing`:
        exceptions may end there."""
        before = self.state()
        is_awaited = swallowing or any(self._catching("raise"))
        with self.catching(Catch(WAYS_OUT if is_awaited else WAYS_OUT[:-1])) as catch:
            if is_awaited:
                self.may_raise()
            ends = self.end_of(body)
        self._finally(before, ends, catch, final, swallowing)

    def _finally(
        self,
        before: State,
        ends: list[State],
        catch: Catch,
        final: Way,
        swallowing: bool,
    ) -> None:
        if not catch.states:
            self.resume(before, ends)
            final()
            return
        # Once with all that may be, for what is found in it; then once for each way,
        # for what comes after.
        self.resume(
            before,
            [*ends, *(each for states in catch.states.values() for each in states)],
        )
        self.end_of(final)
        path, self.path = self.path, Path()
        try:
            after = self._after(before, ends, final)
            for kind, states in catch.states.items():
                reached = self._after(before, states, final)
                after += reached if kind == "raise" and swallowing else []
                if reached:
                    self.end_of(lambda kind=kind: self.leave(kind))  # type: ignore[misc]
        finally:
            self.path = path
        self.resume(before, after)

    def _after(self, before: State, states: list[State], final: Way) -> list[State]:
        if not states:
            return []
        self.resume(before, states)
        return self.end_of(final)

    # -- statements
    # ---------------------------------------------------------------------------------

    def _run_If(self, node: ast.If, scope: Scope) -> None:  # noqa: N802 - named after the node
        truth = self.decide(node.test, scope)
        self.choose(
            truth,
            lambda: self.block(node.body, scope),
            lambda: self.block(node.orelse, scope),
        )

    def _run_Match(self, node: ast.Match, scope: Scope) -> None:  # noqa: N802
        subject = self.value(node.subject, scope)
        self._cases(node.subject, subject, node.cases, scope)

    def _cases(
        self, node: ast.expr, subject: Any, cases: list[ast.match_case], scope: Scope
    ) -> None:
        """The first case and what is left if it does not match; without any, the match
        is done."""
        if not cases:
            return
        case, rest = cases[0], cases[1:]
        truth = self.matches(case.pattern, node, subject, scope)
        self.choose(
            truth,
            lambda: self._matched(
                case, subject, lambda: self._cases(node, subject, rest, scope), scope
            ),
            lambda: self._cases(node, subject, rest, scope),
        )

    def _matched(
        self, case: ast.match_case, subject: Any, otherwise: Way, scope: Scope
    ) -> None:
        for name, is_subject in captured(case.pattern):
            self.bind(ast.Name(name), subject if is_subject else None, scope)
        truth = self.decide(case.guard, scope) if case.guard is not None else True
        self.choose(truth, lambda: self.block(case.body, scope), otherwise)

    def _run_Try(self, node: ast.Try, scope: Scope) -> None:  # noqa: N802
        if not node.finalbody:
            self._tried(node, scope)
            return
        before = self.state()
        with self.catching(Catch(WAYS_OUT)) as catch:
            self.may_raise()
            ends = self.end_of(lambda: self._tried(node, scope))
        self._finally(
            before, ends, catch, lambda: self.block(node.finalbody, scope), False
        )

    _run_TryStar = _run_Try  # noqa: N815

    def _tried(self, node: ast.Try, scope: Scope) -> None:
        """The body, then `else` if it ended; each handler from all that may have been
        when something was raised."""
        if not node.handlers:
            self.block(node.body, scope)
            return
        before = self.state()
        with self.catching(
            Catch(("raise",), any(map(_takes_all, node.handlers)))
        ) as catch:
            self.may_raise()
            ends = self.end_of(lambda: self.block(node.body, scope))
        if ends:
            self.restore(ends[0])
            ends = self.end_of(lambda: self.block(node.orelse, scope))
        raised = catch.take("raise")
        for handler in node.handlers:
            self.resume(before, raised)
            if handler.name:
                self.bind(ast.Name(handler.name), None, scope)
            ends += self.end_of(lambda body=handler.body: self.block(body, scope))  # type: ignore[misc]
        self.resume(before, ends)

    def _run_With(self, node: ast.With, scope: Scope) -> None:  # noqa: N802
        self._within(node.items, node.body, scope)

    _run_AsyncWith = _run_With  # noqa: N815

    def _within(
        self, items: list[ast.withitem], body: list[ast.stmt], scope: Scope
    ) -> None:
        if not items:
            self.block(body, scope)
            return
        first, *rest = items
        final = self.entered(first, scope)
        swallowing = swallows(self.context_of(first.context_expr, scope))
        self.guarded(lambda: self._within(rest, body, scope), final, swallowing)

    # -- loops
    # --------------------------------------------------------------------------------------

    def _run_For(self, node: ast.For, scope: Scope) -> None:  # noqa: N802
        items = self.value(node.iter, scope)
        names = [*self.names_in(node.iter, scope)]
        rounds: list[Any] = [None] * ROUNDS
        is_written = isinstance(items, Items) and bool(items.members) and not items.keys
        if is_written:
            rounds = (
                items.members[:UNROLLED]
                if len(items.members) > 1
                else items.members * ROUNDS
            )
        loop = Loop(self.where(scope, node), purpose(names), len(self.models))
        begins: list[Way] = [
            functools.partial(self.bind, node.target, member, scope)
            for member in rounds
        ]
        ends, broken, before = self._rounds(loop, begins, node.body, scope)
        self._after_loop(node, before, ends[-1:] if is_written else ends, broken, scope)

    _run_AsyncFor = _run_For  # noqa: N815

    def _run_While(self, node: ast.While, scope: Scope) -> None:  # noqa: N802
        loop = Loop(
            self.where(scope, node),
            purpose(self.names_in(node.test, scope)),
            len(self.models),
        )
        begins: list[Way] = [lambda: self.value(node.test, scope)] * ROUNDS
        ends, broken, before = self._rounds(loop, begins, node.body, scope)
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        if is_endless and (
            broken or not _breaks(node.body)
        ):  # else its `break` comes in a later round
            self.resume(before, broken)
        else:
            self._after_loop(node, before, ends, broken, scope)

    def _rounds(
        self, loop: Loop, begins: list[Way], body: list[ast.stmt], scope: Scope
    ) -> tuple[list[State], list[State], State]:
        """Run rounds; what each that goes on leaves, what `break` leaves, and what was
        before."""
        before = self.state()
        ends: list[State] = []
        with self.catching(Catch(("break", "continue"))) as catch:
            for begin in begins:
                start = self.state()
                begin()
                left = self.end_of(lambda: self._round(loop, body, scope)) + catch.take(
                    "continue"
                )
                if not left:
                    break
                self.resume(start, left)
                ends.append(self.state())
        return ends, catch.take("break"), before

    def _round(self, loop: Loop, body: list[ast.stmt], scope: Scope) -> None:
        self.stack.append(loop)
        try:
            self.block(body, scope)
        finally:
            self.stack.pop()

    def _after_loop(
        self,
        node: ast.For | ast.AsyncFor | ast.While,
        before: State,
        ends: list[State],
        broken: list[State],
        scope: Scope,
    ) -> None:
        """`else` after all rounds; a loop that no round goes past or breaks was passed
        by where it has none."""
        if ends or not broken:
            self.resume(before, ends or [before])
            ends = self.end_of(lambda: self.block(node.orelse, scope))
        self.resume(before, [*ends, *broken])


def _takes_all(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes any exception."""
    kind = (
        getattr(handler.type, "id", "") if handler.type is not None else "BaseException"
    )
    return kind in ("Exception", "BaseException")


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether a loop has a `break`, its own or that of a loop in it."""
    return any(
        isinstance(part, ast.Break)
        for statement in body
        for part in ast.walk(statement)
    )
