"""`[tool.shapelint]` of the nearest pyproject.toml: every option once, with type, default and help."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapelint.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - Python 3.10
    import tomli as tomllib


FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown")
"""What the findings of a check can be printed as."""


@dataclass(frozen=True)
class Option:
    """One option: its name as written in TOML, its type, default, allowed values, and what it does."""

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()


OPTIONS = {
    option.name: option
    for option in (
        Option("select", list, [], "Rules to use: codes, prefixes of codes, names; all when empty."),
        Option("ignore", list, [], "Rules to leave out; wins over an equally precise `select`."),
        Option("mode", str, "both", "Walk in train mode, eval mode, or both.", ("train", "eval", "both")),
        Option("timeout", float, 60.0, "Seconds a target may take, the import of torch and of your code counted in."),
        Option("output-format", str, "full", "How findings are printed.", FORMATS),
        Option(
            "head-share", float, 0.5, "SHP301: share of the model's parameters from which a flatten head is a finding."
        ),
        Option(
            "head-params", int, 10_000_000, "SHP301: parameters from which such a head is a warning and not an info."
        ),
    )
}


@dataclass(frozen=True)
class Config:
    """The options in force. `file` is where they were read, None for the defaults."""

    values: Mapping[str, Any]
    file: Path | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def pick(self, name: str, given: Any) -> Any:
        """What the command line said, else the file, else the default."""
        return self.values[name] if given is None or given == () else given


def load_config(start: Path | None = None) -> Config:
    """Read the nearest pyproject.toml at or above `start` (default: the working directory).

    Raises:
        UsageError: the file is no TOML, or has an option that does not exist or has another type.
    """
    defaults = {name: option.default for name, option in OPTIONS.items()}
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        file = place / "pyproject.toml"
        if not file.is_file():
            continue
        table = _table(file)
        if table is not None:
            return Config({**defaults, **_validated(file, table)}, file)
    return Config(defaults)


def _table(file: Path) -> dict[str, Any] | None:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read `{file}`: {error}") from None
    table = data.get("tool", {}).get("shapelint")
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"`tool.shapelint` in `{file}` is not a table")
    return table


def _validated(file: Path, table: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for name, value in table.items():
        option = OPTIONS.get(name)
        if option is None:
            close = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f" (did you mean `{close[0]}`?)" if close else f"; there are {', '.join(OPTIONS)}"
            raise UsageError(f"`{file.name}`: no option `{name}` in [tool.shapelint]{hint}")
        values[name] = _typed(file, option, value)
    return values


_WANTED = {list: "a list of strings", str: "a string", float: "a number", int: "a whole number"}


def _typed(file: Path, option: Option, given: object) -> object:
    value = float(given) if option.type is float and type(given) is int else given
    strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
    if type(value) is not option.type or not strings:
        raise UsageError(f"`{file.name}`: `{option.name}` must be {_WANTED[option.type]}, not {value!r}")
    if option.choices and value not in option.choices:
        raise UsageError(f"`{file.name}`: `{option.name}` must be one of {', '.join(option.choices)}, not {value!r}")
    return value
