"""Ops that create tensors: constant, in steps, or random."""

from __future__ import annotations

from shapelint.ops.record import Cost, Draws, Family, Op


def _make_creation_op(
    name: str,
    draws: Draws = Draws.NOTHING,
    kernels: tuple[str, ...] = (),
    cost: Cost = Cost.FACTORY,
) -> Op:
    return Op(name, family=Family.CREATION, draws=draws, kernels=kernels, cost=cost)


OPS = (
    # of one value
    _make_creation_op("zeros", kernels=("zeros", "new_zeros")),
    _make_creation_op("ones", kernels=("ones", "new_ones")),
    _make_creation_op("empty", kernels=("empty", "empty_strided", "new_empty")),
    _make_creation_op("full", kernels=("full", "new_full")),
    _make_creation_op("eye", kernels=("eye",), cost=Cost.SQUARE),
    _make_creation_op("tril_indices", kernels=("tril_indices",), cost=Cost.SQUARE),
    _make_creation_op("triu_indices", kernels=("triu_indices",), cost=Cost.SQUARE),
    # in steps
    _make_creation_op("arange", kernels=("arange",)),
    _make_creation_op("range"),
    _make_creation_op("linspace", kernels=("linspace",)),
    _make_creation_op("logspace", kernels=("logspace",)),
    # from what Python or NumPy has
    _make_creation_op("tensor"),
    _make_creation_op("as_tensor"),
    _make_creation_op("scalar_tensor"),
    _make_creation_op("from_numpy"),
    _make_creation_op("hann_window"),
    _make_creation_op("hamming_window"),
    _make_creation_op("blackman_window"),
    _make_creation_op("bartlett_window"),
    _make_creation_op("kaiser_window"),
    _make_creation_op("fftfreq"),
    _make_creation_op("rfftfreq"),
    # random; `normal_` and `uniform_` write in place and go by the same names
    _make_creation_op("rand", Draws.NOISE, kernels=("rand",)),
    _make_creation_op("randn", Draws.NOISE, kernels=("randn",)),
    _make_creation_op("rand_like", Draws.NOISE),
    _make_creation_op("randn_like", Draws.NOISE),
    _make_creation_op("normal", Draws.NOISE),
    _make_creation_op("uniform", Draws.NOISE),
    _make_creation_op("bernoulli", Draws.NOISE),
    _make_creation_op("exponential", Draws.NOISE),
    _make_creation_op("poisson", Draws.NOISE),
    _make_creation_op("randint", Draws.CHOICES, kernels=("randint",)),
    _make_creation_op("randint_like", Draws.CHOICES),
    _make_creation_op("randperm", Draws.CHOICES, kernels=("randperm",)),
    _make_creation_op("multinomial", Draws.CHOICES),
)
