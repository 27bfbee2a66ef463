"""Finds the file of a module that a script imports from its own folder or project."""

from __future__ import annotations

import os

from shapelint.reading.vocabulary import split_words

NEVER_LOCAL = split_words(
    "torch torchvision numpy os sys transformers timm math time random argparse typing"
    " collections json pathlib tqdm functools itertools logging copy warnings"
)
"""Modules that are not searched beside a file. The list only saves time: each search
costs some calls of `stat`."""

LEVELS = 3
"""How many folders are tried for an absolute import: the script's own and those around
it, as the project's root is often one or two above."""


def find_local_module(file: str, module: str, level: int) -> str | None:
    """The file of a module as `file` imports it, with `level` leading dots; None for an
    installed package, unless `file` belongs to it."""
    parts = module.split(".") if module else []
    if not parts or (parts[0] in NEVER_LOCAL and not level):
        return None
    folder = os.path.dirname(file)
    # One dot is the folder of the file itself: docs.python.org, "Package Relative
    # Imports".
    for _ in range(level - 1):
        folder = os.path.dirname(folder)
    for _ in range(1 if level else LEVELS):
        # In site-packages every library lies beside the file: only its own package is
        # local to it.
        if _is_installed(folder) and not _is_below(
            file, os.path.join(folder, parts[0])
        ):
            return None
        found = _module_file(os.path.join(folder, *parts), file)
        if found is not None:
            return found
        folder = os.path.dirname(folder)
    return None


def _is_installed(folder: str) -> bool:
    return os.path.basename(folder) in ("site-packages", "dist-packages")


def _is_below(file: str, folder: str) -> bool:
    return file.startswith(os.path.join(folder, ""))


def _module_file(path: str, importer: str) -> str | None:
    """`path.py` or the package `path`, unless that is the importing file itself."""
    for candidate in (f"{path}.py", os.path.join(path, "__init__.py")):
        if os.path.isfile(candidate) and os.path.abspath(candidate) != importer:
            return candidate
    return None
