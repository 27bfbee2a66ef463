"""Starts our own processes. They import nothing from the folder in which they are
started before they are told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder of this package, so that processes also find a checkout."""

_BOOT = """\
import sys
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]
sys.path.append({home!r})
import shapelint
sys.path.pop()
from {module} import main
main()
"""
"""`sys` is built in. Everything imported after it comes from the folders of Python and
its packages."""

_BOOT_ISOLATED = """\
import sys, json
known = set(sys.path)
sys.path += [folder for folder in json.loads(sys.argv[1]) if folder not in known]
from {module} import main
main()
"""


def start(
    module: str, environment: Mapping[str, str], **pipes: Any
) -> subprocess.Popen[bytes]:
    """Run `main` of one of our modules in a new process, with the user's environment
    but not the working directory."""
    boot = _BOOT.format(home=os.path.dirname(_PACKAGE), module=module)
    return subprocess.Popen(
        [sys.executable, "-c", boot], env={**os.environ, **environment}, **pipes
    )


def start_isolated(module: str, **pipes: Any) -> subprocess.Popen[bytes]:
    """Run `main` of one of our modules in a new process, with the packages of this
    process and nothing else of the user's."""
    boot = _BOOT_ISOLATED.format(module=module)
    return subprocess.Popen(
        [sys.executable, "-I", "-c", boot, json.dumps(_packages())], **pipes
    )


def _packages() -> list[str]:
    """The folders from which this process imports, including that of this package, but
    never the working directory."""
    here = os.path.realpath(os.getcwd())
    home = os.path.dirname(_PACKAGE)
    folders = [os.path.abspath(folder) for folder in sys.path if folder]
    return [folder for folder in folders if os.path.realpath(folder) != here] + [home]
