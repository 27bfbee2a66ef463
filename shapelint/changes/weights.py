"""Every weight of the search for a cause, in one table.

A candidate's `likely` is a sum of these: how natural the change is before it is tried.
They are set by hand, and only their differences count. 0 is a change about which
nothing is known; 1 is the first change that a rule proposes without its own weight; 4
is an input that cannot have been meant differently. The evidence for all of them
together is the mutation benchmark (`python -m benchmarks.mutation`). For files with one
known mistake, it counts how often the finding is at the mistake, and how often the
first fix restores the file. `tests/test_causes.py` has single mistakes as people make
them.

A name that ends in `_EACH` is multiplied by a distance or a count. Costs are written as
positive numbers, and subtracted."""

from __future__ import annotations

# -- other inputs --------------------------------------------------------------------

# The first layer cannot take the input as it is: a batch is missing, or channels are
# last
INPUT_MUST_DIFFER = 4.0

# Both numbers of channels are ones that images come in; the model is made for one
INPUT_OF_USUAL_COLOURS = 3.2

# An image that runs out of room is larger: nothing in the model has to be wrong
INPUT_LARGER = 2.2

# An image whose sides cannot be halved again and again: several multiples of a number
# run, and this size is none
INPUT_TO_MULTIPLE = 3.4

# The same, for a number that is no power of two, where the size looks chosen
INPUT_TO_ODD_MULTIPLE = 1.6

INPUTS_EXCHANGED = 4.5  # Two inputs given in the other order
INPUT_OF_OTHER_DTYPE = 2.2  # Integers for a look-up, floats for a layer with weights
INPUT_SIDES_EXCHANGED = 2.0  # Height and width in the other order
INPUT_MAY_LACK_BATCH = 1.5  # A batch in front, where no layer says that there is none
INPUT_MAY_LACK_CHANNEL = 1.5  # A grey image written without its one channel
INPUT_WITHOUT_CHANNEL = 2.4  # Sequences given as images of one channel
INPUT_WITH_DIMENSION_LESS = 1.2  # A batch of one, left out

# A size is exchanged for the one it was held against; mostly the model's is wrong
INPUT_OF_SIZE_COMPARED = 0.6

INPUT_OF_ANY_COLOURS = 0.5  # Grey or colour, for a model that checks its input itself

# -- a missing flatten, another head -------------------------------------------------

# `nn.Flatten()` in a Sequential, where the features then are those the layer takes
FLATTEN_LAYER = 3.1

# `.flatten(1)` where the layer is called, if there is no Sequential to put a layer in
FLATTEN_AT_CALL = 2.9

# A flatten and another `in_features`: two mistakes are rarer than one
FLATTEN_AND_NUMBER = 2.6

# Pooling to the map that a head was made for: trained weights stay
POOL_TO_OLD_SIZE = 2.0

# `.flatten(2)` before a transpose: positions behind channels, as sequences have them
FLATTEN_BEFORE_TURN = 1.8

# The flatten is also why one side has a dimension more than the other
FLATTEN_EXPLAINS_RANK = 1.0

FLATTEN_AFTER_CALL = 1.0  # A flatten after a call that gives a feature map
FLATTEN_START_EACH = 0.1  # A cost for each dimension that is kept: from 1 on is usual

# What it costs to put in a transpose or flatten where there is one just before, that
# could be changed
PUT_IN_TWICE = 1.3

# -- a layer's own number -------------------------------------------------------------

# `64 * 7 * 7` where a product was written: the number follows from the map
NUMBER_AS_PRODUCT = 2.8

# The layer was made for other channels of the same map: the layer that gives them may
# be wrong
NUMBER_AS_PRODUCT_OF_OTHER_CHANNELS = 2.0

# The layer was made for a map of another square size: something before it may be wrong
NUMBER_AS_PRODUCT_OF_OTHER_SIZE = 1.5

KEYWORD_ADDED = 1.5  # `batch_first=True` where it is not written

# -- what is handed to a call ---------------------------------------------------------

CAST = 2.0  # `.long()` for a look-up that got floats: only the dtype is wrong

# A mask or table cut to what it is laid over: tables are made for the longest
CROP_TABLE = 1.8

# `k.transpose(-2, -1)`: of all that is forgotten in attention, this
TRANSPOSE_LAST_TWO = 1.7

FLATTEN_OPERAND = 1.6  # `.flatten(1)`: a map for a layer of features
TRANSPOSE_MIDDLE = 1.3  # `.transpose(1, 2)`: sequences with channels second, or last

# `.flatten(2)`, and with a transpose behind it: a map as a sequence
FLATTEN_POSITIONS = 1.3

SPREAD_OVER_MAP = 1.3  # `[:, :, None, None]`: one number a channel, for a map
TRANSPOSE_BATCH = 1.2  # `.transpose(0, 1)`: sequences with the batch second
PERMUTE_CHANNELS = 1.2  # Channels from first to last, or back
SQUEEZE = 1.1  # A dimension of one left out
UNSQUEEZE = 1.0  # A dimension of one put in

# The same for a vector, to which it may be done in too many ways
UNSQUEEZE_VECTOR = 0.6

MEAN = 0.3  # `.mean(dim=1)`: it loses what was computed, and fits by chance

# A skip interpolated to the other map: sizes that cannot be halved again and again
RESIZE = 1.0

# The same where the input can be: it is likelier that a window is wrong on the way
RESIZE_HALVED_WELL = 0.2

CROP = 0.8  # A skip cut to the smaller map
CROP_HALVED_WELL = 0.15  # The same where the input can be halved
PAD = 0.5  # The smaller map padded, by three at most
PAD_HALVED_WELL = 0.1  # The same where the input can be halved

# -- how a number looks ---------------------------------------------------------------

NUMBER_USED = 0.8  # The model uses the number elsewhere
NUMBER_USED_EACH = 0.2  # For each time that the uses double

# The most that another number can be worth, or cost: a round number that holds nothing
# else must not come before the place
NUMBER_GAIN_LIMIT = 2.5

# A cost: a multiple of 8 or 10, but no power of two and no 10, 100, 1000
ROUGH_MULTIPLE = 0.3

ROUGH_EVEN = 0.7  # A cost: any other even number
ROUGH_ODD = 1.2  # A cost: an odd number; people write them where they count something

# -- how a window looks: costs --------------------------------------------------------

IRREGULAR = 1.0  # Kernel, stride and padding that nobody chooses together

# A stride of 3 or more that is not the kernel; only first layers, of kernels from 7 on,
# have it
IRREGULAR_LARGE_STRIDE = 0.6

IRREGULAR_UNPADDED = 0.5  # No padding, with an even kernel or a stride

# No padding, with an odd kernel: as in LeNet and the first U-Net
IRREGULAR_UNPADDED_ODD = 0.2

# Pooling of 3 with a stride of 1 or 2: as in AlexNet and ResNet
IRREGULAR_OVERLAPPING = 0.2

# -- the place upstream ---------------------------------------------------------------

DISTANCE_EACH = 0.12  # A cost for each call between a change and the failure

# The number belongs to the one operand that differs from all others; a cost where it
# belongs to the others alone
ODD_OPERAND = 0.6

ARGUMENT_OF_FAILING = 2.0  # A number of the layer that fails
ARGUMENT_THAT_GIVES = 1.4  # What a layer upstream gives: `out_channels`

# A number handed to a block of the user's own, in which the failing layer is made
WRAPPED_ARGUMENT_OF_FAILING = 1.6

WRAPPED_ARGUMENT = 1.0  # The same, upstream

# A cost: the layer does not say which of its numbers the argument became
WRAPPED_UNKNOWN = 0.4

# A cost: channels change nothing where heights and widths do not fit
NUMBER_FOR_SPATIAL = 1.5

VIEW_OF_FAILING = 1.9  # A number of the view that fails
VIEW_UPSTREAM = 1.2  # A number of a view before it
VIEW_SMALL = 0.8  # A small number of a view: heads, mostly
VIEW_INFERRED = 0.8  # A cost: `-1` fits too often
TABLE = 1.2  # A size with which a parameter or buffer was made
TABLE_SQUARE = 1.4  # Both sides of a square one at once, as a mask is
RAISED_TERM = 1.5  # One side of the model's own sum that raised, alone
RAISED_NAME = 1.2  # A number in the model's own statement that raised

# -- where a number comes from, and how it is written: costs unless said ---------------

# The number is changed where it comes from, not where it is used
ORIGIN_ELSEWHERE = 0.25

# One factor of a product of numbers, of which the whole is the better change
ORIGIN_IS_FACTOR = 1.6

ORIGIN_HANDED_IN = 0.5  # A name, where the value that it was given can be changed
VALUE_UNKNOWN = 1.5  # Twice or half of a name whose value is not known

# Worth: a layer then gives as many parts as are taken apart, `dim * 3` for `.view(b, n,
# 3, -1)`
VALUE_OF_PARTS = 1.0

VALUE_OF_FAILING = 0.6  # A factor of what the failing layer says it takes

# Share of a number's gain that counts where it is not written as a number
SPELLED_GAIN_SHARE = 0.5

SPELLED_AS_NAME = 0.5  # A name that has the value already
SPELLED_AS_MULTIPLE = 0.3  # `width * 2`
SPELLED_AS_PART = 0.4  # `width // 2`
SPELLED_AS_NUMBER = 0.9  # A number where a name was: it no longer follows

# Worth: both ends are spelled alike then, `nn.Embedding(n, width)` for `nn.LSTM(width,
# ...)`
SPELLED_ALIKE = 0.8

SIMPLER_BY_ONE = 0.9  # Worth: `dim` for `dim + 1`: off by one
SIMPLER = 0.2  # Worth: `hidden` for `hidden * 2`
SINGLE_FEATURE = 1.2  # A single feature that arrives is taken for what was meant

# -- numbers that know where they come from --------------------------------------------

# What arrives, written in the words of the place where the failing layer is made
SOLVED_IN_WORDS = 4.0

SOLVED_LITERAL = 1.0  # A literal with which both sizes come out equal
SOLVED_TAKEN = 0.3  # It is on the side of the layer that fails
SOLVED_WHOLE = 0.4  # It is all of that side, and no factor or term of it

SOLVED_READ = 4.2  # Another dimension of a tensor whose shape was read

# The other side is the user's input, which nothing in the file can change
SOLVED_FOR_INPUT = 0.5

# A cost: what is taken is there, in another dimension or in several
SOLVED_BUT_LAYOUT = 1.0

# `k.transpose(-1, -2)` in a product with what is laid out like `k`
TURN_LAST_TWO = 3.2

ADDS_DIMENSIONS = 2.0  # `(1, -1, 1, 1)` for a view that has only one other size

SOLVED_INFERRED = 1.1  # -1 for the one size of a view that does not fit the others

# A cost: behind it, where the walk had guessed before, the next one fails
SOLVED_BUT_FURTHER = 0.55

# A cost: a number in place of names, where it is known what the names stand for
NUMBER_FOR_NAMES = 2.0

# `h * w` of the map where a view holds a size that the model was told
SIDES_FROM_MAP = 3.6

# -- layouts ----------------------------------------------------------------------------

# What is wanted is there, in another dimension: no number is wrong then
LAYOUT = 4.6

# Worth: what follows takes the layout that the change gives
LAYOUT_AS_FOLLOWS = 0.4

LAYOUT_EACH = 0.05  # A cost for each form of a change that comes before it

# A cost: the layout may well be right, and is changed together with another dimension
LAYOUT_OF_TWO = 0.3

# -- heads, groups, factors -----------------------------------------------------------

SMALL_NUMBER = 0.8  # A number near the one that is there
SMALL_SIMPLER = 1.0  # Without the factor or term it is written with
SMALL_STEP_EACH = 0.15  # A cost for each one by which it is further off
SMALL_ROUNDNESS_SHARE = 0.5  # Share of the roundness that counts: heads may be three

# -- windows --------------------------------------------------------------------------

# Another kernel, stride or padding; for its distance half is counted, since sizes go
# wrong far upstream
WINDOW = 0.5

WINDOW_REGULARITY_EACH = 1.6  # For what the window loses in irregularity
WINDOW_SIBLINGS_EACH = 1.5  # For the share of layers of this kind that have it so
WINDOW_STEP_EACH = 0.1  # A cost for each one by which it is further off
WINDOW_EXPLAINS = 0.7  # The window changed so would change sizes by what is missing
WINDOW_STANDS_OUT = 1.3  # The window as it is stands out, by one of the two that follow
STANDS_OUT_BY_REGULARITY = 0.3  # From which gain in regularity on a window stands out
STANDS_OUT_BY_SIBLINGS = 0.2  # From which gain in siblings on a window stands out
WINDOW_FOR_CHANNELS = 1.5  # A cost: no window changes channels
LEFT_OUT_PADDING = 0.8  # A padding that keeps the size, not written
LEFT_OUT_STRIDE = 0.6  # A stride that another branch has, not written

# The same of a kernel of 1: shortcuts have nothing else to change
LEFT_OUT_STRIDE_OF_SHORTCUT = 1.2

# An `output_padding` with which a transposed convolution multiplies sizes exactly
LEFT_OUT_OUTPUT_PADDING_EXACT = 3.4

# The same, and the padding that belongs to it
LEFT_OUT_BOTH_PADDINGS = 3.2

LEFT_OUT_OUTPUT_PADDING = 0.0  # An `output_padding`, which few write
LEFT_OUT_NAMED = 1.8  # A name in the same function was made for it: `stride=stride`

# -- dimensions -----------------------------------------------------------------------

DIMENSION = 1.6  # Another `dim`: it is one of few, and easily wrong
DIMENSION_EACH = 0.1  # A cost for each dimension further off
DIMENSION_FIRST = 0.6  # 1, behind the batch
DIMENSION_OF_FLATTEN = 1.2  # 1 for a flatten that takes the batch, or that fails
DIMENSION_NOT_BATCH = 1.0  # Not 0, for an op that is not meant for the batch
DIMENSION_AS_ELSEWHERE = 0.8  # As the same op has it elsewhere in the model

# Joined along another dimension, the tensors would give as much as is taken
DIMENSION_JOINED = 0.8

DIMENSION_TURNS_NOTHING = 2.0  # A transpose of a dimension with itself, as it stands

# A cost: a transpose that would move the batch, which it leaves now
DIMENSION_MOVES_BATCH = 1.0

# A cost: the transpose would be one of a dimension with itself
DIMENSION_WOULD_TURN_NOTHING = 1.5

# -- orders, neighbours, flags --------------------------------------------------------

ORDER = 1.7  # Another order of a permute
ORDER_MOVED_EACH = 0.15  # A cost for each place beyond two that moves
ORDER_BATCH_FIRST = 0.2  # The batch stays first
ORDER_WAS_IDENTITY = 1.0  # The order as it stands moves nothing
SWAP = 1.1  # A layer exchanged with its neighbour

# Such layers follow one another so elsewhere in the model; a cost where they do as they
# stand
SWAP_AS_ELSEWHERE = 0.7

FLAG = 0.6  # `batch_first=True` for False, and the other way

# A module set without being registered, where it holds itself: the only change
REGISTERED_NOWHERE = 1.0

# -- one rule's own change -------------------------------------------------------------

USE_RESHAPE = 4.0  # `.reshape` for `.view`: the sizes fit, nothing else has to be wrong
EXPAND_ALL = 3.0  # A size for each dimension of `expand`, where some were left out

# A view and the layer behind it hold the same number: both were written for another
# size of input
NUMBERS_OF_VIEW_AND_LAYER = 2.4

# The same with `flatten(1)`, which needs no number
FLATTEN_FOR_VIEW_AND_LAYER = 2.2

# Channels that come last brought to the front: after an embedding they always do
CHANNELS_TURNED = 3.0

# `GroupNorm(1, c)` for a `LayerNorm(c)` that receives a map of c channels
NORM_OVER_CHANNELS = 3.2

# A pooling at the end goes over all that is left: its kernel is tied to the input
SMALLER_POOL = 2.0

# The same for any size: `AdaptiveAvgPool2d(1)` for an `AvgPool2d(7)` before the head
POOL_ALL = 2.6

SMALLER_CONVOLUTION = 0.9  # The kernel of a convolution is chosen freely

# `nn.Conv2d` for `nn.Conv1d`, typed as easily
LAYER_OF_OTHER_RANK = 2.6

MOVED_TO_DEVICE = 1.0  # `.to(x.device)`; created on the device is offered first

# -- a constructor that refuses -------------------------------------------------------

REFUSED_ARGUMENT = 1.0  # An argument of the call that raised
REFUSED_CONDITION = 0.9  # A name in the assertion that raised
REFUSED_DIMENSION = 0.8  # A dimension in what was assigned to a name of the statement
REFUSED_NAME = 0.6  # A name of the statement
REFUSED_SOURCE = 0.5  # A name in what was assigned to one of them

# A cost for each place that the number comes from, further off
REFUSED_ORIGIN_EACH = 0.2

REFUSED_DIMENSION_FIRST = 0.3  # 1, behind the batch
REFUSED_DIMENSION_EACH = 0.1  # A cost for each dimension further off
REFUSED_SIMPLER = 0.8  # Without the factor or term it is written with
REFUSED_STEP_EACH = 0.4  # A cost for how far off the number is, as a share of it

# -- shortcuts of blocks ---------------------------------------------------------------

# The layer for the shortcut is made, and never called: it was made for this
SHORTCUT_UNUSED = 4.6

# The condition under which it is made knows the stride and forgets the channels
SHORTCUT_CONDITION = 4.4

# A block that names what it takes, gives and strides by, and adds what it got
SHORTCUT_ADDED = 4.2

# The same where all of them are numbers: one of those may be wrong instead
SHORTCUT_OF_NUMBERS = 1.6

# -- slips in names and calls ----------------------------------------------------------

# A name that there is, a letter or two from the one written: nothing else can be meant
SLIP_NEAR = 4.0

SLIP_STEP_EACH = 0.3  # A cost for each letter or word by which it is further off
SLIP_NEVER_USED = 0.8  # The name that there is is used nowhere else

# The very name, where it only has to be reached: `self.fc1` for `fc1`, a missing import
SLIP_REACHED = 4.6

# The same by a way that fits as often by chance: without an argument, with a sibling's
SLIP_GUESSED = 2.6

# -- the search -----------------------------------------------------------------------

OWN_FIRST = 1.0  # The first change that a rule offers without a weight
OWN_LATER_EACH = 0.1  # A cost for each that it offers before

# By how much a later one of a group stays behind: the rule's own order holds
OWN_IN_GROUP = 0.01

CLEARED_EACH = 1.5  # What clearing one more failure is worth
SPREAD_EACH = 0.2  # What it costs that a change reaches twice as many other layers

# How likely a change must be by itself where more fails behind it than failed before
NATURAL = 1.2

# By how much a change may stay behind the best that holds, and is still tried, or shown
MARGIN = 1.0

WORTH_OF_NONE = -9.0  # The worth to beat where nothing holds yet
