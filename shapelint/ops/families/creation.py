"""Tensors made from nothing: of one value, in steps, or random."""

from __future__ import annotations

from shapelint.ops.record import Cost, Draws, Family, Op


def _made(
    name: str,
    draws: Draws = Draws.NOTHING,
    kernels: tuple[str, ...] = (),
    cost: Cost = Cost.FACTORY,
) -> Op:
    return Op(name, family=Family.CREATION, draws=draws, kernels=kernels, cost=cost)


OPS = (
    # of one value
    _made("zeros", kernels=("zeros", "new_zeros")),
    _made("ones", kernels=("ones", "new_ones")),
    _made("empty", kernels=("empty", "empty_strided", "new_empty")),
    _made("full", kernels=("full", "new_full")),
    _made("eye", kernels=("eye",), cost=Cost.SQUARE),
    _made("tril_indices", kernels=("tril_indices",), cost=Cost.SQUARE),
    _made("triu_indices", kernels=("triu_indices",), cost=Cost.SQUARE),
    # in steps
    _made("arange", kernels=("arange",)),
    _made("range"),
    _made("linspace", kernels=("linspace",)),
    _made("logspace", kernels=("logspace",)),
    # from what Python or NumPy has
    _made("tensor"),
    _made("as_tensor"),
    _made("scalar_tensor"),
    _made("from_numpy"),
    _made("hann_window"),
    _made("hamming_window"),
    _made("blackman_window"),
    _made("bartlett_window"),
    _made("kaiser_window"),
    _made("fftfreq"),
    _made("rfftfreq"),
    # random; `normal_` and `uniform_` write in place and go by the same names
    _made("rand", Draws.NOISE, kernels=("rand",)),
    _made("randn", Draws.NOISE, kernels=("randn",)),
    _made("rand_like", Draws.NOISE),
    _made("randn_like", Draws.NOISE),
    _made("normal", Draws.NOISE),
    _made("uniform", Draws.NOISE),
    _made("bernoulli", Draws.NOISE),
    _made("exponential", Draws.NOISE),
    _made("poisson", Draws.NOISE),
    _made("randint", Draws.CHOICES, kernels=("randint",)),
    _made("randint_like", Draws.CHOICES),
    _made("randperm", Draws.CHOICES, kernels=("randperm",)),
    _made("multinomial", Draws.CHOICES),
)
