"""Replaces accelerators by the CPU, and infers on which device each tensor would be.

Models are walked on the CPU, wherever they will run. Inputs, parameters and buffers
move with the model. A tensor that the forward makes without naming a device stays on
the CPU, and so does anything computed only from such tensors. A call that mixes both
would raise on an accelerator."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.facts.kinds import Home
from shapelint.ops.record import Family
from shapelint.tracing.nested import Args, Kwargs

_CPU = torch.device("cpu")
_ACCELERATOR = re.compile(r"^(cuda|mps|xpu|hpu|npu|mtia)(:\d+)?$")

# -- accelerators become the CPU -------------------------------------------------------


def move_to_cpu(name: str, args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    """Replace every accelerator in the arguments of an op by the CPU."""
    if kwargs and _is_accelerator(kwargs.get("device")):
        kwargs = {**kwargs, "device": _CPU}
    if name == "to" and any(map(_is_accelerator, args[1:])):
        others = [_CPU if _is_accelerator(arg) else arg for arg in args[1:]]
        args = (args[0], *others)
    return args, kwargs


def _is_accelerator(value: object) -> bool:
    if isinstance(value, torch.device):
        return value.type not in ("cpu", "meta")
    return isinstance(value, str) and _ACCELERATOR.match(value) is not None


# -- where a tensor would be -----------------------------------------------------------


def find_home(
    name: str, call: Call, calls: Sequence[Call], args: Args, kwargs: Kwargs
) -> Home:
    """Where the result of a function would be."""
    asked = _find_given_home(name, args, kwargs)
    if asked is not None:
        return asked
    if not call.inputs:
        return Home.CPU if ops.is_of(name, Family.CREATION) else Home.UNKNOWN
    homes = _input_homes(call, calls)
    if name == "type_as" and len(homes) > 1:
        return homes[1]
    if name in ("getitem", "index"):
        return homes[0]  # indices may be elsewhere
    if Home.MODEL in homes:
        return Home.MODEL
    return Home.CPU if set(homes) == {Home.CPU} else Home.UNKNOWN


def find_strays(name: str, call: Call, calls: Sequence[Call]) -> tuple[int, ...]:
    """Positions of the arguments that stay on the CPU while others move with the model.
    A tensor with a single value may stay."""
    if ops.of(name).mixes_devices:
        return ()
    homes = _input_homes(call, calls)
    if Home.MODEL not in homes and not call.params:
        return ()
    left = [at for at, home in enumerate(homes) if home is Home.CPU]
    return tuple(at for at in left if call.inputs[at].shape)


def _find_given_home(name: str, args: Args, kwargs: Kwargs) -> Home | None:
    """The home that an argument asks for: `"cpu"` as text is the CPU, any other device
    is the model's."""
    if name == "cpu":
        return Home.CPU
    if name == "cuda":
        return Home.MODEL
    given = [kwargs.get("device")]
    if name == "to":
        devices = (str, torch.device, Tensor)
        given += [arg for arg in args[1:] if isinstance(arg, devices)]
        given.append(kwargs.get("other"))
    for device in given:
        if device is not None:
            is_cpu = isinstance(device, str) and device.startswith("cpu")
            return Home.CPU if is_cpu else Home.MODEL
    return None


def _input_homes(call: Call, calls: Sequence[Call]) -> list[Home]:
    positions = range(len(call.inputs))
    return [_input_home(call, position, calls) for position in positions]


def _input_home(call: Call, position: int, calls: Sequence[Call]) -> Home:
    fact = call.inputs[position]
    is_input = position in call.from_input
    if is_input and fact.dtype.startswith("i") and len(fact.shape) < 2:
        # Lengths are often left on the CPU on purpose (`pack_padded_sequence`).
        return Home.UNKNOWN
    if is_input or fact.name:
        return Home.MODEL
    producer = call.producers[position]
    return calls[producer].home if producer >= 0 else Home.UNKNOWN
