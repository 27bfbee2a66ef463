from __future__ import annotations

import pytest

from shapelint.asked.inputs import TensorSpec, looks_like_input, parse_inputs
from shapelint.facts.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,3,64,64", [TensorSpec((1, 3, 64, 64))]),
        ("(1,3,64,64)", [TensorSpec((1, 3, 64, 64))]),
        (" 1, 3 ", [TensorSpec((1, 3))]),
        ("1x3x8", [TensorSpec((1, 3, 8))]),
        ("5", [TensorSpec((5,))]),
        ("5,", [TensorSpec((5,))]),
        ("()", [TensorSpec(())]),
        ("0,4", [TensorSpec((0, 4))]),
        ("1,16:int64", [TensorSpec((1, 16), "int64")]),
        ("1,16:long", [TensorSpec((1, 16), "int64")]),
        ("1,16:torch.bool", [TensorSpec((1, 16), "bool")]),
        ("ids=1,128:int64", [TensorSpec((1, 128), "int64", "ids")]),
        ("(1,3,8,8)x4", [TensorSpec((1, 3, 8, 8))] * 4),
        ("(2,5)x2:int64", [TensorSpec((2, 5), "int64")] * 2),
    ],
)
def test_reads(text: str, expected: list[TensorSpec]) -> None:
    assert list(parse_inputs([text])) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no sizes"),
        ("1,3,x", "size `x`"),
        ("B,3,8,8", "size `B`"),
        ("1,-3", "negative"),
        ("1,3:flot32", "did you mean `float32`"),
        ("1,,3", "cannot read size"),
        ("1;3", "cannot read"),
        ("(1,3)x0", "at least once"),
        ("a=(1,3)x2", "--input-factory"),
    ],
)
def test_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_inputs([text])


def test_a_keyword_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="`x` is given twice"):
        parse_inputs(["x=1", "x=2"])


def test_spelling_reads_back() -> None:
    for text in ("1,3,64,64", "1,16:int64", "ids=1,128:int64", "()"):
        (spec,) = parse_inputs([text])
        assert parse_inputs([spec.spelling]) == (spec,)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("1,16:int64", True),
        ("(1,3)x2", True),
        ("ids=1,2", True),
        ("net.py:Net", False),
        ("2", True),
        ("--mode", False),
    ],
)
def test_words_that_can_only_be_inputs(word: str, answer: bool) -> None:
    assert looks_like_input(word) is answer


@pytest.mark.parametrize(
    "text",
    [
        "1,3,99999999999999999999",
        "1," + "9" * 5000,
        "(1,8)x99999999999",
        "(1,8)x" + "9" * 5000,
    ],
)
def test_sizes_that_no_tensor_can_have(text: str) -> None:
    with pytest.raises(UsageError, match=r"no tensor can have|at most 10,000"):
        parse_inputs((text,))
