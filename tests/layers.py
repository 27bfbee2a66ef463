"""Every layer with each of its numbers at 0, -1 and huge, against eager PyTorch:
`python -m tests.layers`.

Eager may die on such a number (a division by zero in C++ is a signal) or ask for more
memory than there is, so both are run in a process of their own, which is started again
where it ends."""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import inspect
import json
import os
import select
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.layer_table import FUNCTIONS, LAYERS, Form

ROOT = Path(__file__).resolve().parent.parent
HUGE = (2**31, 2**40, 2**62, 10**30)
VALUES = (0, -1, -2, *HUGE)

FAULT, DIES, REFUSES, RAISES, RUNS, UNKNOWN = (
    "fault",
    "dies",
    "refuses",
    "raises",
    "runs",
    "unknown",
)


@dataclass(frozen=True)
class Case:
    """A form with one of its numbers changed; `broken_behind` puts a layer behind it
    that fits nothing."""

    form: Form
    written: str
    broken_behind: bool = False

    @property
    def source(self) -> str:
        """The model's file."""
        names = ", ".join("xyzuv"[: len(self.form.inputs)])
        is_layer = self.form.written.startswith("nn.")
        made, called = (
            (self.written, f"self.layer({names})")
            if is_layer
            else ("nn.Identity()", self.written)
        )
        behind = "self.head(out.flatten(1))" if self.broken_behind else "out + out"
        return f"""import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = {made}
        self.head = nn.Linear(7, 3)

    def forward(self, {names}):
        out = {called}
        return {behind} if isinstance(out, torch.Tensor) else out
"""


def _numbers(node: ast.AST) -> Iterator[ast.expr]:
    """Every number written below a node, its sign included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.UnaryOp) or (
            isinstance(child, ast.Constant) and type(child.value) in (int, float)
        ):
            assert isinstance(child, ast.expr)
            yield child
        else:
            yield from _numbers(child)


def _left_out(call: ast.Call, form: Form) -> list[str]:
    """The parameters of a layer that have a number for their default and are not
    written."""
    import torch

    parameters = inspect.signature(getattr(torch.nn, form.name)).parameters
    written = {
        *list(parameters)[: len(call.args)],
        *(keyword.arg for keyword in call.keywords),
    }
    return [
        name
        for name, each in parameters.items()
        if type(each.default) in (int, float) and name not in written
    ]


def changed(
    form: Form, values: Iterable[int], broken_behind: bool = False
) -> Iterator[Case]:
    """A form with each of its numbers at each of the values."""
    tree = ast.parse(form.written, mode="eval").body
    numbers = list(_numbers(tree))
    omitted = (
        _left_out(tree, form)
        if isinstance(tree, ast.Call) and form.written.startswith("nn.")
        else []
    )
    for value in map(str, values):
        for node in numbers:
            assert node.end_col_offset is not None
            text = (
                form.written[: node.col_offset]
                + value
                + form.written[node.end_col_offset :]
            )
            yield Case(form, text, broken_behind)
        for name in omitted:
            comma = "" if form.written.endswith("()") else ", "
            yield Case(
                form, f"{form.written[:-1]}{comma}{name}={value})", broken_behind
            )


def forms() -> list[Form]:
    """The forms that this version of torch has."""
    import torch

    return [form for form in LAYERS if hasattr(torch.nn, form.name)] + FUNCTIONS


# -- what each side says
# -----------------------------------------------------------------------


def _lacks_memory(error: BaseException) -> bool:
    words = (
        "can't allocate memory",
        "not enough memory",
        "Storage size calculation overflowed",
        "alloc_cpu",
    )
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def eager_verdict(source: str, inputs: tuple[str, ...]) -> tuple[str, str]:
    """What plain PyTorch says of a model, and in which words."""
    from tests.eager import build, tensors

    doing = REFUSES
    try:
        for train in (True, False):
            doing = REFUSES
            model = build(source, "Net").train(train)
            args, kwargs = tensors(inputs)
            doing = RAISES
            model(*args, **kwargs)
    except Exception as error:
        return UNKNOWN if _lacks_memory(
            error
        ) else doing, f"{type(error).__name__}: {error}"[:200]
    return RUNS, ""


def own_verdict(
    source: str, inputs: tuple[str, ...], fixes: bool = True
) -> tuple[str, str]:
    """What shapelint says of it; with `fixes` after a search for what would mend it."""
    import traceback

    from shapelint.asked.request import Walk
    from shapelint.checking.walk_target import check
    from shapelint.rules import catalogue

    Path("net.py").write_text(source)
    try:
        report = check(
            Walk("net.py:Net", inputs, selected=tuple(catalogue().rules), fixes=fixes)
        )
    except Exception as error:
        where = [
            f"{Path(frame.filename).name}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        return FAULT, f"{type(error).__name__}: {error} at {' '.join(where[-4:])}"
    found = [item for item in report.diagnostics if item.severity.value == "error"]
    said = "; ".join(
        f"{item.code} {item.message}" for item in found or report.diagnostics
    )
    return (RAISES if found else RUNS), said[:300]


def disagreement(eager: str, own: str) -> bool:
    """Whether the two contradict each other; where eager cannot be asked, any answer
    but a fault will do."""
    if own == FAULT or (own == DIES and eager != DIES):
        return True
    if eager == UNKNOWN:
        return False
    return (eager == RUNS) != (own == RUNS)


# -- the process they are asked in
# ---------------------------------------------------------------


def serve() -> None:
    """Answer one verdict a line, in little memory."""
    import torch

    from shapelint.process.worker import limit_memory

    limit_memory(4 * 2**30)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for line in sys.stdin:
            asked = json.loads(line)
            source, inputs = asked["source"], tuple(asked["inputs"])
            is_eager = asked["side"] == "eager"
            verdict = (
                eager_verdict(source, inputs)
                if is_eager
                else own_verdict(source, inputs, asked["fixes"])
            )
            print(json.dumps(verdict), file=answers, flush=True)


class Asked:
    """One side, `eager` or `own`, in its process."""

    def __init__(self, side: str, seconds: float = 60.0, fixes: bool = True) -> None:
        self.side = side
        self.fixes = fixes
        self.seconds = seconds
        self.process: subprocess.Popen[bytes] | None = None

    def verdict(self, case: Case) -> tuple[str, str]:
        """The verdict on a case and its words; `dies` if the process ended over it,
        `unknown` if it does not end."""
        process = self.process = self.process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {
            "side": self.side,
            "source": case.source,
            "inputs": case.form.inputs,
            "fixes": self.fixes,
        }
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], self.seconds)
        line = process.stdout.readline() if ready else b""
        if line:
            verdict, words = json.loads(line)
            return verdict, words
        self.close()
        return (
            (DIES, f"ended with {process.returncode}")
            if ready
            else (UNKNOWN, "does not end")
        )

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        settings = {
            **os.environ,
            "PYTHONPATH": os.environ.get("SHAPELINT_AT", str(ROOT)),
            "OMP_NUM_THREADS": "1",
        }
        code = f"import sys; sys.path.append({str(ROOT)!r}); from tests.layers import serve; serve()"
        pipe, words = subprocess.PIPE, [sys.executable, "-c", code]
        return subprocess.Popen(
            words,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            env=settings,
            cwd="/",
        )

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(BrokenPipeError), self.process:
                pass  # leaving it closes the pipes and waits
            self.process = None


def compared(
    cases: Iterable[Case], seconds: float = 60.0
) -> Iterator[tuple[Case, str, str, str, str]]:
    """Each case with eager's verdict and ours, and the words of both."""
    eager, own = Asked("eager", seconds), Asked("own", seconds)
    with contextlib.ExitStack() as ending:
        ending.callback(eager.close)
        ending.callback(own.close)
        for case in cases:
            said, words = eager.verdict(case)
            found, answer = own.verdict(case)
            yield case, said, found, words, answer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--value", type=int, nargs="*", default=VALUES)
    parser.add_argument("--only", default="", help="forms whose name contains this")
    parser.add_argument(
        "--behind",
        action="store_true",
        help="with a layer behind it that fails in any case",
    )
    arguments = parser.parse_args()
    seen: collections.Counter[str] = collections.Counter()
    chosen = [form for form in forms() if arguments.only in form.name]
    cases = [
        case
        for form in chosen
        for case in changed(form, arguments.value, arguments.behind)
    ]
    for case, eager, own, words, answer in compared(cases):
        seen[f"{eager} / {own}"] += 1
        if disagreement(eager, own):
            seen["disagree"] += 1
            print(
                f"--- {case.written} on {case.form.inputs}",
                f"eager {eager}: {words}",
                sep="\n  ",
            )
            print(f"  shapelint {own}: {answer}", flush=True)
    print(f"{len(cases)} cases", dict(sorted(seen.items())))


if __name__ == "__main__":
    main()
