"""The fixtures: what each says, and that eager agrees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.mutation.eager import eager_error
from benchmarks.mutation.operators import Mutation
from benchmarks.mutation.sampling import Broken, doubles
from benchmarks.mutation.subjects import Subject, fixtures
from tests import eager
from tests.conftest import FIXTURES, check_target, codes, errors

CASES = [
    ("small_cnn.py", "SmallCNN", ("1,3,64,64",), ["SHP301"], "f32[1,2]"),
    ("small_cnn.py", "SmallCNN", ("1,3,32,32",), ["SHP101"], "f32[1,2]"),
    ("pooled_cnn.py", "PooledCNN", ("2,3,48,40",), [], "f32[2,10]"),
    ("vgg_head.py", "VGGLike", ("1,3,224,224",), ["SHP301"], "f32[1,10]"),
    ("resnet.py", "ResNet", ("2,3,32,32",), [], "f32[2,10]"),
    ("resnet.py", "BrokenShortcut", ("1,16,8,8",), ["SHP104"], None),
    ("unet.py", "UNet", ("1,1,64,64",), [], "f32[1,2,64,64]"),
    ("lstm_classifier.py", "LSTMClassifier", ("2,20:int64",), [], "f32[2,4]"),
    ("gpt.py", "GPT", ("1,32:int64",), [], "f32[1,32,256]"),
    ("gpt.py", "GPT", ("1,99:int64",), ["SHP119"], None),
    (
        "vae.py",
        "VAE",
        ("2,1,28,28",),
        ["SHP401"],
        "(f32[2,1,28,28], f32[2,8], f32[2,8])",
    ),
    ("siamese.py", "Siamese", ("(1,1,28,28)x2",), ["SHP301"], "(f32[1], f32[1,32])"),
    (
        "data_dependent.py",
        "Gated",
        ("2,9,16", "2:int64"),
        ["SHP901", "SHP901"],
        "f32[1,2]",
    ),
    ("two_inputs.py", "ImageAndMeta", ("1,3,32,32", "meta=1,5"), [], "f32[1,2]"),
    (
        "three_errors.py",
        "ThreeErrors",
        ("2,3,16,16",),
        ["SHP103", "SHP104", "SHP101"],
        None,
    ),
]


@pytest.mark.parametrize(
    ("file", "name", "inputs", "expected", "output"),
    CASES,
    ids=lambda value: str(value)[:24],
)
def test_fixture(
    file: str,
    name: str,
    inputs: tuple[str, ...],
    expected: list[str],
    output: str | None,
) -> None:
    report = check_target(f"{FIXTURES / file}:{name}", *inputs)
    assert codes(report) == expected
    assert bool(eager.raises((FIXTURES / file).read_text(), inputs, name)) == bool(
        errors(report)
    )
    if output is not None:
        assert str(report.output) == output


def test_unet_at_an_odd_size_is_about_its_skips() -> None:
    """One finding: the sizes that halve well, then a change at both skips."""
    report = check_target(f"{FIXTURES / 'unet.py'}:UNet", "1,1,65,67")
    assert set(codes(report)) == {"SHP105"}
    assert eager.raises((FIXTURES / "unet.py").read_text(), ("1,1,65,67",), "UNet")
    (finding,) = report.diagnostics
    assert finding.fixes[0].inputs == ("1,1,68,68",)
    assert "the same in 1 other place" in finding.fixes[1].title


def test_three_errors_each_at_its_line() -> None:
    report = check_target(f"{FIXTURES / 'three_errors.py'}:ThreeErrors", "2,3,16,16")
    lines = (FIXTURES / "three_errors.py").read_text().splitlines()
    marked = [
        lines[d.span.line - 1][d.span.column - 1 : d.span.end_column - 1]
        for d in report.diagnostics
    ]
    assert marked == ["32", "24", "32 * 8 * 8"]
    assert (
        report.diagnostics[1].related[0].span.line == 18
    )  # the sum that does not broadcast


def test_nested_input_and_dataclass_output() -> None:
    file = FIXTURES / "dict_in_dataclass_out.py"
    report = check_target(f"{file}:Fusion", input_factory=f"{file}:make_inputs")
    assert codes(report) == []
    assert (
        str(report.output)
        == "Output{logits: f32[2,3], features: [f32[2,16], f32[2,16]]}"
    )


def test_input_from_the_comment_on_the_class() -> None:
    report = check_target(f"{FIXTURES / 'lstm_classifier.py'}")
    assert report.status == "checked"
    assert [str(value) for value in report.inputs] == ["i64[2,20]"]


def test_tied_embeddings_count_once() -> None:
    report = check_target(f"{FIXTURES / 'gpt.py'}:GPT", "1,8:int64")
    assert report.totals.params == sum(row.params for row in report.rows) == 120_576
    (head,) = [row for row in report.rows if row.name == "head"]
    assert (head.params, head.shared) == (0, True)


def test_oversized_head_is_a_warning_with_two_ways_out() -> None:
    report = check_target(f"{FIXTURES / 'vgg_head.py'}:VGGLike", "1,3,224,224")
    (finding,) = report.diagnostics
    assert finding.severity.value == "warning"
    assert "99%" in finding.message
    assert [fix.cost for fix in finding.fixes] == [
        "525,312 parameters instead of 102,761,472; new weights",
        "8,389,632 parameters instead of 102,761,472; new weights",
    ]


def test_seven_billion_parameters_are_never_allocated() -> None:
    report = check_target(f"{FIXTURES / 'gpt.py'}:seven_billion()", "1,128:int64")
    assert errors(report) == []
    assert str(report.output) == "f32[1,128,32000]"
    assert report.totals.params == 6_583_623_680


@pytest.mark.parametrize("subject", list(fixtures()), ids=lambda subject: subject.name)
def test_what_the_mutation_benchmark_breaks_is_free_of_errors(
    subject: Subject, tmp_path: Path
) -> None:
    """No finding beyond what is worth knowing of a correct model, and eager runs it,
    backward included."""
    (tmp_path / "net.py").write_text(subject.source)
    (tmp_path / "inputs.py").write_text(subject.inputs)
    report = check_target(
        f"{tmp_path / 'net.py'}:{subject.expression}",
        input_factory=f"{tmp_path / 'inputs.py'}:inputs",
    )
    assert [
        finding for finding in report.diagnostics if finding.severity.value != "info"
    ] == []
    assert eager_error(subject.source, subject, tmp_path) == ""


def test_pairs_of_mutations_are_of_one_file_though_two_have_one_name() -> None:
    def broken(source: str, start: int, line: int) -> Broken:
        return (
            subject(source),
            Mutation("channels", start, start + 1, "7", (line, line)),
            f"{line} net",
        )

    def subject(source: str) -> Subject:
        return Subject("vit/ViT", source, "Net", "", 1, 9)

    one, other = "a = 1\n\n\nb = 2\n", "long = 1\n\n\nbeyond = 2\n"
    drawn = [broken(one, 4, 1), broken(other, 20, 4), broken(one, 12, 4)]
    assert [
        (pair[0].source, pair[1][1].start) for pair in doubles(drawn, random.Random(0))
    ] == [(one, 12)]
