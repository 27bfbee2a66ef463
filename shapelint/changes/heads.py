"""Adaptive pooling before a flatten: a head that does not depend on the input's
size."""

from __future__ import annotations

import ast
import math

from shapelint.facts.diagnostics import Edit
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Trace, Walked
from shapelint.syntax.calls import CallExpression, call_at, layer_call
from shapelint.syntax.edits import replacement
from shapelint.syntax.products import written_as
from shapelint.syntax.trees import ParsedFile

_FLATTENS = {"Flatten", "flatten", "view", "reshape"}
SAME_SHAPE = {
    *(
        "Dropout",
        "dropout",
        "ReLU",
        "relu",
        "Identity",
        "GELU",
        "contiguous",
        "float",
        "to",
        "Sigmoid",
        "Tanh",
        "LeakyReLU",
    ),
    *("SiLU", "ELU", "BatchNorm1d", "LayerNorm", "half", "double", "clone", "detach"),
}


def flattened(trace: Trace, call: Call) -> Call | None:
    """The flatten of a feature map (N, C, ...) that feeds a call, through layers that
    keep the shape."""
    current = trace.producer(call)
    while current is not None:
        if (
            current.op in _FLATTENS
            and current.failure is None
            and current.inputs
            and current.output is not None
        ):
            before, after = current.inputs[0].shape, current.output.shape
            whole = (
                len(before) > 2
                and len(after) == 2
                and after[-1] == math.prod(before[1:])
            )
            return current if whole else None
        if current.op not in SAME_SHAPE:
            return None
        current = trace.producer(current)
    return None


def head_candidates(
    walked: Walked,
    trace: Trace,
    call: Call,
    made: CallExpression | None,
    takes: int,
    sizes: tuple[int, ...] | None = None,
) -> list[Candidate]:
    """Pool to the map the head was made for (weights kept), then to 1 with a new
    `in_features`.

    `sizes`: further side lengths to try, each with a new `in_features`.
    """
    flatten = flattened(trace, call)
    if flatten is None:
        return []
    channels, dims = flatten.inputs[0].shape[1], len(flatten.inputs[0].shape) - 2
    if dims not in (1, 2, 3):
        return []
    found = []
    side = _old_side(takes, channels, dims)
    if sizes is None and side is not None and side > 1:
        wanted = (
            f"({', '.join([str(side)] * dims)},)"
            if dims == 1
            else f"({', '.join([str(side)] * dims)})"
        )
        edit, layer, place = _pooled(
            walked, flatten, dims, str(side) if dims == 1 else wanted
        )
        if edit is not None:
            found.append(
                Candidate(
                    f"`{layer}` before {place}", (edit,), call.layer, group="old size"
                )
            )
    written = made.argument(0, "in_features") if made is not None else None
    for size in sizes or (1,):
        edit, layer, place = _pooled(walked, flatten, dims, str(size))
        if edit is None or made is None or written is None:
            continue
        features = channels * size**dims
        text = (
            str(features)
            if size == 1
            else " * ".join(map(str, (channels, *([size] * dims))))
        )
        shown = made.text.replace(made.source.segment(written), text, 1)
        edits = (edit, made.replaced(written, text))
        found.append(
            Candidate(
                f"`{layer}` before {place} and `{shown}`",
                edits,
                call.layer,
                group=f"pool {size}",
            )
        )
    return found


def pooled_before(
    call: Call, expression: CallExpression, takes: int
) -> list[Candidate]:
    """The map pooled to the size for which a view and the layer behind it were
    written."""
    shape = call.inputs[0].shape
    dims = len(shape) - 2
    side = _old_side(takes, shape[1], dims) if dims in (1, 2, 3) else None
    operand, functional = (
        _flattened_operand(expression),
        functional_prefix(expression.source),
    )
    if side is None or operand is None or functional is None:
        return []
    size = str(side) if dims == 1 else f"({', '.join([str(side)] * dims)})"
    layer = f"{functional}adaptive_avg_pool{dims}d({expression.source.segment(operand)}, {size})"
    edit = replacement(expression.source, operand, layer)
    return [
        Candidate(
            f"`{layer}` before `{_short(expression)}`",
            (edit,),
            call.layer,
            group="old size",
            likely=2.0,
        )
    ]


def missing_flatten(walked: Walked, call: Call, takes: int) -> list[Candidate]:
    """`x.flatten(1)` where the layer is called, if that gives the features it takes."""
    if (
        call.input is None
        or len(call.input.shape) < 3
        or math.prod(call.input.shape[1:]) != takes
    ):
        return []
    inserted = _flatten_layer(walked, call)
    if inserted is not None:
        return [inserted]
    expression = call_at(call.site, walked.texts)
    written = expression.argument(0, "input") if expression is not None else None
    if expression is None or written is None:
        return []
    text = f"{expression.source.segment(written)}.flatten(1)"
    says = "a flatten is missing here"
    return [
        Candidate(
            f"`{text}`",
            (expression.replaced(written, text),),
            call.layer,
            "flatten",
            likely=2.9,
            says=says,
        )
    ]


FLATTEN_TOO = "a flatten is missing, and the number is another"
"""Said where a map arrives that would not fit flattened either: two mistakes, the first
edit mends the first."""


def flatten_and_number(
    walked: Walked, trace: Trace, call: Call, made: CallExpression | None, takes: int
) -> list[Candidate]:
    """A flatten put in and `in_features` written anew, where a feature map comes
    straight from a convolution."""
    shape = call.input.shape if call.input is not None else ()
    written = made.argument(0, "in_features") if made is not None else None
    features = math.prod(shape[1:])
    if (
        len(shape) != 4
        or features == takes
        or made is None
        or written is None
        or not _is_feature_map(trace, call)
    ):
        return []
    text = written_as(made.source, written, features, shape[1:])
    shown = made.text.replace(made.source.segment(written), text, 1)
    inserted = _flatten_layer(walked, call)
    if inserted is not None:
        first, title = inserted.edits[0], "`nn.Flatten()`"
    else:
        expression = call_at(call.site, walked.texts)
        operand = expression.argument(0, "input") if expression is not None else None
        if expression is None or operand is None:
            return []
        flat = f"{expression.source.segment(operand)}.flatten(1)"
        first, title = expression.replaced(operand, flat), f"`{flat}`"
    edits = (first, made.replaced(written, text))
    return [
        Candidate(
            f"{title} and `{shown}`",
            edits,
            call.layer,
            "flatten",
            likely=2.6,
            says=FLATTEN_TOO,
        )
    ]


def _is_feature_map(trace: Trace, call: Call) -> bool:
    """Whether what arrives has channels in front: it comes from a convolution or
    pooling, at most activated."""
    current = trace.producer(call)
    while current is not None and current.op in SAME_SHAPE:
        current = trace.producer(current)
    name = current.op.lower() if current is not None else ""
    return any(word in name for word in ("conv", "pool", "batchnorm2d"))


def _flatten_layer(walked: Walked, call: Call) -> Candidate | None:
    """`nn.Flatten()` before the layer, where it stands in a Sequential."""
    made = layer_call(call.definition, call.module_class, walked.texts)
    parent = made.source.parents.get(made.node) if made is not None else None
    if made is None or not isinstance(parent, ast.Call) or made.node not in parent.args:
        return None
    if (
        not made.source.segment(parent.func).endswith("Sequential")
        or made.prefix != f"{made.prefix.rstrip('.')}."
    ):
        return None
    layer = f"{made.prefix}Flatten()"
    start = replacement(made.source, made.node, "").start
    edit = Edit(made.source.file, start, start, f"{layer}, ")
    says = "a flatten is missing before this"
    return Candidate(
        f"`{layer}` before `{made.text}`",
        (edit,),
        call.layer,
        "flatten",
        likely=3.1,
        says=says,
    )


def _old_side(takes: int, channels: int, dims: int) -> int | None:
    if channels == 0 or takes % channels:
        return None
    side = round((takes // channels) ** (1 / dims))
    return side if side**dims * channels == takes else None


def _pooled(
    walked: Walked, flatten: Call, dims: int, size: str
) -> tuple[Edit | None, str, str]:
    """The edit that pools before a flatten, the pooling as written, and the name of the
    place."""
    name = f"AdaptiveAvgPool{dims}d"
    if flatten.is_module:
        call = layer_call(flatten.definition, "Flatten", walked.texts)
        prefix = _module_prefix(call)
        if call is None or prefix is None:
            return None, "", ""
        layer = f"{prefix}{name}({size})"
        text = f"{prefix}Sequential({layer}, {call.text})"
        return call.replaced(call.node, text), layer, f"`{call.text}`"
    call = call_at(flatten.site, walked.texts)
    if call is None:
        return None, "", ""
    operand = _flattened_operand(call)
    functional = functional_prefix(call.source)
    if operand is None or functional is None:
        return None, "", ""
    inside = call.source.segment(operand)
    layer = f"{functional}adaptive_avg_pool{dims}d({inside}, {size})"
    return replacement(call.source, operand, layer), layer, f"`{_short(call)}`"


def _short(call: CallExpression) -> str:
    text = " ".join(call.text.split())
    return text if len(text) <= 40 else f"{call.name}(...)"


def _flattened_operand(call: CallExpression) -> ast.expr | None:
    """The tensor expression: `x` of `x.view(...)`, of `torch.flatten(x, 1)`."""
    func = call.node.func
    if isinstance(func, ast.Attribute) and call.name in ("view", "reshape", "flatten"):
        is_torch = isinstance(func.value, ast.Name) and func.value.id == "torch"
        if not is_torch:
            return func.value
    return call.argument(0, "input")


def _module_prefix(call: CallExpression | None) -> str | None:
    """How the file spells torch.nn: the prefix of the flatten's own call, or of an
    import."""
    if call is None:
        return None
    return call.prefix or _nn_prefix(call.source)


def functional_prefix(source: ParsedFile) -> str | None:
    """How the file would spell torch.nn.functional: by its own import, through `nn`,
    through `torch`."""
    names = _module_names(source)
    for module, rest in (
        ("torch.nn.functional", ""),
        ("torch.nn", "functional."),
        ("torch", "nn.functional."),
    ):
        if module in names:
            return f"{names[module]}.{rest}"
    return None


def _nn_prefix(source: ParsedFile) -> str | None:
    names = _module_names(source)
    if "torch.nn" in names:
        return f"{names['torch.nn']}."
    return f"{names['torch']}.nn." if "torch" in names else None


def _module_names(source: ParsedFile) -> dict[str, str]:
    """Names by which a file reaches modules of torch."""
    names: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    names.setdefault(alias.name, alias.asname)
                elif alias.name.partition(".")[0] == "torch":
                    names.setdefault("torch", "torch")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names.setdefault(
                    f"{node.module}.{alias.name}", alias.asname or alias.name
                )
    return names
