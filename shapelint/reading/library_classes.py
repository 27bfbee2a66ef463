"""Facts about classes of libraries: bases that make a class a model, frameworks that
run its loops, and layers that depend on the mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shapelint.reading.name_patterns import Fits, match_last_part
from shapelint.reading.values import ClassKind
from shapelint.reading.vocabulary import split_words

MODULE_BASES = frozenset(
    ("torch.nn.Module", "nn.Module", "torch.nn.Sequential", "torch.nn.ModuleList")
)


@dataclass(frozen=True)
class BaseEntry:
    """The kind of a class that has a base with one of these names."""

    fits: Fits
    kind: ClassKind
    evidence: str


_FRAMEWORK_WORDS = (
    "Lightning",
    "Trainer",
    "Callback",
    "Learner",
    "TrainingArguments",
    "Runner",
    "Engine",
    "Fabric",
)

BASES = (
    BaseEntry(
        lambda dotted: any(word in dotted for word in _FRAMEWORK_WORDS),
        ClassKind.FRAMEWORK,
        "the library runs the loops and sets modes: lightning 2.6, Trainer, for a"
        " LightningModule; transformers 5.24, Trainer; fastai, Learner; mmengine 0.11,"
        " TrainLoop and ValLoop of a Runner; ignite 0.6, the Engine of"
        " create_supervised_trainer and create_supervised_evaluator. Fabric leaves the"
        " loops to `run` of the class, which nothing here calls",
    ),
    BaseEntry(
        match_last_part("PreTrainedModel", "ModelMixin"),
        ClassKind.MODULE,
        "transformers 5.24, PreTrainedModel, and diffusers 0.42, ModelMixin: derive from"
        " torch.nn.Module",
    ),
)
"""In the order in which they count. They count more than a base in the files."""


def kind_of_class(bases: Iterable[str], inherited: ClassKind) -> ClassKind:
    """The kind of a class, by the dotted names of its bases outside of the files and
    the kinds of those in the files."""
    names = list(bases)
    for entry in BASES:
        if any(map(entry.fits, names)):
            return entry.kind
    if inherited is not ClassKind.OTHER:
        return inherited
    is_module = any(
        name in MODULE_BASES or name.startswith("torch.nn.") for name in names
    )
    return ClassKind.MODULE if is_module else ClassKind.OTHER


OTHER_FRAMEWORKS = split_words(
    "paddle warp mindspore jittor oneflow mxnet tensorflow keras tinygrad mlx chainer"
)
"""Frameworks with methods of the same names, such as `eval` and `backward`, that do
other things."""
