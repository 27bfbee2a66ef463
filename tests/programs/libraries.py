"""Programs that hold what libraries do with modes, each by the library it is about."""

from tests.programs.eval_mode import NET

_TRAIN = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            loss = criterion(model(x), y).item()
"""

_VALIDATE = """
with torch.no_grad():
    for x, y in val_loader:
        correct += (net(x).argmax(1) == y).sum().item()  # here
"""

_PREDICT = """
model = resnet18(weights=ResNet18_Weights.DEFAULT)
model.eval()


def predict(images):
    with torch.no_grad():
        for image in images:
            print(model(preprocess(image)).argmax(1))


predict(images)
"""

FAULTY = {
    "SHP403": {
        "efficientnet_pytorch leaves a loaded model in train mode": """
import torch
from efficientnet_pytorch import EfficientNet

net = EfficientNet.from_pretrained("efficientnet-b0")
"""
        + _VALIDATE,
        "an averaged model": NET
        + """
model = Net()
net = torch.optim.swa_utils.AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in train_loader:
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    net.update_parameters(model)
"""
        + _VALIDATE,
        "an engine of DeepSpeed, whatever comes first": NET
        + """
import deepspeed

net, _, _, _ = deepspeed.initialize(args=args, model=Net())
"""
        + _VALIDATE,
        "a parametrization": NET
        + """
net = torch.nn.utils.parametrizations.spectral_norm(Net(), "weight")
"""
        + _VALIDATE,
    }
}

CORRECT = {
    "SHP403": {
        "a loss of segmentation_models_pytorch": """
import torch
import segmentation_models_pytorch as smp

model = smp.Unet("resnet34")
criterion = smp.losses.DiceLoss(mode="binary")
"""
        + _TRAIN,
        "a loss of timm": """
import timm
import torch
from timm.loss import LabelSmoothingCrossEntropy

model = timm.create_model("resnet18")
criterion = LabelSmoothingCrossEntropy()
"""
        + _TRAIN,
        "the transforms of weights": """
import torch
from torchvision.models import ResNet18_Weights, resnet18

preprocess = ResNet18_Weights.DEFAULT.transforms()
"""
        + _PREDICT,
    }
}
