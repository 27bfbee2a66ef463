"""SHP118."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Walked
from shapelint.syntax.spans import span_of

_TENSOR = re.compile(r"(\w+)\[([\d,]*)\]")


class UnexpectedOutput(Rule):
    """
    ## What it does
    Compares the shapes of a model's outputs with those that the configuration expects:
    `expect = ["1,10"]` in a `[[tool.shapelint.targets]]` table.

    ## Why is this bad?
    The code that uses the outputs relies on these shapes, and is not part of the model.

    ## Fix
    Correct the model, or `expect`.
    """

    code = "SHP118"
    name = "unexpected-output"

    def check(self, walked: Walked) -> Iterator[Finding]:
        if not walked.expect:
            return
        specs = parse_inputs(walked.expect)
        for mode, trace in walked.traces.items():
            found = _TENSOR.findall(trace.output or "")
            if (
                trace.raised is not None
                or trace.failure_count
                or _fits(walked.expect, specs, found)
            ):
                continue
            wanted = ", ".join(str(spec) for spec in specs)
            diagnostic = self.diagnostic(
                f"the model returns {trace.output} but {wanted} is expected"
            )
            last = next(
                (call for call in reversed(trace.calls) if call.site is not None), None
            )
            span = (
                span_of(last.site, walked.texts)
                if last is not None and last.site is not None
                else None
            )
            yield Finding(
                replace(
                    diagnostic,
                    span=span,
                    label=f"returns {trace.output}",
                    expected=wanted,
                    found=trace.output,
                ),
                mode,
            )
            return


def _fits(
    texts: tuple[str, ...], specs: tuple[TensorSpec, ...], found: list[tuple[str, str]]
) -> bool:
    """Whether as many tensors come out, of these shapes, and of these dtypes where they
    are named."""
    if len(specs) != len(found):
        return False
    for text, spec, (dtype, sizes) in zip(texts, specs, found, strict=True):
        wanted = str(spec).rpartition("=")[2]
        if f"[{sizes}]" != wanted[wanted.index("[") :] or (
            ":" in text and dtype != wanted.partition("[")[0]
        ):
            return False
    return True
