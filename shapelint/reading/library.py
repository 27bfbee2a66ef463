"""What functions and classes of libraries do to models, modes and gradients, as a
table: each entry names the place where the behaviour is documented.

A new library is a new entry. What an entry does is carried out in `library_calls`;
nothing here runs or imports a library. `library_methods` has the table of methods,
`library_classes` that of bases and layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from shapelint.reading.modes import ModeName
from shapelint.reading.name_patterns import (
    Fits,
    is_class,
    last_part,
    match_all,
    match_below,
    match_classes_below,
    match_last_part,
    match_names,
    match_without,
)
from shapelint.reading.vocabulary import split_words


class CallDoes(Enum):
    """What calling a function or a class of a library does."""

    NEVER_RETURN = auto()
    RETURN_FIRST = auto()
    RETURN_ARGUMENTS = auto()
    MAKE_OPTIMIZER = auto()
    MAKE_LAYER = auto()
    MAKE_OTHER_LAYER = auto()
    MAKE_MODEL = auto()
    COPY = auto()
    DIFFERENTIATE = auto()
    SET_RECORDING = auto()
    MEASURE = auto()
    MEASURE_INDICES = auto()
    COMPUTE = auto()


@dataclass(frozen=True)
class CallEntry:
    """What a call does. `needs_model`: only where a model is among the arguments.
    `mode`: that of a model which is made."""

    fits: Fits
    does: CallDoes
    evidence: str
    needs_model: bool = False
    mode: ModeName = ModeName.TRAIN


# Weights enums, processors and the like live beside the models and are no models.
_is_model_name = match_without(
    "Tokenizer", "Processor", "Extractor", "Config", "Scheduler"
)


def _is_torchvision_model(dotted: str) -> bool:
    is_other = dotted.endswith("Weights") or ".feature_extraction" in dotted
    return dotted.startswith("torchvision.models.") and not is_other


_MODEL_LIBRARIES = (
    "timm.",
    "segmentation_models_pytorch.",
    "smp.",
    "efficientnet_pytorch.",
)


def _is_pretrained_model(dotted: str) -> bool:
    return last_part(dotted) == "from_pretrained" and (
        "Model" in dotted or "Auto" in dotted
    )


MODEL_MAKERS = (
    CallEntry(
        match_all(_is_model_name, _is_pretrained_model),
        CallDoes.MAKE_MODEL,
        'transformers, PreTrainedModel.from_pretrained: "The model is set in evaluation'
        ' mode by default using model.eval()"',
        mode=ModeName.EVAL,
    ),
    CallEntry(
        match_all(
            _is_model_name,
            match_below(*_MODEL_LIBRARIES, "torch_geometric."),
            match_last_part("from_pretrained"),
        ),
        CallDoes.MAKE_MODEL,
        "efficientnet_pytorch, README: from_pretrained is followed by eval() to"
        " predict; taken for evaluation mode, as nothing is reported then",
        mode=ModeName.EVAL,
    ),
    CallEntry(
        match_all(_is_model_name, _is_torchvision_model),
        CallDoes.MAKE_MODEL,
        "docs.pytorch.org/vision/stable/models.html: a builder returns an nn.Module; to"
        " predict, call model.eval()",
    ),
    CallEntry(
        match_all(
            _is_model_name,
            match_below(*_MODEL_LIBRARIES, "torch_geometric."),
            match_last_part("create_model"),
        ),
        CallDoes.MAKE_MODEL,
        "huggingface.co/docs/timm, timm.create_model: an nn.Module in train mode",
    ),
    CallEntry(
        match_all(_is_model_name, match_classes_below(*_MODEL_LIBRARIES)),
        CallDoes.MAKE_MODEL,
        "smp.readthedocs.io: smp.Unet(...) and the like are nn.Modules",
    ),
    CallEntry(
        match_all(_is_model_name, match_names("torch.hub.load")),
        CallDoes.MAKE_MODEL,
        "torch.hub.load: returns what the repository's entry point returns, in the mode"
        " that it chose",
        mode=ModeName.UNKNOWN,
    ),
)

CALLS = (
    CallEntry(
        match_names("sys.exit", "os._exit", "os.abort", "exit", "quit"),
        CallDoes.NEVER_RETURN,
        "docs.python.org: sys.exit raises SystemExit; os._exit and os.abort end the"
        " process; exit and quit are for the interactive shell",
    ),
    CallEntry(
        match_last_part("prepare", "initialize", "setup"),
        CallDoes.RETURN_ARGUMENTS,
        "accelerate, Accelerator.prepare, and lightning, Fabric.setup: return the"
        " objects in the order in which they were passed; so does apex.amp.initialize",
        needs_model=True,
    ),
    CallEntry(
        match_last_part(
            "DataParallel",
            "DistributedDataParallel",
            "DDP",
            "FullyShardedDataParallel",
            "FSDP",
            "compile",
            "script",
            "convert_sync_batchnorm",
            "setup_module",
        ),
        CallDoes.RETURN_FIRST,
        "torch.nn.parallel.DistributedDataParallel: wraps the module, train() and"
        " eval() reach it; torch.compile and torch.jit.script return the model"
        " compiled, SyncBatchNorm.convert_sync_batchnorm the model converted",
        needs_model=True,
    ),
    CallEntry(
        lambda dotted: is_class(dotted) and dotted.endswith(("Adam", "AdamW", "SGD")),
        CallDoes.MAKE_OPTIMIZER,
        "apex.optimizers.FusedAdam, bitsandbytes.optim.PagedAdamW and the like are"
        " subclasses of torch.optim.Optimizer",
    ),
    CallEntry(
        match_below("torch.optim."),
        CallDoes.MAKE_OPTIMIZER,
        "torch.optim: its classes are optimizers and their schedulers",
    ),
    CallEntry(
        match_below("torch.nn.functional.", "torch.nn.utils.", "torch.nn.init."),
        CallDoes.COMPUTE,
        "torch.nn.functional: functions of tensors; a result of a model stays in the"
        " graph",
    ),
    CallEntry(
        match_all(
            match_classes_below("torch.nn."),
            lambda dotted: (
                dotted.endswith("Loss")
                or last_part(dotted)
                in (
                    "Parameter",
                    "Flatten",
                    "Softmax",
                    "Sigmoid",
                    "Upsample",
                    "CosineSimilarity",
                )
            ),
        ),
        CallDoes.MAKE_OTHER_LAYER,
        "torch.nn: losses and layers without weights, which nobody calls a model",
    ),
    CallEntry(
        match_classes_below("torch.nn."),
        CallDoes.MAKE_LAYER,
        "torch.nn: its classes are modules, made in train mode",
    ),
    *MODEL_MAKERS,
    CallEntry(
        match_names("torch.load", "torch.jit.load"),
        CallDoes.MAKE_MODEL,
        "torch.load: unpickles what was saved, for a model its mode included",
        mode=ModeName.UNKNOWN,
    ),
    CallEntry(
        match_names("copy.deepcopy"),
        CallDoes.COPY,
        "docs.python.org/3/library/copy.html: a copy has the attributes of the"
        " original, `training` too",
        needs_model=True,
    ),
    CallEntry(
        match_names(
            "torch.autograd.backward", "torch.autograd.grad", "torch.func.grad"
        ),
        CallDoes.DIFFERENTIATE,
        "torch.autograd.grad: computes the gradients of its outputs",
    ),
    CallEntry(
        match_last_part("set_grad_enabled"),
        CallDoes.SET_RECORDING,
        "torch.set_grad_enabled: acts as a function, too, until it is called again",
    ),
    CallEntry(
        match_all(match_below("torch."), match_last_part("argmax")),
        CallDoes.MEASURE_INDICES,
        "torch.argmax: gives indices, which carry no gradient",
    ),
    CallEntry(
        match_all(
            match_below("torch."), match_last_part("max", "topk", "eq", "argsort")
        ),
        CallDoes.MEASURE,
        "torch.topk and others: what predictions are compared by",
    ),
    CallEntry(
        match_below("torch."),
        CallDoes.COMPUTE,
        "docs.pytorch.org: the functions of torch give tensors made of their arguments",
    ),
)
"""The first entry that fits counts, so the special stand before the general."""


@lru_cache(maxsize=1024)
def find_calls(dotted: str) -> tuple[CallEntry, ...]:
    """The entries about a name, the most special first."""
    return tuple(entry for entry in CALLS if entry.fits(dotted))


@lru_cache(maxsize=1024)
def makes_a_model(dotted: str) -> bool:
    """Whether a function of a known library gives a model, as
    `torchvision.models.resnet18` does."""
    return any(entry.fits(dotted) for entry in MODEL_MAKERS)


LOOK_ONLY = split_words(
    # builtins and copies: docs.python.org/3/library/functions.html
    "print len isinstance type id hasattr getattr setattr next iter sum list tuple repr"
    " str enumerate zip sorted set dict format range append deepcopy copy"
    # torch.save, torchinfo.summary, wandb.watch, SummaryWriter.add_graph
    " save summary watch add_graph count_parameters named_children"
    # logging and tqdm
    " info debug log tqdm"
)
"""Functions that switch no mode of a model they are given."""

MEASURE_RESULTS = frozenset(("accuracy_score", "f1_score", "accuracy"))
"""Metrics of sklearn.metrics and torchmetrics.functional: what they are given is
measured and not trained with."""

STEP_WITH_AN_OPTIMIZER = frozenset(("scaler", "accelerator", "fabric"))
"""Words in the names of objects whose `step` steps an optimizer: torch.amp.GradScaler,
accelerate.Accelerator, lightning.Fabric."""

ENGINES = frozenset(("engine", "deepspeed"))
"""Words in the names of engines whose `step` also sets gradients to zero:
deepspeed.readthedocs.io, "Training API"."""

RETURN_ARGUMENTS_METHODS = frozenset(("prepare", "setup", "setup_module"))
"""accelerate.Accelerator.prepare, lightning.Fabric.setup: return what they are given,
wrapped."""
