"""The places to touch for a new rule, op, recovery, format or option, as CONTRIBUTING
lists them: one entry of each kind is found in no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import shapelint

PACKAGE = Path(shapelint.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))

Sees = Callable[[ast.AST], bool]


def places_of(heading: str) -> list[str]:
    """The places in the section of CONTRIBUTING under a heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    listed = section.split("Places:\n\n")[1].split("\n\n")[0]
    return re.findall(r"^- `([^`]+)`", listed, re.MULTILINE)


def is_constant(*values: str) -> Sees:
    """Sees a text that is written in the code."""
    return lambda node: isinstance(node, ast.Constant) and node.value in values


def is_field(name: str) -> Sees:
    """Sees where a field of a dataclass is declared."""

    def sees(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == name
        )

    return sees


def modules_with(*sees: Sees) -> Iterator[str]:
    """The modules of the package in which something is seen."""
    for path in MODULES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        if any(see(node) for see in sees for node in nodes):
            yield path.relative_to(ROOT).as_posix()


ENTRIES = {
    "Add a rule": [is_constant("SHP504", "missing-super-init")],
    "Add an op": [is_constant("logsigmoid", "LogSigmoid")],
    "Add a recovery": [
        lambda node: isinstance(node, ast.Name) and node.id == "recover_unfolding"
    ],
    "Add an output format": [is_constant("gitlab")],
    "Add an option": [is_constant("--fail-on"), is_field("fail_on")],
}


@pytest.mark.parametrize("heading", ENTRIES)
def test_an_entry_is_in_the_places_listed_and_in_no_other(heading: str) -> None:
    listed = [place for place in places_of(heading) if place.startswith("shapelint/")]
    patterns = [re.sub(r"<\w+>", "*", place) for place in listed]
    found = set(modules_with(*ENTRIES[heading]))
    matched = {path for path in found for each in patterns if Path(path).match(each)}
    assert found == matched
    unused = [each for each in patterns if not any(Path(p).match(each) for p in found)]
    assert not unused


@pytest.mark.parametrize("heading", ENTRIES)
def test_every_listed_place_exists(heading: str) -> None:
    for place in places_of(heading):
        assert list(ROOT.glob(re.sub(r"<\w+>", "*", place))), place
