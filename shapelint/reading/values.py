"""What an expression of a training script may be: a model, what a model gave, a loader,
a function of the file."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from shapelint.syntax.texts import DISK, Texts

TRAIN, EVAL, UNKNOWN = "train", "eval", "unknown"
"""The modes of a model, and that of one which came from elsewhere."""

_EVAL_WORDS = {
    *(
        "val",
        "valid",
        "validation",
        "validate",
        "validating",
        "test",
        "testing",
        "dev",
        "eval",
        "evaluate",
    ),
    *(
        "evaluation",
        "evaluating",
        "evaluator",
        "holdout",
        "predict",
        "prediction",
        "predictions",
        "predicting",
    ),
    *(
        "infer",
        "inference",
        "inferring",
        "validset",
        "valset",
        "testset",
        "devset",
        "vali",
        "tst",
    ),
}
_TRAIN_WORDS = {
    *(
        "train",
        "training",
        "trn",
        "trainset",
        "fit",
        "finetune",
        "pretrain",
        "update",
        "learn",
        "optimize",
        "optimise",
    ),
}


def words_of(name: str) -> set[str]:
    """`valLoader` and `val_loader` as `val` and `loader`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return {word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word}


def purpose(names: Iterable[str]) -> str:
    """`eval`, `train` or nothing: what names say that something is for; nothing where
    they say both."""
    found = {word for name in names for word in words_of(name)}
    is_eval, is_train = bool(found & _EVAL_WORDS), bool(found & _TRAIN_WORDS)
    return (
        EVAL
        if is_eval and not is_train
        else (TRAIN if is_train and not is_eval else "")
    )


@dataclass(frozen=True)
class Where:
    """A node of one of the files that are read together."""

    file: str
    node: ast.AST
    texts: Texts = field(default=DISK, compare=False)
    """Those by which the file was read."""

    @property
    def line(self) -> int:
        """Its first line."""
        return int(getattr(self.node, "lineno", 1))


@dataclass(frozen=True)
class Mode:
    """The mode of a model, and what set it: nothing where it was made so."""

    name: str
    set_by: Where | None = None


@dataclass(eq=False)
class Model:
    """One model object. `layers`: those of its layers that act by mode; None where they
    cannot be known."""

    name: str
    made: Where | None = None
    layers: tuple[str, ...] | None = None
    modes: frozenset[Mode] = frozenset({Mode(TRAIN)})
    loaded: bool = False
    trained: bool = False
    handled: bool = False
    """Whether something else looks after its mode: a framework, a function from
    elsewhere."""
    frozen: bool = False
    """Whether its weights record no gradients."""
    proven: bool = True
    """Whether it was made or used as only modules are, and is not just called by the
    name of a model."""
    made_from: Any = None
    """Its class, where that is in the files."""
    turn: int = 0
    """Which change of a mode on its path was the last of its own."""
    parts: tuple[Model, ...] = ()
    """The models that it may be, where ways met that bound a name to different ones."""
    optional: bool = False
    """Whether it may be None instead."""

    @property
    def differentiates(self) -> bool:
        """Whether its own forward takes derivatives."""
        return self.made_from is not None and bool(self.made_from.differentiates)


@dataclass(eq=False)
class Part:
    """An attribute of a model: a submodule, or a method's name."""

    model: Model
    path: str


@dataclass(eq=False)
class Result:
    """What came of calls of models; `apart`: of those that it was detached from."""

    calls: frozenset[Any] = frozenset()
    apart: frozenset[Any] = frozenset()


@dataclass(eq=False)
class Thing:
    """Anything else, with the names it goes by; becomes a model where it is used as
    one."""

    names: tuple[str, ...] = ()
    model: Model | None = None
    wants_grad: bool = False
    """Whether it is a tensor whose gradient is wanted."""

    @property
    def purpose(self) -> str:
        """What its names say it is for."""
        return purpose(self.names)


@dataclass(eq=False)
class Constant:
    """A value that stands in the source."""

    value: Any


@dataclass(eq=False)
class Items:
    """A tuple, list or dict of known members."""

    members: list[Any]
    keys: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class Optimizer:
    """An optimizer."""

    name: str = ""


@dataclass(eq=False)
class Reference:
    """Something imported, by its dotted name: `torch.nn.Linear`."""

    dotted: str

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.dotted.rpartition(".")[2]


@dataclass(eq=False)
class Scope:
    """A module's or a function's names."""

    file: str
    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Any:
        """The value of a name, None where it is not known."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.own(name)
            scope = scope.outer
        return None

    def own(self, name: str) -> Any:
        """The value of a name of this scope; what was imported is read now that it is
        asked for."""
        value = self.names.get(name)
        if isinstance(value, Pending):
            value = self.names[name] = value.value
        return value


@dataclass(eq=False)
class Pending:
    """Something imported from a file beside, read when it is asked for. `found`: what
    it was, once it has been."""

    resolve: Callable[[], Any]
    found: Any = None

    @property
    def value(self) -> Any:
        """What it is."""
        if self.found is None:
            self.found = self.resolve()
        return self.found


@dataclass(eq=False)
class Function:
    """A function of the files, with the object it is bound to."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    bound: Any = None

    @property
    def name(self) -> str:
        """Its name."""
        return getattr(self.node, "name", "<lambda>")


@dataclass(eq=False)
class Class:
    """A class of the files. `kind`: `module`, `framework` (something else runs its
    loops) or nothing."""

    node: ast.ClassDef
    scope: Scope
    kind: str = ""
    layers: tuple[str, ...] | None = None
    bases: list[Any] = field(default_factory=list)

    @property
    def differentiates(self) -> bool:
        """Whether its methods take derivatives, as a model of energies and forces
        does."""
        return "autograd.grad" in ast.unparse(self.node)

    @property
    def is_open(self) -> bool:
        """Whether it has a base that is not in the files, and may call its methods in
        its own way."""
        known = sum(isinstance(base, Class) for base in self.bases)
        above = any(base.is_open for base in self.bases if isinstance(base, Class))
        return above or known < sum(
            ast.unparse(base) not in ("object", "ABC", "abc.ABC")
            for base in self.node.bases
        )

    def is_hook(self, name: str) -> bool:
        """Whether a base calls a method of this name, or is not in the files and
        may."""
        calls = (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr == name
            for base in self.bases
            if isinstance(base, Class)
            for part in ast.walk(base.node)
        )
        above = any(
            base.is_hook(name) for base in self.bases if isinstance(base, Class)
        )
        return self.is_open or above or any(calls)

    @property
    def is_test_of_code(self) -> bool:
        """Whether it is a test as unittest and pytest know them: that is no validation
        of a model."""
        named = (
            re.fullmatch(r"Test[A-Z].*|.*[a-z](Test|Tests|TestCase)", self.node.name)
            is not None
        )
        above = any(
            base.is_test_of_code for base in self.bases if isinstance(base, Class)
        )
        return (
            named
            or above
            or any(ast.unparse(base).endswith("TestCase") for base in self.node.bases)
        )

    def method(self, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """A method, own or inherited."""
        for item in self.node.body:
            if (
                isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
                and item.name == name
            ):
                return item
        found = (base.method(name) for base in self.bases if isinstance(base, Class))
        return next((each for each in found if each is not None), None)


@dataclass(eq=False)
class Instance:
    """An object of a class that is no module: a trainer."""

    made_from: Class
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Method:
    """A method of a model, an optimizer or a result, not called yet."""

    owner: Any
    name: str
