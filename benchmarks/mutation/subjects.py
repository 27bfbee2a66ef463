"""Correct model files: the fixtures, and files of installed packages, read where they
lie."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.sweep.architectures import ARCHITECTURES, TORCHVISION_OPS, Architecture

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"


@dataclass(frozen=True)
class Subject:
    """A file that runs: its text, the target's expression in it, and how its inputs are
    made."""

    name: str
    source: str
    expression: str
    inputs: str
    """Source of a file with a function `inputs`."""
    first_line: int = 1
    last_line: int = 1_000_000
    """Mutations are made between these lines only."""


_IDS = "torch.ones(2, 16, dtype=torch.long)"
FIXTURE_TARGETS = {
    "alexnet": ("AlexNet", "torch.rand(2, 3, 64, 64)"),
    "autoencoder": ("AutoEncoder", "torch.rand(2, 1, 28, 28)"),
    "crnn": ("CRNN", "torch.rand(2, 1, 32, 64)"),
    "data_dependent": ("Gated", "torch.rand(2, 9, 16), torch.tensor([9, 4])"),
    "dcgan": ("GAN", "torch.rand(2, 64)"),
    "encoder_classifier": ("EncoderClassifier", _IDS),
    "forecaster": ("Forecaster", "torch.rand(2, 24, 8), torch.rand(2, 6)"),
    "gpt": ("GPT", "torch.ones(1, 16, dtype=torch.long)"),
    "inception": ("TinyGoogLeNet", "torch.rand(2, 3, 32, 32)"),
    "lenet": ("LeNet", "torch.rand(2, 1, 28, 28)"),
    "lstm_classifier": ("LSTMClassifier", _IDS),
    "mlp": ("MLP", "torch.rand(2, 1, 28, 28)"),
    "mobile": ("MobileNet", "torch.rand(2, 3, 32, 32)"),
    "pooled_cnn": ("PooledCNN", "torch.rand(2, 3, 32, 32)"),
    "resnet": ("ResNet", "torch.rand(2, 3, 32, 32)"),
    "seq2seq": (
        "Seq2Seq",
        "torch.ones(2, 16, dtype=torch.long), torch.ones(2, 12, dtype=torch.long)",
    ),
    "siamese": ("Siamese", "torch.rand(2, 1, 28, 28), torch.rand(2, 1, 28, 28)"),
    "small_cnn": ("SmallCNN", "torch.rand(2, 3, 64, 64)"),
    "superres": ("SuperResolution", "torch.rand(1, 3, 24, 24)"),
    "textcnn": ("TextCNN", _IDS),
    "two_inputs": ("ImageAndMeta", "torch.rand(2, 3, 32, 32), torch.rand(2, 5)"),
    "unet": ("UNet", "torch.rand(1, 1, 64, 64)"),
    "vae": ("VAE", "torch.rand(2, 1, 28, 28)"),
    "vit": ("ViT", "torch.rand(2, 3, 32, 32)"),
}


def fixtures() -> Iterator[Subject]:
    """The project's own correct models."""
    for name, (expression, tensors) in FIXTURE_TARGETS.items():
        inputs = f"import torch\n\n\ndef inputs():\n    return ({tensors},), {{}}\n"
        yield Subject(
            f"fixtures/{name}",
            (FIXTURES / f"{name}.py").read_text(),
            expression,
            inputs,
        )


def absolute_imports(source: str, package: str) -> str:
    """`from .x import y` as `from package.x import y`, line by line as it was."""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            dotted = f"{base}.{node.module}" if node.module else base
            line = lines[node.lineno - 1]
            written = "." * node.level + (node.module or "")
            lines[node.lineno - 1] = line.replace(
                f"from {written} ", f"from {dotted} ", 1
            )
    return "\n".join(lines)


def _defining(architecture: Architecture) -> tuple[ModuleType, str] | None:
    """The module that defines what an architecture is made with, and the name there."""
    scope: dict[str, object] = {}
    exec(TORCHVISION_OPS.replace("torch.", "__import__('torch')."), scope)
    exec(architecture.imports, scope)
    callee = architecture.model.partition("(")[0]
    name = architecture.name
    if callee == "timm.create_model":
        registry = importlib.import_module("timm.models._registry")
        value = registry._model_entrypoints[name]
    elif callee == "get_model":
        value = importlib.import_module("pytorchcv.model_provider")._models[name]
    else:
        value = eval(callee, scope)
        name = callee.rpartition(".")[2]
    value = inspect.unwrap(value) if inspect.isfunction(value) else value
    module = inspect.getmodule(value)
    return (
        (module, value.__name__)
        if module is not None and hasattr(value, "__name__")
        else None
    )


def _expression(architecture: Architecture, name: str) -> str:
    callee, _, arguments = architecture.model.partition("(")
    if callee in ("timm.create_model", "get_model"):
        rest = arguments.partition(",")[2].strip()
        return f"{name}({rest}"
    return f"{name}({arguments}"


def _from_package(architecture: Architecture) -> Subject | None:
    defined = _defining(architecture)
    if defined is None:
        return None
    module, name = defined
    package = module.__package__ or ""
    source = absolute_imports(inspect.getsource(module), package)
    source = re.sub(
        r"^@register_model\b.*$", "", source, flags=re.MULTILINE
    )  # a name can be registered once
    last = source.count("\n") + 1
    imports = (
        architecture.imports
        if architecture.package not in ("timm", "pytorchcv")
        else ""
    )
    source += (
        f"\n\n\ndef _checked_model():\n    scope = {{}}\n    exec({imports!r}, scope)\n"
        f"    return eval({_expression(architecture, name)!r}, {{**scope, **globals()}})\n"
    )
    header = f"import torch\n{TORCHVISION_OPS}"
    inputs = f"{header}\n\ndef inputs():\n    return {architecture.inputs}\n"
    return Subject(
        f"{architecture.package}/{architecture.name}",
        source,
        "_checked_model",
        inputs,
        1,
        last,
    )


def subjects(only: tuple[str, ...] = ()) -> Iterator[Subject]:
    """Every subject that can be read here; whether it runs is for the caller to find
    out."""
    warnings.simplefilter("ignore")
    for subject in fixtures():
        if not only or any(word in subject.name for word in only):
            yield subject
    for architecture in ARCHITECTURES:
        if only and not any(
            word in f"{architecture.package}/{architecture.name}" for word in only
        ):
            continue
        with contextlib.suppress(Exception):  # not installed here
            found = _from_package(architecture)
            if found is not None and found.source.isascii():
                yield found
