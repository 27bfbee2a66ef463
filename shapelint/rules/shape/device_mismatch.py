"""SHP115."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapelint.changes import weights
from shapelint.changes.operands import Operand, find_operands, rewrite_operand
from shapelint.facts.diagnostics import Related, Severity
from shapelint.facts.findings import Candidate, ChangeKind, Example, Finding, Rule
from shapelint.facts.graph import Call, Trace
from shapelint.facts.kinds import Route
from shapelint.facts.walked_target import Walked
from shapelint.ops.wording import subject
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.origins import Place, find_enclosing_function
from shapelint.syntax.spans import span_of
from shapelint.syntax.trees import corners
from shapelint.syntax.walked_calls import finding_at_call, shape_text


class DeviceMismatch(Rule):
    """
    ## What it does
    Finds tensors that the forward creates on the CPU, without a device or with `"cpu"`,
    and then combines with activations, weights or buffers of the model.

    ## Why is this bad?
    Everything works on the CPU. Once the model is moved to an accelerator, the call
    raises, because the tensor did not move with it. This is a warning: nothing raises
    until the model is moved.

    ## Fix
    Pass `device=x.device` where the tensor is created, call `.to(x.device)` where it is
    used, or use `register_buffer` in `__init__`.
    """

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
                # several left behind are mostly made alike: one bug, one finding
                if call.strays and _has_run(call):
                    yield self._finding(walked, trace, call, call.strays[0])

    def _finding(
        self, walked: Walked, trace: Trace, call: Call, position: int
    ) -> Finding:
        maker = _find_maker(trace, call, position)
        shape = shape_text(call.inputs[position].shape)
        source = f" from {subject(maker)}" if maker is not None else ""
        draft = replace(
            self.diagnostic(
                f"{subject(call)} receives {shape}{source}, which stays on the CPU "
                "when the model is moved"
            ),
            label="raises on an accelerator",
        )
        candidates = _find_candidates(walked, call, position, maker)
        finding = finding_at_call(walked, trace, call, draft, candidates)
        site = maker.site if maker is not None else None
        if site is None or site == call.site:
            return finding
        created = Related(span_of(site, walked.texts), "created here, on the CPU")
        return replace(
            finding, diagnostic=replace(finding.diagnostic, related=(created,))
        )


def _has_run(call: Call) -> bool:
    """Whether a call gave a result, if only on one of the ways to compute it."""
    return call.failure is None or call.failure.route is Route.FUSED


def _find_maker(trace: Trace, call: Call, position: int) -> Call | None:
    """The call that created a tensor, traced back through the calls that computed with
    it."""
    current = trace.producer(call, position)
    while current is not None and current.inputs:
        earlier = [index for index in current.producers if index >= 0]
        if not earlier:
            break
        current = trace.calls[earlier[0]]
    return current


def _find_candidates(
    walked: Walked, call: Call, position: int, maker: Call | None
) -> Iterator[Candidate]:
    """Use the device of another operand, where the tensor is created or where it is
    used."""
    made = call_at(maker.site, walked.texts) if maker is not None else None
    known = find_operands(walked, call)
    others = [
        each for at, each in enumerate(known[: len(call.inputs)]) if at != position
    ]
    names = [each.text for each in others if _is_name(each)]
    # where no operand can be named, the input of the forward is on the right device
    names += _first_parameter(made or call_at(call.site, walked.texts))
    for name in dict.fromkeys(names):
        # `from_numpy` has no `device`
        if made is not None and made.name != "from_numpy":
            yield from _create_on_device(made, name, call.layer)
        if position < len(known):
            operand = known[position]
            text = f"{operand.text}.to({name}.device)"
            moved = rewrite_operand(operand, text, call.layer, weights.MOVED_TO_DEVICE)
            yield replace(moved, group="device", kind=ChangeKind.OTHER)


def _is_name(operand: Operand) -> bool:
    """Whether an operand can be written a second time without being computed again."""
    return isinstance(operand.node, (ast.Name, ast.Attribute))


def _first_parameter(called: CallExpression | None) -> list[str]:
    """The first parameter, not counting `self`, of the function around a call."""
    if called is None:
        return []
    function = find_enclosing_function(Place(called.source, called.node))
    names = [arg.arg for arg in function.args.args] if function is not None else []
    return names[1:2] if names[:1] == ["self"] else names[:1]


def _create_on_device(
    made: CallExpression, name: str, layer: str
) -> Iterator[Candidate]:
    """Add `device=x.device` to the call that created the tensor, or replace `"cpu"` by
    it."""
    device = f"device={name}.device"
    for word in made.node.keywords:
        if word.arg == "device":
            edit = made.replace_node(word.value, f"{name}.device")
            yield Candidate(f"`{device}`", (edit,), layer, group="device")
            return
    arguments = [*made.node.args, *(word.value for word in made.node.keywords)]
    if not arguments:
        return
    last = max(arguments, key=lambda node: corners(node)[2:])
    text = f"{made.source.segment(last)}, {device}"
    title = " ".join(f"{made.callee}(..., {device})".split())
    yield Candidate(
        f"`{title}`", (made.replace_node(last, text),), layer, group="device"
    )
