"""Joins the values that a name has on several ways.

If the ways disagree, nothing is certain: a model becomes one of several, and of other
values only the names are kept."""

from __future__ import annotations

from itertools import zip_longest

from shapelint.reading.objects import Objects
from shapelint.reading.values import (
    Bound,
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
    Value,
    is_none,
    unite_results,
)


class Joiner:
    """Joins values. New models and instances are added to the objects of the path."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def join_values(
        self, name: str, one: Value | None, other: Value | None
    ) -> Value | None:
        """Like `join`, for values that are read already."""
        return _read(self.join(name, one, other))

    def join(self, name: str, one: Bound | None, other: Bound | None) -> Bound | None:
        """Join two values. `name` is empty if they have none."""
        one, other = _read_already(one), _read_already(other)
        if one is other:
            return one
        if isinstance(one, Pending) or isinstance(other, Pending):
            # Reading an import only because ways meet would read the whole project.
            first, second = one, other
            return Pending(lambda: self._join_values(name, _read(first), _read(second)))
        return self._join_values(name, one, other)

    def _join_values(
        self, name: str, one: Value | None, other: Value | None
    ) -> Value | None:
        if one is other or _are_equal(one, other):
            return one
        match one, other:
            case Items() as items, Items() as more:
                return self.join_items(items, more)
            case (Result(), _) | (_, Result()):
                return unite_results([one, other])
            case (Model(), _) | (_, Model()):
                return self._join_models(name, one, other)
            case Instance() as mine, Instance() as theirs:
                if mine.made_from is theirs.made_from:
                    return self._join_instances(mine, theirs)
            # None stands for a module that may not be installed.
            case (Reference() as known, missing) | (missing, Reference() as known):
                if is_none(missing):
                    return known
        return self._join_names(name, one, other)

    def join_items(self, one: Items, other: Items) -> Items:
        """Join two lists, or two dicts, member by member."""
        if one.keys or other.keys:
            return self._join_dicts(one, other)
        pairs = zip_longest(one.members, other.members)
        return Items([self._join_members(mine, theirs) for mine, theirs in pairs])

    def _join_dicts(self, one: Items, other: Items) -> Items:
        joined = _pair_by_key(one)
        for key, (node, theirs) in _pair_by_key(other).items():
            member = theirs
            if key in joined:
                _, mine = joined[key]
                member = self._join_members(mine, theirs)
            joined[key] = node, member
        members = [value for _, value in joined.values()]
        return Items(members, [key for key, _ in joined.values()] or [None])

    def _join_members(self, mine: Value | None, theirs: Value | None) -> Value | None:
        if mine is None or theirs is None:
            return mine or theirs
        return self.join_values("", mine, theirs)

    def _join_names(
        self, name: str, one: Value | None, other: Value | None
    ) -> Thing | Result | None:
        """A thing of which only the names, and the results it was computed from, are
        known."""
        results = unite_results([one, other])
        if results is not None:
            return results
        things = [each for each in (one, other) if isinstance(each, Thing)]
        names = [name] if name else []
        for thing in things:
            names += thing.names
        if not names:
            return None
        joined = Thing(tuple(dict.fromkeys(names)))
        joined.wants_grad = any(thing.wants_grad for thing in things)
        if any(thing.model is not None for thing in things):
            models = [self._as_model(each, joined.names) for each in (one, other)]
            joined.model = self._objects.one_of(name, models)
        return joined

    def _as_model(self, value: Value | None, names: tuple[str, ...]) -> Model:
        thing = value if isinstance(value, Thing) else Thing(names)
        return self._objects.as_model(thing)

    def _join_models(
        self, name: str, one: Value | None, other: Value | None
    ) -> Model | Thing | None:
        """A model that is one of two, or that may be None."""
        models: list[Model] = []
        for each in (one, other):
            if isinstance(each, Model):
                models.append(each)
            elif each is None or isinstance(each, Thing):
                models.append(self._as_model(each, (name,)))
            elif not is_none(each):
                return Thing((name,)) if name else None
        return self._objects.one_of(name, models, is_none(one) or is_none(other))

    def _join_instances(self, one: Instance, other: Instance) -> Instance:
        joined = self._objects.make_instance(one.made_from)
        for name in dict.fromkeys([*one.attributes, *other.attributes]):
            mine, theirs = one.attributes.get(name), other.attributes.get(name)
            if name in one.attributes and name in other.attributes:
                joined.attributes[name] = self.join(name, mine, theirs)
            else:
                # Set on one way only: read without it, the script would raise.
                joined.attributes[name] = mine or theirs
        return joined


def _are_equal(one: Value | None, other: Value | None) -> bool:
    """Whether two values need not be distinguished."""
    traits = _traits_of(one)
    return traits is not None and traits == _traits_of(other)


def _traits_of(value: Value | None) -> tuple[object, ...] | None:
    """The traits by which two values of a kind are compared; None if they are always
    distinguished."""
    match value:
        case Constant():
            # 1, 1.0 and True are equal to Python, and are not one constant.
            return Constant, type(value.value), value.value
        case Function():
            return Function, value.node, value.bound
        case Method():
            return Method, value.owner, value.name
        case Part():
            return Part, value.model, value.path
        case Reference():
            # `lib.a.tqdm` and `lib.b.tqdm`, one imported where the other is missing
            return Reference, value.last
        case Optimizer():
            return (Optimizer,)
    return None


def _read_already(value: Bound | None) -> Bound | None:
    """Replace a pending import by its value if it has been read."""
    if isinstance(value, Pending) and value.found is not None:
        return value.found
    return value


def _read(value: Bound | None) -> Value | None:
    return value.value if isinstance(value, Pending) else value


def _pair_by_key(items: Items) -> dict[object, tuple[Value | None, Value | None]]:
    """The members of a dict by their keys. If keys are equal, the last one wins."""
    first = len(items.keys) - len(items.members)
    keys = items.keys[first:] if items.members else []
    found: dict[object, tuple[Value | None, Value | None]] = {}
    for key, member in zip(keys, items.members, strict=False):
        known = repr(key.value) if isinstance(key, Constant) else id(key)
        found[known] = key, member
    return found
