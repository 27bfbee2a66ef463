"""Programs whose ways part and meet again. They can be run: `chance` says which way each run goes.

`coin()` is 0 or 1, `risky()` raises ValueError or does not, `mode` is `val`, `train` or something else.
"""

PRELUDE = """
import contextlib
import sys

import torch
from torch import nn

from chance import coin, mode, risky

train_loader = [torch.rand(2, 4)]
val_loader = [torch.rand(2, 4)]
model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
"""

VALIDATION = """
with torch.no_grad():
    for x in val_loader:
        best = model(x).argmax(1)
"""

VALIDATION_WITH_GRADIENTS = """
model.eval()
for x in val_loader:
    best = model(x).argmax(1)
"""

STILL_TRAINING = {
    "an early return": """
def prepare():
    if coin() > 0:
        return model.train()
    model.eval()
    return model.train()


prepare()
""",
    "an early raise": """
def prepare():
    if coin() > 0:
        model.eval()
        raise ValueError


prepare()
""",
    "break": """
model.eval()
while coin() > 0:
    model.train()
    break
else:
    model.train()
""",
    "or": "coin() > 0 or model.train()",
    "case with an assignment": """
match coin():
    case 0 | 1 as side:
        model.train()
""",
    "several contexts": """
with torch.no_grad(), contextlib.suppress(ValueError):
    model.train()
    risky()
""",
    "if": "if coin() > 0:\n    model.train()",
    "if, the other way raises": "if coin() > 0:\n    model.eval()\n    raise ValueError",
    "if, the other way exits": "if coin() > 0:\n    model.eval()\n    sys.exit(1)",
    "if, the other way calls what never returns": """
def usage():
    print("usage")
    raise SystemExit(2)


if coin() > 0:
    model.eval()
    usage()
""",
    "match": """
match mode:
    case "val":
        pass
    case _:
        model.train()
""",
    "match, the other case raises": """
match coin():
    case 1:
        model.eval()
        raise ValueError
    case _:
        pass
""",
    "match without a case for the rest": """
model.eval()
match coin():
    case 0:
        model.train()
    case 1:
        model.train()
    case _:
        raise ValueError
""",
    "match with a guard": """
match coin():
    case 1 if coin() > 0:
        model.eval()
        sys.exit()
    case 0 | 1:
        model.train()
""",
    "except": "try:\n    risky()\nexcept ValueError:\n    model.train()",
    "except that raises again": "try:\n    risky()\nexcept ValueError:\n    model.eval()\n    raise",
    "the else of try": """
model.eval()
try:
    risky()
except ValueError:
    sys.exit(1)
else:
    model.train()
""",
    "finally": "model.eval()\ntry:\n    risky()\nfinally:\n    model.train()",
    "finally around a return": """
def prepare():
    model.eval()
    try:
        if coin() > 0:
            return
        risky()
    finally:
        model.train()


prepare()
""",
    "the else of for": "model.eval()\nfor x in train_loader:\n    pass\nelse:\n    model.train()",
    "for, broken or not": """
model.eval()
for x in train_loader:
    if coin() > 0:
        model.train()
        break
else:
    model.train()
""",
    "for, continued or not": """
model.eval()
for x in train_loader:
    model.train()
    if coin() > 0:
        continue
""",
    "the else of while": "model.eval()\nwhile coin() > 0:\n    pass\nelse:\n    model.train()",
    "while True": "model.eval()\nwhile True:\n    if coin() > 0:\n        model.train()\n        break\n    model.eval()",
    "with suppress": "with contextlib.suppress(ValueError):\n    risky()",
    "with around a return": """
def prepare():
    with torch.no_grad():
        if coin() > 0:
            model.eval()
            return model.train()
    return model


model = prepare()
""",
    "conditional expression": "model.train() if coin() > 0 else None",
    "and": "coin() > 0 and model.train()",
    "comprehension": "[model.train() for x in train_loader if coin() > 0]",
    "a model of either way": """
if coin() > 0:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
else:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 4), nn.Dropout(0.2))
""",
    "a model returned on either way": """
def make():
    if coin() > 0:
        return nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 4), nn.Dropout(0.2))


model = make()
""",
    "a counter": "n = 0\nwhile True:\n    n += 1\n    if n == 3:\n        model.train()\n        break\n    model.eval()",
}

EVAL_ON_SOME_WAY = {
    "if": "if coin() > 0:\n    model.eval()",
    "if, the other way raises": "if coin() > 0:\n    model.eval()\nelse:\n    raise ValueError",
    "if, the other way calls what never returns": """
def usage():
    print("usage")
    raise SystemExit(2)


if coin() > 0:
    usage()
else:
    model.eval()
""",
    "match on a name": """
match mode:
    case "val":
        model.eval()
    case _:
        raise ValueError(mode)
""",
    "match on what is not known": """
match coin():
    case 1:
        model.eval()
    case _:
        raise ValueError
""",
    "match, the first of two": """
match coin():
    case 1:
        model.eval()
    case _:
        model.train()
""",
    "match without a case for the rest": "model.eval()\nmatch coin():\n    case 1:\n        model.train()",
    "match with a guard": """
model.eval()
match mode:
    case other if coin() > 0:
        model.train()
    case _:
        pass
""",
    "match on a tuple": """
match (mode, coin()):
    case ("val", _):
        model.eval()
    case (other, 0) | (other, 1):
        sys.exit(other)
""",
    "except": "try:\n    risky()\nexcept ValueError:\n    model.eval()",
    "one of two handlers": """
try:
    risky()
except KeyError:
    model.train()
except ValueError:
    model.eval()
else:
    model.eval()
""",
    "the way through a try": """
model.eval()
try:
    model.eval()
    risky()
    model.train()
except ValueError:
    pass
""",
    "the way through a function that is tried": """
def warm_up():
    model.eval()
    risky()
    model.train()


try:
    warm_up()
except ValueError:
    print("no warm up")
""",
    "the else of try": "try:\n    risky()\nexcept ValueError:\n    sys.exit(1)\nelse:\n    model.eval()",
    "finally": "try:\n    model.train()\nfinally:\n    model.eval()",
    "finally around a return": """
def prepare():
    try:
        if coin() > 0:
            return
        risky()
    finally:
        model.eval()


prepare()
""",
    "an early return": """
def prepare():
    model.eval()
    if coin() > 0:
        return
    model.train()


prepare()
""",
    "the else of for": "for x in train_loader:\n    pass\nelse:\n    model.eval()",
    "for, broken before the else": """
model.eval()
for x in train_loader:
    if coin() > 0:
        break
else:
    model.train()
""",
    "for, broken in its first round": """
for x in train_loader * 2:
    model.eval()
    if coin() > 0:
        break
    model.train()
""",
    "for, continued": """
for x in train_loader:
    model.eval()
    if coin() > 0:
        continue
    model.train()
""",
    "the else of while": "while coin() > 0:\n    pass\nelse:\n    model.eval()",
    "while True": "while True:\n    if coin() > 0:\n        model.eval()\n        break\n    model.train()",
    "with suppress": "model.eval()\nwith contextlib.suppress(ValueError):\n    risky()\n    model.train()",
    "a context of the file that suppresses": """
class Tolerant:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is ValueError


model.eval()
with Tolerant():
    risky()
    model.train()
""",
    "with around a return": """
def prepare():
    with torch.no_grad():
        if coin() > 0:
            return model.eval()
    return model.train()


model = prepare()
""",
    "conditional expression": "model.eval() if coin() > 0 else model.train()",
    "and": "coin() > 0 and model.eval()",
    "or": "model.eval()\ncoin() > 0 or model.train()",
    "and in a condition": "model.eval()\nif coin() > 0 and model.train():\n    print(1)",
    "comprehension": "model.eval()\n[model.train() for x in train_loader if coin() > 0]",
    "a model of either way": """
if coin() > 0:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1)).eval()
else:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 4), nn.Dropout(0.2))
""",
    "a model of either way, switched by its other name": """
other = model
if coin() > 0:
    other = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
other.eval()
""",
    "a model returned on either way": """
def make():
    if coin() > 0:
        return nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1)).eval()
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 4), nn.Dropout(0.2))


model = make()
""",
    "a model or None": """
cached = None
if coin() > 0:
    cached = model
if cached is None:
    model.eval()
""",
    "a flag of either way": """
if coin() > 0:
    flag = True
else:
    flag = False
if not flag:
    model.eval()
""",
    "a flag of an object": """
class Options:
    def __init__(self):
        self.evaluating = False


options = Options()
if coin() > 0:
    options.evaluating = True
if options.evaluating:
    model.eval()
""",
    "a counter": "n = 0\nwhile True:\n    n += 1\n    if n == 3:\n        model.eval()\n        break",
}

RECORDING = {
    "a function that allows it again": """
def allow():
    torch.set_grad_enabled(True)


torch.set_grad_enabled(False)
allow()
""",
    "if": "if coin() > 0:\n    torch.set_grad_enabled(True)",
    "match, the other case raises": """
match mode:
    case "val":
        pass
    case _:
        torch.set_grad_enabled(False)
        raise ValueError
""",
    "except that raises": "try:\n    risky()\nexcept ValueError:\n    torch.set_grad_enabled(False)\n    raise",
    "an exception out of no_grad": """
try:
    with torch.no_grad():
        risky()
except ValueError:
    print("again")
""",
    "an exception out of a decorated function": """
@torch.no_grad()
def warm_up():
    risky()


try:
    warm_up()
except ValueError:
    print("again")
""",
    "a break out of no_grad": "for x in train_loader:\n    with torch.no_grad():\n        if coin() > 0:\n            break",
}

NOT_RECORDING_ON_SOME_WAY = {
    "if": "if coin() > 0:\n    torch.set_grad_enabled(False)",
    "match": """
match coin():
    case 1:
        torch.set_grad_enabled(False)
    case _:
        torch.set_grad_enabled(True)
""",
    "except": "try:\n    risky()\nexcept ValueError:\n    torch.set_grad_enabled(False)",
    "finally": "try:\n    risky()\nfinally:\n    torch.set_grad_enabled(False)",
    "break": "for x in train_loader:\n    if coin() > 0:\n        torch.set_grad_enabled(False)\n        break",
    "a function that sets it": """
def forbid():
    torch.set_grad_enabled(False)


if coin() > 0:
    forbid()
""",
    "frozen": "if coin() > 0:\n    model.requires_grad_(False)\nelse:\n    model.requires_grad_(True)",
}

STATEMENTS = {
    "if": ("if", "if"),
    "match": ("match", "match on a name"),
    "match with a guard": ("match with a guard", "match with a guard"),
    "try": ("except that raises again", "the way through a try"),
    "except": ("except", "except"),
    "else of try": ("the else of try", "the else of try"),
    "finally": ("finally", "finally"),
    "for": ("for, broken or not", "for, broken in its first round"),
    "else of for": ("the else of for", "the else of for"),
    "while": ("while True", "while True"),
    "else of while": ("the else of while", "the else of while"),
    "with": ("with suppress", "with suppress"),
    "conditional expression": ("conditional expression", "conditional expression"),
    "early return": ("an early return", "an early return"),
    "early raise": ("an early raise", "match on a name"),
    "break": ("break", "for, broken before the else"),
    "continue": ("for, continued or not", "for, continued"),
    "and": ("and", "and"),
    "or": ("or", "or"),
    "comprehension": ("comprehension", "comprehension"),
}
"""For each statement that branches, a program that is faulty on every way (of
`STILL_TRAINING`) and one that is correct on some way (of `EVAL_ON_SOME_WAY`)."""

_EPOCHS = """
model.train()
for epoch in range(3):
{before}    for x in train_loader:
        optimizer.zero_grad()
        model(x).sum().backward()  # trains
        optimizer.step()
{after}"""


def epochs(before: str = "", after: str = "") -> str:
    """Epochs with something before each training and something after it."""
    lines = {"before": before, "after": after}
    return _EPOCHS.format(
        **{
            where: "".join(f"    {line}\n" for line in text.splitlines())
            for where, text in lines.items()
        }
    )


_VALIDATES = "model.eval()\nwith torch.no_grad():\n    best = [model(x).argmax(1) for x in val_loader]"

NOT_RESTORED = {
    "if": epochs(
        after="if coin() > 0:\n"
        + "".join(f"    {line}\n" for line in _VALIDATES.splitlines())
    ),
    "continue": epochs(after="if coin() > 0:\n    continue\n" + _VALIDATES),
    "except": epochs(
        after=f"{_VALIDATES}\ntry:\n    risky()\nexcept ValueError:\n    model.train()\n    raise"
    ),
}

RESTORED_ON_SOME_WAY = {
    "if": epochs("if epoch > 0:\n    model.train()", _VALIDATES),
    "match": epochs(
        "match epoch:\n    case 0:\n        pass\n    case _:\n        model.train()",
        _VALIDATES,
    ),
    "finally": epochs(
        after=f"try:\n    risky()\n    {_VALIDATES.splitlines()[0]}\nfinally:\n    model.train()"
    ),
    "the else of for": epochs(
        "for x in train_loader:\n    pass\nelse:\n    model.train()", _VALIDATES
    ),
    "conditional expression": epochs(
        "model.train() if epoch > 0 else None", _VALIDATES
    ),
    "and": epochs("epoch > 0 and model.train()", _VALIDATES),
}
