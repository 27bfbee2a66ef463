"""`%%shapelint` for IPython and Jupyter: a cell that defines a model is run, and the
model walked in this session."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from typing import Any

import click

from shapelint.asked.inputs import looks_like_input
from shapelint.asked.settings import DEFAULTS, MODES
from shapelint.cli import say
from shapelint.cli.options import TakesInputs
from shapelint.facts.errors import UsageError


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext shapelint` calls: `%shapelint` and `%%shapelint` are there from
    then on."""

    def shapelint(line: str, cell: str | None = None) -> Any:
        return run_magic(shell, line, cell)

    shapelint.__doc__ = magic.get_help(click.Context(magic, info_name="%%shapelint"))
    shell.register_magic_function(shapelint, "line_cell", "shapelint")


def run_magic(shell: Any, line: str, cell: str | None) -> Any:
    """The report, which the session shows; None where there is none, and why is
    said."""
    if cell is not None and not _ran(shell, cell):
        return None
    try:
        return magic.main(
            _words(line), "%%shapelint", standalone_mode=False, obj=(shell, cell)
        )
    except (UsageError, click.UsageError, ValueError) as error:
        message = (
            error.format_message()
            if isinstance(error, click.UsageError)
            else str(error)
        )
        say(f"error: {message}", err=True)
        return None


def _ran(shell: Any, cell: str) -> bool:
    """Run what stands below the magic; its lines are those of the cell that the session
    shows."""
    numbers = getattr(shell.compile, "_filename_map", {})
    before = set(numbers)
    first = (
        "" if cell.lstrip().startswith("%%") else "# the magic stands here\n"
    )  # so that lines count from it
    result = shell.run_cell(first + cell)
    numbers.update(dict.fromkeys(set(numbers) - before, shell.displayhook.prompt_count))
    return bool(result.success)


def _words(line: str) -> list[str]:
    """The line as words; the first shape needs no `--input` before it."""
    words = shlex.split(line)
    first = next(
        (
            at
            for at, word in enumerate(words)
            if word in ("--input", "-i") or looks_like_input(word)
        ),
        None,
    )
    if first is not None and words[first] not in ("--input", "-i"):
        words.insert(first, "--input")
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
    session: tuple[Any, str | None],
    target: str | None,
    inputs: tuple[str, ...],
    mode: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> Any:
    """Walk a model of this session: TARGET is a class, an instance or a call; without
    one the last class of the cell.

    `%%shapelint 1,3,64,64` above a cell runs it, then walks the model that it defines.
    """
    from shapelint.python.api import check

    shell, cell = session
    model = _model(shell, target, cell)
    return check(
        model, " ".join(inputs) or None, select=select, ignore=ignore, mode=mode
    )


def _model(shell: Any, target: str | None, cell: str | None) -> Any:
    """What is meant: a class or an instance, or a function that makes what an
    expression says."""
    import torch

    names = shell.user_ns
    if target is None:
        found = [
            node.name
            for node in _statements(shell, cell or "")
            if isinstance(node, ast.ClassDef)
            and _is_model(names.get(node.name), torch.nn.Module)
        ]
        if not found:
            raise UsageError(
                "the cell defines no nn.Module class; name a model, as in `%shapelint Net 1,3,64,64`"
            )
        target = found[-1]
    value = names.get(target)
    if value is None and target.isidentifier():
        raise UsageError(
            f"there is no `{target}` in this session{_near(target, names, torch.nn.Module)}"
        )
    return value if value is not None else _maker(target, names)


def _statements(shell: Any, cell: str) -> list[ast.stmt]:
    try:
        return list(ast.parse(shell.transform_cell(cell)).body)
    except SyntaxError:
        return []


def _is_model(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base)


def _near(target: str, names: dict[str, Any], base: type) -> str:
    import difflib

    models = [
        name
        for name, value in names.items()
        if _is_model(value, base) or isinstance(value, base)
    ]
    close = difflib.get_close_matches(target, models, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _maker(target: str, names: dict[str, Any]) -> Callable[[], Any]:
    try:
        code = compile(target, "<target>", "eval")
    except SyntaxError as error:
        raise UsageError(
            f"`{target}` is not a Python expression: {error.msg}"
        ) from None

    def make() -> Any:
        return eval(code, names)  # noqa: S307 - the user's own words, in their own session

    make.__name__ = target
    return make
