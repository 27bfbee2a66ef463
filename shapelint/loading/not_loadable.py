"""Explains in one line why a target gives no model, with the place in the user's
file."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import torch

from shapelint.asked.target import Target
from shapelint.facts.places import Site, Span
from shapelint.facts.slips import Slip
from shapelint.syntax.spans import span_of
from shapelint.tracing.ownership import Ownership
from shapelint.tracing.slip_facts import describe_slip
from shapelint.tracing.user_text import first_line

_LAYERS = os.path.dirname(torch.nn.modules.__file__)

_NAMES_LISTED = 8
"""The most models of a file that a message names."""


class NotLoadableError(Exception):
    """The target gives no model.

    `sites`: the user's frames, innermost first. `refused_by`: the layer of torch whose
    constructor raised. `reason`: the first line of its message. `slip`: what it says of
    a name or a call, if it is about one."""

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        hint: str = "",
        sites: tuple[Site, ...] = (),
        refused_by: str = "",
        reason: str = "",
        slip: Slip | None = None,
    ) -> None:
        super().__init__(message)
        self.span = span
        self.hint = hint
        self.sites = sites
        self.refused_by = refused_by
        self.reason = reason
        self.slip = slip


class NoTimeToLoadError(NotLoadableError):
    """The time was over before the target gave a model."""


def refusal_of_import(
    target: Target, ownership: Ownership, error: BaseException
) -> NotLoadableError:
    """Describe the exception of an import."""
    return _explain_refusal(f"importing `{name_of(target)}`", ownership, error)


def refusal_of_call(
    target: Target,
    doing: str,
    ownership: Ownership,
    error: BaseException,
    callee: object = None,
) -> NotLoadableError:
    """Describe the exception of a call. `doing`: "calling" or "constructing"."""
    subject = f"{doing} `{target.expression or target.text}`"
    refused_by = _refusing_layer(error)
    return _explain_refusal(subject, ownership, error, refused_by, callee)


def _explain_refusal(
    subject: str,
    ownership: Ownership,
    error: BaseException,
    refused_by: str = "",
    callee: object = None,
) -> NotLoadableError:
    sites = tuple(ownership.in_traceback(error.__traceback__))
    reason = first_line(error)
    said = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    span = span_of(sites[0], ownership.texts) if sites else None
    slip = describe_slip(error, ownership, callee=callee)
    return NotLoadableError(
        f"{subject} raised {said}", span, "", sites, refused_by, reason, slip
    )


def _refusing_layer(error: BaseException) -> str:
    """The outermost of torch's own layers whose constructor raised the exception."""
    if not isinstance(error, (ValueError, AssertionError, RuntimeError)):
        return ""
    name = ""
    traceback = error.__traceback__
    while traceback is not None:
        layer = _layer_made_in(traceback.tb_frame)
        # a frame of the user's within a layer of torch's starts anew: that layer only
        # called what raised
        name = (name or layer) if layer else ""
        traceback = traceback.tb_next
    return name


def _layer_made_in(frame: FrameType) -> str:
    """The class of the layer whose constructor a frame runs, if that is torch's own."""
    code = frame.f_code
    layer = frame.f_locals.get("self")
    if code.co_name != "__init__" or not isinstance(layer, torch.nn.Module):
        return ""
    return type(layer).__name__ if os.path.dirname(code.co_filename) == _LAYERS else ""


def name_of(target: Target) -> str:
    """The file or module of a target."""
    return target.path or target.module or target.text


def suggest_module(name: str) -> str:
    """Suggest the module in the working directory whose name is most like an unknown
    one."""
    here = Path.cwd()
    siblings = [path.stem for path in here.glob("*.py")]
    siblings += [path.parent.name for path in here.glob("*/__init__.py")]
    close = difflib.get_close_matches(name.partition(".")[0], siblings, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def suggest_name(
    name: str, models: Mapping[str, object], others: Mapping[str, object]
) -> str:
    """Suggest the name in a file that is most like an unknown one, or list the
    models."""
    public = [key for key in others if not key.startswith("_")]
    # a looser match is enough for models, since one of them is wanted
    close = difflib.get_close_matches(name, list(models), n=1, cutoff=0.5)
    close = close or difflib.get_close_matches(name, public, n=1)
    if close:
        return f" (did you mean `{close[0]}`?)"
    if not models:
        return " (it defines no nn.Module class)"
    shown = [f"`{model}`" for model in models][:_NAMES_LISTED]
    return f" (it has {', '.join(shown)})"


def signature_of(callee: Callable[..., object]) -> str:
    """The signature of a callable: `Net(width, depth=4)`."""
    try:
        parameters = str(inspect.signature(callee)).partition(" ->")[0]
    except (TypeError, ValueError):
        parameters = "(...)"
    return f"`{getattr(callee, '__name__', 'it')}{parameters}`"


def list_required_parameters(callee: Callable[..., object]) -> list[str]:
    """The parameters of a callable that have no default."""
    try:
        signature = inspect.signature(callee)
    except (TypeError, ValueError):
        return []
    return list_required_names(signature)


def list_required_names(signature: inspect.Signature) -> list[str]:
    """The parameters of a signature that have no default."""
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in starred
    ]


def definition_span(callee: Callable[..., object]) -> Span | None:
    """The place where a function, or the constructor of a class, is defined."""
    is_class = inspect.isclass(callee)
    has_own_init = is_class and "__init__" in vars(callee)
    defined: object = vars(callee)["__init__"] if has_own_init else callee
    try:
        file = inspect.getsourcefile(defined)  # type: ignore[arg-type]
        _, line = inspect.getsourcelines(defined)  # type: ignore[arg-type]
    except (TypeError, OSError):
        return None
    return Span(os.path.abspath(file), line) if file else None
