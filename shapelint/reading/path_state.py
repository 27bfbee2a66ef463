"""The state of a path at one moment: `fork` copies it, `restore` returns to a copy,
`join` merges several copies into what is still certain.

Statements change models, scopes and lists in place, as the script would. A snapshot
holds their contents, so that every way out of a fork starts from the same state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shapelint.reading.modes import ModeName, ModeSetting, Recording
from shapelint.reading.objects import OF_UNKNOWN_MODE, Objects
from shapelint.reading.value_joining import Joiner
from shapelint.reading.values import Bound, Items, Model, Scope, Table, Value


class NothingFollowsError(Exception):
    """Nothing runs after this statement: it is a `return`, `raise`, `break` or
    `continue`, or a call that never returns."""


class ModelState(NamedTuple):
    """The part of a model that may change on a path."""

    modes: frozenset[ModeSetting]
    turn: int
    frozen: bool
    trained: bool


_FROM_ELSEWHERE = ModelState(OF_UNKNOWN_MODE, 0, False, False)


@dataclass(frozen=True, eq=False)
class TableCopy:
    """A copy of a table. The same object is used until the table changes, so that
    comparing snapshots is cheap."""

    table: Table
    values: Table
    lists: tuple[Items, ...]

    @staticmethod
    def of(table: Table) -> TableCopy:
        """Copy a table."""
        lists = [each for each in table.values() if isinstance(each, Items)]
        return TableCopy(table, dict(table), tuple(lists))


Contents = tuple[list[Value | None], list[Value | None]]
"""The members and the keys of a list or dict."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that may change on a way. `tables`: names of scopes and attributes of
    objects, by the identity of the table."""

    grad: Recording
    models: dict[Model, ModelState]
    tables: dict[int, TableCopy]
    lists: dict[Items, Contents]


class PathState:
    """The state of one path. `scopes`: the scopes of the running functions."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.joiner = Joiner(self.objects)
        self.grad = Recording.ON
        self.scopes: list[Scope] = []
        self._turns = 0
        self._kept: dict[int, TableCopy] = {}

    # -- fork and restore

    def fork(self) -> Snapshot:
        """Copy the present state."""
        models = {each: _state_of(each) for each in self.objects.models}
        tables: dict[int, TableCopy] = {}
        lists: dict[Items, Contents] = {}
        for table in self._tables():
            kept = self._kept.get(id(table))
            # Forks are frequent, changes are not: one copy serves many snapshots.
            if kept is None or kept.values != table:
                kept = self._kept[id(table)] = TableCopy.of(table)
            tables[id(table)] = kept
            for each in kept.lists:
                lists[each] = [*each.members], [*each.keys]
        return Snapshot(self.grad, models, tables, lists)

    def _tables(self) -> Iterator[Table]:
        """The names of all running functions and of the scopes around them, and the
        attributes of all objects."""
        seen: set[int] = set()
        for innermost in reversed(self.scopes):
            scope: Scope | None = innermost
            while scope is not None and id(scope) not in seen:
                seen.add(id(scope))
                yield scope.names
                scope = scope.outer
        for instance in self.objects.instances:
            yield instance.attributes

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a state."""
        self.grad = snapshot.grad
        for model in self.objects.models:
            _set_state(model, _state_in(snapshot, model))
        for kept in snapshot.tables.values():
            # Most tables are as they were; comparing is faster than writing.
            if kept.table != kept.values:
                kept.table.clear()
                kept.table.update(kept.values)
        for items, (members, keys) in snapshot.lists.items():
            items.members[:], items.keys[:] = members, keys

    # -- join

    def join(self, before: Snapshot, ends: list[Snapshot]) -> None:
        """Merge the states `ends`, in which ways from `before` ended, into the present
        state.

        Raises:
            NothingFollowsError: no way has an end.
        """
        if not ends:
            raise NothingFollowsError
        # The last end is closest to the present state, and so the cheapest to go on from.
        self.restore(ends[-1])
        if len(ends) == 1:
            return
        if any(end.grad is not self.grad for end in ends):
            self.grad = Recording.DOUBTED
        for model in list(self.objects.models):
            self._join_model(model, before, ends)
        self._join_lists(ends)
        self._join_tables(ends)

    def _join_model(self, model: Model, before: Snapshot, ends: list[Snapshot]) -> None:
        # Ways on which the model was not made say nothing about it.
        found = [
            _state_in(end, model)
            for end in ends
            if model.made is None or model in end.models
        ]
        if not found:
            return
        if all(each == found[0] for each in found):
            _set_state(model, found[0])
            return
        self._turns += 1
        modes = _join_modes(_state_in(before, model).turn, found)
        frozen = any(each.frozen for each in found)
        trained = any(each.trained for each in found)
        _set_state(model, ModelState(modes, self._turns, frozen, trained))

    def _join_lists(self, ends: list[Snapshot]) -> None:
        for items in dict.fromkeys(each for end in ends for each in end.lists):
            known = [Items(*end.lists[items]) for end in ends if items in end.lists]
            joined = known[0]
            for each in known[1:]:
                joined = self.joiner.join_items(joined, each)
            items.members[:], items.keys[:] = joined.members, joined.keys

    def _join_tables(self, ends: list[Snapshot]) -> None:
        for key in dict.fromkeys(key for end in ends for key in end.tables):
            kept = [end.tables[key] for end in ends if key in end.tables]
            distinct = list(dict.fromkeys(kept))
            if len(distinct) > 1:
                self._join_table(distinct)

    def _join_table(self, distinct: list[TableCopy]) -> None:
        """Merge the values of each name. If some ways do not bind it, only the others
        count: after those ways, the script would raise when it reads the name."""
        table, first = distinct[0].table, distinct[0].values
        for name in dict.fromkeys(name for kept in distinct for name in kept.values):
            value = first.get(name)
            if all(kept.values.get(name) is value for kept in distinct):
                continue
            found = [kept.values[name] for kept in distinct if name in kept.values]
            table[name] = self._join_all(name, found)

    def _join_all(self, name: str, values: Iterable[Bound | None]) -> Bound | None:
        distinct = list({id(value): value for value in values}.values())
        joined = distinct[0]
        for value in distinct[1:]:
            joined = self.joiner.join(name, joined, value)
        return joined

    # -- modes

    def set_mode(self, model: Model, mode: ModeSetting) -> None:
        """Set the mode of a model. A model that may be the same one may be in that mode
        too."""
        own = {model, *model.parts}
        for other in self.objects.models:
            if other is not model and not own.isdisjoint({other, *other.parts}):
                self._turn(other, other.modes | {mode})
        self._turn(model, frozenset({mode}))

    def _turn(self, model: Model, modes: frozenset[ModeSetting]) -> None:
        self._turns += 1
        model.modes, model.turn = modes, self._turns


def _state_of(model: Model) -> ModelState:
    return ModelState(model.modes, model.turn, model.frozen, model.trained)


def _state_in(snapshot: Snapshot, model: Model) -> ModelState:
    """The state of a model in a snapshot. A model from elsewhere existed before
    anything was known about it; one that was made later is left as it is."""
    known = snapshot.models.get(model)
    if known is not None:
        return known
    return _FROM_ELSEWHERE if model.made is None else _state_of(model)


def _set_state(model: Model, state: ModelState) -> None:
    model.modes, model.turn, model.frozen, model.trained = state


def _join_modes(turn_before: int, found: list[ModelState]) -> frozenset[ModeSetting]:
    """The modes of a model after several ways.

    If one way sets eval mode and another sets train mode, eval mode becomes unknown:
    the code that follows was not meant to run in it."""
    modes = frozenset(mode for each in found for mode in each.modes)
    turned = [each for each in found if each.turn != turn_before]
    if all(_may_evaluate(each) for each in turned):
        return modes
    return frozenset(
        ModeSetting(ModeName.UNKNOWN, mode.set_by)
        if mode.name is ModeName.EVAL
        else mode
        for mode in modes
    )


def _may_evaluate(state: ModelState) -> bool:
    return any(mode.name is ModeName.EVAL for mode in state.modes)
