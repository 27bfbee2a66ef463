"""The objects of a path: models, and instances of the files' classes."""

from __future__ import annotations

from shapelint.reading.class_bodies import takes_derivatives
from shapelint.reading.modes import UNKNOWN_MODE, ModeName, ModeSetting, Where
from shapelint.reading.values import Bound, Class, Instance, Model, Thing

OF_UNKNOWN_MODE = frozenset({UNKNOWN_MODE})


class Objects:
    """All models and instances of one path, in the order in which they were made."""

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.instances: list[Instance] = []
        self._joined: dict[frozenset[Model], Model] = {}

    def make_model(
        self,
        made: Where,
        layers: tuple[str, ...] | None,
        mode: ModeName = ModeName.TRAIN,
    ) -> Model:
        """Add a model that is made here."""
        model = Model("", made, layers, frozenset({ModeSetting(mode)}))
        self.models.append(model)
        return model

    def make_instance(self, owner: Class) -> Instance:
        """Add an instance of a class of the files."""
        instance = Instance(owner)
        self.instances.append(instance)
        return instance

    def as_model(self, thing: Thing) -> Model:
        """The model that a thing turns out to be because it is used as one. It came
        from elsewhere, in an unknown mode."""
        if thing.model is None:
            name = thing.names[0] if thing.names else ""
            thing.model = Model(name, modes=OF_UNKNOWN_MODE, proven=False)
            self.models.append(thing.model)
        return thing.model

    def one_of(
        self, name: str, models: list[Model], may_be_none: bool = False
    ) -> Model:
        """A model that is one of several, in any of their modes. The same models always
        give the same object, so that facts about it accumulate."""
        parts = tuple(
            dict.fromkeys(part for each in models for part in (each.parts or (each,)))
        )
        optional = may_be_none or any(each.optional for each in models)
        first = models[0]
        # The same model came by both ways.
        if len(parts) == 1 and optional == first.optional:
            return first
        joined = self._joined.get(frozenset(parts))
        if joined is None or joined.optional != optional:
            joined = Model(
                first.name or name,
                first.made,
                _layers_of_any(models),
                frozenset(),
                proven=all(each.proven for each in models),
                parts=parts,
                optional=optional,
            )
            self._joined[frozenset(parts)] = joined
            self.models.append(joined)
        _add_up(joined, models)
        return joined


def _add_up(joined: Model, models: list[Model]) -> None:
    """Whatever holds for one of the models may hold for the joined one."""
    for each in models:
        joined.loaded |= each.loaded
        joined.trained |= each.trained
        joined.handled |= each.handled
        joined.frozen |= each.frozen
        joined.modes |= each.modes
    joined.made_from = _class_of_any(models)


def _layers_of_any(models: list[Model]) -> tuple[str, ...] | None:
    """The layers of all models. Empty if one of the models has none, because it may be
    the one that is called; None if they are unknown for one."""
    layers = [each.layers for each in models]
    # A finding would be wrong for that one.
    if () in layers:
        return ()
    if None in layers:
        return None
    return tuple(dict.fromkeys(layer for each in layers for layer in each or ()))


def _class_of_any(models: list[Model]) -> Class | None:
    """The common class of the models; otherwise one that takes derivatives, because it
    allows the fewest findings; otherwise None."""
    classes = [each.made_from for each in models]
    if all(each is classes[0] for each in classes):
        return classes[0]
    known = [each for each in classes if each is not None]
    return next((each for each in known if takes_derivatives(each)), None)


def models_among(values: list[Bound | None]) -> list[Model]:
    """The models among values, including things that turned out to be models."""
    found = []
    for value in values:
        model = value.model if isinstance(value, Thing) else value
        if isinstance(model, Model):
            found.append(model)
    return found
