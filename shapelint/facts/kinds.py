"""The fixed vocabularies that the rooms of shapelint share. Each word serialises as its
text."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A text of a fixed set. It formats, compares and serialises as that text."""

    # Before Python 3.11 `format` and `str` of such a member disagree; reports hold them.
    def __str__(self) -> str:
        return str(self.value)


class Mode(Word):
    """The mode in which a model is walked."""

    TRAIN = "train"
    EVAL = "eval"


class Route(Word):
    """Where a call fails that torch can compute in two ways in eval mode: `FUSED`, only
    by the kernel that it takes where no gradients are recorded; `PARTS`, only by the
    layer's parts; `EVERY`, by both, or there is one way only."""

    EVERY = ""
    FUSED = "fused"
    PARTS = "parts"


class Safety(Word):
    """Whether a fix keeps the shapes of weights and the results that already work."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Status(Word):
    """How far a target was checked: to its end, in part, or not at all."""

    CHECKED = "checked"
    PARTIAL = "partial"
    FAILED = "failed"


class TargetKind(Word):
    """Whether a target is a model that is walked, or files that are read."""

    MODEL = "model"
    SOURCE = "source"


class CallKind(Word):
    """How the user's code makes a call: of a module, a function or a tensor's
    method."""

    MODULE = "module"
    FUNCTION = "function"
    METHOD = "method"


class BlockKind(Word):
    """The kinds of blocks in a picture. The last three correspond to `CallKind`."""

    INPUT = "input"
    OUTPUT = "output"
    CONTAINER = "container"
    MODULE = "module"
    FUNCTION = "function"
    METHOD = "method"


class DiagnosticKind(Word):
    """The subject of a diagnostic. `FINDING`: the user's code. `GAP`: a part of it that
    the walk could not judge. `UNCHECKED`: a target or file of which nothing was
    checked. `COMMENT`: a comment that suppresses nothing."""

    FINDING = "finding"
    GAP = "gap"
    UNCHECKED = "unchecked"
    COMMENT = "comment"


class Home(Word):
    """Where a tensor would be once the model has moved to an accelerator. `MODEL`: with
    the model. `CPU`: left behind. `UNKNOWN`: not known."""

    MODEL = "model"
    CPU = "cpu"
    UNKNOWN = ""


class NoPlace(Word):
    """Why a diagnostic has no place in a file. `TARGET`: it is about the target as a
    whole. `NO_SOURCE`: its code is not in a file of the user's, but was typed at a
    prompt or belongs to a library."""

    TARGET = "target"
    NO_SOURCE = "no source"
