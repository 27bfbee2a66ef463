"""How a file spells torch's modules: by its own imports."""

from __future__ import annotations

import ast

from shapelint.syntax.trees import ParsedFile


def functional_prefix(source: ParsedFile) -> str | None:
    """How the file would spell torch.nn.functional: by its own import, through `nn`,
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
    """How the file would spell torch.nn: by its own import, or through `torch`."""
    names = _module_names(source)
    if "torch.nn" in names:
        return f"{names['torch.nn']}."
    return f"{names['torch']}.nn." if "torch" in names else None


def _module_names(source: ParsedFile) -> dict[str, str]:
    """Names by which a file reaches modules of torch."""
    names: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    names.setdefault(alias.name, alias.asname)
                elif alias.name.partition(".")[0] == "torch":
                    names.setdefault("torch", "torch")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full_name = f"{node.module}.{alias.name}"
                names.setdefault(full_name, alias.asname or alias.name)
    return names
