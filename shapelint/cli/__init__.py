"""The command line: parses words, makes one call, and returns an exit code. No torch
here."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import click

from shapelint import __version__
from shapelint.facts.errors import UsageError
from shapelint.facts.escape import printable

_COMMANDS = {
    "check": "Walk models and say what is wrong with them.",
    "init": "Find the models of a project and write them into its configuration.",
    "report": "Print the per-layer shape and parameter report of a model.",
    "rule": "Explain a rule, or list them all.",
}


def say(text: str, err: bool = False, nl: bool = True, colour: bool = False) -> None:
    """Print a text to stdout, or to stderr. Everything but reports, which `write`
    prints, goes through this function.

    The text may contain words of the user or of the user's files, so characters that
    act on a terminal or a runner are escaped."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = printable(text, colour)
    click.echo(
        safe.encode(encoding, "backslashreplace").decode(encoding), err=err, nl=nl
    )


@contextlib.contextmanager
def _safe_words() -> Iterator[None]:
    """Make click's messages about unusable words safe to print, because they contain
    these words."""
    try:
        yield
    except click.UsageError as error:
        message = error.format_message()
        safe = printable(message)
        if safe == message:
            raise
        raise click.UsageError(safe, error.ctx) from None


class Commands(click.Group):
    """The commands. Each is imported only when it is called; its one-line help is known
    without that."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"shapelint.cli.{cmd_name}"), cmd_name
        )
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        word = args[0] if args else ""
        if word not in _COMMANDS and (".py" in word or ":" in word):
            ctx.fail(f"no command `{word}`; did you mean `shapelint check {word}`?")
        close = difflib.get_close_matches(word, _COMMANDS, n=1)
        if word not in _COMMANDS and not word.startswith("-") and close:
            ctx.fail(f"no command `{word}`; did you mean `{close[0]}`?")
        return super().resolve_command(ctx, args)

    def make_context(self, *words: Any, **more: Any) -> click.Context:
        with _safe_words():
            return super().make_context(*words, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _safe_words():
                return super().invoke(ctx)
        except UsageError as error:
            say(f"error: {error}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            from shapelint.cli.exit_codes import INTERRUPTED

            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # nobody reads what is printed any more
            # Python flushes stdout once more when it ends, and would raise again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(2)
        # These are how click ends a command; it prints them itself.
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            _say_fault(traceback.format_exc())
            ctx.exit(2)


def _say_fault(text: str) -> None:
    """Report on stderr that a command itself failed. The exit code differs from that of
    findings."""
    from shapelint.render.fault_text import write_fault

    with contextlib.suppress(OSError):
        say(write_fault(text, torch_version()), err=True)


def torch_version() -> str | None:
    """The installed version of torch, found without importing it."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    say(f"shapelint {__version__} (torch {torch_version() or 'not installed'})")
    ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Versions, torch's too.",
)
def main() -> None:
    """Walk a PyTorch model without data and say what is wrong with it before training.

    shapelint imports and runs the code of the models it is given.
    """
