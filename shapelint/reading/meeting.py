"""What a name stands for where ways meet that bind it to different values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from shapelint.reading.values import (
    Constant,
    Function,
    Instance,
    Items,
    Method,
    Model,
    Optimizer,
    Part,
    Pending,
    Reference,
    Result,
    Thing,
)

_EQUAL: dict[type, Callable[[Any, Any], bool]] = {
    Constant: lambda one, other: (
        type(one.value) is type(other.value) and bool(one.value == other.value)
    ),
    Function: lambda one, other: one.node is other.node and one.bound is other.bound,
    Method: lambda one, other: one.owner is other.owner and one.name == other.name,
    Optimizer: lambda _one, _other: True,
    Part: lambda one, other: one.model is other.model and one.path == other.path,
    Reference: lambda one, other: bool(one.last == other.last),
}
"""When two values are as good as one; others are only if they are one object."""


class Meeting:
    """Joins values; mixed into what runs statements."""

    models: list[Model]
    instances: list[Instance]
    met: dict[frozenset[Model], Model]

    # what evaluates expressions gives these
    union: Any
    as_model: Any

    def meet(self, name: str, one: Any, other: Any) -> Any:
        """What a name (or nothing, for what has none) stands for that is one of two
        values."""
        one, other = _read(one), _read(other)
        if one is other:
            return one
        if isinstance(one, Pending) or isinstance(
            other, Pending
        ):  # not to be read before it is asked for
            return Pending(lambda: self.meet(name, _resolved(one), _resolved(other)))
        if isinstance(one, Items) and isinstance(other, Items):
            return self.meet_items(one, other)
        if isinstance(one, Result) or isinstance(other, Result):
            return self.union([one, other])
        if isinstance(one, Model) or isinstance(other, Model):
            return self._one_of_models(name, one, other)
        if (
            isinstance(one, Instance)
            and isinstance(other, Instance)
            and one.made_from is other.made_from
        ):
            return self._one_of_instances(one, other)
        if type(one) is type(other) and _EQUAL.get(type(one), _never)(one, other):
            return one
        if isinstance(one, Reference) and _is_none(
            other
        ):  # a module that may not be installed
            return one
        if isinstance(other, Reference) and _is_none(one):
            return other
        return self._anything(name, one, other)

    def meet_items(self, one: Items, other: Items) -> Items:
        """The members of two lists, or of two dicts, each of either."""
        if one.keys or other.keys:
            return self._met_dicts(one, other)
        pairs = zip_longest(one.members, other.members)
        return Items([self._member(mine, theirs) for mine, theirs in pairs])

    def _met_dicts(self, one: Items, other: Items) -> Items:
        mine, theirs = _by_key(one), _by_key(other)
        found = {key: (each, mine[key][1]) for key, (each, _) in mine.items()}
        for key, (each, value) in theirs.items():
            found[key] = (
                each,
                self._member(mine[key][1], value) if key in mine else value,
            )
        return Items(
            [value for _, value in found.values()],
            [key for key, _ in found.values()] or [None],
        )

    def _member(self, mine: Any, theirs: Any) -> Any:
        return (
            self.meet("", mine, theirs)
            if mine is not None and theirs is not None
            else (mine or theirs)
        )

    def _anything(self, name: str, one: Any, other: Any) -> Any:
        """Something of which no more is known than the names it goes by."""
        results = self.union([one, other])
        if results is not None:
            return results
        things = [each for each in (one, other) if isinstance(each, Thing)]
        names = dict.fromkeys(
            [
                *([name] if name else []),
                *(each for thing in things for each in thing.names),
            ]
        )
        if not names:
            return None
        joined = Thing(
            tuple(names), wants_grad=any(thing.wants_grad for thing in things)
        )
        if any(thing.model is not None for thing in things):
            models = [
                self.as_model(each if isinstance(each, Thing) else Thing(tuple(names)))
                for each in (one, other)
            ]
            joined.model = self._one_of(name, models)
        return joined

    def _one_of_models(self, name: str, one: Any, other: Any) -> Any:
        values = [one, other]
        if all(
            each is None or _is_none(each) or isinstance(each, (Model, Thing))
            for each in values
        ):
            models = [
                each
                if isinstance(each, Model)
                else self.as_model(each if isinstance(each, Thing) else Thing((name,)))
                for each in values
                if not _is_none(each)
            ]
            return self._one_of(name, models, any(map(_is_none, values)))
        return Thing((name,)) if name else None

    def _one_of(self, name: str, models: list[Model], optional: bool = False) -> Model:
        """A model that is one of several: in a mode that any of them is in."""
        parts = tuple(
            dict.fromkeys(part for each in models for part in (each.parts or (each,)))
        )
        optional = optional or any(each.optional for each in models)
        if len(parts) == 1 and optional == models[0].optional:
            return models[0]
        known = self.met.get(frozenset(parts))
        if known is None or known.optional != optional:
            known = self.met[frozenset(parts)] = Model(
                models[0].name or name, models[0].made, _layers(models)
            )
            known.modes, known.parts, known.optional = frozenset(), parts, optional
            known.proven = all(each.proven for each in models)
            self.models.append(known)
        for flag in ("loaded", "trained", "handled", "frozen"):
            setattr(known, flag, any(getattr(each, flag) for each in (known, *models)))
        known.modes = known.modes.union(*(each.modes for each in models))
        known.made_from = _class_of(models)
        return known

    def _one_of_instances(self, one: Instance, other: Instance) -> Instance:
        joined = Instance(one.made_from)
        self.instances.append(joined)
        for name in dict.fromkeys([*one.attributes, *other.attributes]):
            mine, theirs = one.attributes.get(name), other.attributes.get(name)
            is_in_both = name in one.attributes and name in other.attributes
            joined.attributes[name] = (
                self.meet(name, mine, theirs) if is_in_both else mine or theirs
            )
        return joined


def _never(_one: Any, _other: Any) -> bool:
    return False


def _is_none(value: Any) -> bool:
    return isinstance(value, Constant) and value.value is None


def _read(value: Any) -> Any:
    """What was imported, if it has been read."""
    return (
        value.found if isinstance(value, Pending) and value.found is not None else value
    )


def _resolved(value: Any) -> Any:
    return value.value if isinstance(value, Pending) else value


def _by_key(items: Items) -> dict[Any, tuple[Any, Any]]:
    """The members of a dict by what their keys are; of equal keys the last counts."""
    keys = items.keys[len(items.keys) - len(items.members) :] if items.members else []
    pairs = zip(keys, items.members, strict=False)
    return {
        repr(key.value) if isinstance(key, Constant) else id(key): (key, value)
        for key, value in pairs
    }


def _layers(models: list[Model]) -> tuple[str, ...] | None:
    """The layers of any; none where one of the models has none, since it may be that
    one."""
    if any(each.layers == () for each in models):
        return ()
    if any(each.layers is None for each in models):
        return None
    return tuple(dict.fromkeys(layer for each in models for layer in each.layers or ()))


def _class_of(models: list[Model]) -> Any:
    """The class of all, or that of the one that takes derivatives; else it is not
    known."""
    differentiates = next(
        (each.made_from for each in models if each.differentiates), None
    )
    same = all(each.made_from is models[0].made_from for each in models)
    return models[0].made_from if same else differentiates
