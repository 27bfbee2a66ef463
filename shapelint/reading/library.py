"""What functions and classes of libraries do to models, modes and gradients, as a
table.

Each entry names the place where the behaviour is documented. To support another
library, add an entry. `library_calls` applies the entries; nothing here runs or imports
a library. The table of methods is in `library_methods`, those of bases and layers are
in `library_classes`."""

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
    """What calling a function or class of a library does."""

    NEVER_RETURN = auto()
    RETURN_FIRST = auto()
    RETURN_ARGUMENTS = auto()
    RETURN_ENGINE = auto()
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
    """The effect of a call. `needs_model`: only if a model is among the arguments.
    `mode`: the mode of a model that the call makes."""

    fits: Fits
    does: CallDoes
    evidence: str
    needs_model: bool = False
    mode: ModeName = ModeName.TRAIN


# Weights enums, processors and the like live beside the models and are no models.
_is_model_name = match_without(
    "Weights", "Tokenizer", "Processor", "Extractor", "Config", "Scheduler"
)

# Packages of timm and segmentation_models_pytorch whose classes are no models: a loss
# that is a module in train mode all the time would be taken for one.
_is_in_model_package = match_without(
    ".loss.", ".losses.", ".metrics.", ".data.", ".datasets.", ".optim.", ".utils."
)

_is_torchvision_model = match_all(
    match_below("torchvision.models."),
    match_without(
        ".feature_extraction",
        ".list_models",
        ".get_weight",
        ".get_model_weights",
        ".get_model_builder",
    ),
)

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
        "transformers 5.24, PreTrainedModel.from_pretrained, and diffusers 0.42,"
        " ModelMixin.from_pretrained: both call eval() on the model before they return"
        " it, and say so",
        mode=ModeName.EVAL,
    ),
    CallEntry(
        match_all(
            match_below("efficientnet_pytorch."), match_last_part("from_pretrained")
        ),
        CallDoes.MAKE_MODEL,
        "efficientnet_pytorch 0.7, EfficientNet.from_pretrained: builds the model and"
        " loads weights; nothing switches its mode, and the README calls eval() itself",
    ),
    CallEntry(
        match_all(
            _is_model_name,
            match_below(*_MODEL_LIBRARIES, "torch_geometric."),
            match_last_part("from_pretrained"),
        ),
        CallDoes.MAKE_MODEL,
        "torch_geometric 2.8, PyGModelHubMixin, and segmentation_models_pytorch 0.6,"
        " from_pretrained by way of huggingface_hub's PyTorchModelHubMixin: both call"
        " eval() once the weights are loaded",
        mode=ModeName.EVAL,
    ),
    CallEntry(
        match_all(_is_model_name, _is_torchvision_model),
        CallDoes.MAKE_MODEL,
        'docs.pytorch.org/vision/stable/models.html, "Using the pre-trained models": a'
        " builder returns an nn.Module, to predict with it one calls eval()",
    ),
    CallEntry(
        match_all(
            _is_model_name,
            match_below(*_MODEL_LIBRARIES, "torch_geometric."),
            match_last_part("create_model"),
        ),
        CallDoes.MAKE_MODEL,
        "timm 1.0, timm.create_model, segmentation_models_pytorch 0.6, smp.create_model,"
        " torch_geometric 2.8, graphgym.create_model: construct an nn.Module and leave"
        " it in train mode",
    ),
    CallEntry(
        match_all(
            _is_model_name, _is_in_model_package, match_classes_below(*_MODEL_LIBRARIES)
        ),
        CallDoes.MAKE_MODEL,
        "segmentation_models_pytorch 0.6: smp.Unet and the other architectures are"
        " nn.Modules; so are the classes in timm.models and timm.layers",
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
        match_names("deepspeed.initialize"),
        CallDoes.RETURN_ENGINE,
        "deepspeed 0.19, initialize: returns the engine that wraps the model, the"
        " optimizer, the loader and the scheduler, however the arguments are ordered",
        needs_model=True,
    ),
    CallEntry(
        match_last_part("prepare", "initialize", "setup"),
        CallDoes.RETURN_ARGUMENTS,
        "accelerate 1.15, Accelerator.prepare, lightning 2.6, Fabric.setup, and"
        " apex.amp.initialize (until apex dropped amp): return the objects in the order"
        " in which they were passed, a single one by itself",
        needs_model=True,
    ),
    CallEntry(
        match_last_part("spectral_norm", "weight_norm"),
        CallDoes.RETURN_FIRST,
        "torch.nn.utils.spectral_norm and weight_norm: change the module they are given"
        " and return it",
        needs_model=True,
    ),
    CallEntry(
        match_names("torch.optim.swa_utils.AveragedModel"),
        CallDoes.COPY,
        "torch.optim.swa_utils.AveragedModel: an nn.Module around a deep copy of the"
        " model, whose layers keep their mode",
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
        "torch.nn.parallel.DistributedDataParallel and torch.distributed.fsdp: wrap the"
        " module, train() and eval() reach it; torch.compile gives an OptimizedModule"
        " around it, torch.jit.script a ScriptModule with its mode,"
        " SyncBatchNorm.convert_sync_batchnorm the model converted, lightning 2.6,"
        " Fabric.setup_module the model wrapped",
        needs_model=True,
    ),
    CallEntry(
        lambda dotted: is_class(dotted) and dotted.endswith(("Adam", "AdamW", "SGD")),
        CallDoes.MAKE_OPTIMIZER,
        "apex.optimizers.FusedAdam, apex.optimizers.FusedSGD and bitsandbytes.optim's"
        " PagedAdamW derive from torch.optim.Optimizer",
    ),
    CallEntry(
        match_below("torch.optim."),
        CallDoes.MAKE_OPTIMIZER,
        "torch.optim: its classes are optimizers, those of torch.optim.lr_scheduler"
        " schedulers, which switch no mode either",
    ),
    CallEntry(
        match_below("torch.nn.functional.", "torch.nn.utils.", "torch.nn.init."),
        CallDoes.COMPUTE,
        "torch.nn.functional: functions of tensors; a result of a model stays in the"
        " graph. torch.nn.utils and torch.nn.init change parameters and gradients, and"
        " no mode",
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
        "torch.load: unpickles what was saved, for a whole model (weights_only=False)"
        " `training` included; torch.jit.load: restores it too",
        mode=ModeName.UNKNOWN,
    ),
    CallEntry(
        match_names("copy.deepcopy"),
        CallDoes.COPY,
        "docs.python.org/3/library/copy.html: a deep copy has copies of the attributes"
        " of the original, `training` among them",
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
        "torch.max, torch.topk: values with a gradient, and the indices that predictions"
        " are; torch.eq, torch.argsort: neither carries one",
    ),
    CallEntry(
        match_below("torch."),
        CallDoes.COMPUTE,
        "docs.pytorch.org/docs/stable/torch.html: the functions of torch give tensors"
        " made of their arguments",
    ),
)
"""The first matching entry counts, so special entries come before general ones."""


@lru_cache(maxsize=1024)
def find_calls(dotted: str) -> tuple[CallEntry, ...]:
    """The entries that match a name, the most specific first."""
    return tuple(entry for entry in CALLS if entry.fits(dotted))


@lru_cache(maxsize=1024)
def makes_a_model(dotted: str) -> bool:
    """Whether a function of a known library returns a model, as
    `torchvision.models.resnet18` does."""
    return any(entry.fits(dotted) for entry in MODEL_MAKERS)


LOOK_ONLY = split_words(
    # docs.python.org/3/library/functions.html and copy.html
    "print len isinstance type id hasattr getattr setattr next iter sum list tuple repr"
    " str enumerate zip sorted set dict format range append deepcopy copy"
    # torch.save pickles. torchinfo 1.8, summary, and SummaryWriter.add_graph run the
    # model in eval mode or as it is, and put its mode back. wandb.watch adds hooks.
    " save summary watch add_graph count_parameters named_children"
    # docs.python.org/3/library/logging.html; tqdm gives back what it iterates over
    " info debug log tqdm"
)
"""Functions that do not change the mode of a model passed to them."""

MEASURE_RESULTS = frozenset(("accuracy_score", "f1_score", "accuracy"))
"""Metrics of sklearn.metrics (accuracy_score, f1_score) and torchmetrics.functional
(accuracy, f1_score): their arguments are measured and not trained with."""

STEP_WITH_AN_OPTIMIZER = frozenset(("scaler",))
"""Words in the names of objects whose `step` steps an optimizer: torch.amp.GradScaler."""

ENGINES = frozenset(("engine", "deepspeed"))
"""Words in the names of engines whose `step` also resets the gradients: deepspeed 0.19,
DeepSpeedEngine._take_model_step, at the end of each accumulation."""

RETURN_ARGUMENTS_METHODS = frozenset(("prepare", "setup", "setup_module"))
"""accelerate 1.15, Accelerator.prepare; lightning 2.6, Fabric.setup and
Fabric.setup_module: they return their arguments, wrapped."""
