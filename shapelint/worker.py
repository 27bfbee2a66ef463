"""The process that imports torch and the user's code; a request on stdin, a report on stdout, plain data both.

Whatever the user's code prints goes elsewhere, so that it cannot be taken for the report.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import IO, Any

from shapelint.request import STEP

MEMORY_LIMIT = 8 * 2**30
"""Bytes of private memory the worker may take, where the system can limit it (Linux)."""


def limit_memory(limit: int = MEMORY_LIMIT) -> None:
    """Let an allocation beyond the limit fail here, rather than take the user's machine down."""
    try:
        import resource

        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        wanted = min(limit, int(physical * 0.8))
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == -1 else min(wanted, hard), hard))
    except (ImportError, ValueError, OSError, AttributeError):
        return


def _private_stdout() -> IO[str]:
    """A handle on stdout that only we have; file descriptor 1 becomes stderr."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def _forget_own_path() -> None:
    """`python -m` puts the working directory first on `sys.path`; `python file.py` does not, and nor do we."""
    if not getattr(sys.flags, "safe_path", False) and sys.path:
        del sys.path[0]
    os.environ.pop("PYTHONSAFEPATH", None)


def run(text: str, on_step: Callable[[str], None]) -> dict[str, Any]:
    """The report for a request, or what went wrong with us."""
    from shapelint.checking import check
    from shapelint.diagnostics import report_to_plain
    from shapelint.errors import UsageError
    from shapelint.proposals import propose
    from shapelint.request import Request

    try:
        request = Request.loads(text)
        report = propose(request, on_step) if request.propose else check(request, on_step)
        return {"report": report_to_plain(report)}
    except UsageError as error:
        return {"usage": str(error)}
    except Exception:
        return {"fault": traceback.format_exc()}


def main() -> None:
    """Read a request, write a report."""
    out = _private_stdout()
    _forget_own_path()
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    limit_memory()
    import warnings

    def say(step: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            out.write(f"{STEP.decode()}{step}\n")
            out.flush()

    warnings.simplefilter("ignore")
    try:
        import torch

        version: str | None = str(torch.__version__)
    except ImportError as error:
        version, answer = None, dict[str, Any](usage=f"cannot import torch in {sys.executable}: {error}")
        sys.stdin.read()
    else:
        answer = run(sys.stdin.read(), say)
    answer["torch"] = version
    with contextlib.suppress(BrokenPipeError):
        json.dump(answer, out)
        out.write("\n")
        out.flush()
    sys.stdout.flush()
    os._exit(0)  # threads and atexit hooks of the user's code are not waited for


if __name__ == "__main__":
    main()
