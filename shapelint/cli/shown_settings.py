"""The settings in force and the versions, as `check` prints them."""

from __future__ import annotations

import platform

from shapelint import __version__
from shapelint.asked.settings import (
    OPTIONS,
    TARGET_OPTIONS,
    Config,
    ConfiguredTarget,
    field_name,
)
from shapelint.cli import say, torch_version
from shapelint.facts.escape import json_text


def settings_text(config: Config) -> str:
    """The settings in force in the syntax of TOML, and the file they are from."""
    where = "defaults; no configuration was found"
    if config.file is not None:
        where = f"from {config.file}"
    lines = [f"# {where}"]
    lines += [_line(config, name) for name in OPTIONS if name != "targets"]
    for table in config.targets:
        lines += ["", "[[targets]]"]
        given = [name for name in TARGET_OPTIONS if getattr(table, field_name(name))]
        lines += [_line(table, name) for name in given]
    return "\n".join(lines) + "\n"


def _line(owner: Config | ConfiguredTarget, name: str) -> str:
    return f"{name} = {json_text(getattr(owner, field_name(name)))}"


def say_settings(config: Config) -> None:
    """Print the versions and the configuration file to stderr."""
    python = platform.python_version()
    say(f"shapelint {__version__}, torch {torch_version()}, Python {python}", err=True)
    where = "no configuration was found"
    if config.file is not None:
        where = f"settings from {config.file}"
    say(where, err=True)
