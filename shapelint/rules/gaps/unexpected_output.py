"""SHP118."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import TensorFact, Walked
from shapelint.facts.kinds import NoPlace
from shapelint.syntax.spans import span_of


class UnexpectedOutput(Rule):
    """
    ## What it does
    Holds the shapes that come out of a model against those that the configuration
    expects of it: `expect = ["1,10"]` of a `[[tool.shapelint.targets]]`.

    ## Why is this bad?
    What the model is fed to takes the expected shapes, and is not part of the model.

    ## Fix
    The model, or `expect`.
    """

    code = "SHP118"
    name = "unexpected-output"

    def check(self, walked: Walked) -> Iterator[Finding]:
        if not walked.expect:
            return
        specs = parse_inputs(walked.expect)
        for mode, trace in walked.traces.items():
            found = trace.output.tensors if trace.output is not None else ()
            if (
                trace.raised is not None
                or trace.failure_count
                or _fits(walked.expect, specs, found)
            ):
                continue
            wanted = ", ".join(str(spec) for spec in specs)
            diagnostic = self.diagnostic(
                f"{trace.output} comes out where {wanted} is expected"
            )
            last = next(
                (call for call in reversed(trace.calls) if call.site is not None), None
            )
            span = (
                span_of(last.site, walked.texts)
                if last is not None and last.site is not None
                else None
            )
            whole = replace(
                diagnostic,
                label=f"gives {trace.output}",
                expected=wanted,
                found=str(trace.output),
            )
            yield Finding(whole.at(span, otherwise=NoPlace.NO_SOURCE), mode)
            return


def _fits(
    texts: tuple[str, ...],
    specs: tuple[TensorSpec, ...],
    found: tuple[TensorFact, ...],
) -> bool:
    """Whether as many tensors come out, of these shapes, and of these dtypes where they
    are named."""
    if len(specs) != len(found):
        return False
    for text, spec, tensor in zip(texts, specs, found, strict=True):
        is_dtype_named = ":" in text
        if spec.shape != tensor.shape:
            return False
        if is_dtype_named and spec.short_dtype != tensor.dtype:
            return False
    return True
