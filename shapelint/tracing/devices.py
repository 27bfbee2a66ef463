"""Where each tensor would be once the model has moved to an accelerator; here, all are
on the CPU.

Inputs, parameters and buffers move with the model. What a forward makes without naming
a device stays behind on the CPU, and so does what is computed of it alone. A call that
mixes the two raises there."""

from __future__ import annotations

from typing import Any

import torch

from shapelint import ops
from shapelint.facts.graph import Call
from shapelint.ops.record import Family

MODEL, CPU, UNKNOWN = "model", "cpu", ""


def home_of(name: str, call: Call, calls: list[Call], args: Any, kwargs: Any) -> str:
    """`MODEL`, `CPU` or `UNKNOWN` for the result of a function."""
    asked = _asked_for(name, args, kwargs)
    if asked:
        return asked
    if not call.inputs:
        return CPU if ops.is_of(name, Family.CREATION) else UNKNOWN
    if name == "type_as" and len(call.inputs) > 1:
        return _home(call, 1, calls)
    if name in ("getitem", "index"):
        return _home(call, 0, calls)
    homes = {_home(call, position, calls) for position in range(len(call.inputs))}
    return MODEL if MODEL in homes else CPU if homes == {CPU} else UNKNOWN


def strays_of(name: str, call: Call, calls: list[Call]) -> tuple[int, ...]:
    """Positions of the arguments that stay on the CPU while others move; a single value
    may stay."""
    if ops.of(name).mixes_devices:
        return ()
    homes = [_home(call, position, calls) for position in range(len(call.inputs))]
    if MODEL not in homes and not call.params:
        return ()
    return tuple(
        at for at, home in enumerate(homes) if home == CPU and call.inputs[at].shape
    )


def _asked_for(name: str, args: Any, kwargs: Any) -> str:
    """What an argument says: a device of somebody's is where the model is, `"cpu"` in
    words is the CPU."""
    if name == "cpu":
        return CPU
    if name == "cuda":
        return MODEL
    given = [kwargs.get("device")]
    if name == "to":
        given += [
            arg
            for arg in args[1:]
            if isinstance(arg, (str, torch.device, torch.Tensor))
        ]
        given.append(kwargs.get("other"))
    for device in given:
        if device is not None:
            return (
                CPU if isinstance(device, str) and device.startswith("cpu") else MODEL
            )
    return ""


def _home(call: Call, position: int, calls: list[Call]) -> str:
    fact = call.inputs[position]
    if (
        position in call.from_input
        and fact.dtype.startswith("i")
        and len(fact.shape) < 2
    ):
        return UNKNOWN  # lengths are often left on the CPU on purpose
    if position in call.from_input or fact.name:
        return MODEL
    producer = call.producers[position]
    return calls[producer].home if producer >= 0 else UNKNOWN
