"""Ops that copy or detach a tensor, with the same elements."""

from __future__ import annotations

from shapelint.ops.record import Cost, Family, Keeps, Op

OPS = (
    Op("contiguous", family=Family.MEMORY, keeps=Keeps.SHAPE, is_layout=True),
    Op("clone", family=Family.MEMORY, keeps=Keeps.SHAPE),
    Op("Identity", family=Family.MEMORY, keeps=Keeps.SHAPE),
    # `copy_` is how tensors come from other devices
    Op("copy", family=Family.CASTING, keeps=Keeps.SHAPE, mixes_devices=True),
    Op(
        "detach",
        family=Family.CASTING,
        keeps=Keeps.SHAPE,
        is_layout=True,
        kernels=("detach", "alias", "lift_fresh", "_local_scalar_dense"),
        cost=Cost.FREE,
    ),
)
