"""Models whose mistake shows in where their sizes come from: each with an input, and
the first help that a person would give."""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """A model with one mistake. `help`: how the title of the first fix reads."""

    source: str
    inputs: tuple[str, ...]
    help: str
    target: str = "Net"


HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""

BIDIRECTIONAL = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, emb=24, hid=16, vocab=50):
        super().__init__()
        self.embed = nn.Embedding(vocab, emb)
        self.encoder = nn.GRU(emb, hid, batch_first=True, bidirectional=True)
        self.attend = nn.Linear(emb + hid, hid)
        self.out = nn.Linear(hid, vocab)

    def forward(self, ids):
        x = self.embed(ids)
        memory, _ = self.encoder(x)
        joined = torch.cat([x, memory], dim=-1)
        return self.out(torch.tanh(self.attend(joined)))
""",
    ("2,9:int64",),
    "`nn.Linear(emb + hid * 2, hid)`",
)

CONFIGURED = Mistake(
    HEAD
    + """
SIZES = {"stem": 16, "mid": 32, "classes": 7}


def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = block(3, SIZES["stem"])
        self.b = block(SIZES["stem"], SIZES["mid"])
        self.c = block(24, SIZES["mid"])
        self.fc = nn.Linear(SIZES["mid"], SIZES["classes"])

    def forward(self, x):
        x = self.c(self.b(self.a(x)))
        return self.fc(x.mean((2, 3)))
""",
    ("2,3,16,16",),
    """`block(SIZES["mid"], SIZES["mid"])`""",
)

UNREAD_PARAMETER = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, columns, width=32):
        super().__init__()
        self.fc = nn.Linear(8, width)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(self.fc(x).relu())
""",
    ("4,7",),
    "`nn.Linear(columns, width)`",
    "Net(7)",
)

COPIED_READ = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=32, heads=4, longest=64):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.register_buffer("scale", torch.rand(longest, 1, 1))
        self.register_buffer("shift", torch.rand(longest, 1, 1))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).unbind(2)
        scale = self.scale[: q.shape[0]]
        shift = self.shift[: q.shape[0]]
        return (q * scale + shift + k * v).flatten(2)
""",
    ("2,9,32",),
    "`q.shape[1]` and the same in 1 other place",
)

CHANNELS_OF_A_TABLE = Mistake(
    HEAD
    + """
LAYERS = [
    {"kind": "conv", "filters": 16, "stride": 2},
    {"kind": "conv", "filters": 24, "stride": 2},
    {"kind": "head", "anchors": 3, "classes": 9},
]


class Head(nn.Module):
    def __init__(self, anchors, classes):
        super().__init__()
        self.anchors, self.values = anchors, classes + 5

    def forward(self, x):
        b, c, h, w = x.shape
        return x.view(b, self.anchors, self.values, h, w).permute(0, 1, 3, 4, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for entry in LAYERS:
            if entry["kind"] == "head":
                layers.append(Head(entry["anchors"], entry["classes"]))
                continue
            filters = entry["filters"]
            layers.append(nn.Conv2d(channels, filters, 3, entry["stride"], 1))
            channels = filters
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)
""",
    ("2,3,16,16",),
    '`"filters": 42`',
)

WIDTHS = Mistake(
    HEAD
    + """
class Mix(nn.Module):
    def __init__(self, takes, gives):
        super().__init__()
        self.takes, self.gives = takes, gives
        self.weight = nn.Parameter(torch.randn(takes * gives))

    def forward(self, x):
        rows = torch.einsum("bi,o->boi", x, torch.ones(self.gives, device=x.device))
        rows = rows.reshape(len(x), self.takes * self.gives) * self.weight
        return rows.view(len(x), self.gives, self.takes).sum(-1)


class Net(nn.Module):
    def __init__(self, widths=(5, 6, 2)):
        super().__init__()
        pairs = zip(widths, widths[1:])
        self.mixes = nn.Sequential(*[Mix(a, b) for a, b in pairs])

    def forward(self, x):
        return self.mixes(x)
""",
    ("8,4",),
    "`widths=(4, 6, 2)`",
)

ONE_HOT = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Conv1d(8, 5, 1)

    def forward(self, x, labels):
        return F.cross_entropy(self.fc(x), labels)
""",
    ("4,8,12", "4,5,12:int64"),
    "`labels.argmax(1)`",
)

ROW_FOR_THE_CLASS_TOKEN = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=32, patches=16, classes=5):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, 8, 8)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.zeros(1, patches, dim))
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)
        x = x + self.pos
        return self.head(x[:, 0])
""",
    ("2,3,32,32",),
    "`torch.zeros(1, patches + 1, dim)`",
)

TURNED_KEY = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=24, heads=4):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.out = nn.Linear(dim, 5)

    def split(self, x):
        b, n, d = x.shape
        return x.view(b, n, self.heads, d // self.heads).transpose(1, 2)

    def forward(self, x):
        q, k, v = map(self.split, self.qkv(x).chunk(3, dim=-1))
        weights = (q @ k.transpose(1, -1)).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))
""",
    ("2,7,24",),
    "`k.transpose(-2, -1)`",
)

SIZE_IN_A_LIST = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, size=8, width=6, code=10):
        super().__init__()
        self.size, self.code = size, code
        self.inner = nn.Linear(code, width * 4 * (size // 4) ** 2)
        self.up = nn.ConvTranspose2d(width * 4, 3, 4, stride=4)

    def forward(self, z):
        shape = [z.shape[0], self.code] + [self.size // 4 for _ in range(2)]
        return self.up(self.inner(z).view(shape))
""",
    ("3,10",),
    "`shape = [z.shape[0], -1] + [self.size // 4 for _ in range(2)]`",
)

ONLY_SIZE = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.conv(x) * self.gain.view(1, -1, 3, 1)
""",
    ("2,3,9,9",),
    "`self.gain.view(1, -1, 1, 1)`",
)

PADDED_TOO_MUCH = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = nn.Conv2d(3, 8, 1)
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 2), nn.Conv2d(3, 4, 1))

    def forward(self, x):
        return torch.cat([self.plain(x), self.pooled(x)], dim=1)
""",
    ("2,3,9,9",),
    "`nn.MaxPool2d(3, 1, 1)`",
)

PRUNED = Mistake(
    HEAD
    + """
class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 12, 3, padding=1)
        self.two = nn.Conv2d(12, 8, 3, padding=1, groups=2)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def pruned(kept=8):
    model = Pair()
    with torch.no_grad():
        model.one.weight = nn.Parameter(model.one.weight[:kept])
        model.one.bias = nn.Parameter(model.one.bias[:kept])
        model.two.weight = nn.Parameter(model.two.weight[:, :2])
    return model
""",
    ("2,3,9,9",),
    "`nn.Parameter(model.two.weight[:, :4])`",
    "pruned()",
)

HEAD_OF_ANOTHER_SIZE = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 64, 3, 2, 1), nn.MaxPool2d(2))
        self.head = nn.Linear(64 * 4 * 4, classes)

    def forward(self, x):
        x = self.body(x)
        return self.head(x.view(x.size(0), -1))
""",
    ("2,3,32,32",),
    "`nn.Linear(64 * 8 * 8, classes)`",
)
"""The batch is a quarter of a side, so that another size read would fit."""

JOINED_AND_NOT_COUNTED = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, a=8):
        super().__init__()
        self.down = nn.Conv2d(3, a, 3, padding=1)
        self.deep = nn.Conv2d(a, a * 2, 3, 2, 1)
        self.up = nn.ConvTranspose2d(a * 2, a, 2, 2)
        self.merge = nn.Conv2d(a, 2, 3, padding=1)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(self.deep(skip))
        return self.merge(torch.cat([x, skip], dim=1))
""",
    ("2,3,8,8",),
    "`nn.Conv2d(a * 2, 2, 3, padding=1)`",
)
"""A side is as long as a map has channels, so that joining along it would fit."""

NEXT_IN_A_LIST = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, sizes=(12, 20, 16, 3)):
        super().__init__()
        layers = []
        for i in range(len(sizes) - 1):
            layers.append(nn.Linear(sizes[i], sizes[i + 1]))
            layers.append(nn.BatchNorm1d(sizes[i]))
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)
""",
    ("8,12",),
    "`nn.BatchNorm1d(sizes[i + 1])`",
)

SIZES_OF_THREE = (
    HEAD
    + """
class Mix(nn.Module):
    def __init__(self, width, size):
        super().__init__()
        self.width, self.size = width, size
        self.inner = nn.Linear(size * size, size * size)

    def forward(self, x):
        flat = x.view(-1, self.width, self.size * self.size)
        return self.inner(flat).view(-1, self.width, self.size, self.size)


class Down(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.time = nn.Linear(4, b)

    def forward(self, x, t):
        return self.conv(x) + self.time(t)[:, :, None, None]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.mix_a = Down(3, 8), Mix(8, 16)
        self.b, self.mix_b = Down(8, 12), Mix(12, 8)
        self.c = Down(12, 5)

    def forward(self, x, t):
        x = self.mix_a(self.a(x, t))
        x = self.mix_b(self.b(x, t))
        return self.c(x, t)
"""
)
"""Two sizes for another image: the second mistake shows only behind the first fix."""

MISTAKES = {
    "a position table without the class token": ROW_FOR_THE_CLASS_TOKEN,
    "a decoder behind a bidirectional encoder": BIDIRECTIONAL,
    "a helper is handed another number than the configuration's": CONFIGURED,
    "a parameter that nothing reads": UNREAD_PARAMETER,
    "the wrong dimension read, in two lines alike": COPIED_READ,
    "filters in a table": CHANNELS_OF_A_TABLE,
    "the first of several widths": WIDTHS,
    "a one-hot target": ONE_HOT,
    "a key turned along the heads": TURNED_KEY,
    "a size of a view, in a list": SIZE_IN_A_LIST,
    "the only other size of a view": ONLY_SIZE,
    "a pooling padded by more than it takes": PADDED_TOO_MUCH,
    "a group's channels after pruning": PRUNED,
    "the next of a list": NEXT_IN_A_LIST,
    "a head for another size, with a batch that could be read": HEAD_OF_ANOTHER_SIZE,
    "joined channels, with a side as long": JOINED_AND_NOT_COUNTED,
}
