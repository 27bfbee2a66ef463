"""Programs that fail, as people write them: ten architectures of any depth, each with
four mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HEAD = """
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

"""


class Architecture(NamedTuple):
    """A program whose parts in angle brackets are written right or wrong.

    `right`: what stands for each part. `mistakes`: a part and what is written in its
    place, or an input. `DEPTH` stands for the number of layers."""

    source: str
    inputs: tuple[str, ...]
    right: dict[str, str]
    mistakes: tuple[tuple[str, str], ...]


class Program(NamedTuple):
    """A file with a class `Net` that fails, and the words of its inputs."""

    name: str
    source: str
    inputs: tuple[str, ...]


CNN = Architecture(
    """
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, <stem>, 3, padding=1)
        self.body = nn.Sequential(
            *[layer for _ in range(DEPTH) for layer in (nn.Conv2d(<body>, 32, 3, padding=1), nn.ReLU())]
        )
        self.pool = nn.MaxPool2d(4)
        self.fc1 = nn.Linear(<flat>, 64)
        self.fc2 = nn.Linear(<hidden>, classes)

    def forward(self, x):
        x = self.pool(self.body(F.relu(self.stem(x))))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))
""",
    ("2,3,32,32",),
    {"stem": "32", "body": "32", "flat": "32 * 8 * 8", "hidden": "64"},
    (
        ("flat", "32 * 16 * 16"),
        ("hidden", "128"),
        ("stem", "16"),
        ("inputs", "2,3,64,64"),
    ),
)

VGG = Architecture(
    """
def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(<norm>), nn.ReLU())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [block(3, 16)]
        for _ in range(DEPTH):
            layers.append(block(16, 16))
        layers += [nn.MaxPool2d(2), block(<wide>, 32), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(<flat>, 100), nn.ReLU(), nn.Linear(100, 7))

    def forward(self, x):
        x = self.features(x)
        return self.classifier(x<view>)
""",
    ("2,3,32,32",),
    {
        "norm": "b",
        "wide": "16",
        "flat": "32 * 8 * 8",
        "view": ".view(x.size(0), -1)",
    },
    (("norm", "a"), ("wide", "32"), ("flat", "512"), ("view", "")),
)

RESNET = Architecture(
    """
class Block(nn.Module):
    def __init__(self, inside, outside, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=stride, padding=1)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=<padding>)
        self.bn2 = nn.BatchNorm2d(<norm>)
        self.short = nn.Sequential()
        if <condition>:
            self.short = nn.Conv2d(inside, outside, 1, stride=stride)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.short(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.layers = nn.Sequential(
            Block(16, 16), Block(16, 32, 2), *[Block(32, 32) for _ in range(DEPTH)]
        )
        self.fc = nn.Linear(<features>, 10)

    def forward(self, x):
        x = self.layers(self.stem(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
""",
    ("2,3,32,32",),
    {
        "padding": "1",
        "norm": "outside",
        "condition": "stride != 1 or inside != outside",
        "features": "32",
    },
    (
        ("padding", "0"),
        ("norm", "inside"),
        ("condition", "stride > 2"),
        ("features", "16"),
    ),
)

UNET = Architecture(
    """
def double(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())


class Net(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.down1 = double(1, base)
        self.down2 = double(base, <second>)
        self.middle = nn.Sequential(double(base * 2, base * 4), *[double(base * 4, base * 4) for _ in range(DEPTH)])
        self.up2 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2)
        self.dec2 = double(<joined>, base * 2)
        self.up1 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec1 = double(base * 2, base)
        self.out = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        x = self.middle(F.max_pool2d(b, 2))
        x = self.dec2(torch.cat([self.up2(x), b], dim=<dim>))
        return self.out(self.dec1(torch.cat([self.up1(x), a], dim=1)))
""",
    ("1,1,32,32",),
    {"second": "base * 2", "joined": "base * 4", "dim": "1"},
    (
        ("second", "base"),
        ("joined", "base * 2"),
        ("dim", "2"),
        ("inputs", "1,1,50,50"),
    ),
)

AUTOENCODER = Architecture(
    """
class Net(nn.Module):
    def __init__(self, latent=16):
        super().__init__()
        hidden = [m for _ in range(DEPTH) for m in (nn.Linear(128, 128), nn.ReLU())]
        self.encoder = nn.Sequential(nn.Linear(<pixels>, 128), *hidden, nn.Linear(128, latent))
        self.decoder = nn.Sequential(nn.Linear(<code>, 128), nn.ReLU(), nn.Linear(128, 28 * 28))

    def forward(self, x):
        code = self.encoder(x<flatten>)
        return self.decoder(code).view(-1, 1, 28, <side>)
""",
    ("2,1,28,28",),
    {"pixels": "28 * 28", "code": "latent", "flatten": ".flatten(1)", "side": "28"},
    (("pixels", "32 * 32"), ("code", "latent * 2"), ("flatten", ""), ("side", "32")),
)

ENCODER = Architecture(
    """
class Net(nn.Module):
    def __init__(self, vocab=100, dim=32, heads=<heads>):
        super().__init__()
        self.embed = nn.Embedding(vocab, <width>)
        self.position = nn.Parameter(torch.zeros(1, 16, dim))
        layer = nn.TransformerEncoderLayer(dim, heads, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, DEPTH)
        self.head = nn.Linear(<head>, 5)

    def forward(self, ids):
        x = self.embed(ids) + self.position
        return self.head(self.encoder(x).mean(1))
""",
    ("2,16:int64",),
    {"heads": "4", "width": "dim", "head": "dim"},
    (("width", "dim * 2"), ("head", "64"), ("heads", "5"), ("inputs", "2,20:int64")),
)

VIT = Architecture(
    """
@dataclass
class Config:
    image: int = 32
    patch: int = 8
    dim: int = 48
    heads: int = 4


class Block(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(cfg.dim), nn.LayerNorm(<norm>)
        self.qkv = nn.Linear(cfg.dim, <qkv>)
        self.proj = nn.Linear(cfg.dim, cfg.dim)
        self.mlp = nn.Sequential(nn.Linear(cfg.dim, cfg.dim * 4), nn.GELU(), nn.Linear(cfg.dim * 4, cfg.dim))
        self.heads = cfg.heads

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c))
        return x + self.mlp(self.norm2(x))


class Net(nn.Module):
    def __init__(self, cfg=Config()):
        super().__init__()
        self.patches = nn.Conv2d(3, cfg.dim, cfg.patch, cfg.patch)
        self.token = nn.Parameter(torch.zeros(1, 1, cfg.dim))
        count = (cfg.image // cfg.patch) ** 2
        self.position = nn.Parameter(torch.zeros(1, <count>, cfg.dim))
        self.blocks = nn.Sequential(*[Block(cfg) for _ in range(DEPTH)])
        self.head = nn.Linear(cfg.dim, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2)<order>
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        return self.head(self.blocks(x)[:, 0])
""",
    ("2,3,32,32",),
    {
        "norm": "cfg.dim",
        "qkv": "cfg.dim * 3",
        "count": "count + 1",
        "order": ".transpose(1, 2)",
    },
    (("norm", "64"), ("qkv", "cfg.dim * 2"), ("count", "count"), ("order", "")),
)

RECURRENT = Architecture(
    """
class Net(nn.Module):
    def __init__(self, vocab=100, emb=24, hid=32):
        super().__init__()
        self.embed = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(<inside>, hid, num_layers=DEPTH, batch_first=True, bidirectional=True)
        self.attend = nn.Linear(<both>, 1)
        self.norm = nn.LayerNorm(<norm>)
        self.out = nn.Linear(<last>, 4)

    def forward(self, ids):
        states, _ = self.rnn(self.embed(ids))
        weights = self.attend(states).softmax(1)
        return self.out(self.norm((states * weights).sum(1)))
""",
    ("3,12:int64",),
    {"inside": "emb", "both": "hid * 2", "norm": "hid * 2", "last": "hid * 2"},
    (("inside", "hid"), ("both", "hid"), ("norm", "hid"), ("last", "hid")),
)

TEXTCNN = Architecture(
    """
class Net(nn.Module):
    def __init__(self, vocab=200, dim=32, filters=16, sizes=(3, 4, 5)):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.mix = nn.Sequential(*[nn.Linear(dim, dim) for _ in range(DEPTH)])
        self.convs = nn.ModuleList(nn.Conv1d(<channels>, filters, size) for size in sizes)
        self.head = nn.Linear(<joined>, 6)

    def forward(self, ids):
        x = self.mix(self.embed(ids))<order>
        pooled = [F.relu(conv(x)).max(dim=2).values for conv in self.convs]
        return self.head(torch.cat(pooled, dim=<dim>))
""",
    ("2,20:int64",),
    {
        "channels": "dim",
        "joined": "filters * len(sizes)",
        "order": ".transpose(1, 2)",
        "dim": "1",
    },
    (("channels", "64"), ("joined", "filters * 2"), ("order", ""), ("dim", "0")),
)

MLP = Architecture(
    """
CONFIG = {"inputs": 20, "hidden": 64, "meta": 5, "classes": 3}


class Net(nn.Module):
    def __init__(self, cfg=CONFIG):
        super().__init__()
        self.rows = nn.Linear(<rows>, cfg["hidden"])
        self.deep = nn.Sequential(*[layer for _ in range(DEPTH) for layer in
                                    (nn.Linear(cfg["hidden"], cfg["hidden"]), nn.BatchNorm1d(<norm>), nn.ReLU())])
        self.meta = nn.Linear(cfg["meta"], 8)
        self.head = nn.Linear(<joined>, cfg["classes"])

    def forward(self, x, meta):
        x = self.deep(F.relu(self.rows(x)))
        return self.head(torch.cat([x, self.meta(meta)], <dim>))
""",
    ("4,20", "4,5"),
    {
        "rows": 'cfg["inputs"]',
        "norm": 'cfg["hidden"]',
        "joined": 'cfg["hidden"] + 8',
        "dim": "1",
    },
    (("rows", "24"), ("norm", "32"), ("joined", 'cfg["hidden"]'), ("dim", "0")),
)

ARCHITECTURES = {
    "cnn": CNN,
    "vgg": VGG,
    "resnet": RESNET,
    "unet": UNET,
    "autoencoder": AUTOENCODER,
    "encoder": ENCODER,
    "vit": VIT,
    "recurrent": RECURRENT,
    "textcnn": TEXTCNN,
    "mlp": MLP,
}


def correct(name: str, depth: int) -> Program:
    """An architecture without any mistake."""
    architecture = ARCHITECTURES[name]
    source = _filled(architecture, architecture.right, depth)
    return Program(name, source, architecture.inputs)


def programs(depth: int) -> Iterator[Program]:
    """Every architecture with every mistake of its own, `depth` layers deep."""
    for name, architecture in ARCHITECTURES.items():
        for part, wrong in architecture.mistakes:
            is_input = part == "inputs"
            parts = (
                architecture.right if is_input else {**architecture.right, part: wrong}
            )
            source = _filled(architecture, parts, depth)
            inputs = (wrong,) if is_input else architecture.inputs
            yield Program(f"{name}, {part}", source, inputs)


def _filled(architecture: Architecture, parts: dict[str, str], depth: int) -> str:
    source = architecture.source
    for part, text in parts.items():
        source = source.replace(f"<{part}>", text)
    return HEAD + source.replace("DEPTH", str(depth))
