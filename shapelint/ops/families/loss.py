"""Losses, which compare a prediction with a target."""

from __future__ import annotations

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import Shape
from shapelint.ops.record import Family, Op, Target


def recover_loss(failure: Failure) -> list[Shape]:
    """A single number, or one for each target if nothing is averaged."""
    if failure.kwargs.get("reduction") == "none" and len(failure.tensors) > 1:
        return [failure.tensors[1].shape]
    return [()]


def _loss(
    name: str,
    layer: str,
    target: Target = Target.NONE,
    broadcasts: bool = False,
    looks_up: bool = False,
) -> Op:
    return Op(
        name,
        layer,
        family=Family.LOSS,
        broadcasts=broadcasts,
        recover=recover_loss,
        target=target,
        looks_up=looks_up,
        mixes_devices=name == "ctc_loss",  # its lengths stay on the CPU
    )


# which broadcast was asked of eager with (8, 1) and (8,): they warn or stay silent, and
# give a number for every pair
OPS = (
    _loss("cross_entropy", "CrossEntropyLoss", Target.CLASSES, looks_up=True),
    _loss("nll_loss", "NLLLoss", Target.CLASSES, looks_up=True),
    _loss("mse_loss", "MSELoss", Target.LIKE_SCORES, broadcasts=True),
    _loss("l1_loss", "L1Loss", Target.LIKE_SCORES, broadcasts=True),
    _loss("smooth_l1_loss", "SmoothL1Loss", Target.LIKE_SCORES, broadcasts=True),
    _loss("huber_loss", "HuberLoss", Target.LIKE_SCORES, broadcasts=True),
    _loss("binary_cross_entropy", "BCELoss", Target.LIKE_SCORES),
    _loss("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", Target.LIKE_SCORES),
    _loss("soft_margin_loss", "SoftMarginLoss", Target.LIKE_SCORES),
    _loss("kl_div", "KLDivLoss", Target.LIKE_SCORES, broadcasts=True),
    _loss("poisson_nll_loss", "PoissonNLLLoss", Target.LIKE_SCORES, broadcasts=True),
    _loss("gaussian_nll_loss", "GaussianNLLLoss", Target.LIKE_SCORES, broadcasts=True),
    _loss("multilabel_margin_loss", "MultiLabelMarginLoss", Target.LIKE_SCORES),
    _loss("multi_margin_loss", "MultiMarginLoss"),
    _loss("ctc_loss", "CTCLoss"),
    _loss("triplet_margin_loss", "TripletMarginLoss"),
    _loss("margin_ranking_loss", "MarginRankingLoss"),
    _loss("cosine_embedding_loss", "CosineEmbeddingLoss"),
)
