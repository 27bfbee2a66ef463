"""Models with attention that torch computes by a fused kernel in eval mode without
gradients, and by parts otherwise."""

from __future__ import annotations

from typing import NamedTuple

FUSED = "only in eval mode without gradients, where torch takes its fused path"
NOT_FUSED = "not in eval mode without gradients, where torch takes its fused path"


EVERYWHERE = "no note: it happens everywhere"

TRAIN, RECORDED, EVAL = "train", "eval with gradients", "eval"
"""The ways of running a model."""


class Attending(NamedTuple):
    """A model and an input. `raising`: the ways in which eager raises. `note`: what is
    said of when it happens; empty where there is no error. `help`: the title of the first
    fix, where there is one."""

    source: str
    inputs: tuple[str, ...]
    raising: tuple[str, ...] = ()
    note: str = ""
    help: str = ""


HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""

CAUSAL_FROM_BATCH = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, width=16, heads=2, depth=3):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, heads, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        causal = nn.Transformer.generate_square_subsequent_mask(x.size(0))
        return self.head(self.encoder(x, mask=causal, is_causal=True)).mean(1)
""",
    ("5,7,16",),
    (EVAL,),
    FUSED,
    "`x.size(1)`",
)

LAYERS_IN_A_LOOP = Attending(
    HEAD
    + """
def block(width, heads):
    return nn.TransformerEncoderLayer(
        width, heads, 32, activation="gelu", batch_first=True, norm_first=True
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(block(24, 4) for _ in range(2))

    def causal(self, x):
        steps = x.shape[0]
        return torch.triu(torch.full((steps, steps), float("-inf")), diagonal=1)

    def forward(self, x):
        mask = self.causal(x)
        for block in self.blocks:
            x = block(x, src_mask=mask, is_causal=True)
        return x
""",
    ("3,9,24",),
    (EVAL,),
    FUSED,
    "`x.shape[1]`",
)

ATTENTION_ALONE = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, 4, batch_first=True)

    def forward(self, x):
        h = self.norm(x)
        blocked = torch.ones(x.shape[0], x.shape[1], dtype=torch.bool).triu(1)
        h, _ = self.attention(
            h, h, h, attn_mask=blocked, is_causal=True, need_weights=False
        )
        return x + h
""",
    ("3,6,32",),
    (EVAL,),
    FUSED,
    "`x.shape[1]`",
)

PADDING_TURNED = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, words=40, dim=16):
        super().__init__()
        self.embed = nn.Embedding(words, dim, padding_idx=0)
        self.layer = nn.TransformerEncoderLayer(dim, 2, 32, batch_first=True)
        self.out = nn.Linear(dim, 2)

    def forward(self, ids):
        padding = ids.eq(0).t()
        return self.out(self.layer(self.embed(ids), src_key_padding_mask=padding))
""",
    ("3,8:int64",),
    (TRAIN, RECORDED, EVAL),
    EVERYWHERE,
)

PADDING_WITHOUT_CLASS_TOKEN = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, words=40, dim=16):
        super().__init__()
        self.embed = nn.Embedding(words, dim)
        self.first = nn.Parameter(torch.zeros(1, 1, dim))
        layer = nn.TransformerEncoderLayer(dim, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(dim, 2)

    def forward(self, ids):
        x = torch.cat([self.first.expand(ids.shape[0], -1, -1), self.embed(ids)], dim=1)
        x = self.encoder(x, src_key_padding_mask=ids == 0)
        return self.out(x[:, 0])
""",
    ("3,8:int64",),
    (TRAIN, RECORDED, EVAL),
    EVERYWHERE,
)

ONLY_A_HINT = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.out = nn.Linear(dim, 4)

    def forward(self, x):
        h, _ = self.attention(x, x, x, is_causal=True)
        return self.out(h)
""",
    ("3,6,16",),
    (TRAIN, RECORDED),
    NOT_FUSED,
)

ODD_HEADS = Attending(
    CAUSAL_FROM_BATCH.source.replace("heads=2", "heads=1"), CAUSAL_FROM_BATCH.inputs
)

TANH = Attending(
    CAUSAL_FROM_BATCH.source.replace("batch_first", "activation=F.silu, batch_first"),
    CAUSAL_FROM_BATCH.inputs,
)

FLOAT_MASK_ALONE = Attending(
    ATTENTION_ALONE.source.replace(
        "dtype=torch.bool).triu(1)", "dtype=torch.float32).triu(1)"
    ),
    ATTENTION_ALONE.inputs,
)

RIGHT_ON_BOTH = Attending(
    CAUSAL_FROM_BATCH.source.replace("x.size(0)", "x.size(1)"),
    CAUSAL_FROM_BATCH.inputs,
)

NESTED = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, words=40, dim=16):
        super().__init__()
        self.embed = nn.Embedding(words, dim)
        layer = nn.TransformerEncoderLayer(dim, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(dim))
        self.out = nn.Linear(dim, 2)

    def forward(self, ids):
        lengths = torch.full((ids.shape[0],), ids.shape[1] - 2)
        padding = torch.arange(ids.shape[1]) >= lengths[:, None]
        x = self.encoder(self.embed(ids), src_key_padding_mask=padding)
        return self.out(x.masked_fill(padding[..., None], 0).sum(1))
""",
    ("3,8:int64",),
)

HOOKED = Attending(
    CAUSAL_FROM_BATCH.source.replace(
        "        self.head =",
        "        for part in self.encoder.layers:\n"
        "            part.register_forward_hook(lambda *_: None)\n"
        "        self.head =",
    ),
    CAUSAL_FROM_BATCH.inputs,
)

OWN_BLOCK = Attending(
    HEAD
    + """
class Block(nn.TransformerEncoderLayer):
    def _sa_block(self, x, mask, padding, is_causal=False):
        return self.dropout1(F.avg_pool1d(x, 3, 1, 1))

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = self.norm1(src + self._sa_block(src, src_mask, src_key_padding_mask))
        return self.norm2(x + self._ff_block(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(16, 2, 32, batch_first=True)

    def forward(self, x):
        causal = nn.Transformer.generate_square_subsequent_mask(x.shape[0])
        return self.block(x, causal)
""",
    ("5,7,16",),
)

FORCES = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(3, 16), nn.SiLU(), nn.Linear(16, 1))

    def forward(self, positions):
        positions.requires_grad_(True)
        energy = self.energy(positions).sum()
        (slope,) = torch.autograd.grad(energy, positions, create_graph=self.training)
        return energy, -slope
""",
    ("4,3",),
    (EVAL,),
)

BY_GRADIENTS = Attending(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        h = self.stem(x)
        if torch.is_grad_enabled():
            return self.head(h), h
        return self.head(h).argmax(-1)
""",
    ("2,8",),
)

PROGRAMS = {
    name.lower().replace("_", " "): value
    for name, value in list(globals().items())
    if isinstance(value, Attending)
}
