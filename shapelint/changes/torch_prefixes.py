"""How a file spells the modules of torch, according to its imports."""

from __future__ import annotations

import ast

from shapelint.syntax.trees import ParsedFile


def functional_prefix(source: ParsedFile) -> str | None:
    """How the file spells torch.nn.functional: by its own import, through `nn`, or
    through `torch`."""
    names = _module_names(source)
    for module, rest in (
        ("torch.nn.functional", ""),
        ("torch.nn", "functional."),
        ("torch", "nn.functional."),
    ):
        if module in names:
            return f"{names[module]}.{rest}"
    return None


def nn_prefix(source: ParsedFile) -> str | None:
    """How the file spells torch.nn: by its own import, or through `torch`."""
    names = _module_names(source)
    if "torch.nn" in names:
        return f"{names['torch.nn']}."
    return f"{names['torch']}.nn." if "torch" in names else None


def torch_prefix(source: ParsedFile) -> str | None:
    """How the file spells torch."""
    names = _module_names(source)
    return f"{names['torch']}." if "torch" in names else None


def _module_names(source: ParsedFile) -> dict[str, str]:
    """The names under which a file imports modules of torch."""
    names: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                module, name = _bound_by_import(alias)
                names.setdefault(module, name)
        # relative imports are the user's own modules
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                names.setdefault(module, alias.asname or alias.name)
    return names


def _bound_by_import(alias: ast.alias) -> tuple[str, str]:
    """The module and the name that an import binds: `import torch.nn` binds `torch`."""
    if alias.asname:
        return alias.name, alias.asname
    root = alias.name.partition(".")[0]
    return root, root
