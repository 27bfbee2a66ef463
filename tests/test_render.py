"""JSON against its schema, the table and its relatives, colour and ASCII."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shapelint.facts.diagnostics import Diagnostic
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.plain import from_plain, to_plain
from shapelint.render import render
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.formats.csv import render_csv
from shapelint.render.formats.pipeline import render_pipeline
from shapelint.render.layer_table import (
    render_markdown_table,
    render_table,
    totals_line,
)
from shapelint.render.style import Style
from tests.conftest import FIXTURES, ROOT, check_target, run_shapelint

SCHEMA = json.loads((ROOT / "docs" / "schema.json").read_text())
SMALL = f"{FIXTURES / 'small_cnn.py'}:SmallCNN"
TARGETS = [
    (SMALL, ("1,3,32,32",)),
    (SMALL, ("1,3,64,64",)),
    (f"{FIXTURES / 'gpt.py'}:GPT", ("1,8:int64",)),
    (f"{FIXTURES / 'gpt.py'}:GPT", ("1,99:int64",)),
    (f"{FIXTURES / 'unet.py'}:UNet", ("1,1,33,33",)),
    (f"{FIXTURES / 'small_cnn.py'}:Gone", ("1,3,64,64",)),
]


@pytest.fixture(scope="module")
def reports() -> list[Any]:
    return [check_target(target, *inputs) for target, inputs in TARGETS]


def test_json_fits_its_schema(reports: list[Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(
        render("json", [Outcome(report, "2.13.0") for report in reports], Style(), True)
    )
    jsonschema.validate(document, SCHEMA)
    assert document["summary"]["errors"] == 4
    assert [target["status"] for target in document["targets"]] == [
        "checked", "checked", "checked", "partial", "checked", "failed",
    ]  # fmt: skip


def test_schema_would_notice(reports: list[Any]) -> None:
    document = json.loads(render("json", [Outcome(reports[0])], Style(), True))
    document["diagnostics"][0]["code"] = "E101"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_what_crosses_the_pipe_comes_back_whole(reports: list[Any]) -> None:
    for report in reports:
        assert (
            from_plain(TargetReport, json.loads(json.dumps(to_plain(report)))) == report
        )
        for diagnostic in report.diagnostics:
            assert (
                from_plain(Diagnostic, json.loads(json.dumps(to_plain(diagnostic))))
                == diagnostic
            )


def test_table_marks_the_failed_row_and_sums_up(reports: list[Any]) -> None:
    text = render_table(reports[0], Style(unicode=True), None)
    (failed,) = [line for line in text.splitlines() if line.startswith("✗")]
    assert failed.split() == [
        "✗",
        "classifier.1",
        "Linear",
        "f32[1,2048]",
        "f32[1,64]",
        "524,352",
        "99.0",
        "%",
    ]
    assert "features 5,088, head 524,482" in totals_line(reports[0])


def test_long_tables_keep_the_failed_row() -> None:
    report = check_target(f"{FIXTURES / 'resnet.py'}:ResNet", "2,3,32,32")
    report.rows[25].failed = True
    lines = render_table(report, Style(), 10).splitlines()
    assert sum("more calls" in line for line in lines) == 2
    assert sum(line.startswith("x ") for line in lines) == 1


def test_ascii_where_there_is_nothing_else(reports: list[Any]) -> None:
    outcomes = [Outcome(report) for report in reports]
    assert render("full", outcomes, Style(), True).isascii()
    assert not render("full", outcomes, Style(unicode=True), True).isascii()


def test_markdown_and_csv_have_a_row_a_call(reports: list[Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(reports[0]))))
    assert [row["layer"] for row in rows] == [row.name for row in reports[0].rows]
    assert [int(row["failed"]) for row in rows] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert render_markdown_table(reports[0]).count("\n|") == len(rows) + 1


def test_pipeline_reads_as_people_draw_it(reports: list[Any]) -> None:
    assert render_pipeline(reports[1]) == (
        "(B, 3, 64, 64) -> conv (B, 16, 64, 64) -> pool (B, 16, 32, 32) -> conv (B, 32, 32, 32)"
        " -> pool (B, 32, 16, 16) -> flatten (B, 8192) -> linear (B, 64) -> logits (B, 2)\n"
    )
    assert "linear (fails) (B, 64)" in render_pipeline(reports[0])


def test_span_under_wide_and_tabbed_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = (
        "from torch import nn\nclass Net(nn.Module):\n\tdef __init__(self):\n\t\tsuper().__init__()\n"
        "\t\tself.größe, self.fc = 'ü', nn.Linear(7, 2)\n\tdef forward(self, x):\n\t\treturn self.fc(x)\n"
    )
    (tmp_path / "net.py").write_text(source)
    column = source.splitlines()[4].index("7") + 1
    report = check_target("net.py:Net", "1,8")
    lines = render_diagnostic(report.diagnostics[0], Style()).splitlines()
    assert lines[3].index("7") == lines[4].replace("\t", "\t").index("^")
    assert (
        report.diagnostics[0].span.column,
        report.diagnostics[0].span.end_column,
    ) == (column, column + 1)


@pytest.mark.parametrize(
    ("flag", "environment", "coloured"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_no_color_beats_force_color_beats_the_terminal(
    flag: str, environment: dict[str, str], coloured: bool
) -> None:
    words = ("check", "fixtures/gone.py:A", "fixtures/none.py:B", "--color", flag)
    done = run_shapelint(*words, cwd=ROOT, **environment)
    assert ("\x1b[" in done.out) is coloured
    assert done.code == 2


def test_output_file_is_whole_or_not_there(tmp_path: Path) -> None:
    words = (
        "check",
        "fixtures/gone.py:A",
        "fixtures/gone.py:B",
        "--output-format",
        "json",
        "--output-file",
    )
    target = tmp_path / "out.json"
    assert run_shapelint(*words, str(target)).out == ""
    assert json.loads(target.read_text())["summary"]["targets"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    missing = run_shapelint(*words, str(tmp_path / "no" / "out.json"))
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith("error: cannot write")
    assert missing.err.count("\n") == 1


def test_select_ignore_exit_zero_and_concise() -> None:
    target = "fixtures/small_cnn.py:SmallCNN"
    words = ("check", target, "--input", "1,3,32,32", "--no-report")
    assert run_shapelint(*words, "--exit-zero").code == 0
    ignored = run_shapelint(*words, "--ignore", "linear-input-mismatch")
    assert (ignored.code, "nothing found" in ignored.out) == (0, True)
    concise = run_shapelint(*words, "--output-format", "concise", "--select", "SHP1")
    assert concise.out.splitlines() == [
        "fixtures/small_cnn.py:15:23: error[SHP101] `Linear` takes 8192 features but gets 2048",
        "1 error",
        "1 fixable with `--fix`",
    ]


def test_several_inputs_after_one_option() -> None:
    words = ("--input", "1,3,32,32", "meta=1,5", "--no-report")
    done = run_shapelint("check", "fixtures/two_inputs.py:ImageAndMeta", *words)
    assert done.code == 0, done.out + done.err


def test_report_command_of_a_failing_model() -> None:
    done = run_shapelint(
        "report", "fixtures/small_cnn.py", "--input", "1,3,32,32", "--format", "csv"
    )
    assert done.code == 1
    assert (
        done.out.splitlines()[8]
        == 'classifier.1,Linear,module,"f32[1,2048]","f32[1,64]",524352,0,0,0,1'
    )
    assert (
        done.err
        == "fixtures/small_cnn.py:15:23: error[SHP101] `Linear` takes 8192 features but gets 2048\n"
    )


def test_tree_is_torchinfos_also_for_a_failing_model() -> None:
    done = run_shapelint(
        "report", "fixtures/small_cnn.py", "--input", "1,3,32,32", "--tree"
    )
    assert "SmallCNN (SmallCNN)" in done.out
    assert "Linear (1)" in done.out
    assert "Total params: 529,570" in done.out


def test_tree_of_a_model_that_does_not_fit() -> None:
    done = run_shapelint(
        "report", "fixtures/gpt.py:seven_billion()", "--input", "1,16:int64", "--tree"
    )
    assert done.code == 0, done.err
    assert "GPT (GPT)" in done.out


def test_a_fault_of_ours_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import shapelint.checking.walk_target
    from shapelint.asked.request import Walk, dump_request
    from shapelint.process import worker

    def broken(request: Walk, *_: object) -> None:
        raise KeyError("ours")

    report = check_target(f"{FIXTURES / 'small_cnn.py'}:Gone")
    monkeypatch.setattr(shapelint.checking.walk_target, "check", broken)
    answer = worker.run(
        dump_request(Walk("a.py:B")), time.monotonic(), lambda line: None
    )
    assert "KeyError: 'ours'" in answer["fault"]
    text = render("full", [Outcome(report, "2.13.0", answer["fault"])], Style(), True)
    assert (
        "this is a fault of shapelint (shapelint 0.1.0, torch 2.13.0, Python 3." in text
    )


def test_mode_is_passed_on() -> None:
    source = "fixtures/pooled_cnn.py:PooledCNN"
    for mode in ("train", "eval", "both"):
        assert (
            run_shapelint(
                "check", source, "--input", "2,3,16,16", "--mode", mode, "--no-report"
            ).code
            == 0
        )
