"""Normalisation over batches, groups and features."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Dims, Family, Keeps, Op


def recover_batch_norm(failure: Failure) -> list[Shape]:
    """The input's shape, or that shape with the channels that the layer was made
    for."""
    x = failure.arg(0, "input")
    # without `affine` there is no weight, without `track_running_stats` no mean
    weight = failure.arg(3, "weight") or failure.arg(1, "running_mean")
    if weight is None or len(x.shape) < 2:
        return [x.shape]
    return [x.shape, (x.shape[0], weight.shape[0], *x.shape[2:])]


def recover_group_norm(failure: Failure) -> list[Shape]:
    x, weight = failure.arg(0, "input"), failure.arg(2, "weight")
    if weight is None:
        return [x.shape]
    return [x.shape, (x.shape[0], weight.shape[0], *x.shape[2:])]


def recover_layer_norm(failure: Failure) -> list[Shape]:
    x, normalized = failure.arg(0, "input"), tuple(failure.arg(1, "normalized_shape"))
    return [x.shape, (*x.shape[: -len(normalized)], *normalized)]


def recover_as_given(failure: Failure) -> list[Shape]:
    """The input's shape, for a layer that refused the number of dimensions."""
    return [failure.tensors[0].shape]


_ARGUMENTS = ("num_features", "eps", "momentum", "affine", "track_running_stats")


def _batch_norms() -> Iterator[Op]:
    for dims in (1, 2, 3):
        yield Op(
            f"BatchNorm{dims}d",
            family=Family.NORMALISATION,
            keeps=Keeps.SHAPE,
            spatial_dims=dims,
            # (N, C) and (N, C, L); for maps always with a batch
            ranks=(2, 3) if dims == 1 else (dims + 2,),
            arguments=_ARGUMENTS,
            takes=("num_features",),
            recover=recover_as_given,
            by_mode=True,
        )
        yield Op(
            f"LazyBatchNorm{dims}d",
            family=Family.NORMALISATION,
            keeps=Keeps.SHAPE,
            spatial_dims=dims,
            arguments=_ARGUMENTS[1:],
            by_mode=True,
        )


def _instance_norms() -> Iterator[Op]:
    for dims in (1, 2, 3):
        yield Op(
            f"InstanceNorm{dims}d",
            family=Family.NORMALISATION,
            keeps=Keeps.SHAPE,
            spatial_dims=dims,
            ranks=(dims + 1, dims + 2),
            arguments=_ARGUMENTS,
            takes=("num_features",),
            recover=recover_as_given,
            # by itself it takes the statistics of each sample in both modes
            by_mode_with="track_running_stats",
        )
        yield Op(
            f"LazyInstanceNorm{dims}d",
            family=Family.NORMALISATION,
            keeps=Keeps.SHAPE,
            spatial_dims=dims,
            arguments=_ARGUMENTS[1:],
            by_mode_with="track_running_stats",
        )


OPS = (
    *_batch_norms(),
    *_instance_norms(),
    Op(
        "SyncBatchNorm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        arguments=_ARGUMENTS,
        takes=("num_features",),
        by_mode=True,
    ),
    Op(
        "batch_norm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        recover=recover_batch_norm,
        by_mode=True,
        kernels=(
            *("native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"),
            "_native_batch_norm_legit",
        ),
        writes_silently=True,
    ),
    Op(
        "instance_norm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        recover=recover_batch_norm,
    ),
    Op(
        "group_norm",
        "GroupNorm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        arguments=("num_groups", "num_channels", "eps", "affine"),
        takes=("num_channels",),
        counts=("num_groups",),
        recover=recover_group_norm,
    ),
    Op(
        "layer_norm",
        "LayerNorm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        arguments=("normalized_shape", "eps", "elementwise_affine"),
        takes=("normalized_shape",),
        recover=recover_layer_norm,
    ),
    Op(
        "rms_norm",
        "RMSNorm",
        family=Family.NORMALISATION,
        keeps=Keeps.SHAPE,
        arguments=("normalized_shape", "eps", "elementwise_affine"),
        takes=("normalized_shape",),
        recover=recover_layer_norm,
    ),
    Op(
        "local_response_norm",
        "LocalResponseNorm",
        family=Family.SCALING,
        keeps=Keeps.SHAPE,
        arguments=("size", "alpha", "beta", "k"),
    ),
    Op(
        "CrossMapLRN2d",
        family=Family.SCALING,
        keeps=Keeps.SHAPE,
        arguments=("size", "alpha", "beta", "k"),
    ),
    Op(
        "normalize",
        family=Family.SCALING,
        keeps=Keeps.SHAPE,
        dims=Dims.SOME,
        recover=recover_as_given,
    ),
)
