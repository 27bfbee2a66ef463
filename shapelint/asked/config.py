"""Reads `[tool.shapelint]` of the nearest pyproject.toml, or a shapelint.toml, and
checks it against the known options."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shapelint.asked.settings import (
    DEFAULTS,
    OPTIONS,
    TARGET_OPTIONS,
    Config,
    ConfiguredTarget,
    Option,
    field_name,
)
from shapelint.facts.errors import UsageError, suggest
from shapelint.syntax.parsing import UnreadableError
from shapelint.syntax.texts import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - Python 3.10
    import tomli as tomllib

FILES = ("shapelint.toml", "pyproject.toml")
"""Files that can hold a configuration. If a folder has both, the first one counts."""

Table = dict[str, Any]
"""A table of TOML, not yet checked."""


def load_config(
    start: Path | None = None, given: str | None = None, isolated: bool = False
) -> Config:
    """Read the nearest shapelint.toml, or the nearest pyproject.toml with a
    `[tool.shapelint]` table, in `start` (default: the working directory) or above it.

    `given`: read this file and no other. `isolated`: read none.

    Raises:
        UsageError: the file is no TOML, or has an option that does not exist or has
        another type.
    """
    if isolated:
        return DEFAULTS
    if given is not None:
        return _read_given(given)
    # A pyproject.toml without our table does not end the search.
    for file in _files_near(start or Path.cwd()):
        table = _table_of(file) if file.is_file() else None
        if table is not None:
            return _check_config(file, table)
    return DEFAULTS


def check_config(file: Path, text: str) -> Config:
    """Check this text as if it were the content of the configuration file.

    Raises:
        UsageError: as `load_config`.
    """
    return _check_config(file, _table_in(file, text) or {})


def _read_given(given: str) -> Config:
    path = Path(given)
    if not path.exists() or path.is_dir():
        raise UsageError(f"no file `{given}` for `--config`")
    table = _table_of(path.resolve())
    return _check_config(path.resolve(), table) if table is not None else DEFAULTS


def _files_near(start: Path) -> Iterator[Path]:
    folder = start.resolve()
    for place in (folder, *folder.parents):
        for name in FILES:
            yield place / name


def _table_of(file: Path) -> Table | None:
    try:
        text = read_bytes(str(file), named=True).decode()
    except (ValueError, UnreadableError) as error:
        raise UsageError(f"cannot read `{file}`: {error}") from None
    return _table_in(file, text)


def _table_in(file: Path, text: str) -> Table | None:
    """The table of options in a TOML text; None if it has none."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        raise UsageError(f"cannot read `{file}`: {error}") from None
    except RecursionError:
        raise UsageError(f"cannot read `{file}`: it is nested too deeply") from None
    is_shared = file.name == "pyproject.toml"
    table = data.get("tool", {}).get("shapelint") if is_shared else data
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"`tool.shapelint` in `{file}` is not a table")
    return table


def _check_config(file: Path, table: Table) -> Config:
    values = {}
    for name, value in table.items():
        option = _find_option(file, name, OPTIONS, "[tool.shapelint]")
        values[field_name(name)] = _check_value(file, option, value)
    return Config(**values, file=file)


def _find_option(
    file: Path, name: str, options: Mapping[str, Option], where: str
) -> Option:
    if name in options:
        return options[name]
    hint = suggest(name, options, f"; there are {', '.join(options)}")
    raise UsageError(f"`{file.name}`: no option `{name}` in {where}{hint}")


_WANTED = {
    list: "a list of strings",
    str: "a string",
    float: "a number",
    int: "a whole number",
    dict: "a table of lists of strings",
    tuple: "an array of tables, `[[tool.shapelint.targets]]`",
}


def _check_value(file: Path, option: Option, given: object) -> Any:
    # `true` is an int for `isinstance`; hence the exact types here and below
    value = float(given) if option.type is float and type(given) is int else given
    if option.type is tuple:
        return tuple(_check_targets(file, option, value))
    if not _is_of_type(option, value):
        raise _wrong_type(file, option, value)
    if option.choices and value not in option.choices:
        raise UsageError(
            f"`{file.name}`: `{option.name}` must be one of "
            f"{', '.join(option.choices)}, not {value!r}"
        )
    return value


def _is_of_type(option: Option, value: object) -> bool:
    if type(value) is not option.type:
        return False
    if isinstance(value, list):
        return _are_strings(value)
    if isinstance(value, dict):
        lists = value.values()
        return all(isinstance(item, list) and _are_strings(item) for item in lists)
    return True


def _are_strings(values: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in values)


def _wrong_type(file: Path, option: Option, value: object) -> UsageError:
    wanted = _WANTED[option.type]
    return UsageError(f"`{file.name}`: `{option.name}` must be {wanted}, not {value!r}")


def _check_targets(
    file: Path, option: Option, value: object
) -> Iterator[ConfiguredTarget]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong_type(file, option, value)
    for table in value:
        yield _check_target(file, table)


def _check_target(file: Path, table: Table) -> ConfiguredTarget:
    if not table.get("target"):
        raise UsageError(
            f"`{file.name}`: one of [[tool.shapelint.targets]] names no `target`"
        )
    where = f"the target `{table['target']}`"
    values = {}
    for name, value in table.items():
        option = _find_option(file, name, TARGET_OPTIONS, where)
        # one input or shape need not be written as a list
        is_one = isinstance(value, str) and name in ("inputs", "expect")
        checked = _check_value(file, option, [value] if is_one else value)
        values[field_name(name)] = checked
    target = ConfiguredTarget(**values)
    if target.inputs and target.input_factory:
        raise UsageError(
            f"`{file.name}`: {where} has both `inputs` and `input-factory`"
        )
    return target
