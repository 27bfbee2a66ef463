"""Names, messages and source lines that would act: on a terminal, on GitHub's runner, on a parser, on a reader."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shapelint import baseline
from shapelint.cli import main
from shapelint.cli.fixing import say_diff
from shapelint.cli.progress import Progress
from shapelint.config import FORMATS
from shapelint.diagnostics import (
    Block,
    Diagnostic,
    Edit,
    Fix,
    Link,
    Picture,
    Position,
    Related,
    Row,
    Severity,
    Span,
    TargetReport,
    TrailStep,
)
from shapelint.escape import in_one_line, json_text, printable, visible
from shapelint.fixes.files import SourceFile, difference
from shapelint.render import Style, findings_only, render, render_report, shown_path, write
from shapelint.results import Report
from shapelint.runner import Outcome
from shapelint.syntax.places import working_copies
from tests.conftest import ROOT, run_shapelint

HOSTILE = {
    "escape": "\x1b[2J\x1b]0;title\x07",
    "other controls": "a\rb\x08\x0b\x0c\x7f\x01",
    "8-bit controls": "\x9b2J\x85\x9d0;title\x9c",
    "newline": "a\n::error file=x::pwned",
    "command": "::error file=x::pwned",
    "command after blanks": " \u00a0::warning::pwned",
    "command after what is not compared": "\u200d::warning::pwned",
    "old command": "a ##[add-mask]pwned",
    "old command with a joiner": "#\u200d#[add-mask]pwned",
    "direction": "\u202eab\u2066c\u200f\u061c",
    "separators": "a\u2028::error::pwned\u2029b",
    "byte of no character": "\udcff",
    "half of a pair": "\ud83d",
    "no characters": "\ufffe\uffff\ufeff",
    "markup": "<script>|\\|``x`]]>&amp;",
    "percent": "%0A::error::x,line=2",
}
REPORTS = ("table", "pipeline", "csv", "json", "markdown", "html", "svg", "tree")
DIRECTIONS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def acting(text: str) -> list[str]:
    """Characters of a text that act, by what Unicode says of them."""
    return [
        char
        for char in text
        if (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char not in "\n\t")
        or unicodedata.bidirectional(char) in DIRECTIONS
        or char in "\u061c\u200e\u200f\ufffe\uffff"
    ]


def commands(text: str) -> list[tuple[str, str]]:
    """Name and data of what GitHub's runner would take for commands: `::` first in a line, `##[` anywhere in one.

    Its comparison goes by the rules of a language, for which joiners and marks of variation are not there.
    """
    found = []
    for line in re.split("\r\n|\r|\n", re.sub("[\u200c\u200d\ufe00-\ufe0f]", "", text)):
        new = re.match(r"\s*::([\w-]+)(?: .*?)?::(.*)", line)
        old = re.search(r"##\[([\w-]+)[^]]*\](.*)", line)
        if new or old:
            name, data = (new or old).groups()  # type: ignore[union-attr]
            found.append((name, data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")))
    return found


@pytest.fixture(params=list(HOSTILE))
def hostile(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return HOSTILE[request.param]


@pytest.fixture
def outcome(hostile: str, tmp_path: Path) -> Iterator[Outcome]:
    """A text at every place where one of the user's can stand: names, messages, and the file with its line."""
    name = hostile.replace("\ud83d", "half")  # which no file system can hold
    file = str(tmp_path / name / f"{name}.py")
    with working_copies({file: f"x = '{hostile}'  # {hostile}\n"}):
        yield made(file, hostile)


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
        fixes=(Fix(text, "safe", True, (edit,), text),),
    )
    nowhere = replace(item, span=None, called_at=None, target=text, severity=Severity.WARNING)
    picture = Picture(
        [
            Block("", text, "container", params=16),
            Block(text, "input", "input", [], ["f32[1,8]"], within=0),
            Block(text, text, "module", ["f32[1,8]"], [text], 8, 8, 8, 0, (file, 1), (file, 1), failed=True),
            Block(text, text, "container", ["f32[1,8]"], [text], 8, 8, within=0),
            Block(text, text, "function", [text], [text], 8, within=3),
        ],
        [Link(1, 2, text), Link(2, 4, text, into_failed=True)],
    )
    rows = [
        Row(text, text, "module", [text], [text], 8, 8, file, 1, failed=True),
        Row(text, f"conv{text}", "function", ["f32[1,8]"], [text]),
    ]
    report = TargetReport(f"{text}:Net", [f"{text}=f32[1,8]"], "partial", text, rows, notes=[text])
    report.diagnostics, report.tree, report.picture = [item, nowhere], f"{text}\n  {text}\n", picture
    return Outcome(report, "2.0", f"Traceback\n  {text}\n{text}")


def check_text(text: str, kind: str, hostile: str) -> None:
    """What must hold of any output, and what the format's own readers say."""
    assert acting(text) == []
    text.encode("utf-8")
    if kind != "github":
        assert commands(text) == []
    if kind in ("json", "sarif", "gitlab"):
        assert any(hostile in each for each in strings_of(json.loads(text)))
    if kind in ("junit", "svg"):
        ET.fromstring(text)
    if kind in ("html", "markdown", "svg"):
        outside = re.sub(r"```+text\n.*?\n```+", "", text, flags=re.DOTALL)
        assert "<script>|" not in re.sub("`+ .*? `+", "", outside)
    if kind == "html":
        data = re.findall(r'<script type="application/json">(.*?)</script>', text)
        assert data
        assert acting("".join(strings_of([json.loads(each) for each in data]))) == []
    if kind == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(text))} == {10}


def strings_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    return [each for item in value for each in strings_of(item)] if hasattr(value, "__iter__") else []


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_of_a_check_acts(name: str, outcome: Outcome, hostile: str) -> None:
    check_text(render(name, [outcome, outcome], Style(unicode=True), True), name, hostile)


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_acts(name: str, outcome: Outcome, hostile: str) -> None:
    kind = "table" if name == "tree" else name
    check_text(render_report(kind, outcome, Style(unicode=True), name == "tree"), name, hostile)


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


# -- GitHub -----------------------------------------------------------------------------------------


def test_beyond_the_tenth_finding_no_line_is_a_command(outcome: Outcome, hostile: str) -> None:
    first, second = outcome.report.diagnostics
    outcome.report.diagnostics = [first] * 12 + [second] * 12
    text = render("github", [outcome], Style(), True)
    found = commands(text)
    assert [name for name, _ in found] == ["error"] * 10 + ["warning"] * 10
    line = f"{in_one_line(hostile)}: {in_one_line(hostile)}"
    assert {data.split("\n")[0] for _, data in found} == {line.replace("\u200d", "")}
    assert (
        len(text.splitlines()) == 10 + 1 + 2 + 10 + 1 + 2 + len(render("concise", [], Style(), True).splitlines()) + 1
    )


def test_the_file_of_an_annotation_is_the_one_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = made(str(tmp_path / "::error file=x,y::%z.py"), "text")
    line = render("github", [outcome], Style(), True).splitlines()[0]
    assert line.startswith("::error file=%3A%3Aerror file=x%2Cy%3A%3A%25z.py,line=1,col=3,endColumn=6,title=")
    assert json.loads(render("json", [outcome], Style(), True))["diagnostics"][0]["location"]["file"] == (
        "::error file=x,y::%z.py"
    )
    assert shown_path("::error file=x::y.py") == "./::error file=x::y.py"


# -- texts ------------------------------------------------------------------------------------------


def test_what_is_written_out_reads_as_in_python() -> None:
    assert in_one_line("a\x1b[2J\r\n\t\x9b\u202e\udcff\ufffe") == r"a\x1b[2J\r\n\t\x9b\u202e\udcff\ufffe"
    assert visible("a\n\tb\x07") == "a\n\tb\\x07"
    assert printable("a\n  ::error::b\n::\n:::: c ::") == "a\n  \\x3a:error::b\n::\n\\x3a::: c ::"


@pytest.mark.parametrize(
    "text", ["größe → 層 ∑ é e\u0301", "👩\u200d👧 ❤\ufe0f", "a::b ## [x] C:\\n \\x1b", "م\u200cن"]
)
def test_what_does_not_act_stays(text: str) -> None:
    assert in_one_line(text) == text
    assert printable(text) == text
    assert json.loads(json_text(text)) == text


def test_the_marks_stand_below_what_they_mark(tmp_path: Path) -> None:
    file = str(tmp_path / "net.py")
    line = "\ta = '\x1b\u202e'; call('\x07')  # ##[x]"
    start = line.index("call") + 1
    item = replace(made(file, "text").report.diagnostics[0], span=Span(file, 1, start, 1, start + len("call('\x07')")))
    with working_copies({file: f"{line}\n"}):
        text = render("full", [Outcome(TargetReport("t", diagnostics=[item]))], Style(), False)
    source, marks = text.splitlines()[3:5]
    assert source == "1 | \ta = '\\x1b\\u202e'; call('\\x07')  # ##\\x5bx]"
    assert marks[: source.index("call")].strip(" |\t") == ""
    assert marks[source.index("call") :] == "^" * len(r"call('\x07')") + " text"


def test_markdown_shows_a_name_with_backticks_and_bars_in_its_cell() -> None:
    item = Diagnostic("SHP119", "forward-raises", Severity.ERROR, r"a \| b", target="`a|b``c.py")
    text = render("markdown", [Outcome(TargetReport("t", diagnostics=[item]))], Style(), False)
    row = text.splitlines()[6]
    assert row == r"| error | SHP119 forward-raises | ``` `a\|b``c.py ``` | a \\\| b |"


def test_files_and_terminals_get_what_was_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a\x07\udcff\n", str(tmp_path / "out"), Style())
    assert (tmp_path / "out").read_bytes() == b"a\\x07\\udcff\n"
    write("\x1b[31ma\x1b[0m\x1b[2J\n", None, Style(colour=True))
    assert capsys.readouterr().out == "\x1b[31ma\x1b[0m\\x1b[2J\n"


# -- what else is printed ---------------------------------------------------------------------------


def test_a_diff_does_not_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "\x1b[2J.py"
    file.write_text('"""\n ::error::pwned\n##[error]pwned\n\x1b[2J\f\u202e\n"""\nx = 1\n', encoding="utf-8")
    before = SourceFile.of(str(file))
    text = difference({str(file): before.text.replace("x = 1", "x = 2")}, {str(file): before})
    assert "No newline" not in text  # a form feed ends no line
    say_diff(text, 1)
    said = capsys.readouterr().out
    assert (acting(said), commands(said)) == ([], [])
    assert said.startswith("--- \\x1b[2J.py\n")
    assert "-x = 1\n+x = 2\n" in said


def test_progress_does_not_act(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1, verbose=True) as progress:
        progress.step(hostile, "importing torch")
        progress.step(hostile, "done")
    check_text(capsys.readouterr().err, "text", hostile)


@pytest.mark.parametrize(
    "words",
    [
        ("{}",),
        ("{}.py:Net",),
        ("check", "--{}"),
        ("check", "{}.py:Net", "--input", "1,3"),
        ("check", "{}.py:(", "--input", "1,3"),
        ("check", "--select", "{}"),
        ("check", "--config", "{}"),
        ("check", "--output-format", "{}"),
        ("check", "--baseline", "{}", "train.py"),
        ("rule", "{}"),
        ("init", "{}"),
    ],
)
def test_errors_that_name_the_users_words_do_not_act(words: tuple[str, ...], hostile: str) -> None:
    if words[-1].endswith("1,3"):
        words = (*words, "--mode", "no mode")
    name = hostile.replace("\ud83d", "half")  # nor a command line
    done = CliRunner().invoke(main, [word.replace("{}", name) for word in words])
    assert done.exit_code == 2
    check_text(done.output, "text", hostile)


def test_settings_do_not_act_and_are_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = '"a\\u001b\\u007f\\u202e##[x]"'
    (tmp_path / "shapelint.toml").write_text(f"exclude = [{name}]\n")
    done = CliRunner().invoke(main, ["check", "--show-settings"])
    check_text(done.output, "text", "")
    (line,) = [line for line in done.output.splitlines() if line.startswith("exclude")]
    (tmp_path / "shapelint.toml").write_text(f"{line}\n")
    assert CliRunner().invoke(main, ["check", "--show-settings"]).output == done.output


def test_a_baseline_knows_its_findings_again(outcome: Outcome, tmp_path: Path) -> None:
    file = str(tmp_path / "known.json")
    assert baseline.write(file, [outcome]) == 2
    (left,) = baseline.without_known([outcome], baseline.read(file))
    assert (left.report.diagnostics, left.report.known) == ([], 2)


# -- as a user runs it ------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="such names are none there")
@pytest.mark.parametrize(
    "name", [b"::error file=x::y.py", b"\xff\x1b[2J\n::error::.py", "\u202e##[error]x.py".encode()]
)
def test_files_with_such_names(name: bytes, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(name)).write_text("x = (\n")
    kinds = [kind for kind in FORMATS if kind not in ("concise", "html")]
    words = [word for kind in kinds for word in ("--output-format", f"{kind}={kind}.txt")]
    done = subprocess.run(
        [sys.executable, "-m", "shapelint", "check", "-v", name, "--output-format", "concise", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 2
    for out in (done.stdout, done.stderr):
        check_text(out.decode("utf-8"), "text", "")
    for kind in kinds:
        text = (tmp_path / f"{kind}.txt").read_bytes().decode("utf-8")
        check_text(text, kind, os.fsdecode(name))
    (told,) = commands((tmp_path / "github.txt").read_text(encoding="utf-8"))
    assert told[0] == "error"


def test_a_model_with_such_names(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n"
        "Odd = type('\\x1b[2J##[error]', (nn.Linear,), {})\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.add_module('::error::a\\n::error::\\x9b', Odd(8, 8))\n"
        "        self.head = nn.Linear(9, 2)\n"
        "    def forward(self, x):\n"
        "        for layer in self.children():  # \u202e ##[error]\n"
        "            x = layer(x)\n"
        "        return {'\\udcff\\u2028': x}\n",
        encoding="utf-8",
    )
    words = [word for kind in ("github", "json") for word in ("--output-format", f"{kind}={kind}.txt")]
    done = run_shapelint("check", "net.py:Net", "--input", "1,8", "--output-format", "full", *words, cwd=tmp_path)
    assert done.code == 1
    check_text(done.out + done.err, "full", "")
    check_text((tmp_path / "json.txt").read_text(encoding="utf-8"), "json", "::error::a\n::error::\x9b")
    assert {name for name, _ in commands((tmp_path / "github.txt").read_text(encoding="utf-8"))} == {"error"}
    done = run_shapelint("report", "net.py:Net", "--input", "1,8", "--tree", cwd=tmp_path)
    assert done.code == 1
    check_text(done.out + done.err, "tree", "")


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
