"""The number written at a layer's definition, exchanged for the one that arrives."""

from __future__ import annotations

from shapelint.graph import Call, Trace, Walked
from shapelint.rules import Candidate
from shapelint.rules.evidence import made_by
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.products import written_as

_KEEP_CHANNELS = {
    *(
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "ReLU",
        "relu",
        "GELU",
        "gelu",
        "SiLU",
        "silu",
        "LeakyReLU",
        "Dropout",
    ),
    *("MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "max_pool2d", "avg_pool2d", "ELU"),
    *("AdaptiveAvgPool2d", "Dropout2d", "GroupNorm", "InstanceNorm2d", "Upsample", "interpolate", "Sigmoid", "Tanh"),
    *("dropout", "leaky_relu", "max_pool1d", "Identity", "ReLU6", "Hardswish", "PReLU", "tanh", "sigmoid", "Mish"),
}


def number_candidates(
    call: Call, made: CallExpression | None, position: int, name: str, value: int | str, sizes: tuple[int, ...]
) -> list[Candidate]:
    """The argument written anew, in the manner of the old one."""
    written = made.argument(position, name) if made is not None else None
    if made is None or written is None:
        return []
    old = made.source.segment(written)
    texts = [str(value)] if isinstance(value, str) else [written_as(made.source, written, value, sizes), str(value)]
    found = []
    for text in dict.fromkeys(texts):
        title = f"`{_with_argument(made, old, text, position)}`"
        found.append(Candidate(title, (made.replaced(written, text),), call.layer, group=f"{name} here"))
    return found


def _with_argument(made: CallExpression, old: str, new: str, position: int) -> str:
    """The call's text with one argument exchanged, on one line."""
    written = made.argument(position)
    if written is None or made.source.segment(written) != old or written.lineno != made.node.lineno:
        return " ".join(made.text.split()).replace(f"={old}", f"={new}", 1)
    line = made.text.encode()
    start = written.col_offset - made.node.col_offset
    return " ".join((line[:start] + new.encode() + line[start + len(old.encode()) :]).decode().split())


def producer_candidates(walked: Walked, trace: Trace, call: Call, takes: int) -> list[Candidate]:
    """The `out_channels` or `out_features` of the layer whose result arrives, through layers that keep them."""
    current = trace.producer(call)
    while current is not None and current.op in _KEEP_CHANNELS:
        current = trace.producer(current)
    if current is None or current.kind != "module":
        return []
    name = "out_features" if current.op == "Linear" else "out_channels"
    if current.op != "Linear" and not current.op.startswith("Conv"):
        return []
    return number_candidates(current, made_by(walked, current), 1, name, takes, (takes,))
