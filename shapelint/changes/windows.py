"""Changes to windows upstream of a failure: other kernels, strides and paddings, and
arguments that are left out."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failed_sizes import Aspect
from shapelint.changes.failure_context import FailureContext
from shapelint.changes.layer_inputs import add_keyword
from shapelint.changes.other_values import constant
from shapelint.changes.plausibility import irregularity
from shapelint.changes.text_at_place import write_text
from shapelint.changes.upstream_calls import Upstream, arguments, single
from shapelint.changes.window_values import explains, window_of, window_values
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression, layer_call
from shapelint.syntax.origins import Place, find_enclosing_function, origins

Window = dict[str, int]


def other_windows(
    context: FailureContext, step: Upstream, place: Place, name: str
) -> Iterator[Candidate]:
    """Try other kernels, strides or paddings."""
    current = window_of(step.call)
    if current is None:
        return
    for target in origins(place):
        value = constant(target.node)
        if value is None:
            continue
        for new in window_values(name, value, current):
            if _goes_wrong_way(context, step, name, value, new):
                continue
            likely = _likely_window(context, step, current, name, value, new)
            yield write_text(target, str(new), step.call.layer, likely, name)


_LARGER_IS_LESS = {"kernel_size", "stride", "dilation"}
"""Arguments of a window of which a larger one leaves a smaller map, if it is not that of
a transposed convolution."""


def _goes_wrong_way(
    context: FailureContext, step: Upstream, name: str, old: int, new: int
) -> bool:
    """Whether a map gets smaller by it although fewer features arrive than the failed
    layer takes, or larger although more do."""
    call = context.call
    if context.raised is not None or call.op != "Linear" or len(context.pairs) != 1:
        return False
    arrives, takes = context.pairs[0]
    gets_smaller = (new > old) == (name in _LARGER_IS_LESS)
    if "Transpose" in step.call.op:
        gets_smaller = not gets_smaller
    return gets_smaller == (arrives < takes)


def _likely_window(
    context: FailureContext,
    step: Upstream,
    current: Window,
    name: str,
    old: int,
    new: int,
) -> float:
    """How plausible another value for one argument of a window is."""
    changed = {**current, name: new}
    if name == "kernel_size" and _stride_follows(step):
        changed["stride"] = new
    op = step.call.op
    better = irregularity(op, current) - irregularity(op, changed)
    common = _gain_in_siblings(context.trace, op, name, old, new)
    likely = step.closeness / 2 + weights.WINDOW
    likely += weights.WINDOW_REGULARITY_EACH * better
    likely += weights.WINDOW_SIBLINGS_EACH * common
    likely -= weights.WINDOW_STEP_EACH * abs(new - old)
    if explains(name, old, new, context.pairs, max(1, current["stride"])):
        likely += weights.WINDOW_EXPLAINS
    change = 0.0
    is_irregular = better > weights.STANDS_OUT_BY_REGULARITY
    if is_irregular or common > weights.STANDS_OUT_BY_SIBLINGS:
        change += weights.WINDOW_STANDS_OUT
    if context.aspect is Aspect.CHANNELS:
        change -= weights.WINDOW_FOR_CHANNELS
    return likely + change


def _stride_follows(step: Upstream) -> bool:
    """Whether the stride of a pooling is not written, so that it equals the kernel."""
    if not ops.is_of(step.call.op, Family.POOLING) or step.made is None:
        return False
    return "stride" not in dict(step.made_arguments)


def _gain_in_siblings(trace: Trace, op: str, name: str, old: int, new: int) -> float:
    """The share of other windows of this kind that have the new value, minus the share
    that have the old one."""
    windows = [window_of(call) for call in trace.calls if call.op == op]
    siblings = Counter(window[name] for window in windows if window is not None)
    gain = siblings[new] - max(0, siblings[old] - 1)
    return gain / max(1, siblings.total())


# -- arguments that are left out ---------------------------------------------------------


def add_window_arguments(
    context: FailureContext, step: Upstream, made: CallExpression
) -> Iterator[Candidate]:
    """Add a keyword that is not written: a padding that keeps the size, or a stride as
    in the other branch."""
    window, written = window_of(step.call), dict(arguments(made))
    is_starred = any(isinstance(node, ast.Starred) for node in made.node.args)
    if window is None or is_starred:
        return
    has_even_sibling = _has_even_sibling(context.trace, step.call)
    is_transposed = "Transpose" in made.name
    if is_transposed and not has_even_sibling:
        yield from _add_both_paddings(step, made)
    stride = max(1, window["stride"])
    for name, value, prior in _list_left_out(window, is_transposed, has_even_sibling):
        old = window[name]
        if old == value or name in written:
            continue
        if not explains(name, old, value, context.pairs, stride):
            continue
        if _goes_wrong_way(context, step, name, old, value):
            continue
        text = _spell_as_elsewhere(context.trace, made, name, value)
        likely = prior + step.closeness / 2 + weights.WINDOW_EXPLAINS
        if not text.isdigit():
            likely += weights.LEFT_OUT_NAMED
        group = f"{name} {made.node.lineno}"
        for found in add_keyword(made, name, text, step.call.layer):
            yield replace(found, likely=likely, group=group)


def _list_left_out(
    window: Window, is_transposed: bool, has_even_sibling: bool
) -> Iterator[tuple[str, int, float]]:
    """Arguments that may be missing, with their values and how plausible each is."""
    kernel = window["kernel_size"]
    if is_transposed:
        yield from _list_output_paddings(window, has_even_sibling)
        return
    if kernel % 2 and kernel > 1:
        yield "padding", kernel // 2, weights.LEFT_OUT_PADDING
    is_shortcut = kernel <= 1
    likely = weights.LEFT_OUT_STRIDE
    if is_shortcut:
        likely = weights.LEFT_OUT_STRIDE_OF_SHORTCUT
    for stride in (2, 4):
        yield "stride", stride, likely


def _has_even_sibling(trace: Trace, call: Call) -> bool:
    """Whether another such layer has a kernel larger by one, as 4 beside 3: then the
    kernel is what is wrong."""
    windows = [window_of(other) for other in trace.calls if other.op == call.op]
    kernel = (window_of(call) or {}).get("kernel_size", 0)
    return any(
        each is not None and each["kernel_size"] == kernel + 1 for each in windows
    )


def _list_output_paddings(
    window: Window, has_even_sibling: bool
) -> Iterator[tuple[str, int, float]]:
    """Output paddings of a transposed convolution: the one with which it multiplies
    sizes by its stride, as (n - 1) * stride - 2 * padding + kernel leaves some out."""
    stride, padding = window["stride"], window["padding"]
    if stride < 2:
        return
    missing = stride + 2 * padding - window["kernel_size"]
    likely = weights.LEFT_OUT_OUTPUT_PADDING
    if missing == 1 and not has_even_sibling:
        likely = weights.LEFT_OUT_OUTPUT_PADDING_EXACT
    yield "output_padding", 1, likely


def _add_both_paddings(step: Upstream, made: CallExpression) -> Iterator[Candidate]:
    """Write `padding=1, output_padding=1` for a transposed convolution that has
    neither: it then multiplies sizes by its stride."""
    window, written = window_of(step.call), dict(arguments(made))
    if window is None or window["stride"] < 2 or "padding" in written:
        return
    kernel, stride = window["kernel_size"], window["stride"]
    half = (kernel - 1) // 2
    extra = stride + 2 * half - kernel
    if not half or not 0 < extra < stride or "output_padding" in written:
        return
    text = f"{half}, output_padding={extra}"
    for found in add_keyword(made, "padding", text, step.call.layer):
        likely = weights.LEFT_OUT_BOTH_PADDINGS + step.closeness / 2
        group = f"paddings {made.node.lineno}"
        yield replace(found, likely=likely, group=group)


def _spell_as_elsewhere(
    trace: Trace, made: CallExpression, name: str, value: int
) -> str:
    """How another layer made in the same function spells such an argument:
    `stride=stride`."""
    source = made.source
    scope = find_enclosing_function(Place(source, made.node))
    for call in trace.calls:
        if not call.is_module or single(call.attributes.get(name)) != value:
            continue
        other = layer_call(call.definition, call.module_class, source.texts)
        if other is None or other.source.file != source.file:
            continue
        node = dict(arguments(other)).get(name)
        if node is None or isinstance(node, ast.Constant):
            continue
        if find_enclosing_function(Place(source, node)) is scope:
            return source.segment(node)
    return str(value)
