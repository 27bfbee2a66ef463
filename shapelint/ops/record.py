"""What is known of an op without running it: one frozen record each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from shapelint.facts.graph import Call, Failure

Candidate = int | tuple["Candidate", ...] | None
"""A shape; for an op with several results a tuple of candidates, None where a result is
None."""

Recovery = Callable[[Failure], Sequence[Candidate]]
"""Gets a failed call, its tensors as TensorFacts, and answers with the shapes to go on
with, best guess first."""

Misfit = Callable[[Call, Failure], tuple[str, str] | None]
"""Message and label for a failed call whose sizes do not fit what it was asked to do;
None where it failed for another reason, as a dimension that does not exist."""


class Family(Enum):
    """Ops of one kind. The value names the colour of their blocks in a picture; "" is
    the colour of any module or function."""

    LINEAR = ("linear", "linear")
    CONVOLUTION = ("convolution", "conv")
    NORMALISATION = ("normalisation", "norm")
    SCALING = ("scaling", "norm")
    DROPOUT = ("dropout", "dropout")
    POOLING = ("pooling", "pool")
    RESAMPLING = ("resampling", "pool")
    ATTENTION = ("attention", "attention")
    TRANSFORMER = ("transformer", "attention")
    RECURRENT = ("recurrent", "recurrent")
    EMBEDDING = ("embedding", "embedding")
    ACTIVATION = ("activation", "activation")
    RESHAPING = ("reshaping", "reshape")
    TRANSPOSING = ("transposing", "reshape")
    DIMENSIONS = ("dimensions", "reshape")
    SPLITTING = ("splitting", "reshape")
    PADDING = ("padding", "reshape")
    TILING = ("tiling", "reshape")
    SHUFFLING = ("shuffling", "pool")
    EINOPS = ("einops", "reshape")
    REORDERING = ("reordering", "reshape")
    MEMORY = ("memory", "reshape")
    INDEXING = ("indexing", "")
    JOINING = ("joining", "")
    ELEMENTWISE = ("elementwise", "")
    POINTWISE = ("pointwise", "")
    MATMUL = ("matmul", "")
    REDUCTION = ("reduction", "")
    DISTANCE = ("distance", "")
    LOSS = ("loss", "")
    CREATION = ("creation", "")
    QUESTION = ("question", "")
    CASTING = ("casting", "")
    UNKNOWN = ("unknown", "")

    @property
    def colour(self) -> str:
        return self.value[1]

    @property
    def rearranges(self) -> bool:
        """Whether its ops move what is there into another shape, which their own
        numbers say."""
        return self in _REARRANGING


_REARRANGING = {
    *(Family.RESHAPING, Family.TRANSPOSING, Family.DIMENSIONS, Family.JOINING),
    *(Family.SPLITTING, Family.TILING, Family.SHUFFLING, Family.EINOPS),
}


class Keeps(Enum):
    """What of its first argument's shape an op gives back, whatever its arguments."""

    NOTHING = auto()
    CHANNELS = auto()
    """Dimension 1 of a feature map (N, C, ...)."""
    SHAPE = auto()


class Dims(Enum):
    """Which of the whole numbers that an op is given name dimensions."""

    NONE = auto()
    SOME = auto()
    """One does; others count parts (`chunk`), or it names a dimension to be made
    (`stack`)."""
    ALL = auto()
    """Each names a dimension that the tensor must have."""


class Asks(Enum):
    """What a function asks of a tensor instead of computing another one."""

    NOTHING = auto()
    FACT = auto()
    """Its shape, its dtype: known without data, and no row of the table."""
    VALUE = auto()
    COMPARISON = auto()
    """One truth about all values of two tensors."""
    SIZE_FROM_VALUES = auto()
    """A tensor whose size depends on data, as `nonzero` gives."""


class Draws(Enum):
    """What random numbers are to an op."""

    NOTHING = auto()
    NOISE = auto()
    """It gives numbers from a distribution."""
    CHOICES = auto()
    """It gives random whole numbers."""
    DROPS = auto()
    """It drops what it is given at random, unless it is told to act as in eval mode."""


class Target(Enum):
    """What a loss takes for its target."""

    NONE = auto()
    CLASSES = auto()
    """The number of a class for each row of scores."""
    LIKE_SCORES = auto()
    """A tensor of the prediction's own shape."""


class Cost(Enum):
    """By which formula the memory and work of an aten kernel are estimated."""

    POINTWISE = auto()
    FREE = auto()
    CONVOLUTION = auto()
    MATMUL = auto()
    ATTENTION = auto()
    RECURRENT = auto()
    FACTORY = auto()
    SQUARE = auto()
    REPEAT = auto()
    PADDED = auto()
    UNFOLDED = auto()
    RESIZED = auto()
    WITH_INDICES = auto()
    SELECTED = auto()
    GATHERED = auto()
    LOOKED_UP = auto()
    INDEXED = auto()
    DISTANCES = auto()


@dataclass(frozen=True)
class Op:
    """One op, under every name that it goes by.

    A layer of torch.nn and the function it calls share a record where they belong to
    each other alone (`Conv2d` and `conv2d`); `batch_norm`, which several layers call,
    has a record of its own.
    """

    name: str
    """As the walk writes it: no dunders, no trailing underscore."""
    layer: str = ""
    """Its class in torch.nn, where it has one."""
    aliases: tuple[str, ...] = ()
    family: Family = Family.UNKNOWN

    # what it does to shapes
    keeps: Keeps = Keeps.NOTHING
    spatial_dims: int | None = None
    """How many dimensions of space a convolution, pooling or norm works on."""
    is_transposed: bool = False
    ranks: tuple[int, ...] = ()
    """How many dimensions the first argument may have, where that is fixed."""
    broadcasts: bool = False
    """Whether its tensors broadcast against each other."""
    takes_sequences: bool = False
    """Whether it takes (length, features) without a batch too."""
    flattens: bool = False
    """Whether it can make a vector of each feature map by joining dimensions."""
    reduces: bool = False
    """Whether it can make a vector of each feature map by taking dimensions away."""
    regroups: bool = False
    """Whether the sizes it is given must multiply to what is there."""
    adds_dim: bool = False
    dims: Dims = Dims.NONE

    # how its layer is built
    arguments: tuple[str, ...] = ()
    """The layer's constructor arguments, in order; those behind the last that matters
    are left out."""
    takes: tuple[str, ...] = ()
    """Constructor arguments that say how wide the input must be."""
    gives: tuple[str, ...] = ()
    """Constructor arguments that say how wide the result is."""
    resizes: tuple[str, ...] = ()
    """Constructor arguments that say which other size the result has."""
    counts: tuple[str, ...] = ()
    """Constructor arguments that count heads, groups or layers, or scale."""

    # what a failed call would have given, and what a message says of it
    recover: Recovery | None = None
    misfit: Misfit | None = None
    symbol: str = ""
    """How it is written as an operator: `+`."""
    # how reports show it
    word: str = ""
    """What the pipeline report calls it; an op without one is not shown there."""
    is_layout: bool = False
    """Whether it only hands out what is there: no row of the table."""

    # what it does beside computing a shape: modes, random numbers, data, devices
    by_mode: bool = False
    """Whether it acts otherwise in train mode than in eval mode."""
    by_mode_with: str = ""
    """The constructor argument with which it does."""
    draws: Draws = Draws.NOTHING
    target: Target = Target.NONE
    looks_up: bool = False
    """Whether it takes integers that say where to look: another index may be valid."""
    index_first: bool = False
    """Whether those integers are its first argument."""
    mask_at: int | None = None
    """Position of the argument that must be a mask of truth values."""
    mixes_devices: bool = False
    """Whether it takes tensors of several devices, or only their shapes."""
    asks: Asks = Asks.NOTHING
    only_as_dunder: bool = False
    """Whether it asks as an operator only: `float(x)` asks, `x.float()` casts."""

    # what it costs
    kernels: tuple[str, ...] = ()
    """The aten kernels whose cost is the op's; a final `*` stands for any ending."""
    cost: Cost = Cost.POINTWISE
    writes_silently: bool = False
    """Whether its kernels write running statistics that their schema does not
    mention."""

    @property
    def names(self) -> tuple[str, ...]:
        own = (self.name, self.layer, *self.aliases)
        return tuple(dict.fromkeys(name for name in own if name))

    @property
    def keeps_shape(self) -> bool:
        return self.keeps is Keeps.SHAPE

    @property
    def keeps_channels(self) -> bool:
        """Dimension 1 of a feature map (N, C, ...)."""
        return self.keeps is not Keeps.NOTHING
