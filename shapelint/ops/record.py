"""The facts about an op that are known without running it: one frozen record for each
op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from shapelint.facts.graph import Call, Failure

Candidate = int | tuple["Candidate", ...] | None
"""The shape of a result. An op with several results has a tuple of candidates; None
stands for a result that is None."""

Recovery = Callable[[Failure], Sequence[Candidate]]
"""Takes a failed call, with its tensors as TensorFacts, and returns the shapes with
which the walk may continue, the best guess first."""

Misfit = Callable[[Call, Failure], tuple[str, str] | None]
"""Returns message and label for a failed call whose sizes do not fit, or None if it
failed for another reason, such as a dimension that does not exist."""


class Family(Enum):
    """Ops of one kind. The second text is the colour of their blocks in a picture; ""
    is the colour of any other module or function."""

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
        """Whether the ops move elements into another shape, which is set by their own
        numbers."""
        return self in _REARRANGING


_REARRANGING = {
    *(Family.RESHAPING, Family.TRANSPOSING, Family.DIMENSIONS, Family.JOINING),
    *(Family.SPLITTING, Family.TILING, Family.SHUFFLING, Family.EINOPS),
}


class Keeps(Enum):
    """Which part of its first argument's shape an op always keeps."""

    NOTHING = auto()
    CHANNELS = auto()
    """The size of dimension 1 of a feature map (N, C, ...)."""
    SHAPE = auto()


class Dims(Enum):
    """Which of the whole numbers passed to an op name dimensions."""

    NONE = auto()
    SOME = auto()
    """One of them. Others count parts (`chunk`), or name a new dimension (`stack`)."""
    ALL = auto()
    """All of them, and the tensor must have these dimensions."""


class Asks(Enum):
    """What a function asks about a tensor, if it does not compute a new one."""

    NOTHING = auto()
    FACT = auto()
    """Its shape or dtype, which is known without data. Such a call is not a row of the
    table."""
    VALUE = auto()
    COMPARISON = auto()
    """One truth value for all values of two tensors."""
    SIZE_FROM_VALUES = auto()
    """A tensor whose size depends on data, as with `nonzero`."""


class Draws(Enum):
    """How an op uses random numbers."""

    NOTHING = auto()
    NOISE = auto()
    """It returns random numbers from a distribution."""
    CHOICES = auto()
    """It returns random whole numbers."""
    DROPS = auto()
    """It drops random parts of its input, except in eval mode."""


class Target(Enum):
    """The target that a loss takes."""

    NONE = auto()
    CLASSES = auto()
    """A class index for each row of scores."""
    LIKE_SCORES = auto()
    """A tensor of the prediction's shape."""


class Cost(Enum):
    """The formula that estimates the memory and work of an aten kernel."""

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
    """One op, with all of its names.

    A layer of torch.nn and the function it calls share a record if each belongs to the
    other alone (`Conv2d` and `conv2d`). `batch_norm`, which several layers call, has
    its own record."""

    name: str
    """As the walk writes it: without dunders and trailing underscores."""
    layer: str = ""
    """Its class in torch.nn, if there is one."""
    aliases: tuple[str, ...] = ()
    family: Family = Family.UNKNOWN

    # what it does to shapes
    keeps: Keeps = Keeps.NOTHING
    spatial_dims: int | None = None
    """The number of spatial dimensions of a convolution, pooling or norm."""
    is_transposed: bool = False
    ranks: tuple[int, ...] = ()
    """The numbers of dimensions that the first argument may have; empty if any is
    allowed."""
    broadcasts: bool = False
    """Whether its tensors broadcast against each other."""
    takes_sequences: bool = False
    """Whether it also takes (length, features) without a batch."""
    flattens: bool = False
    """Whether it can turn feature maps into vectors by joining dimensions."""
    reduces: bool = False
    """Whether it can turn feature maps into vectors by reducing dimensions."""
    regroups: bool = False
    """Whether the product of the sizes passed to it must equal the number of
    elements."""
    adds_dim: bool = False
    dims: Dims = Dims.NONE

    # how its layer is built
    arguments: tuple[str, ...] = ()
    """The layer's constructor arguments in order, up to the last one that matters
    here."""
    takes: tuple[str, ...] = ()
    """Constructor arguments that set the width of the input."""
    gives: tuple[str, ...] = ()
    """Constructor arguments that set the width of the result."""
    resizes: tuple[str, ...] = ()
    """Constructor arguments that set another size of the result."""
    counts: tuple[str, ...] = ()
    """Constructor arguments that count heads, groups or layers, and scale factors."""

    # what a failed call would have given, and what a message says of it
    recover: Recovery | None = None
    misfit: Misfit | None = None
    symbol: str = ""
    """The operator that calls it: `+`."""
    # how reports show it
    word: str = ""
    """Its name in the pipeline report; an op without one is not shown there."""
    is_layout: bool = False
    """Whether it only returns parts of its argument. Such a call is not a row of the
    table."""

    # what it does beside computing a shape: modes, random numbers, data, devices
    by_mode: bool = False
    """Whether it behaves differently in train mode and in eval mode."""
    by_mode_with: str = ""
    """The constructor argument that makes it behave differently."""
    draws: Draws = Draws.NOTHING
    target: Target = Target.NONE
    looks_up: bool = False
    """Whether it takes integers as indices or classes, so that a call may fail only
    because of their values."""
    index_first: bool = False
    """Whether those integers are its first argument."""
    mask_at: int | None = None
    """The position of the argument that must be a boolean mask."""
    mixes_devices: bool = False
    """Whether it accepts tensors on different devices, or only uses their shapes."""
    asks: Asks = Asks.NOTHING
    only_as_dunder: bool = False
    """Whether it is a question only as an operator: `float(x)` asks for a value,
    `x.float()` casts."""

    # what it costs
    kernels: tuple[str, ...] = ()
    """The aten kernels whose cost is estimated like the op's. A final `*` stands for
    any ending."""
    cost: Cost = Cost.POINTWISE
    writes_silently: bool = False
    """Whether its kernels write running statistics without a mention in their
    schema."""

    @property
    def names(self) -> tuple[str, ...]:
        own = (self.name, self.layer, *self.aliases)
        return tuple(dict.fromkeys(name for name in own if name))

    @property
    def keeps_shape(self) -> bool:
        return self.keeps is Keeps.SHAPE

    @property
    def keeps_channels(self) -> bool:
        """Whether it keeps the size of dimension 1 of a feature map (N, C, ...)."""
        return self.keeps is not Keeps.NOTHING
