"""Conversions to another dtype or device."""

from __future__ import annotations

from shapelint.ops.record import Asks, Family, Keeps, Op


def _cast(name: str, is_question_too: bool = False) -> Op:
    return Op(
        name,
        family=Family.CASTING,
        keeps=Keeps.SHAPE,
        asks=Asks.VALUE if is_question_too else Asks.NOTHING,
        only_as_dunder=is_question_too,
    )


OPS = (
    _cast("float", is_question_too=True),
    _cast("int", is_question_too=True),
    _cast("bool", is_question_too=True),
    _cast("half"),
    _cast("double"),
    _cast("bfloat16"),
    _cast("long"),
    _cast("type"),
    Op("type_as", family=Family.CASTING, keeps=Keeps.SHAPE, mixes_devices=True),
    Op("to", family=Family.CASTING, keeps=Keeps.SHAPE, mixes_devices=True),
    Op("cuda", family=Family.CASTING, keeps=Keeps.SHAPE, mixes_devices=True),
    Op("cpu", family=Family.CASTING, keeps=Keeps.SHAPE, mixes_devices=True),
)
