"""Names, messages and source lines that would act: on a terminal, on GitHub's runner,
on a parser, on a reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shapelint.asked.formats import CHECK_FORMATS, REPORT_FORMATS
from shapelint.facts.diagnostics import (
    Diagnostic,
    Edit,
    Fix,
    Related,
    Severity,
    TrailStep,
)
from shapelint.facts.drawing import Block, Link, Picture
from shapelint.facts.escape import in_one_line, json_text, printable, visible
from shapelint.facts.kinds import BlockKind, CallKind, NoPlace, Safety, Status
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.places import Position, Span
from shapelint.facts.rows import Row
from shapelint.facts.tensors import TensorFact, ValueFact
from shapelint.known import baseline
from shapelint.python.results import Report
from shapelint.render import findings_only, render, render_report, write
from shapelint.render.style import Style
from shapelint.syntax import texts
from shapelint.syntax.paths import shown_path
from tests.hostile import HOSTILE, check_text, commands

REPORTS = (*REPORT_FORMATS, "tree")


@pytest.fixture(params=list(HOSTILE))
def hostile(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.chdir(tmp_path)
    return HOSTILE[request.param]


@pytest.fixture
def outcome(
    hostile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Outcome]:
    """A text at every place where one of the user's can stand: names, messages, and the
    file with its line."""
    name = hostile.replace("\ud83d", "half")  # which no file system can hold
    file = str(tmp_path / name / f"{name}.py")
    with reading(monkeypatch, f"x = '{hostile}'  # {hostile}\n"):
        yield made(file, hostile)


@contextmanager
def reading(monkeypatch: pytest.MonkeyPatch, text: str) -> Iterator[None]:
    """A text in every file, though no file system holds such names or texts."""
    with monkeypatch.context() as patch:
        patch.setattr(texts, "_read_disk", lambda _: text)
        yield


def made(file: str, text: str) -> Outcome:
    span = Span(file, 1, 3, 1, 6)
    edit = Edit(file, Position(1, 1), Position(1, 2), text)
    item = Diagnostic(
        *("SHP119", "forward-raises", Severity.ERROR, text),
        target=f"{text}:Net",
        layer=text,
        span=span,
        label=text,
        called_at=span,
        related=(Related(span, text),),
        expected=text,
        found=text,
        trail=(TrailStep("", "", text), TrailStep(text, text, text)),
        notes=(text,),
        fixes=(Fix(text, Safety.SAFE, True, (edit,), text),),
    )
    nowhere = replace(
        item,
        span=None,
        called_at=None,
        no_place=NoPlace.TARGET,
        target=text,
        severity=Severity.WARNING,
    )
    # No dtype has such a name; but what is printed is not trusted to be one.
    plain, strange = TensorFact("f32", (1, 8)), TensorFact(text, (1, 8), text)
    given = ValueFact("f32[1,8]", (plain,), text)
    picture = Picture(
        [
            Block("", text, BlockKind.CONTAINER, params=16),
            Block(text, "input", BlockKind.INPUT, [], [plain], within=0, value=given),
            Block(
                text,
                text,
                BlockKind.MODULE,
                [plain],
                [strange],
                8,
                8,
                8,
                0,
                (file, 1),
                (file, 1),
                failed=True,
            ),
            Block(text, text, BlockKind.CONTAINER, [plain], [strange], 8, 8, within=0),
            Block(text, text, BlockKind.FUNCTION, [strange], [strange], 8, within=3),
        ],
        [Link(1, 2, strange), Link(2, 4, strange, into_failed=True)],
    )
    rows = [
        Row(
            text,
            text,
            CallKind.MODULE,
            [strange],
            [strange],
            8,
            8,
            file,
            1,
            failed=True,
        ),
        Row(text, f"conv{text}", CallKind.FUNCTION, [plain], [strange]),
    ]
    report = TargetReport(
        f"{text}:Net", [given], Status.PARTIAL, ValueFact(text), rows, notes=[text]
    )
    report.diagnostics, report.tree, report.picture = (
        [item, nowhere],
        f"{text}\n  {text}\n",
        picture,
    )
    return Outcome(report, "2.0", f"Traceback\n  {text}\n{text}")


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_no_format_of_a_check_acts(name: str, outcome: Outcome, hostile: str) -> None:
    check_text(
        render(name, [outcome, outcome], Style(unicode=True), True), name, hostile
    )


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_acts(name: str, outcome: Outcome, hostile: str) -> None:
    kind = "table" if name == "tree" else name
    check_text(
        render_report(kind, outcome, Style(unicode=True), name == "tree"), name, hostile
    )


@pytest.mark.parametrize("name", ["full", "concise"])
def test_quiet_and_colour_do_not_act(name: str, outcome: Outcome, hostile: str) -> None:
    check_text(findings_only(name, [outcome], Style()), name, hostile)
    in_colour = Style(colour=True, unicode=True)
    text = render(name, [outcome], in_colour, True)
    assert "\x1b[31m" in text
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert plain == render(name, [outcome], Style(unicode=True), True)
    check_text(plain, name, hostile)


def test_a_session_shows_nothing_that_acts(outcome: Outcome, hostile: str) -> None:
    report = Report(outcome)
    assert "<script>|" not in report._repr_html_()
    for text in (report._repr_html_(), str(report), report.to_html(), report.to_svg()):
        check_text(text, "text", hostile)
    assert report.to_json()["diagnostics"][0]["message"] == hostile


# -- GitHub
# -----------------------------------------------------------------------------------------


def test_beyond_the_tenth_finding_no_line_is_a_command(
    outcome: Outcome, hostile: str
) -> None:
    first, second = outcome.report.diagnostics
    outcome.report.diagnostics = [first] * 12 + [second] * 12
    text = render("github", [outcome], Style(), True)
    found = commands(text)
    assert [name for name, _ in found] == ["error"] * 10 + ["warning"] * 10
    line = f"{in_one_line(hostile)}: {in_one_line(hostile)}"
    assert {data.split("\n")[0] for _, data in found} == {line.replace("\u200d", "")}
    assert (
        len(text.splitlines())
        == 10
        + 1
        + 2
        + 10
        + 1
        + 2
        + len(render("concise", [], Style(), True).splitlines())
        + 1
    )


def test_the_file_of_an_annotation_is_the_one_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = made(str(tmp_path / "::error file=x,y::%z.py"), "text")
    line = render("github", [outcome], Style(), True).splitlines()[0]
    assert line.startswith(
        "::error file=%3A%3Aerror file=x%2Cy%3A%3A%25z.py,line=1,col=3,endColumn=6,title="
    )
    assert json.loads(render("json", [outcome], Style(), True))["diagnostics"][0][
        "location"
    ]["file"] == ("::error file=x,y::%z.py")
    assert shown_path("::error file=x::y.py") == "./::error file=x::y.py"


# -- texts
# ------------------------------------------------------------------------------------------


def test_what_is_written_out_reads_as_in_python() -> None:
    assert (
        in_one_line("a\x1b[2J\r\n\t\x9b\u202e\udcff\ufffe")
        == r"a\x1b[2J\r\n\t\x9b\u202e\udcff\ufffe"
    )
    assert visible("a\n\tb\x07") == "a\n\tb\\x07"
    assert (
        printable("a\n  ::error::b\n::\n:::: c ::")
        == "a\n  \\x3a:error::b\n::\n\\x3a::: c ::"
    )


@pytest.mark.parametrize(
    "text",
    [
        "größe → 層 ∑ é e\u0301",
        "👩\u200d👧 ❤\ufe0f",
        "a::b ## [x] C:\\n \\x1b",
        "م\u200cن",
    ],
)
def test_what_does_not_act_stays(text: str) -> None:
    assert in_one_line(text) == text
    assert printable(text) == text
    assert json.loads(json_text(text)) == text


def test_the_marks_stand_below_what_they_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "net.py")
    line = "\ta = '\x1b\u202e'; call('\x07')  # ##[x]"
    start = line.index("call") + 1
    item = replace(
        made(file, "text").report.diagnostics[0],
        span=Span(file, 1, start, 1, start + len("call('\x07')")),
    )
    with reading(monkeypatch, f"{line}\n"):
        text = render(
            "full", [Outcome(TargetReport("t", diagnostics=[item]))], Style(), False
        )
    source, marks = text.splitlines()[3:5]
    assert source == "1 | \ta = '\\x1b\\u202e'; call('\\x07')  # ##\\x5bx]"
    assert marks[: source.index("call")].strip(" |\t") == ""
    assert marks[source.index("call") :] == "^" * len(r"call('\x07')") + " text"


def test_markdown_shows_a_name_with_backticks_and_bars_in_its_cell() -> None:
    item = Diagnostic(
        "SHP119",
        "forward-raises",
        Severity.ERROR,
        r"a \| b",
        target="`a|b``c.py",
        no_place=NoPlace.TARGET,
    )
    text = render(
        "markdown", [Outcome(TargetReport("t", diagnostics=[item]))], Style(), False
    )
    row = text.splitlines()[6]
    assert row == r"| error | SHP119 forward-raises | ``` `a\|b``c.py ``` | a \\\| b |"


def test_files_and_terminals_get_what_was_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("a\x07\udcff\n", str(tmp_path / "out"), Style())
    assert (tmp_path / "out").read_bytes() == b"a\\x07\\udcff\n"
    write("\x1b[31ma\x1b[0m\x1b[2J\n", None, Style(colour=True))
    assert capsys.readouterr().out == "\x1b[31ma\x1b[0m\\x1b[2J\n"


def test_a_baseline_knows_its_findings_again(outcome: Outcome, tmp_path: Path) -> None:
    file = str(tmp_path / "known.json")
    assert baseline.write(file, [outcome]) == 2
    (left,) = baseline.without_known([outcome], baseline.read(file))
    assert (left.report.diagnostics, left.report.known) == ([], 2)


def test_an_assertion_does_not_act() -> None:
    from torch import nn

    from shapelint import assert_shapes

    def net() -> nn.Module:
        model = nn.Sequential()
        model.add_module("\x1b[2J\n::error::pwned ##[error]", nn.Linear(8, 2))
        return model

    with pytest.raises(AssertionError, match="SHP118") as raised:
        assert_shapes(net, "B 8 -> B 3")
    check_text(str(raised.value), "text", "")
