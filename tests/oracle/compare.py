"""shapelint against eager PyTorch: `python -m tests.oracle.compare --count 10000 --seed
1`."""

from __future__ import annotations

import argparse
import collections
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.outcome import TargetReport
from shapelint.rules import catalogue
from shapelint.tracing.value_facts import spell_shapes
from tests.oracle.generator import Case, cases


def eager_result(case: Case) -> tuple[str, str]:
    """The exception in either mode (or nothing), and the shape of the result in eval
    mode."""
    namespace: dict[str, Any] = {"__name__": "net"}
    exec(compile(case.source, "net.py", "exec"), namespace)
    try:
        model = namespace["Net"]()
    except Exception:
        return "constructor", ""
    dtype = getattr(torch, case.dtype)
    x = (
        torch.ones(case.shape, dtype=dtype)
        if not dtype.is_floating_point
        else torch.rand(case.shape)
    )
    output = ""
    for train in (True, False):
        try:
            output = spell_shapes(model.train(train)(x))
        except Exception as error:  # noqa: PERF203
            return f"{type(error).__name__}: {error}".splitlines()[0], ""
    return "", output


def judged(case: Case, folder: Path, fixes: bool = False) -> TargetReport:
    """What shapelint says of the same file."""
    file = folder / "net.py"
    file.write_text(case.source)
    selected = tuple(catalogue().rules)
    return check(Walk(f"{file}:Net", (case.spec,), selected=selected, fixes=fixes))


def disagreement(case: Case, report: TargetReport) -> str | None:
    """Where the two differ, None where they agree."""
    raises, output = eager_result(case)
    errors = [d for d in report.diagnostics if d.severity.value == "error"]
    if raises == "constructor":
        return None if errors and not report.output else "constructor raises, not said"
    if bool(raises) != bool(errors):
        return f"eager: {raises or 'runs'}; shapelint: {[d.message for d in errors] or 'nothing'}"
    if not raises and str(report.output or "") != output:
        return f"eager gives {output}, shapelint {report.output}"
    return None


def no_values() -> None:
    """Walk as a model is walked that does not fit: nothing affordable, no second try
    with real tensors."""
    import shapelint.checking.one_pass
    import shapelint.loading.walkable
    from shapelint.tracing.costs import Budget

    def nothing() -> Budget:
        return Budget(0.0, 0.0, 0.0)

    setattr(shapelint.loading.walkable, "walk_budget", nothing)  # noqa: B010 - a name of another module, on purpose
    shapelint.checking.one_pass.FALLBACK_PARAMS = -1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--fake",
        action="store_true",
        help="no real values at all: every op runs with shapes only",
    )
    arguments = parser.parse_args()
    if arguments.fake:
        no_values()
    torch.set_num_threads(1)
    seen: collections.Counter[str] = collections.Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        for case in cases(arguments.seed, arguments.count):
            report = judged(case, Path(name))
            seen[case.family] += 1
            codes = {d.code for d in report.diagnostics if d.severity.value == "error"}
            seen["broken" if codes else "clean"] += 1
            seen.update(codes)
            difference = disagreement(case, report)
            if difference is not None:
                wrong += 1
                print(f"--- {case.family} {case.spec}: {difference}\n{case.source}")
    print(dict(sorted(seen.items())))
    print(f"{arguments.count} models, {wrong} disagreements")


if __name__ == "__main__":
    main()
