"""The weights of the search stand in one table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import shapelint
from shapelint.changes import weights

PACKAGE = Path(shapelint.__file__).parent
TABLE = PACKAGE / "changes" / "weights.py"
FILES = [
    file
    for room in ("changes", "rules", "fixes")
    for file in sorted((PACKAGE / room).rglob("*.py"))
    if file != TABLE
]

NO_WEIGHTS = {
    ("changes/window_values.py", 0.1): "a tolerance between two ratios of sizes",
    ("rules/__init__.py", 0.5): "how near a word is to a rule's name",
    ("rules/mode/dropout_ignores_eval.py", 0.5): "the default of `p`",
    ("fixes/more_samples.py", 1e-3): "a tolerance between equal samples",
    ("fixes/verify.py", 1e9): "a limit of work, in mult-adds",
}
"""Numbers that say nothing of how likely a change is."""


def floats_in(tree: ast.AST) -> Iterator[float]:
    """Every number written with a point or an exponent, but for 0.0: it adds nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is float and node.value:
            yield node.value


def names_in(file: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_weight_stands_outside_of_the_table(file: Path) -> None:
    name = file.relative_to(PACKAGE).as_posix()
    found = floats_in(ast.parse(file.read_text(encoding="utf-8")))
    assert [each for each in found if (name, each) not in NO_WEIGHTS] == []


def test_every_exception_is_there() -> None:
    found = {
        (file.relative_to(PACKAGE).as_posix(), each)
        for file in FILES
        for each in floats_in(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert set(NO_WEIGHTS) <= found


def test_every_weight_is_used_and_has_a_word_on_it() -> None:
    used = {name for file in FILES for name in names_in(file)}
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    for name in (name for name in vars(weights) if name.isupper()):
        at = next(at for at, line in enumerate(lines) if line.startswith(f"{name} = "))
        is_explained = "  # " in lines[at] or lines[at - 1].startswith("# ")
        assert is_explained, f"{name} has no comment"
        assert name in used, f"{name} is not used"
