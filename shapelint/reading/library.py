"""What libraries do to models, modes and gradients, as tables: each entry names the
place where the behaviour is documented.

A new library is a new entry. What an entry does is carried out in `library_calls` and
`method_calls`; nothing here runs or imports a library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from shapelint.reading.values import ClassKind, ModeName
from shapelint.reading.vocabulary import split_words

Fits = Callable[[str], bool]
"""Whether an entry is about a dotted name."""


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _is_class(dotted: str) -> bool:
    return _last(dotted)[:1].isupper()


def named(*dotted: str) -> Fits:
    """These names, each as a whole."""
    return frozenset(dotted).__contains__


def ending_in(*last: str) -> Fits:
    """Names of any module with one of these last parts."""
    names = frozenset(last)
    return lambda dotted: _last(dotted) in names


def below(*prefixes: str) -> Fits:
    """Everything in these modules."""
    return lambda dotted: dotted.startswith(prefixes)


def classes_below(*prefixes: str) -> Fits:
    """The classes in these modules."""
    return lambda dotted: dotted.startswith(prefixes) and _is_class(dotted)


def both(*conditions: Fits) -> Fits:
    """What fits each condition."""
    return lambda dotted: all(fits(dotted) for fits in conditions)


def _without(*words: str) -> Fits:
    return lambda dotted: not any(word in dotted for word in words)


# -- functions and classes --------------------------------------------------------------


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
_is_model_name = _without("Tokenizer", "Processor", "Extractor", "Config", "Scheduler")


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
    return _last(dotted) == "from_pretrained" and (
        "Model" in dotted or "Auto" in dotted
    )


MODEL_MAKERS = (
    CallEntry(
        both(_is_model_name, _is_pretrained_model),
        CallDoes.MAKE_MODEL,
        'transformers, PreTrainedModel.from_pretrained: "The model is set in evaluation'
        ' mode by default using model.eval()"',
        mode=ModeName.EVAL,
    ),
    CallEntry(
        both(
            _is_model_name,
            below(*_MODEL_LIBRARIES, "torch_geometric."),
            ending_in("from_pretrained"),
        ),
        CallDoes.MAKE_MODEL,
        "efficientnet_pytorch, README: from_pretrained is followed by eval() to"
        " predict; taken for evaluation mode, as nothing is reported then",
        mode=ModeName.EVAL,
    ),
    CallEntry(
        both(_is_model_name, _is_torchvision_model),
        CallDoes.MAKE_MODEL,
        "docs.pytorch.org/vision/stable/models.html: a builder returns an nn.Module; to"
        " predict, call model.eval()",
    ),
    CallEntry(
        both(
            _is_model_name,
            below(*_MODEL_LIBRARIES, "torch_geometric."),
            ending_in("create_model"),
        ),
        CallDoes.MAKE_MODEL,
        "huggingface.co/docs/timm, timm.create_model: an nn.Module in train mode",
    ),
    CallEntry(
        both(_is_model_name, classes_below(*_MODEL_LIBRARIES)),
        CallDoes.MAKE_MODEL,
        "smp.readthedocs.io: smp.Unet(...) and the like are nn.Modules",
    ),
    CallEntry(
        both(_is_model_name, named("torch.hub.load")),
        CallDoes.MAKE_MODEL,
        "torch.hub.load: returns what the repository's entry point returns, in the mode"
        " that it chose",
        mode=ModeName.UNKNOWN,
    ),
)

CALLS = (
    CallEntry(
        named("sys.exit", "os._exit", "os.abort", "exit", "quit"),
        CallDoes.NEVER_RETURN,
        "docs.python.org: sys.exit raises SystemExit; os._exit and os.abort end the"
        " process; exit and quit are for the interactive shell",
    ),
    CallEntry(
        ending_in("prepare", "initialize", "setup"),
        CallDoes.RETURN_ARGUMENTS,
        "accelerate, Accelerator.prepare, and lightning, Fabric.setup: return the"
        " objects in the order in which they were passed; so does apex.amp.initialize",
        needs_model=True,
    ),
    CallEntry(
        ending_in(
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
        lambda dotted: _is_class(dotted) and dotted.endswith(("Adam", "AdamW", "SGD")),
        CallDoes.MAKE_OPTIMIZER,
        "apex.optimizers.FusedAdam, bitsandbytes.optim.PagedAdamW and the like are"
        " subclasses of torch.optim.Optimizer",
    ),
    CallEntry(
        below("torch.optim."),
        CallDoes.MAKE_OPTIMIZER,
        "torch.optim: its classes are optimizers and their schedulers",
    ),
    CallEntry(
        below("torch.nn.functional.", "torch.nn.utils.", "torch.nn.init."),
        CallDoes.COMPUTE,
        "torch.nn.functional: functions of tensors; a result of a model stays in the"
        " graph",
    ),
    CallEntry(
        both(
            classes_below("torch.nn."),
            lambda dotted: (
                dotted.endswith("Loss")
                or _last(dotted)
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
        classes_below("torch.nn."),
        CallDoes.MAKE_LAYER,
        "torch.nn: its classes are modules, made in train mode",
    ),
    *MODEL_MAKERS,
    CallEntry(
        named("torch.load", "torch.jit.load"),
        CallDoes.MAKE_MODEL,
        "torch.load: unpickles what was saved, for a model its mode included",
        mode=ModeName.UNKNOWN,
    ),
    CallEntry(
        named("copy.deepcopy"),
        CallDoes.COPY,
        "docs.python.org/3/library/copy.html: a copy has the attributes of the"
        " original, `training` too",
        needs_model=True,
    ),
    CallEntry(
        named("torch.autograd.backward", "torch.autograd.grad", "torch.func.grad"),
        CallDoes.DIFFERENTIATE,
        "torch.autograd.grad: computes the gradients of its outputs",
    ),
    CallEntry(
        ending_in("set_grad_enabled"),
        CallDoes.SET_RECORDING,
        "torch.set_grad_enabled: acts as a function, too, until it is called again",
    ),
    CallEntry(
        both(below("torch."), ending_in("argmax")),
        CallDoes.MEASURE_INDICES,
        "torch.argmax: gives indices, which carry no gradient",
    ),
    CallEntry(
        both(below("torch."), ending_in("max", "topk", "eq", "argsort")),
        CallDoes.MEASURE,
        "torch.topk and others: what predictions are compared by",
    ),
    CallEntry(
        below("torch."),
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


# -- methods ----------------------------------------------------------------------------


class MethodDoes(Enum):
    """What a method of a model or of a result does."""

    SWITCH_MODE = auto()
    RETURN_ITSELF = auto()
    SET_REQUIRES_GRAD = auto()
    LOAD_WEIGHTS = auto()
    LOOK_ONLY = auto()
    FREEZE = auto()
    BACKWARD = auto()
    WANT_GRADIENT = auto()
    MEASURE = auto()
    DETACH = auto()
    LEAVE_THE_GRAPH = auto()


@dataclass(frozen=True)
class MethodEntry:
    """What methods do. `is_proof`: hardly anything but modules has one of this name, so
    that what has it called is a model."""

    names: str
    does: MethodDoes
    evidence: str
    is_proof: bool = False


def _by_name(*entries: MethodEntry) -> dict[str, MethodEntry]:
    """Entries by each of their names.

    Raises:
        ValueError: a name has two entries.
    """
    found: dict[str, MethodEntry] = {}
    for entry in entries:
        for name in entry.names.split():
            if name in found:
                raise ValueError(f"two entries for the method `{name}`")
            found[name] = entry
    return found


MODEL_METHODS = _by_name(
    MethodEntry(
        "eval train",
        MethodDoes.SWITCH_MODE,
        "torch.nn.Module.train, torch.nn.Module.eval",
        is_proof=True,
    ),
    MethodEntry(
        "to cuda half",
        MethodDoes.RETURN_ITSELF,
        "torch.nn.Module.to: returns self",
        is_proof=True,
    ),
    MethodEntry(
        "cpu float double bfloat16 apply type share_memory to_empty compile xpu mps ipu",
        MethodDoes.RETURN_ITSELF,
        "torch.nn.Module.float and the others: return self",
    ),
    MethodEntry(
        "requires_grad_",
        MethodDoes.SET_REQUIRES_GRAD,
        "torch.nn.Module.requires_grad_: returns self; False freezes the parameters",
        is_proof=True,
    ),
    MethodEntry(
        "requires_grad freeze",
        MethodDoes.FREEZE,
        "fairseq, detectron2 and others name so what freezes parameters",
    ),
    MethodEntry(
        "load_state_dict",
        MethodDoes.LOAD_WEIGHTS,
        "torch.nn.Module.load_state_dict: weights that were trained before",
        is_proof=True,
    ),
    MethodEntry(
        "parameters named_parameters state_dict children modules named_modules buffers",
        MethodDoes.LOOK_ONLY,
        "torch.nn.Module.parameters and the others: iterate over its parts",
        is_proof=True,
    ),
    MethodEntry(
        "named_children add_module register_buffer register_forward_hook get_submodule"
        " extra_repr register_full_backward_hook",
        MethodDoes.LOOK_ONLY,
        "torch.nn.Module: none of them computes",
    ),
    MethodEntry(
        "save_pretrained gradient_checkpointing_enable no_sync",
        MethodDoes.LOOK_ONLY,
        "transformers.PreTrainedModel; DistributedDataParallel.no_sync: none computes",
    ),
)

RESULT_METHODS = _by_name(
    MethodEntry(
        "backward",
        MethodDoes.BACKWARD,
        "torch.Tensor.backward: adds gradients to the leaves of its graph",
    ),
    MethodEntry(
        "requires_grad_ retain_grad",
        MethodDoes.WANT_GRADIENT,
        "torch.Tensor.retain_grad: its gradient is wanted",
    ),
    MethodEntry(
        "max topk round",
        MethodDoes.MEASURE,
        "torch.Tensor.topk and others: what predictions are compared by",
    ),
    MethodEntry(
        "detach",
        MethodDoes.DETACH,
        "torch.Tensor.detach: the same values, apart from the graph",
    ),
    MethodEntry(
        "item tolist numpy argmax eq argsort",
        MethodDoes.LEAVE_THE_GRAPH,
        "torch.Tensor.item and others: numbers, indices or truths without a graph",
    ),
)

NO_RESULT_ATTRIBUTES = frozenset(("data", "shape", "device", "dtype"))
"""Attributes of a tensor that carry no graph: torch.Tensor."""

WRAPPED_MODEL = frozenset(("module", "_orig_mod"))
"""Attributes by which a wrapper holds its model: DistributedDataParallel.module, and that
of what torch.compile returns."""


# -- contexts and decorators ------------------------------------------------------------

NOT_RECORDING = frozenset(("no_grad", "inference_mode"))
"""torch.no_grad, torch.inference_mode: autograd does not record in them."""

SWALLOWING_CONTEXTS = frozenset(
    ("suppress", "raises", "assertRaises", "assertRaisesRegex")
)
"""Contexts that exceptions end at: contextlib.suppress, pytest.raises,
unittest.TestCase.assertRaises."""

HARMLESS_DECORATORS = split_words(
    # the standard library
    "staticmethod classmethod property wraps lru_cache cache overload dataclass"
    " abstractmethod contextmanager cached_property setter"
    # click, typer, hydra, sacred, pytest, beartype, torchelastic's `record`
    " main command option argument fixture beartype hydra ex task record timer"
    # torch.jit.script, torch.jit.export, torch.compile, torch.amp.custom_fwd
    " script export compile custom_fwd custom_bwd"
)
"""Parts of the names of decorators that switch no mode and no gradients."""


# -- classes ----------------------------------------------------------------------------

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


# -- layers that act by mode ------------------------------------------------------------

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
