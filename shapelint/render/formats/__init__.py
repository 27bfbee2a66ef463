"""The formats, one file each, registered by being here.

A format is a subclass of `Format` in the file of its name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from shapelint.render.format import Format


def all_formats() -> dict[str, Format]:
    """Every format, found by importing every file here.

    Raises:
        ValueError: as `load_format`.
    """
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return {name: load_format(name) for name in names}


@lru_cache
def load_format(name: str) -> Format:
    """Import one format. A command prints in one or two formats and must start fast, so
    the others are not imported.

    Raises:
        ValueError: its file holds another format, or more than one.
    """
    module = importlib.import_module(f"{__name__}.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Format)
        and value.__module__ == module.__name__
    ]
    names = [each.name for each in found]
    if names != [name]:
        held = ", ".join(names) or "nothing"
        raise ValueError(
            f"the file of the format {name} must hold it alone, not {held}"
        )
    return found[0]()
