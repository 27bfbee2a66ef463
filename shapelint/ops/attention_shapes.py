"""The shapes that `MultiheadAttention` takes (torch.nn.MultiheadAttention, "Shape")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint.facts.graph import Call
from shapelint.facts.tensors import Shape, TensorFact

RANKS = (2, 3)
"""Numbers of dimensions of query, key and value, without and with a batch."""


@dataclass(frozen=True)
class AttendedSizes:
    """The batch of an attention, the lengths of its query (`target`) and its key
    (`source`), and its number of heads."""

    batch: int
    target: int
    source: int
    heads: int

    @property
    def attn_masks(self) -> tuple[Shape, Shape]:
        """The shapes that `attn_mask` may have: one mask for all heads, or one for each
        head."""
        pair = (self.target, self.source)
        return pair, (self.batch * self.heads, *pair)

    @property
    def key_padding_mask(self) -> Shape:
        """The shape of `key_padding_mask`."""
        return (self.batch, self.source)


def read_attended_sizes(
    call: Call, query: TensorFact, key: TensorFact
) -> AttendedSizes:
    """Read from a call the sizes that its masks must match."""
    heads = call.attributes.get("num_heads", 1)
    if len(query.shape) != 3:
        return AttendedSizes(1, query.shape[0], key.shape[0], heads)
    batch_axis, token_axis = (0, 1) if call.attributes.get("batch_first") else (1, 0)
    source_axis = token_axis if len(key.shape) == 3 else 0
    return AttendedSizes(
        query.shape[batch_axis], query.shape[token_axis], key.shape[source_axis], heads
    )


def widths_taken(call: Call) -> Iterator[tuple[str, TensorFact, int]]:
    """Query, key and value by name, each with the width that the layer takes:
    `embed_dim`, or `kdim` and `vdim` if they were given."""
    embed_dim = call.attributes["embed_dim"]
    kdim, vdim = call.attributes.get("kdim"), call.attributes.get("vdim")
    widths = (embed_dim, kdim or embed_dim, vdim or embed_dim)
    roles = ("query", "key", "value")
    yield from zip(roles, call.inputs, widths, strict=False)
