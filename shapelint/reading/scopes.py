"""The files that are read together: a script, and the local modules that it imports."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from shapelint.reading.library_classes import kind_of_class
from shapelint.reading.local_modules import find_local_module
from shapelint.reading.values import (
    FUNCTION_DEFINITIONS,
    Class,
    ClassKind,
    Function,
    Pending,
    Reference,
    Scope,
    Value,
)
from shapelint.syntax.texts import Texts
from shapelint.syntax.trees import parse_file

Known = dict[tuple[str, str], tuple[str, ...]]
"""The mode-dependent layers of models that were walked, by file and class."""

IMPORTS_READ = 12
"""The most local modules read for a file. A script's models and loops are in the few
modules that it imports itself; otherwise a whole package would be read once for each of
its files."""


class Files:
    """The scopes of files. Each file is read when it is first needed."""

    def __init__(self, texts: Texts, known: Known | None = None) -> None:
        self.texts = texts
        self.known = known or {}
        self._scopes: dict[str, Scope | None] = {}

    def scope(self, file: str) -> Scope | None:
        """The names of a module: imports, functions and classes; None if it cannot be
        read."""
        file = os.path.abspath(file)
        if file not in self._scopes:
            self._scopes[file] = None
            self._read(file)
        return self._scopes[file]

    def _read(self, file: str) -> None:
        source = parse_file(file, self.texts)
        # A file that is over the limit is taken for a library.
        if source is None or len(self._scopes) > IMPORTS_READ:
            return
        # Known before its names are declared: a file may import itself by way of others.
        scope = self._scopes[file] = Scope(source)
        for node in _statements(source.tree.body):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.declare_import(scope, node)
            elif isinstance(node, FUNCTION_DEFINITIONS):
                scope.names[node.name] = Function(node, scope)
            elif isinstance(node, ast.ClassDef):
                scope.names[node.name] = self.read_class(node, scope)

    def declare_import(self, scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
        """Bind the names of an import: to the name in a local module, or else to a
        reference."""
        if isinstance(node, ast.ImportFrom):
            self._declare_names(scope, node)
            return
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            module = alias.name if alias.asname else name
            local = self._pending_module(scope.source.file, module, 0)
            scope.names[name] = local or Reference(module)

    def _declare_names(self, scope: Scope, node: ast.ImportFrom) -> None:
        file = scope.source.file
        module = node.module or ""
        path = find_local_module(file, module, node.level)
        for alias in node.names:
            if alias.name == "*":
                self._declare_all(scope, path)
                continue
            name = alias.asname or alias.name
            dotted = f"{module}.{alias.name}" if module else alias.name
            submodule = self._pending_module(file, dotted, node.level)
            reference = Reference(dotted)
            if path is None:
                scope.names[name] = submodule or reference
            else:
                scope.names[name] = self._pending_name(
                    path, alias.name, submodule, reference
                )

    def _declare_all(self, scope: Scope, path: str | None) -> None:
        local = self.scope(path) if path is not None else None
        for name, value in local.names.items() if local is not None else ():
            scope.names.setdefault(name, value)

    def _pending_module(self, file: str, module: str, level: int) -> Pending | None:
        path = find_local_module(file, module, level)
        if path is None:
            return None
        return Pending(lambda: self.scope(path) or Reference(module))

    def _pending_name(
        self, path: str, name: str, submodule: Pending | None, reference: Reference
    ) -> Pending:
        """A name of a local module, or else a submodule of it."""

        def resolve() -> Value | None:
            local = self.scope(path)
            known = local.own(name) if local is not None else None
            if known is not None:
                return known
            return submodule.value if submodule is not None else reference

        return Pending(resolve)

    def read_class(self, node: ast.ClassDef, scope: Scope) -> Class:
        """Read a class: its kind, and the layers that a walk has shown in it."""
        bases = [resolve_name(base, scope) for base in node.bases]
        kinds = [base.kind for base in bases if isinstance(base, Class)]
        inherited = next(
            (kind for kind in kinds if kind is not ClassKind.OTHER), ClassKind.OTHER
        )
        dotted = [base.dotted for base in bases if isinstance(base, Reference)]
        layers = self.known.get((scope.source.file, node.name))
        return Class(node, scope, kind_of_class(dotted, inherited), layers, bases)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, including those under `try` and `if`, where imports
    of optional packages are."""
    for node in body:
        yield node
        if isinstance(node, ast.Try):
            yield from _statements(node.body)
            for handler in node.handlers:
                yield from _statements(handler.body)
        elif isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])


def read_dotted_name(node: ast.expr) -> str:
    """`torch.nn.Linear` for such an expression; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed([*parts, node.id]))


def resolve_name(node: ast.expr, scope: Scope) -> Value | None:
    """The object that a name, or an attribute of a name, refers to."""
    if isinstance(node, ast.Name):
        return scope.find(node.id) or Reference(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    owner = resolve_name(node.value, scope)
    if isinstance(owner, Scope):
        return owner.own(node.attr) or Reference(node.attr)
    if isinstance(owner, Reference):
        return Reference(f"{owner.dotted}.{node.attr}")
    return None
