"""Recovered shapes against eager: what the op gives once its input is right."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from shapelint.facts.graph import Failure
from shapelint.facts.tensors import TensorFact
from shapelint.ops.record import Op
from shapelint.ops.recovery import recover_shapes
from shapelint.ops.registry import load_registry
from shapelint.ops.sliding import compute_window_output


def failure(op: str, *args: object, **kwargs: object) -> Failure:
    def plain(value: object) -> object:
        if isinstance(value, torch.Tensor):
            return TensorFact("f32", tuple(value.shape))
        return [plain(item) for item in value] if isinstance(value, list) else value

    return Failure(
        op,
        tuple(plain(arg) for arg in args),
        {k: plain(v) for k, v in kwargs.items()},
        "RuntimeError",
        "",
    )


@pytest.mark.parametrize("size", range(5, 12))
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(3, 1, 0, 1), (3, 2, 1, 1), (2, 2, 0, 2), (4, 3, 2, 1)],
)
def test_window_formula_is_torchs(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    x = torch.rand(1, 1, size)
    for ceil in (False, True):
        if padding <= kernel // 2:
            pooled = F.max_pool1d(x, kernel, stride, padding, dilation, ceil)
            assert (
                compute_window_output(size, kernel, stride, padding, dilation, ceil)
                == pooled.shape[-1]
            )
    conv = nn.Conv1d(1, 1, kernel, stride, padding, dilation)(x)
    assert (
        compute_window_output(size, kernel, stride, padding, dilation) == conv.shape[-1]
    )


def test_conv_with_the_channels_it_takes() -> None:
    for dims, conv in ((1, F.conv1d), (2, F.conv2d), (3, F.conv3d)):
        weight, right = torch.rand(6, 4, *[3] * dims), torch.rand(2, 4, *[9] * dims)
        wrong = torch.rand(2, 5, *[9] * dims)
        expected = conv(right, weight, None, 2, 1).shape
        assert recover_shapes(
            failure(f"conv{dims}d", wrong, weight, None, (2,) * dims, (1,) * dims)
        ) == [expected]


def test_transposed_conv() -> None:
    weight, right = torch.rand(4, 6, 3, 3), torch.rand(2, 4, 7, 7)
    expected = F.conv_transpose2d(right, weight, None, 2, 1, 1).shape
    given = failure(
        "conv_transpose2d",
        torch.rand(2, 5, 7, 7),
        weight,
        None,
        (2, 2),
        (1, 1),
        (1, 1),
        1,
        (1, 1),
    )
    assert recover_shapes(given) == [expected]


def test_elementwise_offers_either_side() -> None:
    shapes = recover_shapes(failure("add", torch.rand(2, 8, 4), torch.rand(6, 4)))
    assert shapes == [(2, 8, 4), (2, 6, 4)]


def test_concatenation_offers_each_tensors_sizes() -> None:
    shapes = recover_shapes(
        failure("cat", [torch.rand(1, 2, 8), torch.rand(1, 3, 9)], dim=1)
    )
    assert shapes == [(1, 5, 8), (1, 5, 9)]


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        ("linear", (torch.rand(2, 5, 8), torch.rand(3, 9)), [(2, 5, 3)]),
        ("matmul", (torch.rand(2, 5, 8), torch.rand(2, 9, 4)), [(2, 5, 4)]),
        ("view", (torch.rand(2, 5), -1, 8), [(2, 8), (1, 8)]),
        ("view", (torch.rand(2, 12), 2, 5, 4), [(2, 5, 4), (2, 3, 4)]),
        ("expand", (torch.rand(3, 1), 4, 5), [(4, 5)]),
        (
            "batch_norm",
            (torch.rand(2, 5, 4), torch.rand(7), torch.rand(7)),
            [(2, 5, 4), (2, 7, 4)],
        ),
        ("layer_norm", (torch.rand(2, 5), (6,)), [(2, 5), (2, 6)]),
        ("avg_pool2d", (torch.rand(1, 3, 2, 2), 4), [(1, 3, 1, 1)]),
        ("stack", ([torch.rand(2, 3), torch.rand(2, 4)], 1), [(2, 2, 3), (2, 2, 4)]),
        ("no_such_op", (torch.rand(1),), []),
        ("linear", ("nonsense",), []),
    ],
)
def test_recovered_shape(
    op: str, args: tuple[object, ...], expected: list[tuple[int, ...]]
) -> None:
    assert recover_shapes(failure(op, *args)) == expected


def test_registry_refuses_a_second_entry() -> None:
    with pytest.raises(ValueError, match="linear is registered twice"):
        load_registry().add(Op("linear"))
