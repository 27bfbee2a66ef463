"""Options that several commands share, and the conversion of click's arguments to
dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import click

from shapelint.asked.inputs import looks_like_input
from shapelint.asked.settings import DEFAULTS, MODES

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass(frozen=True)
class InputOptions:
    """The inputs of a model, and how it is walked. None for options that were not
    given."""

    inputs: tuple[str, ...] = ()
    input_factory: str | None = None
    mode: str | None = None
    timeout: float | None = None

    @property
    def has_input(self) -> bool:
        """Whether an input was given."""
        return bool(self.inputs or self.input_factory)


@dataclass(frozen=True)
class ConfigOptions:
    """Which configuration to use."""

    config: str | None = None
    isolated: bool = False


@dataclass(frozen=True)
class OutputOptions:
    """Where to print, and how much."""

    output_file: str | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False


def options_from(kind: type[T], words: Mapping[str, object]) -> T:
    """Build a command's options from click's arguments, by the names of the fields.

    A field that is a dataclass itself is built from the same arguments."""
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for declared in fields(kind):  # type: ignore[arg-type]
        hint = hints[declared.name]
        is_group = isinstance(hint, type) and is_dataclass(hint)
        name = declared.name
        values[name] = options_from(hint, words) if is_group else words[name]
    return kind(**values)


class TakesInputs(click.Command):
    """`--input 1,3,64,64 1,16:int64`: words after an input that can only be inputs are
    inputs too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        after_input = False
        for given in args:
            word = "--input" if given == "-i" else given
            is_value = bool(spread) and spread[-1] == "--input"
            if after_input and not is_value:
                after_input = looks_like_input(word)
                if after_input:
                    spread.append("--input")
            after_input = after_input or word == "--input"
            spread.append(word)
        return super().parse_args(ctx, spread)


def _decorate(function: F, *options: Callable[[F], F]) -> F:
    """Apply options in the order in which the help lists them."""
    for option in reversed(options):
        function = option(function)
    return function


def input_options(function: F) -> F:
    """--input, --input-factory, --mode, --timeout."""
    return _decorate(
        function,
        click.option(
            "--input",
            "-i",
            "inputs",
            multiple=True,
            metavar="SPEC...",
            help="Input in order: 1,3,64,64 | 1,16:int64 | ids=1,128:int64 | (1,3,64,64)x4.",
        ),
        click.option(
            "--input-factory",
            metavar="FILE.py:FUNCTION",
            help="Function that returns args, or (args, kwargs), for dicts, lists and "
            "nested inputs.",
        ),
        click.option(
            "--mode",
            type=click.Choice(list(MODES)),
            help=f"Mode to walk in.  [{DEFAULTS.mode}]",
        ),
        timeout_option("Time for a target."),
    )


def timeout_option(help_text: str, default: float | None = None) -> Callable[[F], F]:
    """--timeout, in seconds."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=1),
        default=default,
        metavar="SECONDS",
        help=f"{help_text}  [{DEFAULTS.timeout:g}]",
    )


def config_options(function: F) -> F:
    """--config and --isolated."""
    return _decorate(
        function,
        click.option(
            "--config", metavar="FILE", help="Read this configuration and no other."
        ),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
    )


def output_options(function: F) -> F:
    """--output-file, --color, --quiet and --verbose."""
    return _decorate(
        function,
        click.option(
            "--output-file",
            type=click.Path(dir_okay=False),
            help="Write there instead of to stdout.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            help="Use colour.",
        ),
        click.option(
            "--quiet", "-q", is_flag=True, help="Print the findings and nothing else."
        ),
        click.option(
            "--verbose",
            "-v",
            is_flag=True,
            help="Print each step and the time it takes to stderr.",
        ),
    )
