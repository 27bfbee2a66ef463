"""SHP115."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes.operands import Operand, operands, wrapped
from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.origins import Place, enclosing_function
from shapelint.syntax.spans import span_of
from shapelint.syntax.walked_calls import at_call, shape_text, subject


class DeviceMismatch(Rule):
    """
    ## What it does
    Finds tensors that the forward makes on the CPU, without a device or with `"cpu"`,
    and that meet activations, weights or buffers of the model.

    ## Why is this bad?
    All is well on the CPU. Once the model is moved to an accelerator the call raises:
    the tensor did not move with it. A warning, since nothing raises as long as nothing
    is moved.

    ## Fix
    `device=x.device` where the tensor is made, `.to(x.device)` where it is used, or
    `register_buffer` in `__init__`."""

    code = "SHP115"
    name = "device-mismatch"
    severity = Severity.WARNING
    bad = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        scale = torch.linspace(0, 1, x.shape[1])
        return self.fc(x) * scale
""",
        ("2,16",),
        raises="RuntimeError: Tensor on device cpu is not on the expected device meta!",
        moved=True,
    )
    good = Example(
        """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        scale = torch.linspace(0, 1, x.shape[1], device=x.device)
        return self.fc(x) * scale
""",
        ("2,16",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        for trace in walked.traces.values():
            for call in trace.calls:
                if call.strays and call.failure is None:
                    yield self._finding(walked, trace, call, call.strays[0])

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, position: int
    ) -> Finding:
        maker = _maker(trace, call, position)
        shape = shape_text(call.inputs[position].shape)
        by = f", made by {subject(maker)}," if maker is not None else ""
        diagnostic = replace(
            self.diagnostic(
                f"{subject(call)} is given {shape}{by} which stays on the CPU when the model is moved"
            ),
            label="raises on an accelerator",
        )
        diagnostic = at_call(diagnostic, walked, trace, call)
        if maker is not None and maker.site is not None and maker.site != call.site:
            diagnostic = replace(
                diagnostic,
                related=(
                    Related(
                        span_of(maker.site, walked.texts), "made here, without a device"
                    ),
                ),
            )
        candidates = tuple(_candidates(walked, call, position, maker))
        return Finding(diagnostic, trace.mode, call.index, candidates)


def _maker(trace: Trace, call: Call, position: int) -> Call | None:
    """The call that made the tensor, back through what was computed of it."""
    current = trace.producer(call, position)
    while current is not None and current.inputs:
        before = next(
            (trace.calls[index] for index in current.producers if index >= 0), None
        )
        if before is None:
            break
        current = before
    return current


def _candidates(
    walked: Walked, call: Call, position: int, maker: Call | None
) -> Iterator[Candidate]:
    made = call_at(maker.site, walked.texts) if maker is not None else None
    known = operands(walked, call)
    names = [
        _device_of(each)
        for at, each in enumerate(known)
        if at != position and at < len(call.inputs)
    ]
    reachable = [name for name in names if name] + _first_parameter(
        made or call_at(call.site, walked.texts)
    )
    for name in dict.fromkeys(reachable):
        if made is not None and made.name != "from_numpy":
            yield from _with_device(made, name, call.layer)
        if position < len(known):
            operand = known[position]
            yield replace(
                wrapped(operand, f"{operand.text}.to({name}.device)", call.layer, 1.0),
                group="device",
            )


def _device_of(operand: Operand) -> str:
    return operand.text if isinstance(operand.node, (ast.Name, ast.Attribute)) else ""


def _first_parameter(called: CallExpression | None) -> list[str]:
    """The first argument of the function in which a call stands, `self` not counted."""
    function = (
        enclosing_function(Place(called.source, called.node))
        if called is not None
        else None
    )
    names = [arg.arg for arg in function.args.args] if function is not None else []
    return names[1:2] if names[:1] == ["self"] else names[:1]


def _with_device(made: CallExpression, name: str, layer: str) -> Iterator[Candidate]:
    """`device=x.device` added to the call that made the tensor, or written over
    `"cpu"`."""
    written = next(
        (word.value for word in made.node.keywords if word.arg == "device"), None
    )
    if written is not None:
        edit = made.replaced(written, f"{name}.device")
        yield Candidate(f"`device={name}.device`", (edit,), layer, group="device")
        return
    if not made.node.args and not made.node.keywords:
        return
    last = max(
        [*made.node.args, *(word.value for word in made.node.keywords)],
        key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0),
    )
    text = f"{made.source.segment(last)}, device={name}.device"
    title = " ".join(f"{made.callee}(..., device={name}.device)".split())
    yield Candidate(f"`{title}`", (made.replaced(last, text),), layer, group="device")
