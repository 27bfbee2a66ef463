"""The modes of a model and of autograd, and the places where they are set."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum

from shapelint.syntax.trees import ParsedFile


class ModeName(Enum):
    """The modes of a model. `UNKNOWN`: the model came from elsewhere, or code that is
    not read may have switched it."""

    TRAIN = "train"
    EVAL = "eval"
    UNKNOWN = "unknown"


class Recording(Enum):
    """Whether autograd records. `UNKNOWN`: the caller decides. `DOUBTED`: the ways that
    were joined disagree."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    DOUBTED = "doubted"


@dataclass(frozen=True)
class Where:
    """A node in one of the files that are read together."""

    source: ParsedFile = field(compare=False, repr=False)
    node: ast.AST

    @property
    def file(self) -> str:
        """The path of its file."""
        return self.source.file

    @property
    def line(self) -> int:
        """Its first line."""
        return int(getattr(self.node, "lineno", 1))

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column. Equal for the same place in different readings of a
        file."""
        return self.file, self.line, int(getattr(self.node, "col_offset", 0))


@dataclass(frozen=True)
class ModeSetting:
    """The mode of a model. `set_by`: the call that set it; None if the model was made
    in it."""

    name: ModeName
    set_by: Where | None = None


UNKNOWN_MODE = ModeSetting(ModeName.UNKNOWN)
