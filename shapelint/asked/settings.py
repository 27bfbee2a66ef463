"""Every option of the configuration: its type, its default and its help text."""

from __future__ import annotations

import os
from copy import copy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from shapelint.asked.formats import CHECK_FORMATS
from shapelint.facts.kinds import Mode

T = TypeVar("T")

MODES = {
    "train": (Mode.TRAIN,),
    "eval": (Mode.EVAL,),
    "both": (Mode.TRAIN, Mode.EVAL),
}
"""The modes that the option `mode` stands for."""

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Option:
    """One option: its name as written in TOML, its type, default, allowed values and
    help text."""

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()


def _option(default: T, help_text: str, choices: tuple[str, ...] = ()) -> T:
    """Declare a dataclass field as an option."""
    metadata = {"default": default, "help": help_text, "choices": choices}
    # A dataclass refuses a list or a dict as a default: all objects would share it.
    declared: T = field(default_factory=lambda: copy(default), metadata=metadata)
    return declared


@dataclass(frozen=True)
class ConfiguredTarget:
    """One table of `[[tool.shapelint.targets]]`."""

    target: str = _option(
        "",
        "As on the command line: `file.py:Class`; relative to the folder of this file.",
    )
    inputs: list[str] = _option([], "Its inputs, each as after `--input`.")
    input_factory: str = _option(
        "", "`file.py:function` that makes its inputs, instead of `inputs`."
    )
    mode: str = _option("", "As above, for this target.", tuple(MODES))
    select: list[str] = _option([], "As above, for this target.")
    ignore: list[str] = _option([], "As above, for this target.")
    expect: list[str] = _option(
        [],
        "The shapes of its outputs, each as after `--input`; SHP118 reports others.",
    )


@dataclass(frozen=True)
class Config:
    """The options in force. `file` is the file they were read from, None for the
    defaults."""

    targets: tuple[ConfiguredTarget, ...] = _option(
        (), "The models to check: `[[tool.shapelint.targets]]`, see below."
    )
    select: list[str] = _option(
        [], "Rules to use: codes, prefixes of codes, names; all when empty."
    )
    extend_select: list[str] = _option(
        [],
        "Rules to use in addition to those of `select`, here or on the command line.",
    )
    ignore: list[str] = _option(
        [], "Rules to leave out; wins over an equally precise `select`."
    )
    per_file_ignores: dict[str, list[str]] = _option(
        {}, "Rules to leave out in files: a table of patterns and lists of rules."
    )
    exclude: list[str] = _option(
        [], "Patterns of files and folders whose training code is not read."
    )
    fail_on: str = _option(
        "warning", "The lowest severity that sets exit code 1.", SEVERITIES
    )
    baseline: str = _option("", "A file of known findings, which are not shown.")
    mode: str = _option("both", "Walk in train mode, eval mode, or both.", tuple(MODES))
    timeout: float = _option(
        60.0,
        "Seconds for a target, including the import of torch and of your code.",
    )
    output_format: str = _option(
        CHECK_FORMATS[0], "The format in which findings are printed.", CHECK_FORMATS
    )
    max_params: int = _option(
        0, "SHP304: the most parameters that a model may have; 0 for no limit."
    )
    head_share: float = _option(
        0.5,
        "SHP301: the share of the model's parameters from which a flatten head is reported.",
    )
    head_params: int = _option(
        10_000_000,
        "SHP301: the parameters from which such a head is a warning instead of an info.",
    )
    file: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that paths in the options are relative to."""
        return self.file.parent if self.file is not None else Path.cwd()

    @property
    def thresholds(self) -> dict[str, float]:
        """The options that rules read, by name."""
        return {
            "max-params": self.max_params,
            "head-share": self.head_share,
            "head-params": self.head_params,
        }

    def path(self, name: str) -> str:
        """The value of a path option, relative to the working directory."""
        return os.path.relpath(self.folder / name)


def options_of(kind: type[Config] | type[ConfiguredTarget]) -> dict[str, Option]:
    """The options that a dataclass declares, by their names in TOML."""
    hints = get_type_hints(kind)
    found = {}
    for declared in fields(kind):
        if "help" not in declared.metadata:
            continue
        hint = hints[declared.name]
        name = toml_name(declared.name)
        found[name] = Option(
            name=name,
            # Only the `list` of `list[str]`; `config` checks the members.
            type=get_origin(hint) or hint,
            default=declared.metadata["default"],
            help=declared.metadata["help"],
            choices=declared.metadata["choices"],
        )
    return found


def toml_name(field_name: str) -> str:
    """The TOML name of a field: `fail-on` for `fail_on`."""
    return field_name.replace("_", "-")


def field_name(toml_name: str) -> str:
    """The inverse of `toml_name`."""
    return toml_name.replace("-", "_")


OPTIONS = options_of(Config)
TARGET_OPTIONS = options_of(ConfiguredTarget)

DEFAULTS = Config()
"""The options if nothing is configured."""
