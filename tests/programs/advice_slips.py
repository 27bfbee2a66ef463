"""Models with one slip in a name, a call or a constructor: each with what a person
would change first."""

from __future__ import annotations

from typing import NamedTuple


class Slip(NamedTuple):
    """A model and the slip in it: the text that is wrong for the text that is right.

    `help`: how the title of the first fix reads. `code`: the rule that reports it.
    `restores`: whether the edited file is the right one to the letter."""

    model: str
    right: str
    wrong: str
    help: str
    code: str = "SHP119"
    restores: bool = True
    target: str = "Net"

    @property
    def classes(self) -> int:
        """The number of features that the model gives."""
        words = {"hidden, 5)": 5, "(16, 3)": 3, "(8, 3)": 3}
        return next((words[word] for word in words if word in self.model), 4)

    @property
    def source(self) -> str:
        """The file with its slip."""
        assert self.right in self.model
        return self.model.replace(self.right, self.wrong)


HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
"""

DIGITS = (
    HEAD
    + """

class Net(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 12, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(12 * 2 * 2, hidden)
        self.fc2 = nn.Linear(hidden, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))
"""
)

TOWER = (
    HEAD
    + """
SIZES = {"hidden_dim": 16, "num_heads": 4}


class Gate(nn.Module):
    def __init__(self, channels, dropout=0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.scale = nn.Linear(channels, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.scale(self.dropout(x)))


class Net(nn.Module):
    def __init__(self, depth=2):
        super().__init__()
        self.depth = depth
        self.start = nn.Conv2d(3, SIZES["hidden_dim"], 1)
        self.gates = nn.ModuleList(
            [Gate(SIZES["hidden_dim"], dropout=0.1) for _ in range(depth)]
        )
        self.out = nn.Linear(SIZES["hidden_dim"], 4)

    def forward(self, x):
        x = self.start(x).flatten(2).transpose(1, 2)
        for index in range(self.depth):
            x = self.gates[index](x)
        return self.out(x.mean(1))
"""
)

NAMES = {
    "a look-alike of two layers": Slip(
        DIGITS, "F.relu(self.fc1(x))", "F.relu(self.fcl(x))", "`self.fc1(x)`"
    ),
    "an attribute with an underscore": Slip(
        DIGITS, "self.conv2(x)", "self.conv_2(x)", "`self.conv2(x)`"
    ),
    "self left out": Slip(
        DIGITS, "F.relu(self.fc1(x))", "F.relu(fc1(x))", "`self.fc1(x)`"
    ),
    "a layer of torch in capitals": Slip(
        DIGITS,
        "nn.Conv2d(6",
        "nn.Conv2D(6",
        "`nn.Conv2d(6, 12, 3, padding=1)`",
        "SHP902",
    ),
    "letters exchanged": Slip(
        DIGITS,
        "nn.Linear(hidden",
        "nn.Linaer(hidden",
        "`nn.Linear(hidden, 5)`",
        "SHP902",
    ),
    "a function in capitals, twice": Slip(
        DIGITS,
        "F.relu(self.conv",
        "F.reLu(self.conv",
        "`F.relu(self.conv1(x))` and the same in 1 other place",
    ),
    "a function in another module": Slip(
        DIGITS, "torch.flatten(x, 1)", "F.flatten(x, 1)", "`torch.flatten(x, 1)`"
    ),
    "a method of a tensor": Slip(
        TOWER, ".transpose(1, 2)", ".transpoze(1, 2)", ".transpose(1, 2)"
    ),
    "an import left out": Slip(
        DIGITS,
        "import torch.nn.functional as F\n",
        "",
        "`import torch.nn.functional as F`",
        restores=False,
    ),
    "a keyword of torch's": Slip(
        DIGITS,
        "nn.Conv2d(6, 12, 3, padding=1)",
        "nn.Conv2d(6, 12, kernal_size=3, padding=1)",
        "`nn.Conv2d(..., kernel_size=3)`",
        "SHP902",
        restores=False,
    ),
    "a keyword of a block's own": Slip(
        TOWER, "dropout=0.1)", "drop_out=0.1)", "`Gate(..., dropout=0.1)`", "SHP902"
    ),
    "a block's name": Slip(
        TOWER,
        '[Gate(SIZES["hidden_dim"]',
        '[Gat(SIZES["hidden_dim"]',
        '`Gate(SIZES["hidden_dim"], dropout=0.1)`',
        "SHP902",
    ),
    "a key of a table": Slip(
        TOWER,
        'nn.Conv2d(3, SIZES["hidden_dim"], 1)',
        'nn.Conv2d(3, SIZES["hiden_dim"], 1)',
        '`nn.Conv2d(3, SIZES["hidden_dim"], 1)`',
        "SHP902",
    ),
    "a method without parentheses": Slip(
        DIGITS,
        "torch.flatten(x, 1)",
        "x.reshape(x.size[0], -1)",
        "`x.reshape(x.size(0), -1)`",
        restores=False,
    ),
    "a shape that is called": Slip(
        DIGITS,
        "torch.flatten(x, 1)",
        "x.reshape(x.shape(0), -1)",
        "`x.shape[0]`",
        restores=False,
    ),
}

MEMBERS = {
    "layers in variables": Slip(
        DIGITS.replace("self.pool = nn", "pool = nn"),
        "self.conv2 = nn",
        "conv2 = nn",
        "`self.pool = nn.MaxPool2d(2)` and the same for `conv2`",
        restores=False,
    ),
    "a layer in a variable that another takes": Slip(
        TOWER,
        "self.start = nn.Conv2d(3,",
        "start = nn.Conv2d(3,",
        '`self.start = nn.Conv2d(3, SIZES["hidden_dim"], 1)`',
    ),
    "misspelled where it is made": Slip(
        DIGITS,
        "self.conv2 = nn",
        "self.covn2 = nn",
        "`self.conv2 = nn.Conv2d(6, 12, 3, padding=1)`",
    ),
    "a parameter that is not kept": Slip(
        TOWER,
        "        self.depth = depth\n",
        "",
        "`self.depth = depth` in `__init__`",
    ),
    "a parameter read as an attribute": Slip(
        DIGITS,
        "nn.Linear(hidden, 5)",
        "nn.Linear(self.hidden, 5)",
        "`hidden` for `self.hidden`",
        "SHP902",
    ),
    "set after it is read": Slip(
        TOWER,
        '        self.start = nn.Conv2d(3, SIZES["hidden_dim"], 1)\n',
        '        self.start = nn.Conv2d(3, self.width, 1)\n        self.width = SIZES["hidden_dim"]\n',
        '`self.width = SIZES["hidden_dim"]` before it is read',
        "SHP902",
        restores=False,
    ),
}

METHODS = {
    "one underscore": Slip(
        DIGITS, "__init__(self", "_init_(self", "`def __init__` for `def _init_`"
    ),
    "init with letters exchanged": Slip(
        DIGITS, "__init__(self", "__inti__(self", "`def __init__` for `def __inti__`"
    ),
    "init of a block": Slip(
        TOWER,
        "def __init__(self, channels",
        "def __int__(self, channels",
        "`def __init__` for `def __int__`",
        "SHP902",
    ),
    "forward without its r": Slip(
        DIGITS, "def forward", "def foward", "`def forward` for `def foward`"
    ),
    "forward without self": Slip(
        DIGITS, "forward(self, x)", "forward(x)", "`def forward(self, x)`", "SHP902"
    ),
    "no class above": Slip(
        DIGITS,
        "class Net(nn.Module):",
        "class Net:",
        "`class Net(nn.Module)`",
        "SHP902",
    ),
    "a flag named as a method": Slip(
        DIGITS,
        "        self.pool =",
        "        self.train = True\n        self.pool =",
        "`self.is_train` for `self.train`",
        restores=False,
    ),
    "a list named as a method": Slip(
        DIGITS,
        "        self.pool =",
        "        self.children = []\n        self.pool =",
        "`self.children_` for `self.children`",
        restores=False,
    ),
    "a method named train": Slip(
        DIGITS,
        "    def forward",
        "    def train(self, loader, optimizer):\n        return loader, optimizer\n\n    def forward",
        "`def train_model` for `def train`",
        "SHP408",
        restores=False,
    ),
    "a list of layers that is called": Slip(
        DIGITS,
        "nn.MaxPool2d(2)",
        "nn.ModuleList([nn.MaxPool2d(2)])",
        "`nn.Sequential(*[nn.MaxPool2d(2)])`",
        restores=False,
    ),
    "self handed on": Slip(
        DIGITS, "self.conv2(x)", "self.conv2(self, x)", "`self.conv2(x)`"
    ),
    "a layer made where it is called": Slip(
        DIGITS,
        "self.fc2(F.relu(self.fc1(x)))",
        "self.fc2(nn.ReLU(self.fc1(x)))",
        "`nn.ReLU()(self.fc1(x))`",
        restores=False,
    ),
}

INIT = (
    "        super().__init__()\n        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)\n"
)
FIRST = "`super().__init__()` as the first statement"

CONSTRUCTORS = {
    "super missing": Slip(DIGITS, INIT, INIT.partition("\n")[2], FIRST, "SHP504"),
    "super late": Slip(
        DIGITS,
        INIT,
        INIT.partition("\n")[2] + "        super().__init__()\n",
        FIRST,
        "SHP504",
    ),
    "super of another class": Slip(
        DIGITS,
        "super().__init__()",
        "super(Network, self).__init__()",
        "`super().__init__()`",
        "SHP504",
    ),
    "super without a call": Slip(
        DIGITS,
        "super().__init__()",
        "super().__init__",
        "`super().__init__()`",
        "SHP504",
    ),
    "super with self": Slip(
        DIGITS,
        "super().__init__()",
        "super().__init__(self)",
        "`super().__init__()`",
        "SHP504",
    ),
    "super of a block": Slip(
        TOWER,
        "        super().__init__()\n        self.dropout",
        "        self.dropout",
        FIRST,
        "SHP504",
    ),
    "a quotient as a size": Slip(
        DIGITS,
        "nn.Linear(12 * 2 * 2, hidden)",
        "nn.Linear(12 * 8 / 2, hidden)",
        "`nn.Linear(12 * 8 // 2, hidden)`",
        "SHP902",
        restores=False,
    ),
    "a number in quotes": Slip(
        DIGITS,
        "nn.Conv2d(6, 12, 3,",
        'nn.Conv2d(6, 12, "3",',
        "`nn.Conv2d(6, 12, 3, padding=1)`",
        "SHP902",
    ),
    "a negative size": Slip(
        DIGITS,
        "nn.Linear(hidden, 5)",
        "nn.Linear(hidden, -5)",
        "`nn.Linear(hidden, 5)`",
        "SHP902",
    ),
    "one argument too many": Slip(
        TOWER,
        'Gate(SIZES["hidden_dim"], dropout=0.1)',
        'Gate(SIZES["hidden_dim"], 0.1, 3)',
        '`Gate(SIZES["hidden_dim"], 0.1)`',
        "SHP902",
        restores=False,
    ),
    "a kernel left out": Slip(
        DIGITS,
        "nn.Conv2d(6, 12, 3, padding=1)",
        "nn.Conv2d(6, 12)",
        "`nn.Conv2d(6, 12, 3, padding=1)`",
        "SHP902",
    ),
}

SLIPS = {**NAMES, **MEMBERS, **METHODS, **CONSTRUCTORS}

BLOCKS = (
    HEAD
    + """

class Block(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.shortcut = nn.Identity()
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out = out + self.shortcut(x)
        return F.relu(out)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(Block(3, 8), Block(8, 8, 2))
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.stages(x).mean((2, 3)))
"""
)
CONDITION = "        if stride != 1 or cin != cout:\n"
MADE = BLOCKS[
    BLOCKS.index("        self.shortcut =") : BLOCKS.index("\n    def forward")
]
PROJECTION = "nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.Batch..."

SHORTCUTS = {
    "a shortcut never called": Slip(
        BLOCKS, "out + self.shortcut(x)", "out + x", "`self.shortcut(x)`", "SHP104"
    ),
    "the same in place": Slip(
        BLOCKS,
        "out = out + self.shortcut(x)",
        "out += x",
        "`self.shortcut(x)`",
        "SHP104",
        restores=False,
    ),
    "a shortcut that may be None": Slip(
        BLOCKS.replace("nn.Identity()", "None"),
        "out + self.shortcut(x)",
        "out + x",
        "`if self.shortcut is not None: x = self.shortcut(x)`",
        "SHP104",
        restores=False,
    ),
    "a condition that forgets the channels": Slip(
        BLOCKS,
        CONDITION,
        "        if stride != 1:\n",
        "`if stride != 1 or cin != cout:`",
        "SHP104",
    ),
    "no shortcut at all": Slip(
        BLOCKS.replace(MADE, "").replace("self.shortcut(x)", "x"),
        "out + x",
        "out + x",
        f"`self.shortcut(x)` with `self.shortcut = {PROJECTION}`",
        "SHP104",
        restores=False,
    ),
}

VECTORS = (
    HEAD
    + """

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)
        )

    def forward(self, x):
        return self.body(x.flatten(2).mean(1))
"""
)

SERIES = (
    HEAD
    + """

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 3)
        self.norm = nn.BatchNorm1d(8)
        self.pool = nn.MaxPool1d(2)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = self.conv(x.flatten(2))
        return self.fc(self.pool(self.norm(x)).mean(2))
"""
)

RANKS = {
    "a norm of maps behind a Linear": Slip(
        VECTORS, "nn.BatchNorm1d", "nn.BatchNorm2d", "`nn.BatchNorm1d`", "SHP113"
    ),
    "a bare name": Slip(
        VECTORS.replace("nn.BatchNorm1d", "BatchNorm1d")
        + "\n\nfrom torch.nn import BatchNorm1d, BatchNorm2d\n",
        "BatchNorm1d(16)",
        "BatchNorm2d(16)",
        "`BatchNorm1d`",
        "SHP113",
    ),
    "a norm of series behind a map": Slip(
        BLOCKS,
        "self.bn1 = nn.BatchNorm2d",
        "self.bn1 = nn.BatchNorm1d",
        "`nn.BatchNorm2d`",
        "SHP113",
    ),
    "a norm and a pooling": Slip(
        SERIES.replace("MaxPool1d", "MaxPool2d"),
        "nn.BatchNorm1d(8)",
        "nn.BatchNorm2d(8)",
        "`nn.BatchNorm1d` and `nn.MaxPool1d`",
        "SHP113",
        restores=False,
    ),
}
