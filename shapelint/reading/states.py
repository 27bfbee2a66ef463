"""What is known at one moment of a path, and what is still known where several ways
meet.

Where they do not agree, nothing is certain: a mode is one of several, a value is only
what all ways say it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from shapelint.reading.events import GRAD_DOUBTED
from shapelint.reading.meeting import Meeting
from shapelint.reading.values import EVAL, UNKNOWN, Instance, Items, Mode, Model, Scope

Table = dict[str, Any]


class NothingFollowsError(Exception):
    """What is run now does not go on: a `return`, `raise`, `break` or `continue`, or a
    call that never comes back."""


class Standing(NamedTuple):
    """What may change of one model. `turn`: which change of its mode was the last."""

    modes: frozenset[Mode]
    turn: int
    frozen: bool
    trained: bool


@dataclass(frozen=True, eq=False)
class Kept:
    """What a table held; one object for as long as it does not change, so that equal
    states are cheap to tell."""

    table: Table
    values: Table
    lists: tuple[Items, ...]

    @staticmethod
    def of(table: Table) -> Kept:
        """What a table holds now."""
        return Kept(
            table,
            dict(table),
            tuple(each for each in table.values() if isinstance(each, Items)),
        )


@dataclass(frozen=True)
class State:
    """Everything that a branch may change. `tables`: names of scopes and attributes of
    objects, by their identity."""

    grad: str
    models: dict[Model, Standing]
    tables: dict[int, Kept]
    lists: dict[Items, tuple[list[Any], list[Any]]]


_FROM_ELSEWHERE = Standing(frozenset({Mode(UNKNOWN)}), 0, False, False)


class States(Meeting):
    """Takes, restores and joins states; mixed into what runs statements."""

    grad: str
    instances: list[Instance]
    scopes: list[Scope]
    turns: int
    kept: dict[int, Kept]

    def state(self) -> State:
        """What is known now."""
        models = {
            each: Standing(each.modes, each.turn, each.frozen, each.trained)
            for each in self.models
        }
        tables: dict[int, Kept] = {}
        lists: dict[Items, tuple[list[Any], list[Any]]] = {}
        for table in self._tables():
            kept = self.kept.get(id(table))
            if kept is None or kept.values != table:
                kept = self.kept[id(table)] = Kept.of(table)
            tables[id(table)] = kept
            for each in kept.lists:
                lists[each] = [*each.members], [*each.keys]
        return State(self.grad, models, tables, lists)

    def _tables(self) -> Iterator[Table]:
        """The names of all functions that run now, those around them, and the
        attributes of all objects."""
        seen: set[int] = set()
        for innermost in reversed(self.scopes):
            scope: Scope | None = innermost
            while scope is not None and id(scope) not in seen:
                seen.add(id(scope))
                yield scope.names
                scope = scope.outer
        yield from (each.attributes for each in self.instances)

    def restore(self, state: State) -> None:
        """Go back to a state."""
        self.grad = state.grad
        for model in self.models:
            self._put(model, _standing(state, model))
        for kept in state.tables.values():
            if kept.table != kept.values:
                kept.table.clear()
                kept.table.update(kept.values)
        for items, (members, keys) in state.lists.items():
            items.members[:], items.keys[:] = members, keys

    def resume(self, before: State, ends: list[State]) -> None:
        """Go on from where ways meet that began at `before`.

        Raises:
            NothingFollowsError: there are none.
        """
        if not ends:
            raise NothingFollowsError
        self.restore(ends[-1])
        if len(ends) == 1:
            return
        if any(end.grad != self.grad for end in ends):
            self.grad = GRAD_DOUBTED
        for model in list(self.models):
            self._join_model(model, before, ends)
        self._join_lists(ends)
        self._join_tables(ends)

    def set_mode(self, model: Model, mode: Mode) -> None:
        """Set a model's mode; what may be the same model may be in that mode too."""
        own = {model, *model.parts}
        for other in self.models:
            if other is not model and not own.isdisjoint({other, *other.parts}):
                self._turn(other, other.modes | {mode})
        self._turn(model, frozenset({mode}))

    def _turn(self, model: Model, modes: frozenset[Mode]) -> None:
        self.turns += 1
        model.modes, model.turn = modes, self.turns

    @staticmethod
    def _put(model: Model, standing: Standing) -> None:
        model.modes, model.turn, model.frozen, model.trained = standing

    def _join_model(self, model: Model, before: State, ends: list[State]) -> None:
        found = [
            _standing(end, model)
            for end in ends
            if model.made is None or model in end.models
        ]
        if all(each == found[0] for each in found):
            if found:
                self._put(model, found[0])
            return
        self.turns += 1
        modes = _joined_modes(_standing(before, model).turn, found)
        frozen, trained = (
            any(each.frozen for each in found),
            any(each.trained for each in found),
        )
        self._put(model, Standing(modes, self.turns, frozen, trained))

    def _join_lists(self, ends: list[State]) -> None:
        for items in dict.fromkeys(each for end in ends for each in end.lists):
            known = [Items(*end.lists[items]) for end in ends if items in end.lists]
            joined = known[0]
            for each in known[1:]:
                joined = self.meet_items(joined, each)
            items.members[:], items.keys[:] = joined.members, joined.keys

    def _join_tables(self, ends: list[State]) -> None:
        for key in {key: None for end in ends for key in end.tables}:
            distinct = list(
                dict.fromkeys(end.tables[key] for end in ends if key in end.tables)
            )
            if len(distinct) > 1:
                self._join_table(distinct)

    def _join_table(self, distinct: list[Kept]) -> None:
        table, first = distinct[0].table, distinct[0].values
        for name in dict.fromkeys(name for kept in distinct for name in kept.values):
            value = first.get(name)
            if any(kept.values.get(name) is not value for kept in distinct):
                table[name] = self._met(
                    name,
                    (kept.values[name] for kept in distinct if name in kept.values),
                )

    def _met(self, name: str, values: Iterable[Any]) -> Any:
        """One value of several; a name that some of the ways do not bind is what the
        others bind it to."""
        distinct = list({id(value): value for value in values}.values())
        joined = distinct[0]
        for value in distinct[1:]:
            joined = self.meet(name, joined, value)
        return joined


def _standing(state: State, model: Model) -> Standing:
    """How a model stands in a state; one that came from elsewhere was there before
    anything was known of it."""
    now = Standing(model.modes, model.turn, model.frozen, model.trained)
    return state.models.get(model, _FROM_ELSEWHERE if model.made is None else now)


def _joined_modes(turn_before: int, found: list[Standing]) -> frozenset[Mode]:
    """The modes of all; an eval mode that another way took back is one that may never
    be met."""
    modes = frozenset(mode for each in found for mode in each.modes)
    turned = [each for each in found if each.turn != turn_before]
    if all(any(mode.name == EVAL for mode in each.modes) for each in turned):
        return modes
    return frozenset(
        Mode(UNKNOWN, mode.set_by) if mode.name == EVAL else mode for mode in modes
    )
