"""Tables of the methods of models and tensors. Each entry names the place where the
behaviour is documented."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


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
    """The effect of methods. `is_proof`: hardly anything but modules has a method of
    this name, so that its owner must be a model."""

    names: str
    does: MethodDoes
    evidence: str
    is_proof: bool = False


def _index_by_name(*entries: MethodEntry) -> dict[str, MethodEntry]:
    """The entries by each of their names.

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


MODEL_METHODS = _index_by_name(
    MethodEntry(
        "eval train",
        MethodDoes.SWITCH_MODE,
        "torch.nn.Module.train, torch.nn.Module.eval: set `training` of the module and"
        " of all modules in it, and return self",
        is_proof=True,
    ),
    MethodEntry(
        "to cuda half",
        MethodDoes.RETURN_ITSELF,
        "torch.nn.Module.to, cuda, half: change the module in place and return self",
        is_proof=True,
    ),
    MethodEntry(
        "cpu float double bfloat16 apply type share_memory to_empty xpu ipu mtia",
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
        "detectron2 0.6, CNNBlockBase.freeze: parameters no longer require gradients;"
        " lightning 2.6, LightningModule.freeze, calls eval() too. `requires_grad` is a"
        " name that users give to their own",
    ),
    MethodEntry(
        "load_state_dict",
        MethodDoes.LOAD_WEIGHTS,
        "torch.nn.Module.load_state_dict: copies weights that were trained before, and"
        " leaves the mode as it is",
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
        " extra_repr register_full_backward_hook compile",
        MethodDoes.LOOK_ONLY,
        "torch.nn.Module: none of them computes; compile compiles in place and returns"
        " nothing",
    ),
    MethodEntry(
        "update_parameters",
        MethodDoes.LOOK_ONLY,
        "torch.optim.swa_utils.AveragedModel.update_parameters: averages weights, and"
        " switches no mode",
    ),
    MethodEntry(
        "save_pretrained gradient_checkpointing_enable no_sync",
        MethodDoes.LOOK_ONLY,
        "transformers 5.24, PreTrainedModel.save_pretrained,"
        " gradient_checkpointing_enable; torch.nn.parallel.DistributedDataParallel"
        ".no_sync: none computes",
    ),
)

RESULT_METHODS = _index_by_name(
    MethodEntry(
        "backward",
        MethodDoes.BACKWARD,
        "torch.Tensor.backward: adds gradients to the leaves of its graph",
    ),
    MethodEntry(
        "requires_grad_ retain_grad",
        MethodDoes.WANT_GRADIENT,
        "torch.Tensor.requires_grad_, torch.Tensor.retain_grad: a gradient with respect"
        " to the tensor is wanted",
    ),
    MethodEntry(
        "max topk round",
        MethodDoes.MEASURE,
        "torch.Tensor.max, torch.Tensor.topk, torch.Tensor.round: what predictions are"
        " compared by; the gradient of round is zero",
    ),
    MethodEntry(
        "detach",
        MethodDoes.DETACH,
        "torch.Tensor.detach: the same values, apart from the graph",
    ),
    MethodEntry(
        "item tolist numpy argmax eq argsort",
        MethodDoes.LEAVE_THE_GRAPH,
        "torch.Tensor.item, tolist, numpy: numbers outside of torch; argmax, argsort, eq:"
        " indices and truths, which carry no gradient",
    ),
)

NO_RESULT_ATTRIBUTES = frozenset(("data", "shape", "device", "dtype"))
"""Attributes of torch.Tensor that carry no graph. `data` has only the values."""

WRAPPED_MODEL = frozenset(("module", "_orig_mod"))
"""Attributes in which a wrapper holds its model: DistributedDataParallel.module and
AveragedModel.module; `_orig_mod` of the OptimizedModule that torch.compile returns."""
