"""Parses a target: `file.py:Class(args)`, `file.py::Class`, `pkg.mod:factory`, or a
bare `file.py`."""

from __future__ import annotations

import ast
import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from shapelint.facts.errors import UsageError

_FILE = re.compile(r"^(?P<path>.+?\.py)(?:::?(?P<expression>.*))?$", re.DOTALL)
_MODULE = re.compile(
    r"^(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):{1,2}(?P<expression>.+)$", re.DOTALL
)


@dataclass(frozen=True)
class Target:
    """A model to check. Exactly one of `path` and `module` is set. Without an
    `expression`, the file must have only one model."""

    text: str
    path: str | None = None
    module: str | None = None
    expression: str | None = None


def parse_target(text: str) -> Target:
    """Parse a target as given on the command line.

    Raises:
        UsageError: the text is no target, the file does not exist, or the expression is
        not Python.
    """
    # Files first: `net.py:Net` would fit as the module `net.py`, too.
    match = _FILE.match(text)
    if match:
        path = match["path"]
        _require_file(path)
        return Target(
            text, path=path, expression=_parse_expression(text, match["expression"])
        )
    match = _MODULE.match(text)
    if match:
        return Target(
            text,
            module=match["module"],
            expression=_parse_expression(text, match["expression"]),
        )
    raise UsageError(_explain_no_target(text))


def _parse_expression(text: str, expression: str | None) -> str | None:
    if expression is None:
        return None
    if not expression.strip():
        raise UsageError(
            f"`{text}` names no class after the colon; write `file.py:ClassName`"
        )
    try:
        ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        raise UsageError(
            f"`{expression}` in `{text}` is not a Python expression: {error.msg}"
        ) from None
    # It contains null bytes, or is nested too deeply for the parser.
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"`{text[:80]}` names no Python expression after the colon: {error}"
        ) from None
    return expression.strip()


def _require_file(path: str) -> None:
    place = Path(path)
    if place.is_file():
        return
    if place.is_dir():
        raise UsageError(
            f"`{path}` is a directory; name a file, as in `{place / 'model.py'}:ClassName`"
        )
    if os.path.lexists(path):
        if os.path.islink(path) and not os.path.exists(path):
            raise UsageError(f"`{path}` is a link to nothing")
        raise UsageError(f"`{path}` is not a regular file")
    raise UsageError(f"no such file: `{path}`{_hint_for(place)}")


def _hint_for(place: Path) -> str:
    folder = place.parent
    if not folder.is_dir():
        return f" (there is no directory `{folder}`)"
    names = [entry.name for entry in folder.glob("*.py")]
    close = difflib.get_close_matches(place.name, names, n=1, cutoff=0.6)
    return f" (did you mean `{folder / close[0]}`?)" if close else ""


def _explain_no_target(text: str) -> str:
    bare = text.split(":", 1)[0]
    if Path(bare).is_dir():
        return (
            f"`{bare}` is a directory; name a file and a class, as in "
            f"`{Path(bare) / 'model.py'}:ClassName`"
        )
    if Path(bare + ".py").is_file():
        return f"`{text}` is not a target; did you mean `{bare}.py:ClassName`?"
    if Path(bare).is_file():
        return (
            f"`{bare}` is not a Python file; a target is `file.py:ClassName` or "
            "`package.module:ClassName`"
        )
    if bare.endswith(".py") or "/" in bare:
        return f"no such file: `{bare}`"
    return f"`{text}` is not a target; write `file.py:ClassName` or `package.module:ClassName`"
