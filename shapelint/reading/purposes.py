"""The purpose of a model call: to train, to evaluate, or to test code."""

from __future__ import annotations

import ast

from shapelint.reading.class_bodies import is_test_class
from shapelint.reading.values import Forward, Frame, Function, Instance, Loop
from shapelint.reading.vocabulary import Purpose, find_purpose, words_of
from shapelint.syntax.parsing import last_name


def is_evaluation(call: Forward) -> bool:
    """Whether a call validates or predicts.

    The use of its result decides first: a call whose result trains is no evaluation,
    whatever the loop is called. Next, the innermost loop or function with a telling
    name decides. Last, a call evaluates if its result is measured and the model was
    trained or loaded before."""
    # A call whose result trains, is returned or is thrown away has another purpose,
    # whatever the loop around it is called.
    trains = call.trained or call.trained_with or call.for_gradient
    if trains or call.escapes or call.dropped:
        return False
    if any(map(_compares_tensors, call.frames)):
        return False
    # `for phase in ["train", "val"]` stands around both: the innermost name counts.
    nearest = _find_nearest_purpose(call)
    if nearest is not Purpose.UNKNOWN:
        return nearest is Purpose.EVAL
    # A loop that no name speaks of, as in a notebook: a model that is neither trained
    # nor loaded yet is being tried out.
    return call.measured and (call.after_training or call.model.loaded)


def _find_nearest_purpose(call: Forward) -> Purpose:
    for each in reversed(call.stack):
        purpose = each.purpose if isinstance(each, Loop) else _purpose_of(each.function)
        if purpose is not Purpose.UNKNOWN:
            return purpose
    return Purpose.UNKNOWN


def _purpose_of(function: Function) -> Purpose:
    """The purpose that a function's name states. The name of a test of code, such as
    `test_tokenizer`, states none."""
    if _tests_code(function):
        return Purpose.UNKNOWN
    return find_purpose([function.name])


def _tests_code(function: Function) -> bool:
    """Whether a function tests code: pytest would collect it, it is a method of a test
    class, or it is named a test and has no parameters."""
    # The convention of pytest, python_functions in its configuration.
    if function.name.startswith("test_"):
        return True
    owner = function.bound
    if isinstance(owner, Instance) and is_test_class(owner.made_from):
        return True
    spec = function.node.args
    parameters = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    takes_something = any(arg.arg != "self" for arg in parameters)
    return "test" in words_of(function.name) and not takes_something and not owner


def _compares_tensors(frame: Frame) -> bool:
    """Whether a function tests code by its name and also asserts or compares tensors.

    The name alone is not enough: `test()` without parameters is a usual name for a loop
    over test data in globals."""
    if not _tests_code(frame.function):
        return False
    return any(map(_is_check, ast.walk(frame.function.node)))


def _is_check(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    name = last_name(node)
    return name.startswith(("assert", "allclose")) or name in ("raises", "equal")
