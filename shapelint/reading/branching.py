"""Ways that part and meet again: the one place where a path forks and joins.

Each way runs from the state at the fork; what the ways that go on leave is joined. A
way that does not go on hands its state to whatever catches it: a `return` to the
function, a `break` or `continue` to the loop, a `raise` to the handlers around it.
"""

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
    """How a way ends without going on to the next statement."""

    RETURN = "return"
    BREAK = "break"
    CONTINUE = "continue"
    RAISE = "raise"


ALL_EXITS = frozenset(Exit)


@dataclass
class Catch:
    """Where exits of some kinds lead, with the states that they bring. `is_final`: no
    exception goes past."""

    kinds: frozenset[Exit]
    is_final: bool = True
    states: dict[Exit, list[Snapshot]] = field(default_factory=dict)

    def add(self, kind: Exit, snapshot: Snapshot) -> None:
        """One more state, unless it equals the one that came last: most statements that
        may raise change nothing."""
        known = self.states.setdefault(kind, [])
        if not known or known[-1] != snapshot:
            known.append(snapshot)

    def take(self, kind: Exit) -> list[Snapshot]:
        """The states of one kind that came since the last time."""
        return self.states.pop(kind, [])


class Branching:
    """Forks and joins the state of a path."""

    def __init__(self, state: PathState, journal: Journal) -> None:
        self._state = state
        self._journal = journal
        self._catches: list[Catch] = []

    # -- ways

    def fork(self, ways: list[Way[T]]) -> list[T]:
        """Run each way from the present state and go on with what they leave; the
        values of those that end.

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
        """Go the way that a condition decides, or both where it may be either."""
        if truth is None:
            self.fork([then, otherwise])
        elif truth:
            then()
        else:
            otherwise()

    def end_of(self, way: Way[object]) -> list[Snapshot]:
        """Run something; the state in which it ends, if it does."""
        try:
            way()
        except NothingFollowsError:
            return []
        return [self._state.fork()]

    # -- exits

    def leave(self, kind: Exit) -> NoReturn:
        """Hand the present state to whatever catches an exit.

        Raises:
            NothingFollowsError: always; nothing follows here.
        """
        snapshot = self._state.fork()
        for catch in self._find_catches(kind):
            catch.add(kind, snapshot)
        raise NothingFollowsError

    def may_raise(self) -> None:
        """Something ran that might have raised, with what is known now."""
        catches = list(self._find_catches(Exit.RAISE))
        if not catches:
            return
        snapshot = self._state.fork()
        for catch in catches:
            catch.add(Exit.RAISE, snapshot)

    def _find_catches(self, kind: Exit) -> Iterator[Catch]:
        """What an exit may reach, innermost first.

        A `return` or `break` reaches one place. An exception may pass handlers that do
        not match it, up to the first that catches everything.
        """
        for catch in reversed(self._catches):
            if kind in catch.kinds:
                yield catch
                if kind is not Exit.RAISE or catch.is_final:
                    return

    @contextmanager
    def catch_exits(self, catch: Catch) -> Iterator[Catch]:
        """While this lasts, exits lead to `catch`."""
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
        """Run `body`, then `final` whichever way it was left.

        `swallows`: exceptions may end there, as in `suppress`. `sees_all`: `final` is
        the user's own code, so that it runs for exceptions which nobody catches, too.
        """
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
        """Run `final` once with all that may be, for what is found in it; then once for
        each exit, for what comes after."""
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
        """An exit goes on to what catches it further out."""
        snapshot = self._state.fork()
        for catch in self._find_catches(kind):
            catch.add(kind, snapshot)
