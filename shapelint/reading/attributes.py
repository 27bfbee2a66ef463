"""The values of attributes."""

from __future__ import annotations

from shapelint.reading.functions import bind_method
from shapelint.reading.library_methods import NO_RESULT_ATTRIBUTES, WRAPPED_MODEL
from shapelint.reading.modes import ModeName
from shapelint.reading.values import (
    Constant,
    Instance,
    Method,
    Model,
    Pending,
    Reference,
    Result,
    Scope,
    Thing,
    Value,
)


def find_attribute(owner: Value | None, name: str) -> Value | None:
    """The value of `owner.name`; None if nothing is known about the owner."""
    if owner is None:
        return None
    if isinstance(owner, Reference):
        return Reference(f"{owner.dotted}.{name}")
    if isinstance(owner, Scope):
        return owner.own(name) or Reference(name)
    if isinstance(owner, Instance):
        return _attribute_of_instance(owner, name)
    if isinstance(owner, Model):
        return _attribute_of_model(owner, name)
    if isinstance(owner, Thing):
        # It was used as a model before: its attributes are methods now.
        if owner.model is not None:
            return Method(owner.model, name)
        return Thing((*owner.names, name))
    if isinstance(owner, Result) and name in NO_RESULT_ATTRIBUTES:
        return Thing((name,))
    return Method(owner, name)


def _attribute_of_instance(owner: Instance, name: str) -> Value | None:
    if name in owner.attributes:
        value = owner.attributes[name]
        return value.value if isinstance(value, Pending) else value
    return bind_method(owner, name) or Method(owner, name)


def _attribute_of_model(owner: Model, name: str) -> Value:
    if name in WRAPPED_MODEL:
        return owner
    if name != "training":
        return Method(owner, name)
    modes = {mode.name for mode in owner.modes}
    if modes == {ModeName.TRAIN}:
        return Constant(True)
    if modes == {ModeName.EVAL}:
        return Constant(False)
    return Thing((owner.name, name))
