"""Options that several commands share, and how a command's words become requests."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from shapelint.asked.config import DEFAULT_THRESHOLDS, MODES, Config
from shapelint.asked.formats import CHECK_FORMATS
from shapelint.asked.inputs import looks_like_input
from shapelint.asked.request import Walk
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Mode

F = TypeVar("F", bound=Callable[..., Any])


class TakesInputs(click.Command):
    """`--input 1,3,64,64 1,16:int64`: words after an input that can only be inputs are
    inputs too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        after_input = False
        for given in args:
            word = "--input" if given == "-i" else given
            if after_input and spread[-1] != "--input" and looks_like_input(word):
                spread.append("--input")
            elif after_input and spread[-1] != "--input":
                after_input = False
            after_input = after_input or word == "--input"
            spread.append(word)
        return super().parse_args(ctx, spread)


def input_options(function: F) -> F:
    """--input, --input-factory, --mode, --timeout."""
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(min=1),
            metavar="SECONDS",
            help="Time for a target.  [60]",
        ),
        click.option(
            "--mode",
            type=click.Choice(list(MODES)),
            help="Mode to walk in.  [both]",
        ),
        click.option(
            "--input-factory",
            metavar="FILE.py:FUNCTION",
            help="Function that returns args, or (args, kwargs), for dicts, lists and nested inputs.",
        ),
        click.option(
            "--input",
            "-i",
            "inputs",
            multiple=True,
            metavar="SPEC...",
            help="Input in order: 1,3,64,64 | 1,16:int64 | ids=1,128:int64 | (1,3,64,64)x4.",
        ),
    ):
        function = option(function)
    return function


def output_options(function: F) -> F:
    """--output-file, --color, --quiet and --verbose."""
    for option in (
        click.option(
            "--verbose",
            "-v",
            is_flag=True,
            help="Say on stderr what is done and how long it takes.",
        ),
        click.option(
            "--quiet", "-q", is_flag=True, help="Print the findings and nothing else."
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            help="Use colour.",
        ),
        click.option(
            "--output-file",
            type=click.Path(dir_okay=False),
            help="Write there instead of to stdout.",
        ),
    ):
        function = option(function)
    return function


def wanted_outputs(
    given: tuple[str, ...], output_file: str | None, default: str
) -> list[tuple[str, str | None]]:
    """Formats and their files from words like `full` and `sarif=report.sarif`; None is
    stdout.

    Raises:
        UsageError: a format does not exist, or two would be written to the same place.
    """
    found: list[tuple[str, str | None]] = []
    for word in given or (default,):
        name, equals, file = word.partition("=")
        if name not in CHECK_FORMATS:
            close = difflib.get_close_matches(name, CHECK_FORMATS, n=1)
            hint = (
                f" (did you mean `{close[0]}`?)"
                if close
                else f"; there are {', '.join(CHECK_FORMATS)}"
            )
            raise UsageError(f"no output format `{name}`{hint}")
        if equals and not file:
            raise UsageError(f"`--output-format {word}` names no file after the `=`")
        found.append((name, file or None))
    bare = [name for name, file in found if file is None]
    if output_file is not None:
        if len(bare) != 1:
            raise UsageError(
                "`--output-file` is for one format; write `--output-format sarif=report.sarif` for more"
            )
        found = [(name, file or output_file) for name, file in found]
    elif len(bare) > 1:
        raise UsageError(
            f"`{bare[0]}` and `{bare[1]}` would both go to stdout; write `{bare[1]}=FILE` for one of them"
        )
    files = [os.path.realpath(file) for _, file in found if file is not None]
    twice = next((file for file in files if files.count(file) > 1), None)
    if twice is not None:
        raise UsageError(f"two formats would be written to `{os.path.relpath(twice)}`")
    source = next((file for file in files if file.endswith((".py", ".ipynb"))), None)
    if source is not None:
        raise UsageError(
            f"`{os.path.relpath(source)}` is the name of a source file; a report is not written there"
        )
    return found


def modes(config: Config, given: str | None) -> tuple[Mode, ...]:
    """The modes to walk in."""
    return MODES[config.pick("mode", given)]


def config_options(function: F) -> F:
    """--config and --isolated."""
    for option in (
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option(
            "--config", metavar="FILE", help="Read this configuration and no other."
        ),
    ):
        function = option(function)
    return function


def request_for(
    target: str, config: Config, words: dict[str, Any], **more: Any
) -> Walk:
    """The request that a command's words (those of `input_options`) make, checked
    before anything is started.

    What the configuration says of this target counts where the words say nothing.

    Raises:
        UsageError: target or input cannot be read.
    """
    from shapelint.asked.inputs import parse_inputs
    from shapelint.asked.target import parse_target

    table = configured(config, target)
    inputs, input_factory = words["inputs"], words["input_factory"]
    if not inputs and input_factory is None:
        inputs = tuple(table.get("inputs", ()))
        factory = table.get("input-factory")
        input_factory = _from_folder(config, factory) if factory else None
    parse_target(target)
    parse_inputs(inputs)
    if input_factory is not None:
        parse_target(input_factory)
    thresholds = {name: config[name] for name in DEFAULT_THRESHOLDS}
    mode = words["mode"] or table.get("mode") or None
    return Walk(
        target,
        inputs,
        input_factory,
        modes(config, mode),
        thresholds=thresholds,
        seconds=config.pick("timeout", words["timeout"]),
        expect=tuple(table.get("expect", ())),
        **more,
    )


def _from_folder(config: Config, target: str) -> str:
    """A target of the configuration as seen from here: its file is relative to the
    folder of the configuration."""
    path, colon, expression = target.partition(":")
    return f"{config.path(path)}{colon}{expression}" if path.endswith(".py") else target


def configured(config: Config, target: str) -> dict[str, Any]:
    """What the configuration says of a target; empty if it is not there."""
    for table in config["targets"]:
        own = _from_folder(config, table["target"])
        path, _, expression = own.partition(":")
        other, _, asked = target.partition(":")
        if expression == asked and (
            path == other or os.path.abspath(path) == os.path.abspath(other)
        ):
            found: dict[str, Any] = table
            return found
    return {}


def configured_targets(config: Config) -> tuple[str, ...]:
    """The targets of the configuration, and the folder whose training code is read."""
    targets = [_from_folder(config, table["target"]) for table in config["targets"]]
    return (*targets, os.path.relpath(config.folder))


def affected(config: Config, changed: tuple[str, ...]) -> tuple[str, ...]:
    """Of the targets of the configuration those that changed files are part of, then
    the files that can be read.

    A target whose files are not all known may be made of any file, and is one of them.
    """
    import fnmatch

    files = {os.path.realpath(file) for file in changed}
    if config.file is not None and os.path.realpath(config.file) in files:
        return configured_targets(config)
    tables = [
        table
        for table in config["targets"]
        if files and _is_affected(config, table, files)
    ]
    targets = [_from_folder(config, table["target"]) for table in tables]
    out = patterns(config, config["exclude"])
    read = [
        file
        for file in changed
        if file.endswith((".py", ".ipynb"))
        and os.path.isfile(file)
        and not any(fnmatch.fnmatch(os.path.abspath(file), pattern) for pattern in out)
    ]
    return (*targets, *read)


def _is_affected(config: Config, table: dict[str, Any], files: set[str]) -> bool:
    """Whether a target or its input factory is made of one of these files, or might
    be."""
    from shapelint.syntax.dependencies import dependencies_of

    words = [word for word in (table["target"], table.get("input-factory")) if word]
    places = [_from_folder(config, word).partition(":")[0] for word in words]
    behind = dependencies_of(places, str(config.folder))
    return not behind.is_complete or bool(files & behind.files)


def chosen_rules(
    config: Config, select: tuple[str, ...], ignore: tuple[str, ...], target: str
) -> tuple[str, ...]:
    """The codes that are on for a target: the command line's words, else the target's
    own, else the file's.

    Raises:
        UsageError: a word matches no rule.
    """
    from shapelint.rules import catalogue

    table = configured(config, target)
    wanted = list(select or table.get("select") or config["select"])
    if wanted:
        wanted += config["extend-select"]
    left_out = [
        *config.pick("ignore", ignore),
        *(table.get("ignore", ()) if not ignore else ()),
    ]
    return tuple(sorted(catalogue().selection(wanted, left_out)))


def ignored_in(config: Config) -> dict[str, list[str]]:
    """`per-file-ignores` as absolute patterns and codes.

    Raises:
        UsageError: a word matches no rule.
    """
    from shapelint.rules import catalogue

    return {
        pattern: [rule.code for word in words for rule in catalogue().matching(word)]
        for name, words in config["per-file-ignores"].items()
        for pattern in patterns(config, [name])
    }


def patterns(config: Config, names: list[str]) -> tuple[str, ...]:
    """Patterns as absolute ones; one without a slash is for files and folders of that
    name anywhere below."""
    folder = str(config.folder)
    return tuple(
        os.path.normpath(os.path.join(folder, name))
        if "/" in name
        else os.path.join(folder, "*" + name if name[:1] != "*" else name)
        for name in names
    )
