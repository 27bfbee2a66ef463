"""Programs for SHP403 and SHP406: validation without `eval()`, validation that records gradients."""

NET = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(F.relu(self.norm(self.conv(x))).mean((2, 3)))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(x)


"""

NO_EVAL = {
    "plain script": NET
    + """
model = Net().to("cuda")
optimizer = torch.optim.Adam(model.parameters())
criterion = nn.CrossEntropyLoss()
for epoch in range(5):
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    correct = total = 0
    with torch.no_grad():
        for images, labels in test_loader:
            outputs = model(images)  # here
            _, predicted = torch.max(outputs.data, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
""",
    "function per epoch": NET
    + """
def train(model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def validate(model, loader):
    losses = []
    with torch.no_grad():
        for x, y in loader:
            losses.append(F.cross_entropy(model(x), y).item())  # here
    return sum(losses) / len(losses)


def main():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_loader, val_loader = DataLoader(train_set), DataLoader(val_set)
    for epoch in range(10):
        train(model, train_loader, optimizer)
        print(epoch, validate(model, val_loader))


if __name__ == "__main__":
    main()
""",
    "trainer class": NET
    + """
class Trainer:
    def __init__(self, loaders, lr):
        self.net = Net()
        self.loaders = loaders
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr)

    def run_epoch(self):
        self.net.train()
        for x, y in self.loaders["train"]:
            self.opt.zero_grad()
            F.cross_entropy(self.net(x), y).backward()
            self.opt.step()

    @torch.no_grad()
    def evaluate(self):
        hits = 0
        for x, y in self.loaders["val"]:
            hits += (self.net(x).argmax(1) == y).float().sum()  # here
        return hits

    def fit(self, epochs):
        for _ in range(epochs):
            self.run_epoch()
            self.evaluate()
""",
    "argparse main": NET
    + """
import argparse


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights")
    args = parser.parse_args()
    net = Net()
    net.load_state_dict(torch.load(args.weights))
    net.cuda()
    loader = DataLoader(dataset, batch_size=32)
    with torch.inference_mode():
        for x, _ in loader:
            scores = net(x.cuda())  # here
            print(scores.argmax(dim=1).tolist())


main()
""",
    "library with callbacks": NET
    + """
class Engine:
    def __init__(self, callbacks):
        self.callbacks = callbacks
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 2))
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)

    def step(self, batch):
        out = self.model(batch["x"])
        return F.mse_loss(out, batch["y"])

    def fit(self, data):
        for epoch in range(3):
            self.model.train()
            for batch in data.train_dataloader():
                loss = self.step(batch)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            self.predict(data.test_dataloader())
            for callback in self.callbacks:
                callback.on_epoch_end(epoch)

    def predict(self, loader):
        found = []
        with torch.no_grad():
            for batch in loader:
                found.append(self.model(batch["x"]))  # here
        return torch.cat(found)
""",
    "one loop for both phases": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(25):
    for phase in ["train", "val"]:
        for inputs, labels in dataloaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)  # here
                loss = F.cross_entropy(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
""",
}

EVAL_IS_THERE = {
    "a framework's train and predict": """
from ludwig.api import LudwigModel

model = LudwigModel(config)
model.train(dataset="train.csv", output_directory="out")
predictions = model.predict(dataset="test.csv")
print(predictions.argmax())
""",
    "called by the caller": NET
    + """
def evaluate(model, loader):
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    print(evaluate(model, val_loader))
""",
    "train(False)": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def run(loader, training):
    model.train(training)
    with torch.set_grad_enabled(training):
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


for epoch in range(3):
    run(train_loader, True)
    run(val_loader, False)
""",
    "chained": NET
    + """
model = Net().to("cpu").eval()
with torch.no_grad():
    for x in test_loader:
        print(model(x).argmax(1).tolist())
""",
    "a context manager that switches": NET
    + """
import contextlib


@contextlib.contextmanager
def evaluating(net):
    was = net.training
    try:
        net.eval()
        with torch.no_grad():
            yield net
    finally:
        net.train(was)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    with evaluating(model):
        with torch.no_grad():
            for x, y in val_loader:
                print((model(x).argmax(1) == y).sum())
""",
    "a decorator that switches": NET
    + """
from mytools import switches_to_eval

model = Net()


@switches_to_eval
def validate(loader):
    for x, y in loader:
        print((model(x).argmax(1) == y).sum().item())


validate(val_loader)
""",
    "no layer that acts by mode": NET
    + """
model = Plain()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
with torch.no_grad():
    for x, y in val_loader:
        print((model(x).argmax(1) == y).sum().item())
""",
    "Monte Carlo dropout": NET
    + """
def enable_dropout(model):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()


model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
model.load_state_dict(torch.load("weights.pt"))
model.eval()
enable_dropout(model)
with torch.no_grad():
    for x in test_loader:
        samples = torch.stack([model(x) for _ in range(20)])
        print(samples.std(0).argmax())
""",
    "a GAN that alternates": NET
    + """
generator = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4))
discriminator = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.3), nn.Linear(16, 1))
g_opt = torch.optim.Adam(generator.parameters())
d_opt = torch.optim.Adam(discriminator.parameters())
for real in train_loader:
    d_opt.zero_grad()
    fake = generator(torch.randn(16, 8)).detach()
    d_loss = -(discriminator(real).mean() - discriminator(fake).mean())
    d_loss.backward()
    d_opt.step()
    g_opt.zero_grad()
    g_loss = -discriminator(generator(torch.randn(16, 8))).mean()
    g_loss.backward()
    g_opt.step()
    generator.eval()
    with torch.no_grad():
        sample = generator(noise)
    generator.train()
""",
    "Lightning": """
import torch
from torch import nn
import lightning.pytorch as pl


class Classifier(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1))

    def training_step(self, batch, batch_idx):
        return self.net(batch).sum()

    def validation_step(self, batch, batch_idx):
        self.log("val", self.net(batch).argmax())


trainer = pl.Trainer()
model = Classifier()
trainer.fit(model)
trainer.test(model)
""",
    "Ignite": NET
    + """
from ignite.engine import create_supervised_evaluator, create_supervised_trainer

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
trainer = create_supervised_trainer(model, optimizer, F.cross_entropy)
evaluator = create_supervised_evaluator(model)
evaluator.run(val_loader)
""",
    "Hugging Face Trainer": NET
    + """
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased")
trainer = Trainer(model=model, args=TrainingArguments("out"), train_dataset=train_set, eval_dataset=val_set)
trainer.train()
trainer.evaluate()
for batch in test_loader:
    print(trainer.predict(batch))
""",
    "fastai": NET
    + """
from fastai.vision.all import Learner, accuracy

learn = Learner(dls, Net(), metrics=accuracy)
learn.fit_one_cycle(3)
learn.validate()
for batch in test_loader:
    print(learn.get_preds(dl=batch))
""",
    "a test of shapes": NET
    + """
def test_output_shape():
    model = Net()
    assert model(torch.rand(2, 3, 8, 8)).shape == (2, 10)
""",
    "a demonstration": NET
    + """
model = Net()
x = torch.rand(2, 3, 32, 32)
print(model(x).shape)
""",
}

NO_NO_GRAD = {
    "plain script": NET
    + """
model = Net()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(5):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    val_loss = 0.0
    for x, y in val_loader:
        val_loss += F.cross_entropy(model(x), y)  # here
    print(val_loss / len(val_loader))
""",
    "function on its own": NET
    + """
def validate(model, loader, criterion):
    model.eval()
    total = 0.0
    for x, y in loader:
        total += criterion(model(x), y).item()  # here
    return total / len(loader)
""",
    "trainer class": NET
    + """
class Trainer:
    def __init__(self, model, loaders):
        self.model = model
        self.loaders = loaders

    def test_epoch(self):
        self.model.eval()
        correct = 0
        for x, y in self.loaders["test"]:
            correct += (self.model(x).argmax(1) == y).sum().item()  # here
        return correct
""",
    "predictions collected": NET
    + """
net = Net()
net.load_state_dict(torch.load("best.pt"))
net.eval()
predictions = []
for batch in test_loader:
    predictions.append(net(batch).argmax(1).cpu().numpy())  # here
""",
    "autocast is no no_grad": NET
    + """
def evaluate(model, loader):
    model.eval()
    hits = 0
    for x, y in loader:
        with torch.autocast("cuda"):
            logits = model(x)  # here
        hits += (logits.argmax(-1) == y).sum().item()
    return hits
""",
    "no_grad only around another loop": NET
    + """
def main():
    model = Net()
    model.load_state_dict(torch.load("w.pt"))
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            print((model(x).argmax(1) == y).sum().item())
    for x, y in test_loader:
        print((model(x).argmax(1) == y).sum().item())  # here


main()
""",
    "an encoder and a decoder, one finding": NET
    + """
def predict(net, words, vocab):
    net.eval()
    state = net.decoder.init_state(net.encoder(words))  # here
    token, found = torch.tensor([[0]]), []
    for _ in range(9):
        scores, state = net.decoder(token, state)
        token = scores.argmax(dim=2)
        found.append(vocab[token.item()])
    return " ".join(found)
""",
    "an attack in the same loop": NET
    + """
def test(model, attack, loader):
    model.eval()
    for x, y in loader:
        clean = model(x)  # here
        print((clean.argmax(1) == y).sum().item())
        adversarial = attack.generate(x, y)
        print((adversarial == x).all())
""",
}

NO_GRAD_IS_THERE = {
    "called to calibrate": NET
    + """
def evaluate_bit_widths(model, sample):
    model.eval()
    model(sample)
    return [module.width.item() for module in model.modules()]
""",
    "the target of a critic": NET
    + """
from algorithms import value_loss

critic = Net()
optimizer = torch.optim.Adam(critic.parameters())
for step in range(1000):
    batch = replay.sample(32)
    expected = batch.reward + 0.99 * critic(batch.next_state).detach().max(1)[0]
    loss = value_loss(critic(batch.state), expected)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "advantages in the function that updates": NET
    + """
def update(replay, policy, optimizer):
    value = policy(replay[-1].state)
    for i, each in enumerate(replay):
        each.advantage = (each.reward - value)[i].detach()
    for each in replay:
        loss = (policy(each.state) * each.advantage).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


policy = Net()
optimizer = torch.optim.Adam(policy.parameters())
for step in range(1000):
    update(memory, policy, optimizer)
""",
    "methods from elsewhere see to it themselves": """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
for prompts in test_loader:
    tokens = tokenizer.pad(prompts)
    print(model.generate(**tokens).tolist(), model.parse_no_grad(prompts))
""",
    "a method of its own with no_grad": """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)

    @torch.inference_mode()
    def predict(self, x):
        return self.fc(x)


net = Net()
net.load_state_dict(torch.load("net.pt"))
net.eval()
for x in test_loader:
    print(net.predict(x).argmax(1).item())
""",
    "no module but an inferencer": """
import torch
from detection import DetInferencer

detector = DetInferencer("config.py")
for path in test_loader:
    print(detector(path)[0].numpy())
""",
    "forces, if they are asked for": NET
    + """
from torch.autograd import grad


class Run:
    def run(self, model, loaders, forces=False):
        print(self.val(model, loaders["val"], forces))

    def val(self, model, loader, forces):
        model.eval()
        total = 0.0
        for batch in loader:
            out = model(batch)
            if forces:
                total += (grad(outputs=out, inputs=batch.pos)[0] - batch.force).abs().sum().item()
            total += (out.detach() - batch.y).abs().sum().item()
        return total
""",
    "a preprocessor of the data": NET
    + """
model = build(config)
model.eval()
for batch in val_loader:
    data = model.data_preprocessor(batch)
    print(data["shape"])
""",
    "the gradient of the input is wanted": NET
    + """
scripted = torch.jit.load("potential.pt")
scripted.eval()
positions = torch.as_tensor(coordinates)
positions.requires_grad_(True)
out = scripted(positions)
print(out["energy"].item(), out["forces"].detach().max())
x = torch.rand(3, 3, requires_grad=True)
model = Net()
model.load_state_dict(torch.load("net.pt"))
model.eval()
for part in test_loader:
    print(model(x).argmax(1).item())
""",
    "frozen for good": NET
    + """
def evaluate(track):
    separator = load_separator(track)
    separator.freeze()
    separator.eval()
    audio = torch.as_tensor(track.audio)
    return separator(audio)[0].detach().numpy()


model = Net().eval()
model.requires_grad_(False)
for x in test_loader:
    print(model(x).argmax(1).tolist())
""",
    "a base that calls it": NET
    + """
class Agent:
    def act(self, batch):
        with torch.no_grad():
            return self.eval_step(batch)


class Ranker(Agent):
    def __init__(self, model):
        self.model = model

    def eval_step(self, batch):
        self.model.eval()
        return self.model(batch.x).argmax(1).tolist()
""",
    "a base from elsewhere": NET
    + """
from framework import Agent


class Ranker(Agent):
    def __init__(self):
        self.model = Net()

    def predict(self, batch):
        self.model.eval()
        return self.model(batch.x).argmax(1).tolist()
""",
    "two models held against each other": NET
    + """
def test_same_outputs(model, other, data):
    model.eval()
    one, two = model(data).detach(), other(data).detach()
    assert torch.allclose(one, two)


net = Net()
net.load_state_dict(torch.load("net.pt"))
test_same_outputs(net, Net(), torch.rand(1, 3, 8, 8))
""",
    "derivatives in its own forward": NET
    + """
class Potential(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(3, 1)

    def forward(self, x):
        x = x.requires_grad_(True)
        return torch.autograd.grad(self.net(x).sum(), x)[0]


model = Potential()
model.load_state_dict(torch.load("potential.pt"))
model.eval()
for x in test_loader:
    print(model(x).abs().max().item())
""",
    "given back for others to differentiate": NET
    + """
class Estimator:
    def predict(self, x, y):
        self.model.eval()
        outputs = self.model(x)
        return outputs[-1], y
""",
    "methods that compute nothing": NET
    + """
def predict(model, loader):
    model.eval()
    device = model.device()
    model.enable_hooks()
    with torch.no_grad():
        return [model(x.to(device)).argmax(1) for x in loader]
""",
    "a test case": NET
    + """
import unittest


class SameOutputs(unittest.TestCase):
    def _test_outputs(self, module):
        module.eval()
        x = torch.rand(1, 3, 32, 32)
        self.assertTrue(torch.equal(module(x).argmax(1), module(x).argmax(1)))
""",
    "adapted with what it gives": NET
    + """
features = Net()
head = maml(nn.Linear(10, 5))
optimizer = torch.optim.Adam([*features.parameters(), *head.parameters()])
for task in train_tasks:
    optimizer.zero_grad()
    F.cross_entropy(head(features(task.x)), task.y).backward()
    optimizer.step()
features.eval()
for task in validation_tasks:
    learner = head.clone()
    learner.adapt(F.cross_entropy(learner(features(task.support)), task.labels))
""",
    "a test of the code": NET
    + """
def _test():
    for make in (Net, Plain):
        net = make()
        net.eval()
        y = net(torch.randn(1, 3, 8, 8))
        assert tuple(y.size()) == (1, 10)


if __name__ == "__main__":
    _test()
""",
    "decorator": NET
    + """
@torch.no_grad()
def validate(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader)


print(validate(Net(), val_loader))
""",
    "inference mode": NET
    + """
model = Net().eval()
with torch.inference_mode():
    for x in test_loader:
        print(model(x).argmax(1).tolist())
""",
    "set for good": NET
    + """
torch.set_grad_enabled(False)
model = Net()
model.eval()
for x, y in val_loader:
    print((model(x).argmax(1) == y).sum().item())
""",
    "by the caller": NET
    + """
def evaluate(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader)


with torch.no_grad():
    print(evaluate(Net(), val_loader))
""",
    "saliency needs the gradient": NET
    + """
model = Net()
model.load_state_dict(torch.load("w.pt"))
model.eval()
for x, y in test_loader:
    x.requires_grad_()
    score = model(x).max(1).values.sum()
    score.backward()
    print(x.grad.abs().mean())
""",
    "an attack on the validation set": NET
    + """
def evaluate_robustness(model, loader):
    model.eval()
    for x, y in loader:
        x.requires_grad = True
        loss = F.cross_entropy(model(x), y)
        grad = torch.autograd.grad(loss, x)[0]
        x = x + 0.1 * grad.sign()
        with torch.no_grad():
            print((model(x).argmax(1) == y).sum().item())
""",
    "set by phase": NET
    + """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for phase in ("train", "val"):
    if phase == "train":
        model.train()
    else:
        model.eval()
    for x, y in loaders[phase]:
        with torch.set_grad_enabled(phase == "train"):
            loss = F.cross_entropy(model(x), y)
            if phase == "train":
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
""",
}
