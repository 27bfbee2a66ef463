"""What the documents show is what the program does."""

from __future__ import annotations

import ast
import re
import shlex

import pytest

from docs.build import PICTURE, pages
from tests.conftest import ROOT, run_shapelint
from tests.test_formats import normal

README = (ROOT / "README.md").read_text()
SHOWN = re.findall(
    r"```console\n\$ (shapelint (?:check|report) fixtures/[^\n]+)\n(.+?)```",
    README,
    re.DOTALL,
)


@pytest.mark.parametrize(
    ("command", "output"), SHOWN, ids=[command for command, _ in SHOWN]
)
def test_readme_shows_real_output(command: str, output: str) -> None:
    assert run_shapelint(*shlex.split(command)[1:]).out == output


def test_readme_has_examples() -> None:
    assert len(SHOWN) == 2


def test_generated_pages_are_current() -> None:
    stale = [
        path.name
        for path, text in pages().items()
        if not path.exists() or path.read_text() != text
    ]
    assert stale == [], "run `make docs`"
    extra = {path.name for path in (ROOT / "docs" / "rules").glob("*.md")} - {
        path.name for path in pages()
    }
    assert extra == set()


def test_links_of_the_documents_lead_somewhere() -> None:
    for document in (
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "docs/start.md",
        "docs/ci.md",
    ):
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text()):
            assert ((ROOT / document).parent / link).exists(), f"{document}: {link}"


def test_the_picture_of_the_readme_is_current() -> None:
    assert normal(run_shapelint(*PICTURE).out) == normal(
        (ROOT / "docs" / "small_cnn.svg").read_text(encoding="utf-8")
    )


def test_every_place_of_the_architecture_exists() -> None:
    for place in re.findall(
        r"^\| `(shapelint/[\w/.]+)`",
        (ROOT / "ARCHITECTURE.md").read_text(),
        re.MULTILINE,
    ):
        assert (ROOT / place).exists(), place


def test_every_function_of_the_architecture_exists() -> None:
    text = " ".join((ROOT / "ARCHITECTURE.md").read_text().split())
    named = re.findall(r"`([\w/]+\.py):([\w.]+)`", text)
    assert len(named) > 20
    for file, name in named:
        tree = ast.parse((ROOT / "shapelint" / file).read_text())
        for part in name.split("."):
            defined = {
                node.name: node
                for node in tree.body
                if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            }
            assert part in defined, f"{file}:{name}"
            tree = ast.Module(defined[part].body, [])


def test_readme_explains_the_exit_codes_and_help_names_them() -> None:
    done = run_shapelint("check", "--help")
    assert (
        "0 nothing at or above warning, 1 findings, 2 a target or a file could not be checked"
        in " ".join(done.out.split())
    )
