"""Models whose input has a size that does not go through them, or too many or too few
dimensions: each with the first help that a person would give."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A model and an input with which it raises. `help`: the title of the first fix;
    `label`: what is said at the place, if the equation is known."""

    source: str
    inputs: tuple[str, ...]
    help: str
    label: str = ""


HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""

UNET = Case(
    HEAD
    + """
class Up(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.up = nn.ConvTranspose2d(a, b, 2, stride=2)
        self.conv = nn.Conv2d(2 * b, b, 3, padding=1)

    def forward(self, x, skip):
        x = self.up(x)
        return self.conv(torch.cat([skip, x], dim=1))


class Net(nn.Module):
    def __init__(self, w=4):
        super().__init__()
        self.a = nn.Conv2d(3, w, 3, padding=1)
        self.b = nn.Conv2d(w, 2 * w, 3, padding=1)
        self.c = nn.Conv2d(2 * w, 4 * w, 3, padding=1)
        self.up2, self.up1 = Up(4 * w, 2 * w), Up(2 * w, w)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        return self.up1(self.up2(c, b), a)
""",
    ("2,3,50,50",),
    "`--input 2,3,52,52`, as multiples of 4 work: 48, 52",
    "25 is odd: halved to 12, doubled to 24",
)

SOUND = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, widths=(4, 8, 8)):
        super().__init__()
        self.downs, self.ups, c = nn.ModuleList(), nn.ModuleList(), 1
        for n in widths:
            self.downs.append(nn.Conv1d(c, n, 5, padding=2))
            c = n
        for n in reversed(widths):
            self.ups.append(nn.Conv1d(c + n, n, 5, padding=2))
            c = n

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool1d(x, 2)
        for up, skip in zip(self.ups, reversed(skips)):
            x = F.interpolate(x, scale_factor=2)
            x = up(torch.cat((x, skip), dim=1))
        return x
""",
    ("2,1,50",),
    "`--input 2,1,48`, as multiples of 8 work: 48, 56",
    "25 is odd: halved to 12, doubled to 24",
)

WINDOWS = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, dim=16, size=6):
        super().__init__()
        self.size = size
        self.stem = nn.Conv2d(3, dim, 2, stride=2)
        self.mix = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.stem(x)
        b, c, h, w = x.shape
        s = self.size
        y = x.view(b, c, h // s, s, w // s, s).permute(0, 2, 4, 3, 5, 1)
        y = self.mix(y).permute(0, 5, 1, 3, 2, 4).reshape(b, c, h, w)
        return x + y
""",
    ("2,3,40,40",),
    "`--input 2,3,36,36`, as multiples of 12 work: 36, 48",
)

TOO_SMALL = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 3
        for n in (8, 8, 16, 16, 16):
            layers += [nn.Conv2d(c, n, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            c = n
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))
""",
    ("2,3,16,16",),
    "`--input 2,3,32,32`, 32 or more",
)

COVERING = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1))
        self.avgpool = nn.AvgPool2d(7)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = self.avgpool(self.body(x))
        return self.fc(x.view(x.size(0), -1))
""",
    ("2,3,16,16",),
    "`nn.AdaptiveAvgPool2d(1)`",
)

RECONSTRUCTION = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1 = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.e2 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.d1 = nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1)
        self.d2 = nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1)

    def forward(self, x):
        out = self.d2(F.relu(self.d1(F.relu(self.e2(F.relu(self.e1(x)))))))
        return F.mse_loss(out, x)
""",
    ("2,1,28,28",),
    "`nn.ConvTranspose2d(..., output_padding=1)`",
)

TOLD_SIZE = Case(
    HEAD
    + """
class Attention(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.channels, self.size = channels, size
        self.attend = nn.MultiheadAttention(channels, 2, batch_first=True)

    def forward(self, x):
        y = x.reshape(-1, self.channels, self.size ** 2).transpose(1, 2)
        y, _ = self.attend(y, y, y)
        y = y.transpose(1, 2).reshape(-1, self.channels, self.size, self.size)
        return x + y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.attention = Attention(8, 4)

    def forward(self, x):
        return self.attention(self.stem(x))
""",
    ("2,3,16,16",),
    "`x.reshape(-1, self.channels, h * w)` with `h, w = x.shape[-2:]`",
)

SPEECH = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(40, 16, batch_first=True)

    def forward(self, x):
        return self.rnn(x.transpose(1, 2))[0]
""",
    ("4,1,40,20",),
    "`--input 4,40,20`, without its single channel",
)

EXCHANGED = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.state, self.goal = nn.Linear(6, 8), nn.Linear(20, 8)

    def forward(self, state, goal):
        return self.state(state) + self.goal(goal)
""",
    ("2,20", "2,6"),
    "`--input 2,6 --input 2,20`, the inputs exchanged",
)

GREY = Case(
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(3 * 64, 8)

    def forward(self, x):
        b, c, h, w = x.shape
        x = x.reshape(b, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5)
        return self.embed(x.reshape(b, -1, c * 64))
""",
    ("2,1,16,16",),
    "`--input 2,3,16,16`, 3 channels",
)

CASES = {
    "a U-Net at a size that does not halve": UNET,
    "a U-Net of sounds, its skips in a list": SOUND,
    "windows that do not divide a map": WINDOWS,
    "more poolings than there is size": TOO_SMALL,
    "a pooling that was meant to cover the map": COVERING,
    "an autoencoder off by one": RECONSTRUCTION,
    "attention that was told its size": TOLD_SIZE,
    "an image where a sequence is taken": SPEECH,
    "inputs in the other order": EXCHANGED,
    "a grey image for patches of colours": GREY,
}
