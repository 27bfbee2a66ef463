"""Walk public architectures and compare with eager: `python -m tests.sweep.run [--fake]
[PACKAGE ...]`."""

from __future__ import annotations

import collections
import importlib.util
import os
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import torch

from shapelint.asked.request import Walk
from shapelint.checking.walk_target import check
from shapelint.facts.kinds import Mode
from shapelint.rules import catalogue
from shapelint.tracing.value_facts import spell_shapes
from shapelint.tracing.walk import Walker
from tests.oracle.compare import no_values
from tests.sweep.architectures import ARCHITECTURES, Architecture


def module_of(architecture: Architecture, folder: Path) -> Any:
    """The architecture's file, imported plainly."""
    file = folder / "arch.py"
    file.write_text(architecture.source)
    spec = importlib.util.spec_from_file_location("arch", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def eager(module: Any) -> tuple[str, str]:
    """Output shapes in eval mode; and what train mode raises, if anything."""
    model = module.model()
    args, kwargs = module.inputs()
    with torch.no_grad():
        output = spell_shapes(model.eval()(*args, **kwargs))
    try:
        model.train()(*args, **kwargs)
    except Exception as error:
        return output, f"{type(error).__name__}: {error}".splitlines()[0]
    return output, ""


def fingerprint(model: torch.nn.Module) -> Any:
    """Everything of a model that a walk might change."""
    return (
        [
            (
                name,
                module.training,
                len(module._forward_hooks),
                len(module._forward_pre_hooks),
                sorted(vars(module)),
            )
            for name, module in model.named_modules()
        ],
        {
            name: (
                tuple(t.shape),
                t.dtype,
                t.requires_grad,
                float(t.detach().double().nan_to_num().sum())
                if t.numel() and not t.is_complex()
                else 0,
            )
            for name, t in [*model.named_parameters(), *model.named_buffers()]
        },
        torch.get_rng_state().sum().item(),
        random.getstate()[1][:3],
    )


def touched(module: Any) -> list[str]:
    """What a walk in both modes left changed on a model that was built plainly."""
    model = module.model()
    model.train()
    before = fingerprint(model)
    walker = Walker(model, module.inputs)
    for mode in Mode:
        walker.walk(mode)
    after = fingerprint(model)
    return [
        what
        for what, a, b in zip(
            ("flags", "tensors", "torch rng", "python rng"), before, after, strict=True
        )
        if a != b
    ]


def judge(
    architecture: Architecture, folder: Path
) -> tuple[list[str], float, list[str]]:
    """What is wrong with shapelint's answer, the seconds it took, and the codes of all
    it said."""
    module = module_of(architecture, folder)
    output, train_raises = eager(module)
    started = time.monotonic()
    report = check(
        Walk("arch.py:model", (), "arch.py:inputs", selected=tuple(catalogue().rules))
    )
    seconds = time.monotonic() - started
    wrong = []
    if str(report.output or "") != output:
        wrong.append(f"output {report.output}, eager {output}")
    errors = [d for d in report.diagnostics if d.severity.value == "error"]
    if bool(errors) != bool(train_raises):
        wrong.append(
            f"errors {[d.message for d in errors]}, eager raises {train_raises or 'nothing'}"
        )
    gaps = [d for d in report.diagnostics if d.code == "SHP903"]
    wrong += [f"gap: {d.message}" for d in gaps]
    wrong += [f"left changed: {what}" for what in touched(module)]
    return (
        wrong,
        seconds,
        sorted({d.code for d in report.diagnostics if d.severity.value != "error"}),
    )


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    wanted = [word for word in sys.argv[1:] if word != "--fake"]
    if "--fake" in sys.argv:
        no_values()
    table: dict[str, collections.Counter[str]] = collections.defaultdict(
        collections.Counter
    )
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        for architecture in ARCHITECTURES:
            if wanted and not any(
                word in (architecture.package, architecture.name) for word in wanted
            ):
                continue
            row = table[architecture.package]
            try:
                wrong, seconds, said = judge(architecture, Path(name))
            except Exception as error:
                row["eager or set-up fails"] += 1
                print(
                    f"skip {architecture.package} {architecture.name}: {type(error).__name__}: {str(error)[:160]}"
                )
                continue
            row["walked"] += 1
            row["wrong"] += bool(wrong)
            verdict = "BAD " if wrong else "ok  "
            found = " ".join([*said, "; ".join(wrong)[:700]])
            print(
                f"{verdict} {architecture.package} {architecture.name} {seconds:.2f} s {found}",
                flush=True,
            )
    for package, row in table.items():
        print(
            f"{package:<30} walked {row['walked']:>3}  wrong {row['wrong']:>3}  not set up {row['eager or set-up fails']:>3}"
        )
    print("total walked", sum(row["walked"] for row in table.values()))


if __name__ == "__main__":
    main()
