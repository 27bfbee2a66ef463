"""What people get wrong, as edits of a correct file: one mutation changes one number,
order, or call."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from benchmarks.mutation.editable import Editable, Mutation

__all__ = ["Mutation", "mutations"]

_CONV = ["in_channels", "out_channels", "kernel_size", "stride", "padding"]
_NAMED = {
    "in_features": "in features",
    "out_features": "out features",
    "in_channels": "channels",
    "out_channels": "channels",
    "kernel_size": "kernel",
    "stride": "stride",
    "padding": "padding",
    "groups": "groups",
    "num_features": "norm size",
    "normalized_shape": "norm size",
    "num_channels": "norm size",
    "num_groups": "norm groups",
    "input_size": "hidden size",
    "hidden_size": "hidden size",
    "embedding_dim": "hidden size",
    "embed_dim": "hidden size",
    "d_model": "hidden size",
    "num_heads": "heads",
    "nhead": "heads",
    "scale_factor": "scale",
    "upscale_factor": "scale",
}
SIGNATURES = {
    "Linear": ["in_features", "out_features"],
    **{
        f"{kind}{dims}d": _CONV
        for kind in ("Conv", "ConvTranspose")
        for dims in (1, 2, 3)
    },
    **{
        f"{kind}Pool{dims}d": ["kernel_size", "stride", "padding"]
        for kind in ("Max", "Avg")
        for dims in (1, 2, 3)
    },
    **{f"BatchNorm{dims}d": ["num_features"] for dims in (1, 2, 3)},
    "LayerNorm": ["normalized_shape"],
    "GroupNorm": ["num_groups", "num_channels"],
    **{
        name: ["input_size", "hidden_size"]
        for name in ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell")
    },
    "Embedding": ["", "embedding_dim"],
    "MultiheadAttention": ["embed_dim", "num_heads"],
    "TransformerEncoderLayer": ["d_model", "nhead"],
    "TransformerDecoderLayer": ["d_model", "nhead"],
    "PixelShuffle": ["upscale_factor"],
}
_WINDOW = {"kernel", "stride", "padding", "scale"}


def _callee(node: ast.Call) -> str:
    func = node.func
    return (
        func.attr
        if isinstance(func, ast.Attribute)
        else func.id
        if isinstance(func, ast.Name)
        else ""
    )


def _written(node: ast.Call, names: list[str]) -> Iterator[tuple[str, ast.expr]]:
    if any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    yield from zip(names, node.args, strict=False)
    for keyword in node.keywords:
        if keyword.arg in _NAMED:
            yield keyword.arg, keyword.value


def _is_int(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def changed_number(
    editable: Editable, kind: str, node: ast.expr, draw: random.Random
) -> Mutation | None:
    """A number that is off: by one, by a factor of two; a name times two or plus one;
    one factor of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return changed_number(
            editable, kind, draw.choice([node.left, node.right]), draw
        )
    if isinstance(node, ast.Constant) and type(node.value) is int:
        value = node.value
        if kind in _WINDOW:
            options = {value + 1, value - 1, value + 2, value - 2} - {value}
            floor = 0 if kind == "padding" else 1
        elif kind in ("heads", "groups", "norm groups"):
            options, floor = {value + 1, value * 2, value - 1, 3, 5} - {value}, 1
        else:
            options, floor = (
                {value + 1, value * 2, value // 2, value - 1, value + 8} - {value},
                1,
            )
        left = sorted(option for option in options if option >= floor)
        return (
            editable.replace_node(kind, node, str(draw.choice(left))) if left else None
        )
    if (
        isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
        and kind not in _WINDOW
    ):
        return editable.replace_node(
            kind, node, editable.text(node) + draw.choice([" * 2", " + 1", " // 2"])
        )
    return None


def layer_numbers(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """Numbers where a layer is made."""
    names = SIGNATURES.get(_callee(node))
    if names is None:
        return
    for name, argument in _written(node, names):
        kind = _NAMED.get(name)
        mutation = changed_number(editable, kind, argument, draw) if kind else None
        if mutation is not None:
            yield mutation


def block_numbers(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """Numbers handed to blocks of one's own: `conv_block(64, 128)`."""
    name = _callee(node)
    if name in editable.defined and not name.startswith("_"):
        for argument in node.args:
            if (
                isinstance(argument, ast.Constant)
                and type(argument.value) is int
                and argument.value >= 8
            ):
                mutation = changed_number(editable, "channels", argument, draw)
                if mutation is not None:
                    yield mutation


def reshaped(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """Numbers of view and reshape."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("view", "reshape"):
        for argument in node.args:
            if _is_int(argument) or isinstance(
                argument, (ast.Name, ast.Attribute, ast.BinOp)
            ):
                mutation = changed_number(editable, "view", argument, draw)
                if mutation is not None:
                    yield mutation


def flatten_start(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """flatten(1) as flatten(0) or flatten(2)."""
    if _callee(node) == "flatten":
        numbers = [argument for argument in node.args if _is_int(argument)][:1]
        for number in numbers:
            options = [value for value in (0, 1, 2) if value != number.value]  # type: ignore[attr-defined]
            yield editable.replace_node(
                "flatten start", number, str(draw.choice(options))
            )


def cat_dim(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """The dimension of cat."""
    if _callee(node) in ("cat", "concat", "stack"):
        written = [
            item.value for item in node.keywords if item.arg in ("dim", "axis")
        ] + list(node.args[1:2])
        for number in written[:1]:
            text = editable.text(number)
            options = [value for value in ("0", "1", "2", "-1") if value != text]
            yield editable.replace_node("cat dim", number, draw.choice(options))


def permute_order(
    editable: Editable, node: ast.Call, draw: random.Random
) -> Iterator[Mutation]:
    """Two dimensions of permute exchanged; another dimension for transpose."""
    name = _callee(node)
    numbers = [item for item in node.args if _is_int(item)]
    if name == "permute" and len(numbers) >= 3 and len(numbers) == len(node.args):
        order = [editable.text(item) for item in numbers]
        first, second = draw.sample(range(len(order)), 2)
        order[first], order[second] = order[second], order[first]
        start, end = editable.span(numbers[0])[0], editable.span(numbers[-1])[1]
        yield Mutation(
            "permute order",
            start,
            end,
            ", ".join(order),
            (numbers[0].lineno, numbers[-1].lineno),
        )
    if name == "transpose" and len(node.args) == 2:
        number = draw.choice(node.args)
        options = [
            value
            for value in ("0", "1", "2", "-1")
            if value not in [editable.text(item) for item in node.args]
        ]
        yield editable.replace_node("permute order", number, draw.choice(options))


def _is_own(node: ast.expr) -> bool:
    """`self` of `self.flatten(x)`, which is a layer and no tensor."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "self"


def dropped_flatten(
    editable: Editable, node: ast.Call, _draw: random.Random
) -> Iterator[Mutation]:
    """The flatten is not there: `torch.flatten(x, 1)` and `x.flatten(1)` become `x`,
    `nn.Flatten()` nn.Identity()."""
    name = _callee(node)
    if (
        name == "flatten"
        and isinstance(node.func, ast.Attribute)
        and not _is_own(node.func.value)
    ):
        owner = editable.text(node.func.value)
        kept = editable.text(node.args[0]) if owner == "torch" and node.args else owner
        mutation = editable.replace_node("dropped flatten", node, kept)
        # what is missing is missing between this statement and the next
        yield replace(
            mutation, lines=(mutation.lines[0], editable.next_statement(node))
        )


def sequential_elements(
    editable: Editable, node: ast.Call, _draw: random.Random
) -> Iterator[Mutation]:
    """Two neighbours in a Sequential exchanged; a Flatten taken out of it."""
    if _callee(node) != "Sequential":
        return
    elements = node.args
    for left, right in itertools.pairwise(elements):
        if isinstance(left, ast.Call) and isinstance(right, ast.Call):
            (start, middle), (resumed, end) = editable.span(left), editable.span(right)
            text = (
                editable.text(right)
                + editable.source[middle:resumed]
                + editable.text(left)
            )
            yield Mutation(
                "swapped layers",
                start,
                end,
                text,
                (left.lineno, right.end_lineno or right.lineno),
            )
    for index, element in enumerate(elements[:-1]):
        if isinstance(element, ast.Call) and _callee(element) == "Flatten":
            start, end = (
                editable.span(element)[0],
                editable.span(elements[index + 1])[0],
            )
            between = editable.source[start:end]
            lines = (element.lineno, elements[index + 1].lineno)
            yield Mutation(
                "dropped flatten", start, end, "\n" * between.count("\n"), lines
            )


OPERATORS: tuple[
    Callable[[Editable, ast.Call, random.Random], Iterator[Mutation]], ...
] = (
    layer_numbers,
    block_numbers,
    reshaped,
    flatten_start,
    cat_dim,
    permute_order,
    dropped_flatten,
    sequential_elements,
)


def says_something_else(mutation: Mutation, source: str) -> bool:
    """Whether a change says something else, and can be read: before 3.12 what stands in
    an f-string has no place."""
    try:
        changed = ast.dump(ast.parse(mutation.applied(source)))
    except SyntaxError:
        return False
    return changed != _dumped(source)


@lru_cache(maxsize=8)
def _dumped(source: str) -> str:
    return ast.dump(ast.parse(source))


def mutations(source: str, draw: random.Random) -> list[Mutation]:
    """One mutation of each kind for each place that has one, in the order of the file;
    some say nothing else than the source."""
    editable = Editable.of(source)
    found: set[Mutation] = set()
    for node in ast.walk(editable.tree):
        if isinstance(node, ast.Call):
            for operator in OPERATORS:
                found.update(operator(editable, node, draw))
    return sorted(found, key=lambda item: (item.start, item.end, item.kind, item.text))
