"""The inputs of a model as text: `1,3,64,64`, `1,16:int64`, `ids=1,128:int64`,
`(1,3,64,64)x4`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from shapelint.facts.errors import UsageError

DTYPES = {
    "float32": "f32",
    "float64": "f64",
    "float16": "f16",
    "bfloat16": "bf16",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint8": "u8",
    "bool": "b8",
    "complex64": "c64",
    "complex128": "c128",
}
"""Names of torch dtypes that an input can have, and how reports abbreviate them."""

_ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "byte": "uint8",
    # An abbreviation copied from a report works too.
    **{short: name for name, short in DTYPES.items()},
}

_SPEC = re.compile(
    r"""^\s*(?:(?P<name>[A-Za-z_]\w*)\s*=)?
        \s*(?:\((?P<inside>[^()]*)\)\s*(?:[x*]\s*(?P<times>\d+))?|(?P<bare>[^():]*?))
        \s*(?::\s*(?:torch\.)?(?P<dtype>\w+))?\s*$""",
    re.VERBOSE,
)

_LOOKS_LIKE_INPUT = re.compile(
    r"^(?:[A-Za-z_]\w*=)?\(?-?\d*(?:,-?\d+)*,?\)?(?::[\w.]+)?(?:[x*]\d+)?$"
)

EXAMPLE = "`--input 1,3,64,64`, `--input 1,16:int64`, `--input ids=1,128:int64`"

LARGEST, LONGEST = 2**63 - 1, 20
"""The largest size that torch can count, and the most digits of a size that are
parsed."""

MOST = 10_000
"""The most tensors that one word may stand for."""


@dataclass(frozen=True)
class TensorSpec:
    """One input tensor: its sizes, the name of its torch dtype, and its keyword (None
    if positional)."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    name: str | None = None

    @property
    def short_dtype(self) -> str:
        """The dtype as reports write it."""
        return DTYPES[self.dtype]

    def __str__(self) -> str:
        prefix = f"{self.name}=" if self.name else ""
        sizes = ",".join(str(size) for size in self.shape)
        return f"{prefix}{self.short_dtype}[{sizes}]"

    @property
    def spelling(self) -> str:
        """The spec as a user would write it after `--input`."""
        prefix = f"{self.name}=" if self.name else ""
        sizes = ",".join(str(size) for size in self.shape) or "()"
        suffix = "" if self.dtype == "float32" else f":{self.dtype}"
        return f"{prefix}{sizes}{suffix}"


def looks_like_input(word: str) -> bool:
    """Whether a bare word on the command line can only be another input, not a
    target."""
    return (
        # Each part of the pattern may be missing, so that it fits `` and `()` too.
        any(char.isdigit() for char in word)
        and _LOOKS_LIKE_INPUT.match(word) is not None
    )


def parse_inputs(texts: tuple[str, ...] | list[str]) -> tuple[TensorSpec, ...]:
    """Parse every input in order.

    Raises:
        UsageError: one of them cannot be read; the line says which, and what would be
        right.
    """
    specs = tuple(spec for text in texts for spec in parse_input(text))
    names = [spec.name for spec in specs if spec.name]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"input `{name}` is given twice")
    return specs


def parse_input(text: str) -> tuple[TensorSpec, ...]:
    """Parse one word of input. `(1,3,8,8)x4` makes four positional tensors.

    Raises:
        UsageError: as `parse_inputs`.
    """
    match = _SPEC.match(text)
    if not match:
        raise UsageError(f"cannot read input `{text}`; write {EXAMPLE}")
    inside, bare = match["inside"], match["bare"]
    is_bare = inside is None
    # `()` is a scalar; nothing at all is a slip
    if is_bare and not bare.strip():
        raise UsageError(f"input `{text}` has no sizes; write {EXAMPLE}")
    shape = _parse_sizes(text, bare if is_bare else inside)
    spec = TensorSpec(shape, _parse_dtype(text, match["dtype"]), match["name"])
    times = _parse_size(text, match["times"] or "1")
    _require_times(text, times, spec.name)
    return (spec,) * times


def _require_times(text: str, times: int, name: str | None) -> None:
    if times > MOST:
        raise UsageError(
            f"input `{text}` is repeated {times} times; at most {MOST:,} times"
        )
    if times < 1:
        raise UsageError(f"input `{text}` is repeated {times} times; at least once")
    if times > 1 and name:
        raise UsageError(
            f"input `{text}` gives the keyword `{name}` several tensors; use --input-factory"
        )


def _parse_sizes(text: str, sizes: str) -> tuple[int, ...]:
    # `1x3x64x64`, as papers and image tools write it
    if re.fullmatch(r"\s*\d+(x\d+)+\s*", sizes):
        sizes = sizes.replace("x", ",")
    words = [word.strip() for word in sizes.strip().removesuffix(",").split(",")]
    if words == [""]:
        return ()
    return tuple(_parse_size(text, word) for word in words)


def _parse_size(text: str, word: str) -> int:
    if re.fullmatch(r"\d+", word):
        # the length first: Python refuses to read very long numbers
        if len(word) > LONGEST or int(word) > LARGEST:
            raise UsageError(
                f"input `{text[:60]}` has a size that no tensor can have, {word[:LONGEST]}"
            )
        return int(word)
    if re.fullmatch(r"-\d+", word):
        raise UsageError(f"input `{text}` has a negative size, {word}")
    if re.fullmatch(r"[A-Za-z]\w*", word):
        raise UsageError(
            f"size `{word}` of input `{text}` is not a number; give each size, as in `1,3,64,64`"
        )
    raise UsageError(f"cannot read size `{word}` of input `{text}`; write {EXAMPLE}")


def _parse_dtype(text: str, word: str | None) -> str:
    if word is None:
        return "float32"
    name = _ALIASES.get(word, word)
    if name in DTYPES:
        return name
    close = difflib.get_close_matches(word, [*DTYPES, *_ALIASES], n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"one of {', '.join(DTYPES)}"
    raise UsageError(f"unknown dtype `{word}` in input `{text}`; {hint}")
