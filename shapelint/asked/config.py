"""`[tool.shapelint]` of the nearest pyproject.toml, or a shapelint.toml: every option
once, with type and help."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapelint.asked.formats import CHECK_FORMATS
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Mode
from shapelint.syntax.parsing import UnreadableError
from shapelint.syntax.texts import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - Python 3.10
    import tomli as tomllib


MODES = {
    "train": (Mode.TRAIN,),
    "eval": (Mode.EVAL,),
    "both": (Mode.TRAIN, Mode.EVAL),
}
"""The modes that the option `mode` stands for."""


@dataclass(frozen=True)
class Option:
    """One option: its name as written in TOML, its type, default, allowed values, and
    what it does."""

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()


OPTIONS = {
    option.name: option
    for option in (
        Option(
            "targets",
            tuple,
            (),
            "The models to check: `[[tool.shapelint.targets]]`, see below.",
        ),
        Option(
            "select",
            list,
            [],
            "Rules to use: codes, prefixes of codes, names; all when empty.",
        ),
        Option(
            "extend-select",
            list,
            [],
            "Rules to use beside those of `select`, also of one on the command line.",
        ),
        Option(
            "ignore",
            list,
            [],
            "Rules to leave out; wins over an equally precise `select`.",
        ),
        Option(
            "per-file-ignores",
            dict,
            {},
            "Rules to leave out in files: a table of patterns and lists of rules.",
        ),
        Option(
            "exclude",
            list,
            [],
            "Files and folders, as patterns, in which training code is not read.",
        ),
        Option(
            "fail-on",
            str,
            "warning",
            "The least severity for an exit code of 1.",
            ("error", "warning", "info"),
        ),
        Option("baseline", str, "", "A file of findings that are known and not shown."),
        Option(
            "mode",
            str,
            "both",
            "Walk in train mode, eval mode, or both.",
            tuple(MODES),
        ),
        Option(
            "timeout",
            float,
            60.0,
            "Seconds a target may take, the import of torch and of your code counted in.",
        ),
        Option(
            "output-format",
            str,
            CHECK_FORMATS[0],
            "How findings are printed.",
            CHECK_FORMATS,
        ),
        Option(
            "max-params",
            int,
            0,
            "SHP304: parameters that a model may have; 0 for any number.",
        ),
        Option(
            "head-share",
            float,
            0.5,
            "SHP301: share of the model's parameters from which a flatten head is a finding.",
        ),
        Option(
            "head-params",
            int,
            10_000_000,
            "SHP301: parameters from which such a head is a warning and not an info.",
        ),
    )
}


DEFAULT_SECONDS: float = OPTIONS["timeout"].default
DEFAULT_FAIL_ON: str = OPTIONS["fail-on"].default
DEFAULT_THRESHOLDS: dict[str, float] = {
    name: OPTIONS[name].default for name in ("max-params", "head-share", "head-params")
}
"""The options that rules read."""


TARGET_OPTIONS = {
    option.name: option
    for option in (
        Option(
            "target",
            str,
            "",
            "As on the command line: `file.py:Class`; relative to the folder of this file.",
        ),
        Option("inputs", list, [], "What it is fed, each as after `--input`."),
        Option(
            "input-factory",
            str,
            "",
            "`file.py:function` that makes what it is fed, instead of `inputs`.",
        ),
        Option("mode", str, "", "As above, for this target.", tuple(MODES)),
        Option("select", list, [], "As above, for this target."),
        Option("ignore", list, [], "As above, for this target."),
        Option(
            "expect",
            list,
            [],
            "Shapes that must come out, each as after `--input`; SHP118 where others do.",
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

    @property
    def folder(self) -> Path:
        """What paths in it are relative to."""
        return self.file.parent if self.file is not None else Path.cwd()

    def pick(self, name: str, given: Any) -> Any:
        """What the command line said, else the file, else the default."""
        return self.values[name] if given is None or given == () else given

    def path(self, name: str) -> str:
        """A path of the file as seen from the working directory."""
        return os.path.relpath(self.folder / name)


def load_config(
    start: Path | None = None, given: str | None = None, isolated: bool = False
) -> Config:
    """Read the nearest shapelint.toml or pyproject.toml with a table at or above
    `start` (default: where we are).

    `given`: this file and no other; `isolated`: none at all.

    Raises:
        UsageError: the file is no TOML, or has an option that does not exist or has
        another type."""
    defaults = {name: option.default for name, option in OPTIONS.items()}
    if isolated:
        return Config(defaults)
    folder = (start or Path.cwd()).resolve()
    near = [
        place / name
        for place in (folder, *folder.parents)
        for name in ("shapelint.toml", "pyproject.toml")
    ]
    if given is not None and (not Path(given).exists() or Path(given).is_dir()):
        raise UsageError(f"no file `{given}` for `--config`")
    for file in [Path(given).resolve()] if given is not None else near:
        table = _table(file) if file.is_file() or given is not None else None
        if table is not None:
            return Config({**defaults, **_validated(file, table)}, file)
    return Config(defaults)


def validated(file: Path, text: str) -> dict[str, Any]:
    """The options that a file would have with this text.

    Raises:
        UsageError: as `load_config`.
    """
    return _validated(file, _table(file, text) or {})


def _table(file: Path, text: str | None = None) -> dict[str, Any] | None:
    try:
        data = tomllib.loads(
            read_bytes(str(file), named=True).decode() if text is None else text
        )
    except (ValueError, UnreadableError) as error:
        raise UsageError(f"cannot read `{file}`: {error}") from None
    except RecursionError:
        raise UsageError(f"cannot read `{file}`: it is nested too deeply") from None
    table = (
        data.get("tool", {}).get("shapelint") if file.name == "pyproject.toml" else data
    )
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"`tool.shapelint` in `{file}` is not a table")
    return table


def _validated(file: Path, table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _typed(file, _option(file, name, OPTIONS, "[tool.shapelint]"), value)
        for name, value in table.items()
    }


def _option(file: Path, name: str, options: Mapping[str, Option], where: str) -> Option:
    option = options.get(name)
    if option is None:
        close = difflib.get_close_matches(name, options, n=1)
        hint = (
            f" (did you mean `{close[0]}`?)"
            if close
            else f"; there are {', '.join(options)}"
        )
        raise UsageError(f"`{file.name}`: no option `{name}` in {where}{hint}")
    return option


_WANTED = {
    list: "a list of strings",
    str: "a string",
    float: "a number",
    int: "a whole number",
    dict: "a table of lists of strings",
    tuple: "an array of tables, `[[tool.shapelint.targets]]`",
}


def _typed(file: Path, option: Option, given: object) -> object:
    value = float(given) if option.type is float and type(given) is int else given
    if option.type is tuple:
        return _targets(file, option, value)
    fits = type(value) is option.type
    if isinstance(value, list):
        fits = fits and _are_strings(value)
    if isinstance(value, dict):
        fits = fits and all(
            isinstance(item, list) and _are_strings(item) for item in value.values()
        )
    if not fits:
        raise UsageError(
            f"`{file.name}`: `{option.name}` must be {_WANTED[option.type]}, not {value!r}"
        )
    if option.choices and value not in option.choices:
        raise UsageError(
            f"`{file.name}`: `{option.name}` must be one of {', '.join(option.choices)}, not {value!r}"
        )
    return value


def _are_strings(values: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in values)


def _targets(file: Path, option: Option, value: object) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UsageError(
            f"`{file.name}`: `{option.name}` must be {_WANTED[tuple]}, not {value!r}"
        )
    found = []
    for table in value:
        words = {
            name: [item]
            if isinstance(item, str) and name in ("inputs", "expect")
            else item
            for name, item in table.items()
        }
        if not words.get("target"):
            raise UsageError(
                f"`{file.name}`: one of [[tool.shapelint.targets]] names no `target`"
            )
        where = f"the target `{words['target']}`"
        known = {
            name: _typed(file, _option(file, name, TARGET_OPTIONS, where), item)
            for name, item in words.items()
        }
        if known.get("inputs") and known.get("input-factory"):
            raise UsageError(
                f"`{file.name}`: {where} has both `inputs` and `input-factory`"
            )
        found.append(
            {
                name: known.get(name, item.default)
                for name, item in TARGET_OPTIONS.items()
            }
        )
    return tuple(found)
