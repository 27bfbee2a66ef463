"""Forks and joins the state of a path. No other module does.

Each way runs from the state at the fork, and the end states of the ways that go on are
joined. A way that does not go on passes its state to whatever catches it: a `return` to
the function, a `break` or `continue` to the loop, a `raise` to the handlers around
it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn, TypeVar

from shapelint.reading.journal import Journal
from shapelint.reading.path_state import NothingFollowsError, PathState, Snapshot

T = TypeVar("T")
Way = Callable[[], T]


class Exit(Enum):
    """How a way ends, if it does not go on to the next statement."""

    RETURN = "return"
    BREAK = "break"
    CONTINUE = "continue"
    RAISE = "raise"


ALL_EXITS = frozenset(Exit)


@dataclass
class Catch:
    """Collects the states in which exits of these kinds leave a block. `is_final`: it
    also stops every exception."""

    kinds: frozenset[Exit]
    is_final: bool = True
    states: dict[Exit, list[Snapshot]] = field(default_factory=dict)

    def add(self, kind: Exit, snapshot: Snapshot) -> None:
        """Add a state, unless it equals the last one. Most statements that may raise
        change nothing."""
        known = self.states.setdefault(kind, [])
        if not known or known[-1] != snapshot:
            known.append(snapshot)

    def take(self, kind: Exit) -> list[Snapshot]:
        """Remove and return the states of one kind."""
        return self.states.pop(kind, [])


class Branching:
    """Forks and joins the state of a path."""

    def __init__(self, state: PathState, journal: Journal) -> None:
        self._state = state
        self._journal = journal
        self._catches: list[Catch] = []

    # -- ways

    def fork(self, ways: list[Way[T]]) -> list[T]:
        """Run each way from the present state, and join the states of those that go on.
        Return their values.

        Raises:
            NothingFollowsError: none of them goes on.
        """
        before = self._state.fork()
        values: list[T] = []
        ends: list[Snapshot] = []
        for way in ways:
            self._state.restore(before)
            try:
                values.append(way())
            except NothingFollowsError:
                continue
            ends.append(self._state.fork())
        self._state.join(before, ends)
        return values

    def choose(self, truth: bool | None, then: Way[None], otherwise: Way[None]) -> None:
        """Go the way that a condition decides, or both ways if `truth` is None."""
        if truth is None:
            self.fork([then, otherwise])
        elif truth:
            then()
        else:
            otherwise()

    def end_of(self, way: Way[object]) -> list[Snapshot]:
        """Run a way. Return the state in which it ends, or an empty list if it does not
        go on."""
        try:
            way()
        except NothingFollowsError:
            return []
        return [self._state.fork()]

    # -- exits

    def leave(self, kind: Exit) -> NoReturn:
        """Pass the present state to whatever catches this exit.

        Raises:
            NothingFollowsError: always; nothing follows here.
        """
        snapshot = self._state.fork()
        for catch in self._find_catches(kind):
            catch.add(kind, snapshot)
        raise NothingFollowsError

    def may_raise(self) -> None:
        """Record that an exception may be raised in the present state."""
        catches = list(self._find_catches(Exit.RAISE))
        if not catches:
            return
        snapshot = self._state.fork()
        for catch in catches:
            catch.add(Exit.RAISE, snapshot)

    def _find_catches(self, kind: Exit) -> Iterator[Catch]:
        """Yield the catches that an exit may reach, innermost first.

        A `return` or `break` reaches only one. An exception may pass handlers that do
        not match it, up to the first that catches everything."""
        for catch in reversed(self._catches):
            if kind in catch.kinds:
                yield catch
                if kind is not Exit.RAISE or catch.is_final:
                    return

    @contextmanager
    def catch_exits(self, catch: Catch) -> Iterator[Catch]:
        """Collect the exits of everything inside this context in `catch`."""
        self._catches.append(catch)
        try:
            yield catch
        finally:
            self._catches.pop()

    # -- finally

    def guard(
        self,
        body: Way[object],
        final: Way[object],
        swallows: bool = False,
        sees_all: bool = False,
    ) -> None:
        """Run `body`, then `final`, in whichever way `body` was left.

        `swallows`: exceptions may end there, as in `suppress`. `sees_all`: `final` is
        the user's own code, which also runs for exceptions that nobody catches."""
        before = self._state.fork()
        # Without anybody to catch an exception its states would only be thrown away.
        is_awaited = sees_all or swallows or any(self._find_catches(Exit.RAISE))
        kinds = ALL_EXITS if is_awaited else ALL_EXITS - {Exit.RAISE}
        with self.catch_exits(Catch(kinds)) as catch:
            if is_awaited:
                self.may_raise()
            ends = self.end_of(body)
        if catch.states:
            self._leave_through(final, before, ends, catch, swallows)
        else:
            self._state.join(before, ends)
            final()

    def _leave_through(
        self,
        final: Way[object],
        before: Snapshot,
        ends: list[Snapshot],
        catch: Catch,
        swallows: bool,
    ) -> None:
        """Run `final` once from all states joined, to record what happens in it; then
        once for each kind of exit, to find the state that follows."""
        exits = [each for states in catch.states.values() for each in states]
        self._state.join(before, [*ends, *exits])
        self.end_of(final)
        with self._journal.pause():
            after = self._run_final(final, before, ends)
            for kind, states in catch.states.items():
                reached = self._run_final(final, before, states)
                if kind is Exit.RAISE and swallows:
                    after += reached
                if reached:
                    self._pass_on(kind)
        self._state.join(before, after)

    def _run_final(
        self, final: Way[object], before: Snapshot, states: list[Snapshot]
    ) -> list[Snapshot]:
        if not states:
            return []
        self._state.join(before, states)
        return self.end_of(final)

    def _pass_on(self, kind: Exit) -> None:
        """Pass an exit on to what catches it further out."""
        snapshot = self._state.fork()
        for catch in self._find_catches(kind):
            catch.add(kind, snapshot)
