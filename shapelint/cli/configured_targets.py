"""The targets of the configuration: which there are, their rules, and which of them
depend on changed files."""

from __future__ import annotations

import fnmatch
import os

from shapelint.asked.settings import Config, ConfiguredTarget

NOTHING = ConfiguredTarget()
"""The settings of a target that is not configured."""

SOURCE_ENDINGS = (".py", ".ipynb")


def find_configured(config: Config, target: str) -> ConfiguredTarget | None:
    """The table of a target; None if it is not configured."""
    path, _, expression = target.partition(":")
    for table in config.targets:
        own = target_from_here(config, table.target)
        own_path, _, own_expression = own.partition(":")
        if own_expression == expression and _is_same_path(own_path, path):
            return table
    return None


def _is_same_path(one: str, other: str) -> bool:
    return os.path.abspath(one) == os.path.abspath(other)


def targets_of(config: Config) -> tuple[str, ...]:
    """The targets of the configuration, and the folder whose training code is read."""
    targets = [target_from_here(config, table.target) for table in config.targets]
    return (*targets, os.path.relpath(config.folder))


def target_from_here(config: Config, target: str) -> str:
    """A configured target relative to the working directory. In the configuration, its
    file is relative to the folder of the configuration."""
    path, colon, expression = target.partition(":")
    return f"{config.path(path)}{colon}{expression}" if path.endswith(".py") else target


def find_affected(config: Config, changed: tuple[str, ...]) -> tuple[str, ...]:
    """The configured targets that depend on changed files, then the changed files that
    can be read.

    A target whose files are not all known is included, because it may depend on any
    file."""
    files = {os.path.realpath(file) for file in changed}
    # Another setting may change what is found in any target.
    if config.file is not None and os.path.realpath(config.file) in files:
        return targets_of(config)
    targets = [
        target_from_here(config, table.target)
        for table in config.targets
        if files and _is_affected(config, table, files)
    ]
    left_out = make_patterns_absolute(config, config.exclude)
    readable = [file for file in changed if _is_readable(file, left_out)]
    return (*targets, *readable)


def _is_affected(config: Config, table: ConfiguredTarget, files: set[str]) -> bool:
    """Whether a target or its input factory depends, or may depend, on one of these
    files."""
    from shapelint.syntax.dependencies import dependencies_of

    words = [word for word in (table.target, table.input_factory) if word]
    places = [target_from_here(config, word).partition(":")[0] for word in words]
    behind = dependencies_of(places, str(config.folder))
    return not behind.is_complete or bool(files & behind.files)


def _is_readable(file: str, left_out: tuple[str, ...]) -> bool:
    if not file.endswith(SOURCE_ENDINGS) or not os.path.isfile(file):
        return False
    path = os.path.abspath(file)
    return not any(fnmatch.fnmatch(path, pattern) for pattern in left_out)


def choose_rules(
    config: Config, select: tuple[str, ...], ignore: tuple[str, ...], target: str
) -> tuple[str, ...]:
    """The codes that are on for a target: by the words of the command line, or else by
    the target's table, or else by the configuration.

    Raises:
        UsageError: a word matches no rule.
    """
    from shapelint.rules import catalogue

    table = find_configured(config, target) or NOTHING
    wanted = list(select or table.select or config.select)
    # Where nothing is selected all rules are on, and there is nothing to add.
    if wanted:
        wanted += config.extend_select
    left_out = list(ignore) if ignore else [*config.ignore, *table.ignore]
    return tuple(sorted(catalogue().selection(wanted, left_out)))


def codes_ignored_in(config: Config) -> dict[str, list[str]]:
    """The `per-file-ignores`: codes by absolute patterns.

    Raises:
        UsageError: a word matches no rule.
    """
    from shapelint.rules import catalogue

    codes: dict[str, list[str]] = {}
    for name, words in config.per_file_ignores.items():
        rules = [rule for word in words for rule in catalogue().matching(word)]
        for pattern in make_patterns_absolute(config, [name]):
            codes[pattern] = [rule.code for rule in rules]
    return codes


def make_patterns_absolute(config: Config, names: list[str]) -> tuple[str, ...]:
    """Make patterns absolute. One without a slash matches files and folders of that
    name at any depth."""
    return tuple(_make_pattern_absolute(str(config.folder), name) for name in names)


def _make_pattern_absolute(folder: str, name: str) -> str:
    if "/" in name:
        return os.path.normpath(os.path.join(folder, name))
    # `*` of fnmatch goes over slashes, so that this fits at any depth
    anywhere = name if name.startswith("*") else f"*{name}"
    return os.path.join(folder, anywhere)
