"""Programs for SHP404, SHP405 and SHP604: training that goes on in eval mode, methods named only, gradients kept."""

from tests.programs.eval_mode import NET

NOT_RESTORED = {
    "train() before the epochs": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.train()
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()  # here
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
""",
    "eval() in a function": NET
    + """
def train_one_epoch(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, loader):
    model.eval()  # here
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader)


def main():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(10):
        train_one_epoch(model, train_loader, optimizer)
        evaluate(model, val_loader)


if __name__ == "__main__":
    main()
""",
    "every so many steps": NET
    + """
model = Net()
optimizer = torch.optim.AdamW(model.parameters())
model.train()
for step, (x, y) in enumerate(train_loader):
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        model.eval()  # here
        with torch.no_grad():
            for xv, yv in val_loader:
                print((model(xv).argmax(1) == yv).sum().item())
""",
    "trainer class": NET
    + """
class Trainer:
    def __init__(self):
        self.model = Net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def fit(self, train_loader, val_loader):
        self.model.train()
        for epoch in range(3):
            for x, y in train_loader:
                self.optimizer.zero_grad()
                F.cross_entropy(self.model(x), y).backward()
                self.optimizer.step()
            self.validate(val_loader)

    def validate(self, loader):
        self.model.eval()  # here
        with torch.no_grad():
            for x, y in loader:
                print((self.model(x).argmax(1) == y).sum().item())
""",
    "train(False)": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.train(False)  # here
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
""",
    "samples of a GAN": NET
    + """
generator = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4))
optimizer = torch.optim.Adam(generator.parameters())
for epoch in range(10):
    for real in train_loader:
        optimizer.zero_grad()
        loss = (generator(torch.randn(16, 8)) - real).pow(2).mean()
        loss.backward()
        optimizer.step()
    generator.eval()  # here
    with torch.no_grad():
        save_image(generator(torch.randn(4, 8)))
""",
}

RESTORED = {
    "train() in each epoch": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(10):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
""",
    "train() after the validation": NET
    + """
def validate(model):
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
    model.train()


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step, (x, y) in enumerate(train_loader):
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    if step % 50 == 0:
        validate(model)
""",
    "restored to what it was": NET
    + """
def validate(model):
    was = model.training
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
    model.train(was)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    validate(model)
""",
    "frozen statistics on purpose": NET
    + """
model = Net()
model.load_state_dict(torch.load("pretrained.pt"))
model.eval()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
""",
    "trained once, then validated": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.train()
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    for x, y in test_loader:
        print((model(x).argmax(1) == y).sum().item())
""",
    "a teacher in eval mode": NET
    + """
student, teacher = Net(), Net()
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
for x, y in train_loader:
    teacher.eval()
    student.train()
    with torch.no_grad():
        target = teacher(x)
    optimizer.zero_grad()
    F.mse_loss(student(x), target).backward()
    optimizer.step()
""",
}

NOT_CALLED = {
    "eval": NET
    + "model = Net()\nmodel.eval  # here\nwith torch.no_grad():\n    print(model(torch.rand(1, 3, 8, 8)))\n",
    "train": NET
    + "def fit(net, loader):\n    net.train  # here\n    for x in loader:\n        net(x).sum().backward()\n",
    "of an attribute": NET
    + "class T:\n    def __init__(self, model):\n        self.model = model\n\n    def test(self):\n"
    + "        self.model.eval  # here\n        return self.model(1)\n",
    "zero_grad": NET
    + "def step(model, opt, x):\n    opt.zero_grad  # here\n    model(x).sum().backward()\n    opt.step()\n",
    "training set by hand": NET
    + "model = Net()\nmodel.training = False  # here\nprint(model(torch.rand(1, 3, 8, 8)))\n",
    "a copy thrown away": NET
    + "import copy\n\nmodel = Net()\ncopy.deepcopy(model).eval()  # here\nprint(model)\n",
    "step": NET + "def go(opt, loss):\n    loss.backward()\n    opt.step  # here\n",
}

CALLED = {
    "the flag of a single layer": NET
    + "class Frozen(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.bn = nn.BatchNorm2d(8)\n\n"
    + "    def freeze(self):\n        self.bn.training = False\n\n    def forward(self, x):\n        return self.bn(x)\n",
    "the flag of what is no module": NET
    + "class Callback:\n    def before(self):\n        self.model.train()\n        self.learn.training = True\n",
    "called": NET + "model = Net()\nmodel.eval()\nmodel.train()\n",
    "handed on as a function": NET
    + "model = Net()\nfor switch in (model.eval, model.train):\n    switch()\n",
    "the flag within train()": NET
    + "class Own(nn.Module):\n    def train(self, mode=True):\n        self.training = mode\n"
    + "        self.training = True\n        return self\n",
    "a property that does something": NET
    + "class Lazy:\n    pass\n\n\nlazy = Lazy()\nlazy.load\n",
    "a flag of another object": NET
    + "class Config:\n    pass\n\n\nconfig = Config()\nconfig.training_steps = True\n",
    "kept": NET
    + "import copy\n\nmodel = Net()\nema = copy.deepcopy(model).eval()\nprint(ema)\n",
}

PILING_UP = {
    "plain script": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    loss = F.cross_entropy(model(x), y)
    loss.backward()  # here
    optimizer.step()
""",
    "function with its own loop": NET
    + """
def train(model, loader, optimizer):
    model.train()
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        loss.backward()  # here
        optimizer.step()
""",
    "zeroed before the loop only": NET
    + """
def fit(net, data):
    opt = torch.optim.Adam(net.parameters())
    opt.zero_grad()
    for epoch in range(5):
        for x, y in data:
            F.mse_loss(net(x), y).backward()  # here
            opt.step()
""",
    "with a scaler": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.cuda.amp.GradScaler()
for x, y in train_loader:
    with torch.autocast("cuda"):
        loss = F.cross_entropy(model(x), y)
    scaler.scale(loss).backward()  # here
    scaler.step(optimizer)
    scaler.update()
""",
    "trainer class": NET
    + """
class Trainer:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters())

    def fit(self, loader):
        for batch in loader:
            loss = self.loss(batch)
            loss.backward()  # here
            self.optimizer.step()

    def loss(self, batch):
        return self.model(batch).mean()
""",
    "named and not called": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    optimizer.zero_grad
    F.cross_entropy(model(x), y).backward()  # here
    optimizer.step()
""",
}

ZEROED = {
    "optimizers by name": NET
    + """
class Agents:
    def __init__(self, models):
        self.models, self.optimizers = models, {}
        for name in models:
            self.optimizers[name] = torch.optim.Adam(models[name].parameters())

    def update(self, batches, scaler, clip=False):
        for name in self.models:
            policy = self.models[name]
            policy.train()
            for x, y in batches[name]:
                loss = F.mse_loss(policy(x), y)
                self.optimizers[name].zero_grad()
                scaler.scale(loss).backward()
                if clip:
                    nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
                scaler.step(self.optimizers[name])
                scaler.update()
""",
    "another framework": """
import warp as wp
from framework import optimizers

optimizer = optimizers.Adam(parameters)
for batch in loader:
    with wp.Tape() as tape:
        loss = model(batch)
    tape.backward(loss)
    optimizer.step()
""",
    "before": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
""",
    "after the step": NET
    + """
def train(model, loader, optimizer):
    for x, y in loader:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        model.zero_grad()
""",
    "accumulated on purpose": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for i, (x, y) in enumerate(train_loader):
    (F.cross_entropy(model(x), y) / 4).backward()
    if (i + 1) % 4 == 0:
        optimizer.step()
        optimizer.zero_grad()
""",
    "in a helper": NET
    + """
def update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    update(optimizer, F.cross_entropy(model(x), y))
""",
    "by hand": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    for param in model.parameters():
        param.grad = None
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
""",
    "a closure": NET
    + """
model = Net()
optimizer = torch.optim.LBFGS(model.parameters())
for x, y in train_loader:

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)
""",
    "DeepSpeed": NET
    + """
import deepspeed

engine, optimizer, _, _ = deepspeed.initialize(model=Net())
for x, y in train_loader:
    loss = F.cross_entropy(engine(x), y)
    engine.backward(loss)
    engine.step()
""",
    "a new model each time": NET
    + """
for fold in folds:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = model(fold).mean()
    loss.backward()
    optimizer.step()
""",
}
