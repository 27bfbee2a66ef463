"""Random models as files a person could have written, and random inputs; about half of
them are broken."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

HEADER = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"


@dataclass
class Body:
    """Lines of `__init__` and of `forward`, while they are being made up."""

    init: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)

    def source(self, arguments: str = "x") -> str:
        init = "".join(f"        {line}\n" for line in self.init)
        forward = "".join(f"        {line}\n" for line in self.forward)
        return (
            f"{HEADER}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{init}\n"
            f"    def forward(self, {arguments}):\n{forward}"
        )


@dataclass(frozen=True)
class Case:
    """A model's source and the shape of its input, with the dtype as `--input` takes
    it."""

    family: str
    source: str
    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def spec(self) -> str:
        return f"{','.join(map(str, self.shape))}:{self.dtype}"


class Maker:
    """Draws numbers: right ones, and now and then a wrong one."""

    def __init__(self, rng: random.Random, slips: float) -> None:
        self.rng = rng
        self.slips = slips

    def number(self, right: int) -> int:
        """The right number, or with the rate of slips another."""
        if self.rng.random() >= self.slips:
            return right
        return max(
            1, self.rng.choice([right * 2, right // 2, right + 1, right - 1, right + 8])
        )

    def slip(self) -> bool:
        return self.rng.random() < self.slips

    def pick(self, *options: int) -> int:
        return self.rng.choice(options)


def cnn(make: Maker) -> Case:
    body = Body()
    batch, channels, size = (
        make.pick(1, 2, 3),
        make.pick(1, 3),
        make.pick(16, 24, 28, 32),
    )
    given = make.number(channels)
    current, side = channels, size
    for index in range(make.pick(1, 2, 3)):
        out, kernel = make.pick(4, 6, 8), make.pick(1, 3, 5)
        padding = make.pick(0, kernel // 2)
        stride = make.pick(1, 1, 2)
        body.init.append(
            f"self.conv{index} = nn.Conv2d({make.number(current)}, {out}, {kernel}, stride={stride}, padding={padding})"
        )
        body.forward.append(f"x = torch.relu(self.conv{index}(x))")
        side = (side + 2 * padding - kernel) // stride + 1
        if make.rng.random() < 0.5:
            norm = make.rng.choice(
                ["BatchNorm2d({})", "GroupNorm(2, {})", "InstanceNorm2d({})"]
            )
            body.init.append(f"self.norm{index} = nn.{norm.format(make.number(out))}")
            body.forward.append(f"x = self.norm{index}(x)")
        if make.rng.random() < 0.6:
            pool = make.rng.choice(
                ["F.max_pool2d(x, 2)", "F.avg_pool2d(x, 2)", "F.max_pool2d(x, 3, 2)"]
            )
            body.forward.append(f"x = {pool}")
            side = (
                side // 2 if "3" not in pool.partition("(")[2] else (side - 3) // 2 + 1
            )
        current = out
    side = max(side, 1)
    _head(make, body, current, side)
    return Case("cnn", body.source(), (batch, given, size, size))


def _head(make: Maker, body: Body, channels: int, side: int) -> None:
    features = channels * side * side
    style = make.rng.randrange(5)
    if style == 0:
        body.forward.append("x = x.view(x.size(0), -1)")
    elif style == 1:
        body.forward.append("x = torch.flatten(x, 1)")
    elif style == 2:
        body.forward.append(f"x = x.view(-1, {make.number(features)})")
    elif style == 3:
        body.init.append(
            f"self.pool = nn.AdaptiveAvgPool2d({(side2 := make.pick(1, 2))})"
        )
        body.forward.append("x = self.pool(x).flatten(1)")
        features = channels * side2 * side2
    else:
        body.forward.append("x = x.mean(dim=(2, 3))")
        features = channels
    body.init.append(f"self.fc = nn.Linear({make.number(features)}, 5)")
    body.forward.append("return self.fc(x)")


def mlp(make: Maker) -> Case:
    body = Body()
    shape: tuple[int, ...] = (make.pick(1, 2, 4), make.pick(8, 12, 16))
    if make.rng.random() < 0.3:
        shape = (shape[0], 3, shape[1])
    current = shape[-1]
    layers = []
    for index in range(make.pick(1, 2, 3)):
        out = make.pick(4, 8, 16)
        layers.append(f"nn.Linear({make.number(current)}, {out})")
        choice = make.rng.randrange(5)
        if choice == 0 and len(shape) == 2:
            layers.append(f"nn.BatchNorm1d({make.number(out)})")
        elif choice == 1:
            layers.append(f"nn.LayerNorm({make.number(out)})")
        elif choice == 2:
            layers.append("nn.Dropout(0.1)")
        layers.append(make.rng.choice(["nn.ReLU()", "nn.GELU()", "nn.Tanh()"]))
        current = out
        del index
    body.init.append(f"self.net = nn.Sequential({', '.join(layers)})")
    body.forward.append("y = self.net(x)")
    if make.rng.random() < 0.3:
        body.init.append(f"self.gate = nn.Linear({shape[-1]}, {make.number(current)})")
        body.forward.append("y = y * torch.sigmoid(self.gate(x))")
    body.forward.append("return y")
    return Case("mlp", body.source(), shape)


def rnn(make: Maker) -> Case:
    body = Body()
    kind = make.rng.choice(["LSTM", "GRU", "RNN"])
    vocabulary, width, hidden = 20, make.pick(6, 8), make.pick(5, 10)
    both = make.rng.random() < 0.4
    body.init += [
        f"self.embed = nn.Embedding({vocabulary}, {width})",
        f"self.rnn = nn.{kind}({make.number(width)}, {hidden}, batch_first=True, bidirectional={both})",
    ]
    body.forward += ["x = self.embed(x)", "out, state = self.rnn(x)"]
    features = hidden * (2 if both else 1)
    style = make.rng.randrange(3)
    if style == 0:
        body.forward.append("y = out[:, -1]")
    elif style == 1:
        body.forward.append("y = out.mean(dim=1)")
    else:
        body.forward.append("y = (state[0] if isinstance(state, tuple) else state)[-1]")
        features = hidden
    body.init.append(f"self.fc = nn.Linear({make.number(features)}, 3)")
    body.forward.append("return self.fc(y)")
    return Case("rnn", body.source(), (make.pick(1, 3), make.pick(4, 7)), "int64")


def attention(make: Maker) -> Case:
    body = Body()
    batch, length, heads, per_head = (
        make.pick(1, 2),
        make.pick(5, 8),
        make.pick(1, 2, 4),
        make.pick(4, 8),
    )
    width = heads * per_head
    style = make.rng.randrange(3)
    if style == 0:
        body.init.append(f"self.qkv = nn.Linear({make.number(width)}, {3 * width})")
        last = make.number(per_head)
        body.forward += [
            "b, t, c = x.shape",
            f"qkv = self.qkv(x).reshape(b, t, 3, {heads}, {last}).permute(2, 0, 3, 1, 4)",
            "q, k, v = qkv[0], qkv[1], qkv[2]",
            "scores = q @ k" + ("" if make.slip() else ".transpose(-2, -1)"),
            f"mask = torch.tril(torch.ones({make.number(length)}, {length}))",
            "scores = scores.masked_fill(mask == 0, -1e9).softmax(dim=-1)",
            "y = (scores @ v).transpose(1, 2)."
            + ("view" if make.slip() else "reshape")
            + "(b, t, c)",
        ]
    elif style == 1:
        body.init.append(
            f"self.attn = nn.MultiheadAttention({make.number(width)}, {heads}, batch_first=True)"
        )
        body.forward.append("y, _ = self.attn(x, x, x)")
    else:
        body.init += [
            f"self.{name} = nn.Linear({make.number(width)}, {width})" for name in "qkv"
        ]
        body.forward += [
            "y = F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))",
        ]
    body.init += [
        f"self.norm = nn.LayerNorm({make.number(width)})",
        f"self.out = nn.Linear({make.number(width)}, 7)",
    ]
    if make.rng.random() < 0.4:
        body.init.append(
            f"self.position = nn.Parameter(torch.zeros(1, {make.number(length)}, {width}))"
        )
        body.forward.insert(0, "x = x + self.position")
    body.forward.append("return self.out(self.norm(x + y))")
    return Case("attention", body.source(), (batch, length, width))


def residual(make: Maker) -> Case:
    body = Body()
    channels, size = make.pick(4, 8), make.pick(8, 12, 15)
    body.init.append(f"self.stem = nn.Conv2d(3, {channels}, 3, padding=1)")
    body.forward.append("x = self.stem(x)")
    current = channels
    for index in range(make.pick(1, 2)):
        stride, out = make.pick(1, 2), current * make.pick(1, 2)
        body.init += [
            f"self.a{index} = nn.Conv2d({make.number(current)}, {out}, 3, stride={stride}, padding=1)",
            f"self.bn{index} = nn.BatchNorm2d({make.number(out)})",
            f"self.b{index} = nn.Conv2d({out}, {out}, 3, padding={0 if make.slip() else 1})",
        ]
        shortcut = "x"
        if (stride != 1 or out != current) != make.slip():
            body.init.append(
                f"self.s{index} = nn.Conv2d({current}, {out}, 1, stride={stride})"
            )
            shortcut = f"self.s{index}(x)"
        body.forward += [
            f"y = F.relu(self.bn{index}(self.a{index}(x)))",
            f"x = F.relu(self.b{index}(y) + {shortcut})",
        ]
        current = out
    body.init.append(f"self.fc = nn.Linear({make.number(current)}, 4)")
    body.forward += ["x = F.adaptive_avg_pool2d(x, 1).flatten(1)", "return self.fc(x)"]
    return Case("residual", body.source(), (make.pick(1, 2), 3, size, size))


def unet(make: Maker) -> Case:
    body = Body()
    c, size = make.pick(4, 6), make.pick(16, 20, 24, 17, 18)
    transposed = make.rng.random() < 0.5
    body.init += [
        f"self.d1 = nn.Conv2d(1, {c}, 3, padding=1)",
        f"self.d2 = nn.Conv2d({make.number(c)}, {2 * c}, 3, padding=1)",
        f"self.mid = nn.Conv2d({2 * c}, {4 * c}, 3, padding=1)",
        f"self.u2 = nn.Conv2d({make.number(6 * c if not transposed else 4 * c)}, {2 * c}, 3, padding=1)",
        f"self.u1 = nn.Conv2d({make.number(3 * c if not transposed else 2 * c)}, {c}, 3, padding=1)",
        f"self.out = nn.Conv2d({c}, 2, 1)",
    ]
    up2, up1 = "F.interpolate(m, scale_factor=2)", "F.interpolate(y, scale_factor=2)"
    if transposed:
        body.init += [
            f"self.t2 = nn.ConvTranspose2d({make.number(4 * c)}, {2 * c}, 2, stride=2)",
            f"self.t1 = nn.ConvTranspose2d({2 * c}, {c}, 2, stride=2)",
        ]
        up2, up1 = "self.t2(m)", "self.t1(y)"
    dim = 2 if make.slip() else 1
    body.forward += [
        "a = F.relu(self.d1(x))",
        "b = F.relu(self.d2(F.max_pool2d(a, 2)))",
        "m = F.relu(self.mid(F.max_pool2d(b, 2)))",
        f"y = F.relu(self.u2(torch.cat([{up2}, b], dim={dim})))",
        f"y = F.relu(self.u1(torch.cat([{up1}, a], dim=1)))",
        "return self.out(y)",
    ]
    return Case("unet", body.source(), (make.pick(1, 2), 1, size, size))


FAMILIES: tuple[Callable[[Maker], Case], ...] = (
    cnn,
    mlp,
    rnn,
    attention,
    residual,
    unet,
)


def cases(seed: int, count: int) -> list[Case]:
    """`count` models, the same for the same seed."""
    rng = random.Random(seed)
    return [
        rng.choice(FAMILIES)(Maker(rng, rng.choice([0.0, 0.12, 0.25])))
        for _ in range(count)
    ]
