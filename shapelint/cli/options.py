"""Options that several commands share, and how a command's words become requests."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from shapelint.config import FORMATS, Config
from shapelint.errors import UsageError
from shapelint.inputs import looks_like_input
from shapelint.request import Request

F = TypeVar("F", bound=Callable[..., Any])


class TakesInputs(click.Command):
    """`--input 1,3,64,64 1,16:int64`: words after an input that can only be inputs are inputs too."""

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
        click.option("--timeout", type=click.FloatRange(min=1), metavar="SECONDS", help="Time for a target.  [60]"),
        click.option("--mode", type=click.Choice(["train", "eval", "both"]), help="Mode to walk in.  [both]"),
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
    """--output-file and --color."""
    for option in (
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Use colour."),
        click.option("--output-file", type=click.Path(dir_okay=False), help="Write there instead of to stdout."),
    ):
        function = option(function)
    return function


def wanted_outputs(given: tuple[str, ...], output_file: str | None, default: str) -> list[tuple[str, str | None]]:
    """Formats and their files from words like `full` and `sarif=report.sarif`; None is stdout.

    Raises:
        UsageError: a format does not exist, or two would be written to the same place.
    """
    found: list[tuple[str, str | None]] = []
    for word in given or (default,):
        name, equals, file = word.partition("=")
        if name not in FORMATS:
            close = difflib.get_close_matches(name, FORMATS, n=1)
            hint = f" (did you mean `{close[0]}`?)" if close else f"; there are {', '.join(FORMATS)}"
            raise UsageError(f"no output format `{name}`{hint}")
        if equals and not file:
            raise UsageError(f"`--output-format {word}` names no file after the `=`")
        found.append((name, file or None))
    bare = [name for name, file in found if file is None]
    if output_file is not None:
        if len(bare) != 1:
            raise UsageError("`--output-file` is for one format; write `--output-format sarif=report.sarif` for more")
        found = [(name, file or output_file) for name, file in found]
    elif len(bare) > 1:
        raise UsageError(f"`{bare[0]}` and `{bare[1]}` would both go to stdout; write `{bare[1]}=FILE` for one of them")
    files = [os.path.abspath(file) for _, file in found if file is not None]
    twice = next((file for file in files if files.count(file) > 1), None)
    if twice is not None:
        raise UsageError(f"two formats would be written to `{os.path.relpath(twice)}`")
    return found


def modes(config: Config, given: str | None) -> tuple[str, ...]:
    """The modes to walk in."""
    mode = config.pick("mode", given)
    return ("train", "eval") if mode == "both" else (mode,)


def request_for(target: str, config: Config, words: dict[str, Any], **more: Any) -> Request:
    """The request that a command's words (those of `input_options`) make, checked before anything is started.

    Raises:
        UsageError: target or input cannot be read.
    """
    from shapelint.inputs import parse_inputs
    from shapelint.target import parse_target

    inputs, input_factory = words["inputs"], words["input_factory"]
    parse_target(target)
    parse_inputs(inputs)
    if input_factory is not None:
        parse_target(input_factory)
    thresholds = {name: config[name] for name in ("head-share", "head-params")}
    return Request(
        target,
        inputs,
        input_factory,
        modes(config, words["mode"]),
        thresholds=thresholds,
        seconds=config.pick("timeout", words["timeout"]),
        **more,
    )
