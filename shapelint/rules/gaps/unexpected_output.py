"""SHP118."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Trace, Walked
from shapelint.syntax.spans import span_of

_TENSOR = re.compile(r"(\w+)\[([\d,]*)\]")
"""`f32[1,10]`, anywhere in a structure."""


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
        has_dtypes = [":" in text for text in walked.expect]
        for mode, trace in walked.traces.items():
            is_whole = trace.raised is None and not trace.failure_count
            if is_whole and not _fits(trace.output or "", specs, has_dtypes):
                yield self._finding(walked, trace, specs, mode)
                return  # the other mode says the same

    def _finding(
        self, walked: Walked, trace: Trace, specs: tuple[TensorSpec, ...], mode: str
    ) -> Finding:
        wanted = ", ".join(str(spec) for spec in specs)
        sites = [call.site for call in trace.calls if call.site is not None]
        span = span_of(sites[-1], walked.texts) if sites else None
        diagnostic = self.mismatch(
            f"the model returns {trace.output} but {wanted} is expected",
            wanted,
            trace.output or "",
            f"returns {trace.output}",
        )
        return Finding(replace(diagnostic, span=span), mode)


def _fits(output: str, specs: tuple[TensorSpec, ...], has_dtypes: list[bool]) -> bool:
    """Whether as many tensors come out, of these shapes, and of these dtypes where they
    are named."""
    found = _TENSOR.findall(output)
    if len(specs) != len(found):
        return False
    for spec, has_dtype, (dtype, sizes) in zip(specs, has_dtypes, found, strict=True):
        text = str(spec).rpartition("=")[2]  # without a name
        wanted_dtype, _, rest = text.partition("[")
        wanted_sizes = rest.rstrip("]")
        if sizes != wanted_sizes or (has_dtype and dtype != wanted_dtype):
            return False
    return True
