"""The rules that read training code, each in further styles: an argparse main, a library with callbacks, epochs."""

from tests.programs.eval_mode import NET

FAULTY: dict[str, dict[str, str]] = {
    "SHP404": {
        "argparse main": NET
        + """
import argparse


def accuracy(net, loader, device):
    net.eval()  # here
    hits = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x.to(device)).argmax(1) == y.to(device)).sum().item()
    return hits / len(loader.dataset)


def main(args):
    net = Net().to(args.device)
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
    net.train()
    best = 0.0
    for epoch in range(args.epochs):
        for x, y in DataLoader(train_set, batch_size=args.batch_size):
            optimizer.zero_grad()
            F.cross_entropy(net(x.to(args.device)), y.to(args.device)).backward()
            optimizer.step()
        best = max(best, accuracy(net, DataLoader(val_set), args.device))
    torch.save(net.state_dict(), args.out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", default="net.pt")
    main(parser.parse_args())
""",
        "library with callbacks": NET
        + """
class Callback:
    def on_epoch_end(self, epoch, accuracy):
        print(epoch, accuracy)


class Loop:
    def __init__(self, model, optimizer, callbacks=()):
        self.model = model
        self.optimizer = optimizer
        self.callbacks = list(callbacks)

    def run(self, train_loader, val_loader, epochs):
        self.model.train()
        for epoch in range(epochs):
            for x, y in train_loader:
                self.training_step(x, y)
            self.validation_epoch(val_loader)
            for callback in self.callbacks:
                callback.on_epoch_end(epoch, self.accuracy)

    def training_step(self, x, y):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()

    @torch.inference_mode()
    def validation_epoch(self, loader):
        self.model.eval()  # here
        self.accuracy = sum((self.model(x).argmax(1) == y).float().mean().item() for x, y in loader)


net = Net()
Loop(net, torch.optim.Adam(net.parameters()), [Callback()]).run(train_loader, val_loader, 5)
""",
    },
    "SHP405": {
        "argparse main": NET
        + """
import argparse


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    args = parser.parse_args()
    net = Net()
    net.load_state_dict(torch.load(args.checkpoint, weights_only=True))
    net.eval  # here
    with torch.no_grad():
        print(net(torch.rand(1, 3, 32, 32)).argmax())


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class SwitchMode:
    def on_validation_start(self, trainer):
        trainer.model.eval()

    def on_validation_end(self, trainer):
        trainer.model.train  # here


class Trainer:
    def __init__(self, model, callbacks):
        self.model, self.callbacks = model, callbacks

    def validate(self, loader):
        for callback in self.callbacks:
            callback.on_validation_start(self)
        with torch.no_grad():
            hits = sum((self.model(x).argmax(1) == y).sum() for x, y in loader)
        for callback in self.callbacks:
            callback.on_validation_end(self)
        return hits
""",
        "function per epoch": NET
        + """
def train(epoch, model, loader, optimizer):
    model.train()
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step  # here


net = Net()
for epoch in range(2):
    train(epoch, net, train_loader, torch.optim.SGD(net.parameters(), 0.1))
""",
    },
    "SHP406": {
        "argparse main": NET
        + """
import argparse


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    return parser.parse_args()


def main():
    args = parse()
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(4):
        model.train()
        for x, y in DataLoader(train_set, batch_size=args.batch_size, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        hits = 0
        for x, y in DataLoader(test_set, batch_size=args.batch_size):
            hits += (model(x).argmax(dim=1) == y).sum().item()  # here
        print(f"epoch {epoch}: {hits} right")


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class Runner:
    def __init__(self, model, optimizer, hooks):
        self.model, self.optimizer, self.hooks = model, optimizer, hooks

    def call_hook(self, name):
        for hook in self.hooks:
            getattr(hook, name)(self)

    def train(self, loader):
        self.model.train()
        self.call_hook("before_train_epoch")
        for x, y in loader:
            self.optimizer.zero_grad()
            F.cross_entropy(self.model(x), y).backward()
            self.optimizer.step()

    def val(self, loader):
        self.model.eval()
        self.call_hook("before_val_epoch")
        total = 0.0
        for x, y in loader:
            total += F.cross_entropy(self.model(x), y).item()  # here
        return total / len(loader)


net = Net()
runner = Runner(net, torch.optim.SGD(net.parameters(), 0.1), [])
for epoch in range(3):
    runner.train(train_loader)
    runner.val(val_loader)
""",
    },
    "SHP604": {
        "argparse main": NET
        + """
import argparse


def train(args, model, device, loader, optimizer, epoch):
    model.train()
    for batch, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        loss = F.nll_loss(F.log_softmax(model(data), 1), target)
        loss.backward()  # here
        optimizer.step()
        if batch % args.log_interval == 0:
            print(f"epoch {epoch}: {loss.item():.6f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log-interval", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=14)
    args = parser.parse_args()
    device = torch.device("cpu")
    model = Net().to(device)
    optimizer = torch.optim.Adadelta(model.parameters())
    for epoch in range(1, args.epochs + 1):
        train(args, model, device, DataLoader(train_set), optimizer, epoch)


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class Learner:
    def __init__(self, model, loss, callbacks):
        self.model, self.loss, self.callbacks = model, loss, callbacks
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def one_batch(self, x, y):
        loss = self.loss(self.model(x), y)
        loss.backward()  # here
        self.optimizer.step()
        return loss.detach()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            for x, y in loader:
                loss = self.one_batch(x, y)
                for callback in self.callbacks:
                    callback(epoch, loss)


Learner(Net(), nn.CrossEntropyLoss(), []).fit(train_loader, 3)
""",
    },
}

CORRECT: dict[str, dict[str, str]] = {
    "SHP403": {
        "argparse main": NET
        + """
import argparse


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    args = parser.parse_args()
    net = Net()
    net.load_state_dict(torch.load(args.weights, weights_only=True))
    net.requires_grad_(False).eval().to("cpu")
    for x in DataLoader(images):
        print(net(x).argmax(1).item())


if __name__ == "__main__":
    main()
""",
    },
    "SHP404": {
        "a callback that may switch back": NET
        + """
class Loop:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks

    def run(self, train_loader, val_loader, epochs):
        self.model.train()
        for epoch in range(epochs):
            for x, y in train_loader:
                self.optimizer.zero_grad()
                F.cross_entropy(self.model(x), y).backward()
                self.optimizer.step()
            self.model.eval()
            with torch.no_grad():
                print(sum((self.model(x).argmax(1) == y).sum().item() for x, y in val_loader))
            for callback in self.callbacks:
                callback.on_validation_end(self)


net = Net()
Loop(net, torch.optim.Adam(net.parameters()), callbacks).run(train_loader, val_loader, 5)
""",
        "argparse main": NET
        + """
import argparse


def train(args, model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def test(model, loader):
    model.eval()
    with torch.no_grad():
        print(sum((model(x).argmax(1) == y).sum().item() for x, y in loader))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(args.epochs):
        train(args, model, DataLoader(train_set), optimizer)
        test(model, DataLoader(test_set))


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class Loop:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def run(self, train_loader, val_loader, epochs):
        for epoch in range(epochs):
            self.run_epoch(train_loader, train=True)
            self.run_epoch(val_loader, train=False)

    def run_epoch(self, loader, train):
        if train:
            self.model.train()
        else:
            self.model.eval()
        for x, y in loader:
            with torch.set_grad_enabled(train):
                loss = F.cross_entropy(self.model(x), y)
            if train:
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()


net = Net()
Loop(net, torch.optim.Adam(net.parameters())).run(train_loader, val_loader, 5)
""",
    },
    "SHP405": {
        "argparse main": NET
        + """
import argparse

MODES = {"train": Net.train, "eval": Net.eval}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=MODES, default="eval")
    args = parser.parse_args()
    net = Net()
    switch = net.eval if args.mode == "eval" else net.train
    switch()
    MODES[args.mode](net)
    if args.train:
        print("training")


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class Events:
    def __init__(self, model):
        self.model = model
        self.handlers = {"validation": [model.eval], "epoch": [model.train]}

    def fire(self, name):
        for handler in self.handlers[name]:
            handler()

    @property
    def training(self):
        return self.model.training
""",
    },
    "SHP406": {
        "argparse main": NET
        + """
import argparse


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args()
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for epoch in range(4):
        model.train()
        for x, y in DataLoader(train_set):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        torch.set_grad_enabled(False)
        for x, y in DataLoader(test_set):
            print((model(x).argmax(dim=1) == y).sum().item())
        torch.set_grad_enabled(True)


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
import functools


def without_gradients(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        with torch.no_grad():
            return function(*args, **kwargs)

    return inner


class Runner:
    def __init__(self, model, hooks):
        self.model, self.hooks = model, hooks

    @without_gradients
    def val(self, loader):
        self.model.eval()
        for hook in self.hooks:
            hook.before_val(self)
        return sum(F.cross_entropy(self.model(x), y).item() for x, y in loader)


Runner(Net(), []).val(val_loader)
""",
    },
    "SHP604": {
        "argparse main": NET
        + """
import argparse


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accumulate", type=int, default=4)
    args = parser.parse_args()
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad(set_to_none=True)
    for step, (x, y) in enumerate(DataLoader(train_set), 1):
        (F.cross_entropy(model(x), y) / args.accumulate).backward()
        if step % args.accumulate:
            continue
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


if __name__ == "__main__":
    main()
""",
        "library with callbacks": NET
        + """
class ZeroGrad:
    def before_backward(self, learner):
        learner.optimizer.zero_grad()


class Learner:
    def __init__(self, model, callbacks):
        self.model, self.callbacks = model, callbacks
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def fit(self, loader):
        for x, y in loader:
            loss = F.cross_entropy(self.model(x), y)
            for callback in self.callbacks:
                callback.before_backward(self)
            loss.backward()
            self.optimizer.step()


Learner(Net(), [ZeroGrad()]).fit(train_loader)
""",
    },
}
