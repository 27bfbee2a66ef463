"""`shapelint init`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shapelint.asked.settings import DEFAULTS, Config
from shapelint.cli import say
from shapelint.cli.options import options_from, timeout_option
from shapelint.facts.errors import UsageError
from shapelint.facts.escape import in_one_line, json_text
from shapelint.facts.kinds import Status

if TYPE_CHECKING:
    from shapelint.facts.outcome import Outcome
    from shapelint.reading.model_classes import ModelClass


@dataclass(frozen=True)
class InitOptions:
    """The options of the command line."""

    paths: tuple[str, ...]
    yes: bool
    config: str | None
    timeout: float


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path())
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option("--config", metavar="FILE", help="Write into this file and no other.")
@timeout_option("For each model.", DEFAULTS.timeout)
def init(**words: Any) -> None:
    """Find the models below PATH (here), and an input that each runs with, and write
    both into the configuration.

    Models are found by reading; then each is imported and walked with inputs guessed
    from its layers, until one runs. What would be written is shown first. Nothing that
    is there is changed: tables are added at the end of pyproject.toml, or of
    shapelint.toml where that is there or no pyproject.toml is."""
    options = options_from(InitOptions, words)
    models = _find_models(options.paths)
    place = _find_place(options.config)
    if not models:
        where = ", ".join(f"`{path}`" for path in options.paths) or "this folder"
        raise UsageError(f"no model class (nn.Module with a forward) in {where}")
    verdicts = _judge_models(models, place, options.timeout)
    _say_verdicts(verdicts)
    tables = [each.table for each in verdicts if each.table]
    if not tables:
        say(f"nothing to add to {place.shown}")
        return
    text = "\n".join(tables)
    say(f"\nto be added to {place.shown}:\n\n{text}")
    content = place.with_tables(text)
    if not options.yes and not sys.stdin.isatty():
        say("not written; `shapelint init --yes` writes it")
    elif options.yes or click.confirm(in_one_line(f"write it into {place.shown}?")):
        place.write(content)
        them = "them" if len(tables) > 1 else "it"
        say(f"written; `shapelint check` now checks {them}")


def _find_models(paths: Iterable[str]) -> list[ModelClass]:
    from shapelint.reading.model_classes import find_models
    from shapelint.sources.file_search import find_files
    from shapelint.syntax.parsing import run_with_deep_stack

    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"no such file or folder: `{path}`")
    files = [file for path in paths or (".",) for file in find_files(path)]
    return run_with_deep_stack(lambda: find_models(dict.fromkeys(files)))


# -- the file that is written into
# --------------------------------------------------------------------------------------


class _Place:
    """The file to write into. `prefix`: of the names of its tables."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.prefix = "tool.shapelint." if file.name == "pyproject.toml" else ""
        self.shown = os.path.relpath(file)
        self.is_new = not file.is_file()
        self.before = b"" if self.is_new else file.read_bytes()

    @property
    def known(self) -> set[str]:
        """The targets that the file already has."""
        from shapelint.asked.config import load_config

        if self.is_new:
            return set()
        config = load_config(given=str(self.file))
        return {_make_absolute(config, table.target) for table in config.targets}

    def from_here(self, target: str) -> str:
        """A target with its path relative to the folder of this file."""
        path, colon, name = target.partition(":")
        return Path(os.path.relpath(path, self.file.parent)).as_posix() + colon + name

    def with_tables(self, tables: str) -> bytes:
        """The content of the file with tables added at its end.

        Raises:
            UsageError: it would be no configuration any more.
        """
        from shapelint.asked.config import check_config

        # The line ends of the file, which may be those of Windows.
        ending = b"\r\n" if b"\r\n" in self.before else b"\n"
        is_ended = self.before.endswith(b"\n")
        gap = ending if is_ended else ending * 2
        if not self.before.strip():
            gap = b""
        text = self.before + gap + tables.encode().replace(b"\n", ending)
        try:
            check_config(self.file, text.decode("utf-8"))
        except UsageError as error:
            raise UsageError(
                f"cannot add to `{self.shown}`; edit it by hand: {error}"
            ) from None
        return text

    def write(self, text: bytes) -> None:
        """Write the file whole or not at all, unless it has changed since it was read.

        Raises:
            UsageError: it has changed, or cannot be written.
        """
        from shapelint.apply.written_files import write_whole

        now = self.file.read_bytes() if self.file.is_file() else b""
        if now != self.before:
            raise UsageError(
                f"`{self.shown}` has changed meanwhile; nothing was written"
            )
        write_whole(self.file, text)


def _make_absolute(config: Config, target: str) -> str:
    path, colon, name = target.partition(":")
    return f"{os.path.abspath(config.folder / path)}{colon}{name}"


def _find_place(given: str | None) -> _Place:
    """The configuration in force here, or else the nearest pyproject.toml, or else a
    new shapelint.toml."""
    from shapelint.asked.config import load_config

    if given is not None:
        if not given.endswith(".toml"):
            raise UsageError(
                f"`{given}` is not a TOML file; write pyproject.toml or shapelint.toml"
            )
        return _Place(Path(given).resolve())
    config = load_config()
    if config.file is not None:
        return _Place(config.file)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return _Place(folder / "pyproject.toml")
        if (folder / ".git").exists():
            break  # a project's root: what is above belongs to somebody else
    return _Place(here / "shapelint.toml")


# -- what is said of each model
# --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Verdict:
    """The line to print about a model, and its table if it ran."""

    model: ModelClass
    words: str
    table: str = ""


def _judge_models(
    models: list[ModelClass], place: _Place, timeout: float
) -> list[_Verdict]:
    from shapelint.asked.request import Propose
    from shapelint.cli.progress import Progress
    from shapelint.process.runner import run_all

    known = {name.partition("(")[0] for name in place.known}
    verdicts = {model: _judge_unrun(model, known) for model in models}
    ready = [model for model, verdict in verdicts.items() if verdict is None]
    requests = [Propose(model.target, timeout) for model in ready]
    with Progress(len(requests)) as progress:
        outcomes = run_all(requests, on_step=progress.step)
    for model, outcome in zip(ready, outcomes, strict=True):
        verdicts[model] = _judge_run(model, outcome, place)
    return [verdict for verdict in verdicts.values() if verdict is not None]


def _judge_unrun(model: ModelClass, known: set[str]) -> _Verdict | None:
    """The verdict on a model that need not be tried; None if it must be."""
    if f"{os.path.abspath(model.file)}:{model.name}" in known:
        return _Verdict(model, "is there already")
    if model.trains is not None:
        return _Verdict(
            model,
            f"not tried: line {model.trains} trains when the file is imported; `if "
            '__name__ == "__main__":`?',
        )
    if model.required and not model.call:
        arguments = ", ".join(f"{name}=..." for name in model.required)
        return _Verdict(model, f"needs arguments: write `{model.target}({arguments})`")
    return None


def _judge_run(model: ModelClass, outcome: Outcome, place: _Place) -> _Verdict:
    report = outcome.report
    if report.status is Status.FAILED:
        return _Verdict(model, f"not tried: {report.diagnostics[0].message}")
    if report.status is Status.PARTIAL:
        inputs = ["--input", *report.proposed] if report.proposed else []
        command = shlex.join(["shapelint", "check", model.target, *inputs])
        return _Verdict(
            model, f"no input found that it runs with; `{command}` says why"
        )
    target = place.from_here(model.target)
    if target.encode(errors="replace").decode() != target:
        return _Verdict(
            model,
            "not added: its file has a name that is no text, which TOML cannot hold",
        )
    lines = [f"[[{place.prefix}targets]]", f"target = {json_text(target)}"]
    given = "an input of its own"
    if report.proposed:
        given = " ".join(report.proposed)
        lines.append(f"inputs = {json_text(report.proposed)}")
    words = f"runs with {given}, gives {report.output}"
    return _Verdict(model, words, "\n".join(lines) + "\n")


def _say_verdicts(verdicts: list[_Verdict]) -> None:
    """Print one line for each model, with the names in one column."""
    names = [in_one_line(each.model.target) for each in verdicts]
    width = max(map(len, names))
    for name, verdict in zip(names, verdicts, strict=True):
        say(f"{name.ljust(width)}  {in_one_line(verdict.words)}")
