"""The rows and totals of a walk. Tied weights count once in the totals."""

from __future__ import annotations

from shapelint import ops
from shapelint.facts.graph import Call, Trace
from shapelint.facts.rows import Row, Totals
from shapelint.facts.walked_target import Walked


def is_incidental(call: Call) -> bool:
    """Whether a call is left out of table and picture, because it computes nothing or
    depends on neither data nor weights."""
    return ops.of(call.op).is_layout or (not call.derived and not call.params)


def rows_of(walked: Walked, trace: Trace) -> list[Row]:
    """A row for each call. Parameters are counted at their first use; rows of later
    uses are marked."""
    rows: list[Row] = []
    counted: dict[str, str] = {}
    called: set[str] = set()
    for call in trace.calls:
        if is_incidental(call):
            continue
        new = [
            name
            for name in call.params
            if name not in counted and name in walked.params
        ]
        users = {counted[name] for name in call.params if name in counted}
        repeat = call.is_module and call.layer in called
        rows.append(
            Row(
                call.layer,
                call.op,
                call.kind,
                [fact.unnamed for fact in call.inputs if fact.name not in call.params],
                [fact.unnamed for fact in call.outputs],
                sum(walked.params[name].numel for name in new),
                call.mult_adds,
                call.site.file if call.site else None,
                call.site.line if call.site else None,
                repeat,
                bool(users - {call.layer}),
                call.failure is not None,
            )
        )
        counted.update(dict.fromkeys(new, call.layer))
        if call.is_module:
            called.add(call.layer)
    return rows


def totals_of(walked: Walked, trace: Trace) -> Totals:
    """The totals of the model and of this walk."""
    params = walked.params.values()
    totals = Totals(
        sum(param.numel for param in params),
        sum(param.numel for param in params if param.trainable),
        sum(param.bytes for param in params),
        sum(call.mult_adds for call in trace.calls),
    )
    head = head_modules(trace)
    if head:
        totals.head_params = sum(
            p.numel for p in params if any(_is_below(p.name, path) for path in head)
        )
        totals.features_params = totals.params - totals.head_params
    return totals


def head_modules(trace: Trace) -> set[str]:
    """The layers of the classifier head: all layers with weights after the last flatten
    or pooling of a feature map.

    Empty if the model has no such head, or no weights before it."""
    last = -1
    for call in trace.calls:
        if _is_reduction(call):
            last = call.index
    if last < 0:
        return set()
    before = {call.layer for call in trace.calls[:last] if call.params}
    after = [call for call in trace.calls[last + 1 :] if call.params]
    if (
        not before
        or not after
        or any(len(call.output.shape) > 2 for call in after if call.output)
    ):
        return set()
    head = {call.layer for call in after}
    return head if not head & before else set()


def _is_reduction(call: Call) -> bool:
    """Whether a call turns feature maps into vectors by a flatten or a mean. Picking
    one position (`x[:, 0]`) does not count."""
    if (
        not call.inputs
        or call.output is None
        or len(call.inputs[0].shape) <= 2
        or len(call.output.shape) != 2
    ):
        return False
    op = ops.of(call.op)
    return op.flattens or op.reduces


def _is_below(name: str, path: str) -> bool:
    return name.startswith(path + ".")
