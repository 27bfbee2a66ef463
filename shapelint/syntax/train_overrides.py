"""Finds methods of a model that override `nn.Module.train` or `nn.Module.eval`
incorrectly."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from shapelint.facts.walked_target import Walked
from shapelint.syntax.trees import ParsedFile, parse_file

NAMES = ("train", "eval")

_WORDS_OF_A_MODE = ("mode", "train", "flag", "enable", "is_", "on")
"""Words in the name of the first parameter of `train` if it is the mode. In a training
loop, it is named `loader`, `epochs` or `data`."""


class OverrideFault(Enum):
    """How an override is wrong."""

    LACKS_MODE = "lacks mode"
    """`train` has no parameter; `eval()` calls `train(False)`."""
    TAKES_OTHER = "takes other"
    """The first parameter of `train` is not a mode: it is a training loop."""
    REQUIRES_ARGUMENTS = "requires arguments"
    """It needs arguments that torch does not pass."""
    SKIPS_LAYERS = "skips layers"
    """It calls neither `super()` nor `train` or `eval` of its layers."""
    RETURNS_NOTHING = "returns nothing"
    """`model = model.eval()` is then None."""


@dataclass(frozen=True)
class TrainOverride:
    """A faulty override: the first layer whose class (`owner`) defines `method`."""

    source: ParsedFile
    layer: str
    owner: str
    method: ast.FunctionDef
    fault: OverrideFault


def find_faulty_overrides(walked: Walked) -> Iterator[TrainOverride]:
    """Find the faulty overrides in the user's own classes."""
    for layer, (file, owner) in _first_of_each_class(walked).items():
        source = parse_file(file, walked.texts)
        if source is None:
            continue
        for method in source.methods(owner, *NAMES):
            fault = _find_fault(method)
            if fault is not None:
                yield TrainOverride(source, layer, owner, method, fault)


def _first_of_each_class(walked: Walked) -> dict[str, tuple[str, str]]:
    """The first layer of each of the user's classes, with the file and name of the
    class."""
    firsts: dict[tuple[str, str], str] = {}
    for layer, home in walked.homes.items():
        firsts.setdefault(home, layer)
    return {layer: home for home, layer in firsts.items() if _is_the_users(home[0])}


def _is_the_users(file: str) -> bool:
    return bool(file) and "site-packages" not in file


def _find_fault(method: ast.FunctionDef) -> OverrideFault | None:
    fault = _fault_of_signature(method)
    if fault is not None:
        return fault
    if not reaches_layers(method):
        return OverrideFault.SKIPS_LAYERS
    if not returns_value(method):
        return OverrideFault.RETURNS_NOTHING
    return None


def _fault_of_signature(method: ast.FunctionDef) -> OverrideFault | None:
    """What is wrong with the parameters of a method. torch calls `train(mode)` and
    `eval()`."""
    spec = method.args
    positional = [*spec.posonlyargs, *spec.args]
    names = [parameter.arg for parameter in positional[1:]]  # without `self`
    required_keywords = sum(default is None for default in spec.kw_defaults)
    required = len(names) - len(spec.defaults) + required_keywords
    if method.name == "eval":
        return OverrideFault.REQUIRES_ARGUMENTS if required > 0 else None
    takes_any = spec.vararg is not None or spec.kwarg is not None
    if not names and not takes_any:
        return OverrideFault.LACKS_MODE
    if required > 1:
        return OverrideFault.REQUIRES_ARGUMENTS
    if names and not _is_word_for_mode(names[0]):
        return OverrideFault.TAKES_OTHER
    return None


def _is_word_for_mode(name: str) -> bool:
    return any(word in name.lower() for word in _WORDS_OF_A_MODE)


def reaches_layers(method: ast.FunctionDef) -> bool:
    """Whether a method calls `super().train`, `nn.Module.train`, or `train` or `eval`
    of anything."""
    calls = (node.func for node in ast.walk(method) if isinstance(node, ast.Call))
    return any(isinstance(func, ast.Attribute) and func.attr in NAMES for func in calls)


def returns_value(method: ast.FunctionDef) -> bool:
    """Whether a method has a `return` with a value."""
    returns = (node for node in ast.walk(method) if isinstance(node, ast.Return))
    return any(node.value is not None for node in returns)
