"""Dropouts, which set random parts of their input to zero in train mode."""

from __future__ import annotations

from shapelint.ops.record import Draws, Family, Keeps, Op


def _dropout(name: str, layer: str = "") -> Op:
    return Op(
        name,
        layer,
        family=Family.DROPOUT,
        keeps=Keeps.SHAPE,
        arguments=("p", "inplace") if layer else (),
        by_mode=True,
        draws=Draws.DROPS,
    )


OPS = (
    _dropout("dropout", "Dropout"),
    _dropout("dropout1d", "Dropout1d"),
    _dropout("dropout2d", "Dropout2d"),
    _dropout("dropout3d", "Dropout3d"),
    _dropout("alpha_dropout", "AlphaDropout"),
    _dropout("feature_alpha_dropout", "FeatureAlphaDropout"),
    _dropout("feature_dropout"),
)
