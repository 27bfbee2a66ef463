"""What classes of libraries are: bases that make a class a model, frameworks that run
its loops, and layers that act by mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shapelint.reading.name_patterns import Fits, ending_in
from shapelint.reading.values import ClassKind
from shapelint.reading.vocabulary import split_words

MODULE_BASES = frozenset(
    ("torch.nn.Module", "nn.Module", "torch.nn.Sequential", "torch.nn.ModuleList")
)


@dataclass(frozen=True)
class BaseEntry:
    """What a class is that has a base with such a name."""

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
        "lightning.LightningModule, transformers.Trainer, fastai.Learner,"
        " mmengine.Runner, ignite.Engine: the library runs the loops and sets modes",
    ),
    BaseEntry(
        ending_in("PreTrainedModel", "ModelMixin"),
        ClassKind.MODULE,
        "transformers.PreTrainedModel and diffusers.ModelMixin are nn.Modules",
    ),
)
"""In the order in which they count; these say more than a base in the files does."""


def kind_of_class(bases: Iterable[str], inherited: ClassKind) -> ClassKind:
    """What a class is, by the dotted names of its bases that are not in the files and
    by what those in the files are."""
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
"""Frameworks with methods of the same names, `eval` and `backward`, that do other
things."""


BY_MODE = split_words(
    # "During training, randomly zeroes": torch.nn.Dropout
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout"
    # "during training ... running estimates": torch.nn.BatchNorm2d
    " BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm"
    " LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d"
    # "randomly sampled" in training: torch.nn.RReLU
    " RReLU"
    # dropout=0.1 by default: torch.nn.TransformerEncoderLayer
    " TransformerEncoderLayer TransformerDecoderLayer Transformer"
)
"""Layers of torch that act differently in train mode."""

BY_MODE_WITH_ARGUMENT = {
    # dropout=0 by default
    "LSTM": "dropout",
    "GRU": "dropout",
    "RNN": "dropout",
    "MultiheadAttention": "dropout",
    # without running statistics by default, and so the same in both modes
    "InstanceNorm1d": "track_running_stats",
    "InstanceNorm2d": "track_running_stats",
    "InstanceNorm3d": "track_running_stats",
}
"""Layers that act by mode only where this argument is given."""

FUNCTIONS_BY_MODE = split_words(
    "dropout dropout1d dropout2d dropout3d alpha_dropout batch_norm rrelu"
)
"""Functions of torch.nn.functional with an argument `training`."""
