"""The possible values of an expression in a training script, as a typed union."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from shapelint.reading.modes import ModeName, ModeSetting, Recording, Where
from shapelint.reading.vocabulary import Purpose
from shapelint.syntax.trees import ParsedFile

FUNCTION_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(eq=False)
class Model:
    """A model object, or one of several (`parts`) after ways were joined."""

    name: str
    made: Where | None = None
    """The call that made it; None for a model from elsewhere."""
    layers: tuple[str, ...] | None = None
    """The mode-dependent layers; None if they are not known."""
    modes: frozenset[ModeSetting] = frozenset({ModeSetting(ModeName.TRAIN)})
    loaded: bool = False
    trained: bool = False
    handled: bool = False
    """Whether other code, such as a framework, sets its mode."""
    frozen: bool = False
    """Whether its weights require no gradients."""
    proven: bool = True
    """Whether it was made or used in a way that only modules are; false if only its
    name says that it is a model."""
    made_from: Class | None = None
    turn: int = 0
    """The number of the last mode change of this model on this path."""
    parts: tuple[Model, ...] = ()
    optional: bool = False
    """Whether it may be None instead."""


@dataclass(eq=False)
class Part:
    """An attribute of a model: a submodule or a method."""

    model: Model
    path: str


@dataclass(eq=False)
class Loop:
    """A running loop. `models_before`: the number of models when it began."""

    at: Where
    purpose: Purpose
    models_before: int = 0


@dataclass(eq=False)
class Frame:
    """A running function. `called_at`: None if reading started at it."""

    function: Function
    called_at: Where | None


@dataclass(eq=False)
class Forward:
    """One call of a model, and the uses of its result."""

    at: Where
    model: Model
    modes: frozenset[ModeSetting]
    grad: Recording
    stack: tuple[Loop | Frame, ...]
    """The loops and functions around the call, outermost first."""
    trained: bool = False
    trained_with: bool = False
    """Whether something trains with its detached result, as with a target."""
    escapes: bool = False
    """Whether the result is returned to a caller that is not read."""
    measured: bool = False
    for_gradient: bool = False
    dropped: bool = False
    """Whether the result is not used, as in a call to warm up or to calibrate."""
    after_training: bool = False

    @property
    def loops(self) -> list[Loop]:
        """The loops around the call, outermost first."""
        return [each for each in self.stack if isinstance(each, Loop)]

    @property
    def frames(self) -> list[Frame]:
        """The functions around the call, outermost first."""
        return [each for each in self.stack if isinstance(each, Frame)]

    @property
    def in_train_mode(self) -> bool:
        """Whether the model is certainly in train mode."""
        return all(mode.name is ModeName.TRAIN for mode in self.modes) and bool(
            self.modes
        )


@dataclass(eq=False)
class Result:
    """A value computed from calls of models. `apart`: the calls from which it was
    detached."""

    calls: frozenset[Forward] = frozenset()
    apart: frozenset[Forward] = frozenset()


@dataclass(eq=False)
class Thing:
    """Any other value, with its names. `model`: the model it turned out to be because
    it was used as one. `wants_grad`: it is a tensor that requires a gradient."""

    names: tuple[str, ...] = ()
    model: Model | None = None
    wants_grad: bool = False


@dataclass(eq=False)
class Constant:
    """A literal value."""

    value: object


@dataclass(eq=False)
class Items:
    """A tuple, list, set or dict.

    A dict has `keys`, aligned with `members` from the end. An empty dict has the single
    key None, which distinguishes it from a list."""

    members: list[Value | None]
    keys: list[Value | None] = field(default_factory=list)


@dataclass(eq=False)
class Optimizer:
    """An optimizer."""

    name: str = ""


@dataclass(eq=False)
class Reference:
    """An import, by its dotted name: `torch.nn.Linear`."""

    dotted: str

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.dotted.rpartition(".")[2]


@dataclass(eq=False)
class Scope:
    """The names of a module or a function."""

    source: ParsedFile
    names: Table = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Value | None:
        """The value of a name in this scope or one around it; None if it is not
        known."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.own(name)
            scope = scope.outer
        return None

    def own(self, name: str) -> Value | None:
        """The value of a name in this scope. An import is read when it is first
        used."""
        value = self.names.get(name)
        if isinstance(value, Pending):
            value = self.names[name] = value.value
        return value


@dataclass(eq=False)
class Pending:
    """An import from a local file, which is read when its value is needed."""

    resolve: Callable[[], Value | None]
    found: Value | None = None

    @property
    def value(self) -> Value | None:
        """The imported value."""
        if self.found is None:
            self.found = self.resolve()
        return self.found


@dataclass(eq=False)
class Function:
    """A function of the files, with the object it is bound to."""

    node: FunctionNode
    scope: Scope
    bound: Value | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name


class ClassKind(Enum):
    """The kind of a class. `MODULE`: its objects are models. `FRAMEWORK`: a library
    runs its loops."""

    MODULE = "module"
    FRAMEWORK = "framework"
    OTHER = ""


@dataclass(eq=False)
class Class:
    """A class of the files. `layers`: those that depend on the mode, if a walk has
    shown them."""

    node: ast.ClassDef
    scope: Scope
    kind: ClassKind = ClassKind.OTHER
    layers: tuple[str, ...] | None = None
    bases: list[Value | None] = field(default_factory=list)

    @property
    def known_bases(self) -> list[Class]:
        """The bases that are in the files."""
        return [base for base in self.bases if isinstance(base, Class)]


@dataclass(eq=False)
class Instance:
    """An instance of a class that is not a module, such as a trainer."""

    made_from: Class
    attributes: Table = field(default_factory=dict)


@dataclass(eq=False)
class Method:
    """A bound method that is not called yet."""

    owner: Value
    name: str


Value = (
    Model
    | Part
    | Result
    | Thing
    | Constant
    | Items
    | Optimizer
    | Reference
    | Scope
    | Function
    | Class
    | Instance
    | Method
)
"""The value of an expression; None (outside of the union) if nothing is known."""

Bound = Value | Pending
"""The value to which a name is bound."""

Table = dict[str, Bound | None]
"""The names of a scope, or the attributes of an object."""

Evaluate = Callable[[ast.expr | None, Scope], Value | None]
"""Returns the value of an expression in a scope."""

RunBlock = Callable[[Iterable[ast.stmt], Scope], None]
"""Runs statements in a scope."""


def is_none(value: Bound | None) -> bool:
    """Whether a value is the constant None."""
    return isinstance(value, Constant) and value.value is None


def unite_results(values: Iterable[Bound | None]) -> Result | None:
    """A result of all calls from which these values were computed; None if there are
    none."""
    calls: frozenset[Forward] = frozenset()
    apart: frozenset[Forward] = frozenset()
    for value in values:
        inner = unite_results(value.members) if isinstance(value, Items) else value
        if isinstance(inner, Result):
            calls |= inner.calls
            apart |= inner.apart
    return Result(calls, apart) if calls or apart else None
