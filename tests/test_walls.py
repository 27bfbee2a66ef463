"""The walls of the house: which room may import which, where torch is, and where its private names are."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

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


RULES = [name for name in FILES if name.startswith("rules.") and name.count(".") == 2]


@pytest.mark.parametrize("module", RULES)
def test_no_rule_imports_another(module: str) -> None:
    """What two rules share has its place in `changes/` or `syntax/`."""
    assert not own_imports(module) & set(RULES)


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


NOT_OF_TORCH = {"_fields", "_filename_map", "_getframe"}
"""Private attributes of others: of named tuples, of IPython's compiler, of `sys`."""


@pytest.mark.parametrize(
    "module", [name for name in FILES if room_of(name) in WITH_TORCH]
)
def test_private_names_of_torch_are_in_one_module(module: str) -> None:
    found = set(private_names(FILES[module].read_text(encoding="utf-8")))
    if module == "tracing.torch_private":
        assert found
    else:
        assert not found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import torch._dynamo", "torch._dynamo"),
        ("from torch._subclasses import x", "torch._subclasses.x"),
        ("from torch.utils import _pytree", "torch.utils._pytree"),
        ("torch._C.x", "torch._C"),
        ("module._modules", "_modules"),
        ("self.op._schema", "_schema"),
        ("tensor()._version", "_version"),
        ("getattr(module, '_buffers', {})", "_buffers"),
        ("setattr(module, '_parameters', {})", "_parameters"),
        ("vars(module)['_forward_hooks']", "_forward_hooks"),
        ("vars(module).get('_x')", "_x"),
        ("module.__dict__['_x']", "_x"),
        ("'_x' in vars(module)", "_x"),
        ("registry(module, '_is_full_backward_hook')", "_is_full_backward_hook"),
        ("getLogger('torch._dynamo')", "torch._dynamo"),
        ("class A(B):\n    def _should_skip_dynamo(cls): ...", "_should_skip_dynamo"),
    ],
)
def test_private_names_are_seen(text: str, name: str) -> None:
    assert name in set(private_names(text))


@pytest.mark.parametrize(
    "text",
    [
        "self._x, cls._x, super()._x",
        "packet.__name__, module.__dict__",
        "sys._getframe(1)",
        "torch.nn.Module",
        "name = '_local_scalar_dense'",
        "_own()",
    ],
)
def test_public_names_and_names_of_ours_are_not(text: str) -> None:
    assert not set(private_names(text))


def private_names(text: str) -> Iterator[str]:
    """What a module takes from torch that is no public name.

    `torch._C`, `from torch.x import _y`, an attribute such as `tensor._version` of
    anything but the module's own objects, its name as a string where attributes are
    looked up (`getattr`, `vars`, `__dict__`), the private name of an attribute of
    torch's classes as any string, and a method that overrides one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from filter(is_torchs_private, (each.name for each in node.names))
        elif isinstance(node, ast.ImportFrom):
            dotted = (f"{node.module}.{each.name}" for each in node.names)
            yield from filter(is_torchs_private, dotted)
        elif isinstance(node, ast.Attribute):
            yield from _private_attribute(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in TORCHS_PRIVATE or is_torchs_private(node.value):
                yield node.value
        elif isinstance(node, ast.ClassDef) and node.bases:
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            yield from {each.name for each in methods} & TORCHS_PRIVATE
        yield from filter(is_private, _looked_up(node))


def _private_attribute(node: ast.Attribute) -> Iterator[str]:
    if not is_private(node.attr) or node.attr in NOT_OF_TORCH:
        return
    owner = ast.unparse(node.value)
    if owner.partition(".")[0] == "torch":
        yield f"{owner}.{node.attr}"
    elif owner not in ("self", "cls", "super()"):
        yield node.attr


def _looked_up(node: ast.AST) -> Iterator[str]:
    """The strings by which a node looks up attributes."""
    keys: list[ast.expr] = []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("getattr", "setattr", "hasattr", "delattr"):
            keys = node.args[1:2]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if _are_attributes(node.func.value):
            keys = node.args[:1]
    elif isinstance(node, ast.Subscript) and _are_attributes(node.value):
        keys = [node.slice]
    elif isinstance(node, ast.Compare) and _are_attributes(node.comparators[0]):
        keys = [node.left]
    for key in keys:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        if key.value not in NOT_OF_TORCH:
            yield key.value


def _are_attributes(node: ast.expr) -> bool:
    """`vars(x)` or `x.__dict__`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "vars"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def is_torchs_private(dotted: str) -> bool:
    first, *rest = dotted.split(".")
    return first == "torch" and any(map(is_private, rest))


def _private_names_of_torch() -> set[str]:
    """The private attributes of what is handed to and from torch's public API."""
    things = (torch.nn.Module(), torch.ones(1), torch.ones(1).untyped_storage())
    classes = (TorchDispatchMode, TorchFunctionMode, type(torch.ops.aten.add.Tensor))
    return {
        name for each in (*things, *classes) for name in dir(each) if is_private(name)
    }


TORCHS_PRIVATE = _private_names_of_torch()


PATCHED = ("torch", "nn", "einops", "builtins", "sys")


def test_patches_are_in_one_module() -> None:
    """What is set on modules and classes of others is set, and undone, in one place;
    imports are redirected where imports are made."""
    found = {
        f"{module}: {name}"
        for module in FILES
        if room_of(module) in WITH_TORCH
        and module not in ("tracing.patches", "loading.imports")
        for name in patches_in(FILES[module].read_text(encoding="utf-8"))
    }
    assert not found


def patches_in(text: str) -> Iterator[str]:
    """Attributes of torch, einops or Python that a module assigns."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(
            node.ctx, (ast.Store, ast.Del)
        ):
            if ast.unparse(node).partition(".")[0] in PATCHED:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "sys.setrecursionlimit" or (
                called == "setattr"
                and ast.unparse(node.args[0]).partition(".")[0] in PATCHED
            ):
                yield called


def test_no_two_modules_of_one_name() -> None:
    names = Counter(
        module.rpartition(".")[2]
        for module, path in FILES.items()
        if path.name != "__init__.py"
    )
    assert not [name for name, count in names.items() if count > 1]
