"""`shapelint init`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from shapelint.cli import say
from shapelint.facts.errors import UsageError
from shapelint.facts.escape import in_one_line
from shapelint.facts.kinds import Status


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path())
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option("--config", metavar="FILE", help="Write into this file and no other.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=60.0,
    metavar="SECONDS",
    help="For each model.  [60]",
)
def init(paths: tuple[str, ...], yes: bool, config: str | None, timeout: float) -> None:
    """Find the models below PATH (here), and an input that each runs with, and write
    both into the configuration.

    Models are found by reading; then each is imported and walked with inputs guessed
    from its layers, until one runs. What would be written is shown first. Nothing that
    is there is changed: tables are added at the end of pyproject.toml, or of
    shapelint.toml where that is there or no pyproject.toml is."""
    from shapelint.reading.models import models_in
    from shapelint.sources.files import files_below
    from shapelint.syntax.parsing import with_deep_stack

    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"no such file or folder: `{path}`")
    files = [file for path in paths or (".",) for file in files_below(path)]
    models = with_deep_stack(lambda: models_in(dict.fromkeys(files)))
    place = _place(config)
    if not models:
        where = ", ".join(f"`{path}`" for path in paths) or "this folder"
        raise UsageError(f"no model class (nn.Module with a forward) in {where}")
    tables, said = _proposed(models, place, timeout)
    for line in said:
        say(line)
    if not tables:
        say(f"nothing to add to {place.shown}")
        return
    say(f"\nto be added to {place.shown}:\n\n{tables}")
    text = place.with_tables(tables)
    if not yes and not sys.stdin.isatty():
        say("not written; `shapelint init --yes` writes it")
    elif yes or click.confirm(in_one_line(f"write it into {place.shown}?")):
        place.write(text)
        say(
            f"written; `shapelint check` now checks {'them' if tables.count('[[') > 1 else 'it'}"
        )


class _Place:
    """The file that is written into. `prefix`: of its tables."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.prefix = "tool.shapelint." if file.name == "pyproject.toml" else ""
        self.shown = os.path.relpath(file)
        self.before = file.read_bytes() if file.is_file() else b""
        self.is_new = not file.is_file()

    @property
    def known(self) -> set[str]:
        """The targets that are there."""
        from shapelint.asked.config import load_config

        if self.is_new:
            return set()
        config = load_config(given=str(self.file))
        return {_path_of(config, table["target"]) for table in config["targets"]}

    def from_here(self, target: str) -> str:
        """A target as it is written in this file: with the path from its folder."""
        path, colon, name = target.partition(":")
        return Path(os.path.relpath(path, self.file.parent)).as_posix() + colon + name

    def with_tables(self, tables: str) -> bytes:
        """The file with tables at its end.

        Raises:
            UsageError: it would be no configuration any more.
        """
        from shapelint.asked.config import validated

        ending = b"\r\n" if b"\r\n" in self.before else b"\n"
        gap = (
            b""
            if not self.before.strip()
            else (ending if self.before.endswith(b"\n") else ending * 2)
        )
        text = self.before + gap + tables.encode().replace(b"\n", ending)
        try:
            validated(self.file, text.decode("utf-8"))
        except UsageError as error:
            raise UsageError(
                f"cannot add to `{self.shown}`, write it yourself: {error}"
            ) from None
        return text

    def write(self, text: bytes) -> None:
        """The file, whole or not at all; not where it has changed since it was read.

        Raises:
            UsageError: it has changed, or cannot be written.
        """
        from shapelint.apply.files import written_whole

        now = self.file.read_bytes() if self.file.is_file() else b""
        if now != self.before:
            raise UsageError(
                f"`{self.shown}` has changed meanwhile; nothing was written"
            )
        written_whole(self.file, text)


def _place(given: str | None) -> _Place:
    """The configuration that counts here; else the nearest pyproject.toml; else a new
    shapelint.toml."""
    from shapelint.asked.config import load_config

    if given is not None:
        if not given.endswith(".toml"):
            raise UsageError(
                f"`{given}` is no TOML file; write pyproject.toml or shapelint.toml"
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
            break
    return _Place(here / "shapelint.toml")


def _path_of(config: Any, target: str) -> str:
    path, colon, name = target.partition(":")
    return f"{os.path.abspath(config.folder / path)}{colon}{name}"


def _proposed(
    models: list[Any], place: _Place, timeout: float
) -> tuple[str, list[str]]:
    """The tables for the models that ran, and a line about each model."""
    from shapelint.asked.request import Propose
    from shapelint.cli.progress import Progress
    from shapelint.process.runner import run_all

    known = place.known
    names = {name.partition("(")[0] for name in known}
    new = [
        model
        for model in models
        if f"{os.path.abspath(model.file)}:{model.name}" not in names
    ]
    ready = [
        model
        for model in new
        if (model.call or not model.required) and model.trains is None
    ]
    requests = [Propose(model.target, timeout) for model in ready]
    with Progress(len(requests)) as progress:
        outcomes = dict(
            zip(ready, run_all(requests, on_step=progress.step), strict=True)
        )
    shown = {model: in_one_line(model.target) for model in models}
    width = max(map(len, shown.values()))
    tables: list[str] = []
    said: list[str] = []
    for model in models:
        if model not in new:
            words = "is there already"
        elif model.trains is not None:
            words = f'not tried: line {model.trains} trains when the file is imported; `if __name__ == "__main__":`?'
        elif model.required and not model.call:
            words = f"needs arguments: write `{model.target}({', '.join(f'{name}=...' for name in model.required)})`"
        else:
            words, table = _told(model, outcomes[model], place)
            tables += table
        said.append(f"{shown[model].ljust(width)}  {in_one_line(words)}")
    return "\n".join(tables), said


def _told(model: Any, outcome: Any, place: _Place) -> tuple[str, list[str]]:
    """What is said of a model that was tried, and its table if it ran."""
    from shapelint.facts.escape import json_text

    report = outcome.report
    if report.status is Status.FAILED:
        return f"not tried: {report.diagnostics[0].message}", []
    if report.status is Status.PARTIAL:
        command = shlex.join(
            [
                "shapelint",
                "check",
                model.target,
                *(["--input", *report.proposed] if report.proposed else []),
            ]
        )
        return f"no input found that it runs with; `{command}` says why", []
    target = place.from_here(model.target)
    if target.encode(errors="replace").decode() != target:
        return (
            "not added: its file has a name that is no text, which TOML cannot hold",
            [],
        )
    lines = [f"[[{place.prefix}targets]]", f"target = {json_text(target)}"]
    if report.proposed:
        lines.append(f"inputs = {json_text(report.proposed)}")
    words = "runs with " + (
        " ".join(report.proposed) if report.proposed else "an input of its own"
    )
    return f"{words}, gives {report.output}", ["\n".join(lines) + "\n"]
