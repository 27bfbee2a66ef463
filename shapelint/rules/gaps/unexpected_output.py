"""SHP118."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.asked.inputs import TensorSpec, parse_inputs
from shapelint.facts.findings import Finding, Rule
from shapelint.facts.graph import Trace
from shapelint.facts.kinds import NoPlace
from shapelint.facts.tensors import TensorFact
from shapelint.facts.walked_target import Walked
from shapelint.syntax.spans import span_of


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
        for trace in walked.traces.values():
            # the output of a failed walk is made up
            is_whole = trace.raised is None and not trace.failure_count
            found = trace.output.tensors if trace.output is not None else ()
            if is_whole and not _fits(found, specs, has_dtypes):
                yield self._finding(walked, trace, specs)
                return  # the other mode says the same

    def _finding(
        self, walked: Walked, trace: Trace, specs: tuple[TensorSpec, ...]
    ) -> Finding:
        wanted = ", ".join(str(spec) for spec in specs)
        draft = self.mismatch(
            f"the model returns {trace.output} but {wanted} is expected",
            wanted,
            str(trace.output),
            f"returns {trace.output}",
        )
        # the last line in the user's code that made part of the output
        sites = [call.site for call in trace.calls if call.site is not None]
        span = span_of(sites[-1], walked.texts) if sites else None
        return Finding(draft.at(span, otherwise=NoPlace.NO_SOURCE), trace.mode)


def _fits(
    found: tuple[TensorFact, ...],
    specs: tuple[TensorSpec, ...],
    has_dtypes: list[bool],
) -> bool:
    """Whether the output has as many tensors as expected, of these shapes, and of these
    dtypes if they are given."""
    if len(specs) != len(found):
        return False
    for spec, has_dtype, tensor in zip(specs, has_dtypes, found, strict=True):
        if spec.shape != tensor.shape:
            return False
        if has_dtype and spec.short_dtype != tensor.dtype:
            return False
    return True
