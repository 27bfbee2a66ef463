"""What methods of models and of tensors do, as tables: each entry names the place where
the behaviour is documented."""

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
    """What methods do. `is_proof`: hardly anything but modules has one of this name, so
    that what has it called is a model."""

    names: str
    does: MethodDoes
    evidence: str
    is_proof: bool = False


def _index_by_name(*entries: MethodEntry) -> dict[str, MethodEntry]:
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


MODEL_METHODS = _index_by_name(
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

RESULT_METHODS = _index_by_name(
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
