"""Models whose sizes are right and whose dimensions are not where they are wanted: each
with an input, and the first help that a person would give."""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """A model with one mistake. `help`: how the title of the first fix reads.
    `right`: the pairs of texts, old and new, that mend it. `more`: inputs with more
    samples, where not every one of them has samples in front."""

    source: str
    inputs: tuple[str, ...]
    help: str
    right: tuple[tuple[str, str], ...]
    target: str = "Net"
    more: tuple[str, ...] = ()


HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""

# -- a reduction that leaves a dimension of the map -------------------------------------

ONE_AXIS_LEFT = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.ReLU())
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = self.body(x)
        x = x.mean(dim=2)
        return self.head(self.drop(x))
""",
    ("2,3,16,20",),
    "`x.mean(dim=(2, 3))`",
    (("x.mean(dim=2)", "x.mean(dim=(2, 3))"),),
)

TWO_HEADS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv3d(2, 6, 3, padding=1)
        self.boxes = nn.Linear(6, 4)
        self.score = nn.Linear(6, 1)

    def forward(self, x):
        x = F.relu(self.body(x))
        return self.boxes(torch.amax(x, (-2, -1))), self.score(torch.amax(x, (-2, -1)))
""",
    ("2,2,4,5,7",),
    "`torch.amax(x, (-3, -2, -1))` and the same in 1 other place",
    (("(-2, -1)", "(-3, -2, -1)"),),
)

MAXIMUM_OF_ROWS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(1, 10, 3, padding=1)
        self.head = nn.Linear(10, 3)

    def forward(self, x):
        best = self.body(x).relu().max(-1)[0]
        return self.head(best.flatten(1))
""",
    ("2,1,6,9",),
    "`self.body(x).relu().amax((-2, -1))`",
    ((".max(-1)[0]", ".amax((-2, -1))"),),
)

OVER_CHANNELS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, words=40, dim=16):
        super().__init__()
        self.embed = nn.Embedding(words, dim)
        self.mix = nn.GRU(dim, dim, batch_first=True)
        self.head = nn.Linear(dim, 2)

    def forward(self, ids):
        states, _ = self.mix(self.embed(ids))
        return self.head(states.mean(-1))
""",
    ("3,7:int64",),
    "`states.mean(1)`",
    (("states.mean(-1)", "states.mean(1)"),),
)

# -- a norm or layer that wants its channels elsewhere ----------------------------------

PERMUTE = """
class Permute(nn.Module):
    def __init__(self, *dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.permute(*self.dims)

"""

NORM_IN_SEQUENTIAL = Mistake(
    HEAD
    + PERMUTE
    + """
def stage(a, b, norm):
    return nn.Sequential(
        Permute(0, 3, 1, 2),
        nn.Conv2d(a, b, 2, stride=2),
        norm(b),
    )


class Net(nn.Module):
    def __init__(self, dims=(8, 12, 20)):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, dims[0], 2, 2), Permute(0, 2, 3, 1), nn.LayerNorm(dims[0])
        )
        pairs = zip(dims, dims[1:])
        self.stages = nn.ModuleList(stage(a, b, nn.LayerNorm) for a, b in pairs)
        self.head = nn.Linear(dims[-1], 5)

    def forward(self, x):
        x = self.stem(x)
        for each in self.stages:
            x = each(x)
        return self.head(x.mean((1, 2)))
""",
    ("2,3,32,48",),
    "`Permute(0, 2, 3, 1)` before `norm(b)`",
    (("norm(b),", "Permute(0, 2, 3, 1), norm(b),"),),
)

NORM_BETWEEN_CONVOLUTIONS = Mistake(
    HEAD
    + PERMUTE
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 10, 3),
            nn.LayerNorm(10),
            nn.GELU(),
            nn.Conv2d(10, 6, 3),
        )
        self.last = Permute(0, 2, 3, 1)

    def forward(self, x):
        return self.last(self.body(x))
""",
    ("2,3,14,17",),
    "`Permute(0, 2, 3, 1)` before `nn.LayerNorm(10)` and `Permute(0, 3, 1, 2)` after it",
    (
        (
            "nn.LayerNorm(10),",
            "Permute(0, 2, 3, 1), nn.LayerNorm(10), Permute(0, 3, 1, 2),",
        ),
    ),
)

NORM_APPENDED = Mistake(
    HEAD
    + """
class ToFirst(nn.Module):
    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class ToLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).contiguous()


class Net(nn.Module):
    def __init__(self, dims=(6, 9)):
        super().__init__()
        layers, last = [], 3
        for dim in dims:
            layers.append(nn.Conv2d(last, dim, 3, stride=2, padding=1))
            layers.append(nn.LayerNorm(dim))
            layers.append(ToFirst())
            last = dim
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x).flatten(2)
""",
    ("2,3,16,20",),
    "`ToLast()` before `nn.LayerNorm(dim)`",
    (
        (
            "nn.LayerNorm(dim))",
            "ToLast())\n            layers.append(nn.LayerNorm(dim))",
        ),
    ),
)

NORM_IN_FORWARD = Mistake(
    HEAD
    + """
class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dw = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, dim * 4)
        self.down = nn.Linear(dim * 4, dim)

    def forward(self, x):
        y = self.norm(self.dw(x))
        y = self.down(F.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 4, 4)
        self.blocks = nn.Sequential(*[Block(12) for _ in range(2)])

    def forward(self, x):
        return self.blocks(self.stem(x)).mean((-2, -1))
""",
    ("2,3,32,40",),
    "`self.dw(x).permute(0, 2, 3, 1)`",
    (("self.norm(self.dw(x))", "self.norm(self.dw(x).permute(0, 2, 3, 1))"),),
)

NORM_AND_BACK = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.first = nn.Conv1d(4, width, 3, padding=1)
        self.norm = nn.LayerNorm(width)
        self.second = nn.Conv1d(width, 8, 3, padding=1)

    def forward(self, x):
        x = self.first(x)
        x = F.relu(self.norm(x))
        return self.second(x)
""",
    ("2,4,30",),
    "`self.norm(x.transpose(1, 2)).transpose(1, 2)`",
    (("self.norm(x)", "self.norm(x.transpose(1, 2)).transpose(1, 2)"),),
)

POINTS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv1d(3, 16, 1), nn.BatchNorm1d(16), nn.ReLU())
        self.fc = nn.Linear(16, 6)

    def forward(self, cloud):
        x = self.mlp(cloud)
        return self.fc(x.max(dim=2)[0])
""",
    ("2,50,3",),
    "`cloud.transpose(1, 2)`",
    (("self.mlp(cloud)", "self.mlp(cloud.transpose(1, 2))"),),
)

NORM_OF_A_SEQUENCE = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.embed = nn.Embedding(30, dim)
        self.norm = nn.BatchNorm1d(dim)
        self.mix = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, 5)

    def forward(self, ids):
        x = self.mix(self.embed(ids))
        x = self.norm(x)
        return self.head(x.relu())
""",
    ("3,9:int64",),
    "`self.norm(x.transpose(1, 2)).transpose(1, 2)`",
    (("self.norm(x)", "self.norm(x.transpose(1, 2)).transpose(1, 2)"),),
)

# -- the state of a recurrent layer -------------------------------------------------------

STATE_OF_TWO_LAYERS = Mistake(
    HEAD
    + """
class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.score = nn.Linear(dim, 1)

    def forward(self, hidden, memory):
        e = self.score(torch.tanh(self.query(hidden) + self.key(memory)))
        return (e.softmax(1) * memory).sum(1)


class Net(nn.Module):
    def __init__(self, dim=12, depth=2):
        super().__init__()
        self.rnn = nn.GRU(5, dim, num_layers=depth, batch_first=True)
        self.attend = Attention(dim)
        self.out = nn.Linear(dim, 3)

    def forward(self, x):
        memory, hidden = self.rnn(x)
        return self.out(self.attend(hidden, memory))
""",
    ("3,7,5",),
    "`hidden[-1].unsqueeze(1)`",
    (("self.query(hidden)", "self.query(hidden[-1].unsqueeze(1))"),),
)

STATE_OF_TWO_DIRECTIONS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.rnn = nn.LSTM(8, dim, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(dim * 2, 4)

    def forward(self, ids):
        out, (h, c) = self.rnn(self.embed(ids))
        return self.fc(h[-1])
""",
    ("3,6:int64",),
    "`torch.cat([h[-2], h[-1]], dim=-1)`",
    (("self.fc(h[-1])", "self.fc(torch.cat([h[-2], h[-1]], dim=-1))"),),
)

STATE_SQUEEZED = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 10, num_layers=3, batch_first=True)
        self.side = nn.Linear(4, 10)
        self.fc = nn.Linear(20, 2)

    def forward(self, x, more):
        _, h_n = self.rnn(x)
        both = torch.cat([h_n.squeeze(0), self.side(more)], dim=1)
        return self.fc(both)
""",
    ("2,5,6", "2,4"),
    "`h_n[-1]`",
    (("h_n.squeeze(0)", "h_n[-1]"),),
)

STATE_FOR_BATCH_FIRST = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, width=10):
        super().__init__()
        self.width = width
        self.lstm = nn.LSTM(6, width)
        self.fc = nn.Linear(width, 2)

    def forward(self, x):
        state = torch.zeros(1, x.size(0), self.width)
        out, _ = self.lstm(x, (state, state.clone()))
        return self.fc(out[:, -1])
""",
    ("3,7,6",),
    "`nn.LSTM(..., batch_first=True)`",
    (("nn.LSTM(6, width)", "nn.LSTM(6, width, batch_first=True)"),),
)

# -- joined along the wrong dimension, turned where nothing was to turn --------------------

TURNED_FOR_NOTHING = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(6, 8, 3)
        self.fc = nn.Linear(8, 3)

    def forward(self, left, right):
        x = torch.cat([left, right], dim=-1)
        x = x.permute(0, 3, 1, 2)
        x = F.relu(self.conv(x))
        return self.fc(x.mean((2, 3)))
""",
    ("2,3,10,14", "2,3,10,14"),
    "`torch.cat([left, right], dim=1)`, and no `.permute(0, 3, 1, 2)`",
    (("dim=-1", "dim=1"), ("        x = x.permute(0, 3, 1, 2)\n", "")),
)

ONE_TURN_TOO_MANY = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.embed = nn.Linear(5, dim)
        self.conv = nn.Conv1d(dim, dim, 3, padding=1)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.embed(x).transpose(1, 2)
        x = self.conv(x.transpose(1, 2))
        return self.norm(x.transpose(1, 2))
""",
    ("2,11,5",),
    "no `.transpose(1, 2)`",
    (("self.conv(x.transpose(1, 2))", "self.conv(x)"),),
)

# -- masks ------------------------------------------------------------------------------

MASK_OF_ONE_ROW = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 8)

    def forward(self, x, keep):
        x = self.fc(x)
        drop = ~keep
        x[drop] = 0.0
        return x.sum(1)
""",
    ("4,9,6", "1,9:bool"),
    "`drop.expand(x.shape[0], -1)`",
    (("x[drop]", "x[drop.expand(x.shape[0], -1)]"),),
    more=("7,9,6", "1,9:bool"),
)

MASK_OF_KEYS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=16, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)

    def forward(self, x, pad):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1)
        scores = scores.masked_fill(~pad, -1e9)
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, d)
""",
    ("3,7,16", "3,7:bool"),
    "`(~pad)[:, None, None, :]`",
    (("masked_fill(~pad", "masked_fill((~pad)[:, None, None, :]"),),
)

WEIGHTS_OF_POSITIONS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 8)

    def forward(self, x, weight):
        hidden = self.fc(x)
        total = (hidden * weight).sum(1)
        return total / weight.sum(1, keepdim=True)
""",
    ("3,7,6", "3,7"),
    "`weight.unsqueeze(-1)`",
    (("hidden * weight)", "hidden * weight.unsqueeze(-1))"),),
)

# -- tables of positions -------------------------------------------------------------------

ROTARY_WITHOUT_HEADS = Mistake(
    HEAD
    + """
def turn(x):
    a, b = x.chunk(2, -1)
    return torch.cat([-b, a], -1)


class Net(nn.Module):
    def __init__(self, dim=16, heads=2, longest=40):
        super().__init__()
        self.heads, size = heads, dim // heads
        steps = 1.0 / 10000 ** (torch.arange(0, size, 2).float() / size)
        angles = torch.outer(torch.arange(longest).float(), steps).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.qkv = nn.Linear(dim, 3 * dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, -1).unbind(2)
        cos, sin = self.cos[:n], self.sin[:n]
        q = q * cos + turn(q) * sin
        return (q * k + v).flatten(2)
""",
    ("2,9,16",),
    "`cos.unsqueeze(1)` and the same in 1 other place",
    (("q * cos + turn(q) * sin", "q * cos[:, None] + turn(q) * sin[:, None]"),),
)

POSITIONS_IN_FRONT = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=12, longest=30):
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(longest, 1, dim))
        nn.init.normal_(self.pos)
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        x = x + self.pos[: x.size(1)]
        return self.fc(x)
""",
    ("2,9,12",),
    "`self.pos[: x.size(1)].transpose(0, 1)`",
    (("self.pos[: x.size(1)]", "self.pos[: x.size(1)].transpose(0, 1)"),),
)

# -- helps that would change what is computed -----------------------------------------------

MAXIMUM_UNPACKED = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(1, 10, 3, padding=1)
        self.head = nn.Linear(10, 3)

    def forward(self, x):
        best, at = self.body(x).max(3)
        return self.head(best)
""",
    ("2,1,6,9",),
    "",
    (("self.body(x).max(3)", "self.body(x).flatten(2).max(2)"),),
)

TABLE_OF_ZEROS = Mistake(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=12, longest=30):
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(longest, 1, dim))
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.drop(x + self.pos[: x.size(1)])
        return self.fc(x)
""",
    ("2,9,12",),
    "",
    (("self.pos[: x.size(1)]", "self.pos[: x.size(1)].transpose(0, 1)"),),
)

MISTAKES = {
    "a mean over one axis of a map": ONE_AXIS_LEFT,
    "two heads behind maxima over two axes of three": TWO_HEADS,
    "the larger of a row, taken of a pair": MAXIMUM_OF_ROWS,
    "a mean over features instead of time": OVER_CHANNELS,
    "a norm over features behind a convolution in a Sequential": NORM_IN_SEQUENTIAL,
    "a norm over features between convolutions": NORM_BETWEEN_CONVOLUTIONS,
    "a norm over features that is appended": NORM_APPENDED,
    "a norm over features in a forward": NORM_IN_FORWARD,
    "a norm over features, and back": NORM_AND_BACK,
    "points with their coordinates last": POINTS,
    "a norm over channels of a sequence": NORM_OF_A_SEQUENCE,
    "the state of two layers": STATE_OF_TWO_LAYERS,
    "the state of two directions": STATE_OF_TWO_DIRECTIONS,
    "the state of three layers squeezed": STATE_SQUEEZED,
    "a state for a batch in front": STATE_FOR_BATCH_FIRST,
    "joined along the width, then turned": TURNED_FOR_NOTHING,
    "turned once too often": ONE_TURN_TOO_MANY,
    "a mask with one row": MASK_OF_ONE_ROW,
    "a mask of keys without heads": MASK_OF_KEYS,
    "weights of positions": WEIGHTS_OF_POSITIONS,
    "rotary tables without heads": ROTARY_WITHOUT_HEADS,
    "a table with positions in front": POSITIONS_IN_FRONT,
}

UNCLEAR = {
    "values and indices of a maximum over rows": MAXIMUM_UNPACKED,
    "a table of zeros": TABLE_OF_ZEROS,
}
