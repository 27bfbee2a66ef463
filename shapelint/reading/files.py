"""The files that are read together: a script and the local modules it imports, with
what torch and others are to it."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from functools import lru_cache

from shapelint.reading.values import Class, Function, Pending, Reference, Scope
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import ParsedFile, parse_file

_MODULE_BASES = {
    "torch.nn.Module",
    "nn.Module",
    "torch.nn.Sequential",
    "torch.nn.ModuleList",
}
_FRAMEWORK_WORDS = (
    "Lightning",
    "Trainer",
    "Callback",
    "Learner",
    "TrainingArguments",
    "Runner",
    "Engine",
    "Fabric",
)

BY_MODE = {
    *(
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "Dropout3d",
        "AlphaDropout",
        "FeatureAlphaDropout",
        "BatchNorm1d",
    ),
    *(
        "BatchNorm2d",
        "BatchNorm3d",
        "SyncBatchNorm",
        "LazyBatchNorm1d",
        "LazyBatchNorm2d",
        "LazyBatchNorm3d",
        "RReLU",
    ),
    *("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer"),
}
"""Layers of torch that act otherwise in train mode than in eval mode."""

_BY_ARGUMENT = {
    "LSTM": "dropout",
    "GRU": "dropout",
    "RNN": "dropout",
    "MultiheadAttention": "dropout",
}
_WITH_STATISTICS = {"InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"}
_FUNCTIONAL = {
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "batch_norm",
    "rrelu",
}
Known = dict[tuple[str, str], tuple[str, ...]]
"""By file and class, the layers that act by mode, of models that were walked."""

IMPORTS_READ = 12
"""Local modules read beside a file."""

_WELL_KNOWN = {
    *(
        "torch",
        "torchvision",
        "numpy",
        "os",
        "sys",
        "transformers",
        "timm",
        "math",
        "time",
        "random",
        "argparse",
    ),
    *(
        "typing",
        "collections",
        "json",
        "pathlib",
        "tqdm",
        "functools",
        "itertools",
        "logging",
        "copy",
        "warnings",
    ),
}
"""Modules that are never local; not looked for beside the file."""


class Files:
    """Scopes by file, read as they are asked for."""

    def __init__(self, texts: Texts, known: Known | None = None) -> None:
        self.texts = texts
        self.known = known or {}
        self._scopes: dict[str, Scope | None] = {}

    def scope(self, file: str) -> Scope | None:
        """A module's names: its imports, functions and classes; None where it cannot be
        read."""
        file = os.path.abspath(file)
        if file not in self._scopes:
            source = parse_file(file, self.texts)
            self._scopes[file] = None
            if source is not None and len(self._scopes) <= IMPORTS_READ:
                scope = Scope(file)
                self._scopes[file] = scope
                self._declare(scope, source)
        return self._scopes[file]

    def _declare(self, scope: Scope, source: ParsedFile) -> None:
        for node in _statements(source.tree.body):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imported(scope, node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                scope.names[node.name] = Function(node, scope)
            elif isinstance(node, ast.ClassDef):
                scope.names[node.name] = self.class_of(node, scope)

    def imported(self, scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
        """What an import binds: something of a local module, else a reference by its
        dotted name."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                whole = alias.name if alias.asname else name
                scope.names[name] = self._module(scope.file, whole, 0) or Reference(
                    whole
                )
            return
        module = node.module or ""
        path = self._path(scope.file, module, node.level)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                local = self.scope(path) if path is not None else None
                scope.names.update(
                    {
                        key: value
                        for key, value in local.names.items()
                        if key not in scope.names
                    }
                    if local
                    else {}
                )
                continue
            dotted = Reference(_full(module, alias.name))
            below = self._module(
                scope.file, f"{module}.{alias.name}".strip("."), node.level
            )
            if path is not None:
                scope.names[name] = Pending(
                    _of_module(self, path, alias.name, below, dotted)
                )
            else:
                scope.names[name] = below or dotted

    def _module(self, file: str, module: str, level: int) -> Pending | None:
        path = self._path(file, module, level)
        return (
            Pending(lambda: self.scope(path) or Reference(module))
            if path is not None
            else None
        )

    @staticmethod
    def _path(file: str, module: str, level: int) -> str | None:
        """The file of a module beside another, or on the way up from it; packages that
        were installed are not read."""
        parts = module.split(".") if module else []
        folder = os.path.dirname(file)
        for _ in range(max(0, level - 1)):
            folder = os.path.dirname(folder)
        if parts and parts[0] in _WELL_KNOWN and not level:
            return None
        for _ in range(1 if level else 3):
            installed = os.path.basename(folder) in ("site-packages", "dist-packages")
            if installed and not file.startswith(
                os.path.join(folder, parts[0] if parts else "", "")
            ):
                return None
            path = os.path.join(folder, *parts)
            for candidate in (f"{path}.py", os.path.join(path, "__init__.py")):
                if (
                    parts
                    and os.path.isfile(candidate)
                    and os.path.abspath(candidate) != file
                ):
                    return candidate
            folder = os.path.dirname(folder)
        return None

    def class_of(self, node: ast.ClassDef, scope: Scope) -> Class:
        """A class with what it is and which of its layers act by mode."""
        bases = [_resolved(base, scope) for base in node.bases]
        kind = next(
            (base.kind for base in bases if isinstance(base, Class) and base.kind), ""
        )
        dotted = [base.dotted for base in bases if isinstance(base, Reference)]
        if any(
            name in _MODULE_BASES or name.startswith("torch.nn.") for name in dotted
        ):
            kind = kind or "module"
        if any(word in name for name in dotted for word in _FRAMEWORK_WORDS):
            kind = "framework"
        elif any(
            name.rpartition(".")[2] in ("PreTrainedModel", "ModelMixin")
            for name in dotted
        ):
            kind = "module"
        return Class(node, scope, kind, self.known.get((scope.file, node.name)), bases)


def _of_module(
    files: Files, path: str, name: str, below: Pending | None, dotted: Reference
) -> Callable[[], object]:
    """A name of a local module, or a module below it."""

    def resolve() -> object:
        local = files.scope(path)
        known = local.own(name) if local is not None else None
        return known or (below.value if below is not None else dotted)

    return resolve


def _full(module: str, name: str) -> str:
    """The dotted name of an import, torch's usual nicknames as they are meant."""
    return f"{module}.{name}" if module else name


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Top-level statements, those under `try` and `if` too."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, ast.Try):
            found += _statements(
                [
                    *node.body,
                    *(each for handler in node.handlers for each in handler.body),
                ]
            )
        elif isinstance(node, ast.If):
            found += _statements([*node.body, *node.orelse])
    return found


def dotted_name(node: ast.expr) -> str:
    """`torch.nn.Linear` of such an expression; nothing of another."""
    parts: list[str] = []
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        parts.append(current.attr)
        current = current.value
    return (
        ".".join(reversed([*parts, current.id]))
        if isinstance(current, ast.Name)
        else ""
    )


def _resolved(node: ast.expr, scope: Scope) -> object:
    """What a name or attribute of one refers to."""
    if isinstance(node, ast.Name):
        return scope.find(node.id) or Reference(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, scope)
        if isinstance(owner, Scope):
            return owner.own(node.attr) or Reference(node.attr)
        return (
            Reference(f"{owner.dotted}.{node.attr}")
            if isinstance(owner, Reference)
            else None
        )
    return None


def layers_by_mode(
    owner: Class, seen: frozenset[str] = frozenset()
) -> tuple[str, ...] | None:
    """The layers of a model class that act by mode, its parts' too; None where
    something in it is not known."""
    if owner.node.name in seen:
        return ()
    found: dict[str, None] = {}
    unknown = False
    for base in owner.bases:
        if isinstance(base, Class):
            inner = layers_by_mode(base, seen | {owner.node.name})
            unknown = unknown or inner is None
            found.update(dict.fromkeys(inner or ()))
        elif isinstance(base, Reference) and not base.dotted.startswith("torch.nn."):
            unknown = unknown or base.dotted not in _MODULE_BASES
    for node in ast.walk(owner.node):
        inner = of_expression(node, owner.scope, seen | {owner.node.name})
        unknown = unknown or inner is None
        found.update(dict.fromkeys(inner or ()))
    return tuple(found) if found or not unknown else None


def of_expression(
    node: ast.AST, scope: Scope, seen: frozenset[str] = frozenset()
) -> tuple[str, ...] | None:
    """What one expression adds: a layer's name; nothing; None where a model of unknown
    make is made."""
    if (
        isinstance(node, ast.Attribute)
        and node.attr == "training"
        and isinstance(node.value, ast.Name)
    ):
        return ("`self.training`",) if node.value.id == "self" else ()
    if not isinstance(node, ast.Call):
        return ()
    callee = _resolved(node.func, scope)
    if isinstance(callee, Class):
        return layers_by_mode(callee, seen) if callee.kind == "module" else ()
    if not isinstance(callee, Reference):
        return ()
    name, keywords = callee.last, {word.arg: word.value for word in node.keywords}
    if callee.dotted.startswith("torch.nn.functional."):
        return (f"F.{name}",) if name in _FUNCTIONAL else ()
    if callee.dotted.startswith("torch.nn."):
        if name in BY_MODE:
            return (name,) if not _is_zero(node, name) else ()
        if name in _BY_ARGUMENT and _BY_ARGUMENT[name] in keywords:
            return (name,)
        if name in _WITH_STATISTICS and "track_running_stats" in keywords:
            return (name,)
        return ()
    if makes_a_model(callee.dotted):
        return None
    return ()


def _is_zero(node: ast.Call, name: str) -> bool:
    """`Dropout(0.0)`, which does nothing in either mode."""
    first = (
        node.args[0]
        if node.args
        else next((word.value for word in node.keywords if word.arg == "p"), None)
    )
    return (
        name.endswith("Dropout")
        and isinstance(first, ast.Constant)
        and first.value == 0
    )


@lru_cache(maxsize=1024)
def makes_a_model(dotted: str) -> bool:
    """Whether a function of a known library gives a model:
    `torchvision.models.resnet18`, `timm.create_model`."""
    if any(
        word in dotted
        for word in ("Tokenizer", "Processor", "Extractor", "Config", "Scheduler")
    ):
        return False
    first, _, last = dotted.partition(".")[0], "", dotted.rpartition(".")[2]
    if dotted.startswith("torchvision.models."):
        return (
            not last.endswith(("Weights", "_Weights"))
            and ".feature_extraction" not in dotted
        )
    if first in (
        "timm",
        "segmentation_models_pytorch",
        "smp",
        "efficientnet_pytorch",
        "torch_geometric",
    ):
        return last in ("create_model", "from_pretrained") or (
            last[:1].isupper() and first != "torch_geometric"
        )
    return (
        last == "from_pretrained" and ("Model" in dotted or "Auto" in dotted)
    ) or dotted == "torch.hub.load"
