"""The walls of the house: which room may import which, where torch is, and where its private names are."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import shapelint

PACKAGE = Path(shapelint.__file__).parent

ORDER = (
    "facts",
    "syntax",
    "asked",
    "ops",
    "tracing",
    "loading",
    "reading",
    "changes",
    "rules",
    "fixes",
    "apply",
    "picture",
    "render",
    "known",
    "sources",
    "checking",
    "process",
    "cli",
    "python",
)
"""The rooms; each may import those before it."""

WITH_TORCH = {"tracing", "loading", "fixes", "checking", "python"}
"""The rooms that may import torch, and that others may not import."""

DOORS = {"process.worker", "pytest_plugin"}
"""The modules that open a room with torch from outside, within a function: they are run in another process or on use."""

FREE = {"", "__main__", "pytest_plugin"}
"""Modules of the root: the names that users import, the command, and the plugin that pytest looks for."""


def module_of(path: Path) -> str:
    """`rules.shape.forward_raises` for its file; nothing for the package's own."""
    return (
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        .removesuffix("__init__")
        .removesuffix(".")
    )


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(module: str) -> Iterator[str]:
    """Every name that a module imports at run time, those inside functions counted, as dotted names."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """A syntax tree without what is for type checkers only."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (
            isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        ):
            yield from _run(child)


def own_imports(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    found = set()
    for name in imports_of(module):
        own = name.removeprefix("shapelint.") if name.startswith("shapelint.") else None
        if own is not None:
            found.add(own if own in FILES else own.rpartition(".")[0])
    return found - {module}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def test_every_module_is_in_a_room() -> None:
    assert {room_of(module) for module in FILES} - FREE == set(ORDER)


@pytest.mark.parametrize("module", [module for module in FILES if module not in FREE])
def test_a_room_imports_only_rooms_before_it(module: str) -> None:
    place = ORDER.index(room_of(module))
    rooms = {room_of(other) for other in own_imports(module)} - {"", room_of(module)}
    assert not {room for room in rooms if ORDER.index(room) > place}


def test_no_circle() -> None:
    """Modules, one after the other, each after all that it imports."""
    left = {module: own_imports(module) for module in FILES}
    while left:
        free = {module for module, needed in left.items() if not needed & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {module: needed for module, needed in left.items() if module not in free}


@pytest.mark.parametrize("module", FILES)
def test_torch_stays_in_its_rooms(module: str) -> None:
    imported = set(imports_of(module))
    uses_torch = any(name.partition(".")[0] == "torch" for name in imported)
    assert not uses_torch or room_of(module) in WITH_TORCH
    if room_of(module) not in WITH_TORCH and module not in DOORS:
        assert not {room_of(other) for other in own_imports(module)} & WITH_TORCH


def test_doors_import_torch_on_use_only() -> None:
    for module in DOORS:
        tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
        at_once = [
            node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)
        ]
        assert (
            not {
                name.split(".")[1] for name in at_once if name.startswith("shapelint.")
            }
            & WITH_TORCH
        )


def test_private_names_of_torch_are_in_one_module() -> None:
    found = {
        f"{module}: {name}"
        for module in FILES
        if module != "tracing.torch_private"
        for name in private_names(module)
    }
    assert not found


def private_names(module: str) -> Iterator[str]:
    """What a module takes from torch that is no public name: `torch._C`, `from torch.x import _y`, `tensor._version`."""
    own = FILES[module].read_text(encoding="utf-8")
    for name in imports_of(module):
        if name.startswith("torch.") and is_private(name):
            yield name
    for node in ast.walk(ast.parse(own)):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if dotted.startswith("torch.") and is_private(dotted):
                yield dotted


def is_private(dotted: str) -> bool:
    return any(
        part.startswith("_") and not part.endswith("__") for part in dotted.split(".")
    )


def test_no_two_modules_of_one_name() -> None:
    names = Counter(
        module.rpartition(".")[2]
        for module, path in FILES.items()
        if path.name != "__init__.py"
    )
    assert not [name for name, count in names.items() if count > 1]
