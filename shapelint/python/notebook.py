"""The magic `%%shapelint` for IPython and Jupyter: runs a cell that defines a model,
and walks the model in this session."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import click

from shapelint.asked.inputs import looks_like_input
from shapelint.asked.settings import DEFAULTS, MODES
from shapelint.cli import say
from shapelint.cli.options import TakesInputs
from shapelint.facts.errors import UsageError
from shapelint.python.results import Report

if TYPE_CHECKING:
    import torch

    from shapelint.python.api import Model


class CellResult(Protocol):
    """The result of running a cell: whether it ran to its end."""

    success: bool


class DisplayHook(Protocol):
    """Shows results. `prompt_count` is the number of the cell."""

    prompt_count: int


class Session(Protocol):
    """The part of IPython's `InteractiveShell` that is used here; its methods have no
    types."""

    user_ns: dict[str, Any]
    compile: object
    displayhook: DisplayHook

    def run_cell(self, raw_cell: str) -> CellResult: ...

    def transform_cell(self, raw_cell: str) -> str: ...

    def register_magic_function(
        self, func: Callable[..., Report | None], magic_kind: str, magic_name: str
    ) -> None: ...


def load_ipython_extension(shell: Session) -> None:
    """Register `%shapelint` and `%%shapelint`. Called by `%load_ext shapelint`."""

    def shapelint(line: str, cell: str | None = None) -> Report | None:
        return run_magic(shell, line, cell)

    shapelint.__doc__ = magic.get_help(click.Context(magic, info_name="%%shapelint"))
    shell.register_magic_function(shapelint, "line_cell", "shapelint")


def run_magic(shell: Session, line: str, cell: str | None) -> Report | None:
    """The report, which the session shows. If there is none, print the reason and
    return None."""
    if cell is not None and not _run_cell(shell, cell):
        return None
    try:
        words = _split_words(line)
        report: Report = magic.main(
            words, "%%shapelint", standalone_mode=False, obj=(shell, cell)
        )
        return report
    except click.UsageError as error:
        message = error.format_message()
    except (UsageError, ValueError) as error:
        message = str(error)
    say(f"error: {message}", err=True)
    return None


def _run_cell(shell: Session, cell: str) -> bool:
    """Run the code below the magic. Its line numbers are those of the cell as shown."""
    # IPython's table of the numbers of cells, by the names that tracebacks have; a
    # private one, and not there in every shell.
    numbers: dict[str, int] = getattr(shell.compile, "_filename_map", {})
    before = set(numbers)
    # A comment in place of the magic, so that lines count from it. Below another magic
    # it would not do: that one must come first.
    has_magic = cell.lstrip().startswith("%%")
    first = "" if has_magic else "# the magic stands here\n"
    result = shell.run_cell(first + cell)
    # Run from within a cell, the text has no number yet.
    new = set(numbers) - before
    numbers.update(dict.fromkeys(new, shell.displayhook.prompt_count))
    return bool(result.success)


def _split_words(line: str) -> list[str]:
    """Split the line into words. The first shape needs no `--input` before it."""
    words = shlex.split(line)
    for at, word in enumerate(words):
        if word in ("--input", "-i"):
            break
        if looks_like_input(word):
            words.insert(at, "--input")
            break
    return words


@click.command(cls=TakesInputs)
@click.argument("target", required=False)
@click.option(
    "--input",
    "-i",
    "inputs",
    multiple=True,
    metavar="SPEC...",
    help="Input in order, as on the command line.",
)
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default=DEFAULTS.mode,
    help=f"Mode to walk in.  [{DEFAULTS.mode}]",
)
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Rules to use: codes, prefixes, names.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Rules to leave out.")
@click.pass_obj
def magic(
    session: tuple[Session, str | None],
    target: str | None,
    inputs: tuple[str, ...],
    mode: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> Report:
    """Walk a model of this session: TARGET is a class, an instance or a call; without
    one the last class of the cell.

    `%%shapelint 1,3,64,64` above a cell runs it, then walks the model that it defines.
    """
    from shapelint.python.api import check

    shell, cell = session
    model = _find_model(shell, target) if target else _last_model(shell, cell or "")
    words = " ".join(inputs) or None
    return check(model, words, select=select, ignore=ignore, mode=mode)


def _last_model(shell: Session, cell: str) -> Model:
    """The last model class that a cell defines."""
    for node in reversed(_parse_cell(shell, cell)):
        if isinstance(node, ast.ClassDef):
            value = shell.user_ns.get(node.name)
            if _is_model_class(value):
                return value
    raise UsageError(
        "the cell defines no nn.Module class; name a model, as in "
        "`%shapelint Net 1,3,64,64`"
    )


def _parse_cell(shell: Session, cell: str) -> list[ast.stmt]:
    try:
        return ast.parse(shell.transform_cell(cell)).body
    except SyntaxError:
        return []


def _find_model(shell: Session, target: str) -> Model:
    """A class or an instance of the session, or a function that evaluates an
    expression."""
    names = shell.user_ns
    value: Model | None = names.get(target)
    if value is not None:
        return value
    if target.isidentifier():
        hint = _suggest(target, names)
        raise UsageError(f"there is no `{target}` in this session{hint}")
    return _maker_of(target, names)


def _is_model_class(value: object) -> TypeGuard[type[torch.nn.Module]]:
    import torch

    return isinstance(value, type) and issubclass(value, torch.nn.Module)


def _suggest(target: str, names: dict[str, Any]) -> str:
    """A model with a similar name."""
    import difflib

    import torch

    models = [
        name
        for name, value in names.items()
        if _is_model_class(value) or isinstance(value, torch.nn.Module)
    ]
    close = difflib.get_close_matches(target, models, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _maker_of(target: str, names: dict[str, Any]) -> Callable[[], torch.nn.Module]:
    try:
        code = compile(target, "<target>", "eval")
    except SyntaxError as error:
        message = f"`{target}` is not a Python expression: {error.msg}"
        raise UsageError(message) from None

    def make() -> torch.nn.Module:
        made: torch.nn.Module = eval(code, names)  # noqa: S307 - the user's own words
        return made

    make.__name__ = target
    return make
