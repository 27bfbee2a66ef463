"""Each format of `check`: as it was last looked at, and as the readers it is for take
it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
import sarif_pydantic
import xmlschema

from shapelint.asked.formats import CHECK_FORMATS, FORMATS, FormatName
from shapelint.facts.diagnostics import Diagnostic, Related, Severity
from shapelint.facts.kinds import NoPlace, Status, TargetKind
from shapelint.facts.outcome import Outcome, TargetReport
from shapelint.facts.places import Span
from shapelint.render import render
from shapelint.render.fingerprints import fingerprint
from shapelint.render.format import Escaping, Format
from shapelint.render.formats import all_formats, load_format
from shapelint.render.formats.github import SHOWN
from shapelint.render.style import Style
from tests.conftest import ROOT, run_shapelint

SNAPSHOTS = Path(__file__).parent / "snapshots"
RUN = (
    "check", "fixtures/small_cnn.py:SmallCNN", "fixtures/unet.py:UNet", "tests/snapshots/train.py",
    "--input", "1,3,32,32", "--mode", "eval",
)  # fmt: skip
TEXT = list(CHECK_FORMATS)


def normal(text: str) -> str:
    """Without what differs between machines, versions and where it ran, and without
    what has tests of its own."""
    text = re.sub(
        r"(<(style|script)\b[^>]*>).*?(</\2>)", r"\1\3", text, flags=re.DOTALL
    )  # assets, and data of those
    text = re.sub(
        r'\b(transform|d|x|y|width|height|viewBox|cx|cy)="[^"]*"', r'\1=""', text
    )  # as Graphviz places it
    text = re.sub(r"(<footer>shapelint )[\d.]+", r"\g<1>0", text)
    text = re.sub(
        r'"(version|semanticVersion|torch|python)": "[\d.+a-z]+"', r'"\1": "0"', text
    )
    return text.replace(
        '"version": "0",\n  "runs"', '"version": "2.1.0",\n  "runs"'
    ).replace(ROOT.as_uri(), "ROOT")


def unchanged(text: str, name: str) -> None:
    """Hold a text against its snapshot; `SHAPELINT_SNAPSHOTS=write` writes it, to be
    looked at and committed."""
    file = SNAPSHOTS / name
    if os.environ.get("SHAPELINT_SNAPSHOTS") == "write":
        file.write_text(normal(text), encoding="utf-8")
    assert normal(text) == file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One run in every format, and in the two for terminals with colour too."""
    folder = tmp_path_factory.mktemp("formats")
    words = [
        word for name in TEXT for word in ("--output-format", f"{name}={folder / name}")
    ]
    assert run_shapelint(*RUN, *words).code == 1
    found = {name: (folder / name).read_text(encoding="utf-8") for name in TEXT}
    for name in ("full", "concise"):
        done = run_shapelint(
            *RUN,
            "--output-format",
            name,
            "--color",
            "always",
            PYTHONUTF8="0",
            LC_ALL="C",
        )
        found[f"{name} in colour"] = done.out
    return found


@pytest.mark.parametrize("name", [*TEXT, "full in colour", "concise in colour"])
def test_a_run_prints_what_it_printed(name: str, printed: dict[str, str]) -> None:
    assert (
        name in ("full", "markdown", "json", "sarif", "junit", "html")
        or printed[name].isascii()
    )
    unchanged(printed[name], f"{name.replace(' ', '_')}.txt")


def test_colour_is_escapes_and_nothing_else(printed: dict[str, str]) -> None:
    assert "\x1b[" in printed["concise in colour"]
    assert (
        re.sub(r"\x1b\[[\d;]*m", "", printed["concise in colour"]) == printed["concise"]
    )


# -- SARIF
# ------------------------------------------------------------------------------------------


def test_sarif_is_accepted_by_a_reader_of_others(printed: dict[str, str]) -> None:
    read = sarif_pydantic.Sarif.model_validate(json.loads(printed["sarif"]))
    assert [str(result.rule_id) for result in read.runs[0].results or []] == [
        item["code"] for item in json.loads(printed["json"])["diagnostics"]
    ]


def test_sarif_refers_only_to_what_is_there(printed: dict[str, str]) -> None:
    (run,) = json.loads(printed["sarif"])["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in (*result["locations"], *result.get("relatedLocations", [])):
            place = location["physicalLocation"]
            assert (ROOT / place["artifactLocation"]["uri"]).is_file()
            assert place["region"]["startLine"] >= 1
    prints = [
        result["partialFingerprints"]["shapelint/v1"] for result in run["results"]
    ]
    assert len(set(prints)) == len(prints)
    (first, *_) = [result for result in run["results"] if result["ruleId"] == "SHP101"]
    steps = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["executionOrder"] for step in steps] == list(range(1, len(steps) + 1))
    assert (
        steps[-1]["location"]["physicalLocation"]
        == first["locations"][0]["physicalLocation"]
    )
    assert (
        first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"][
            "text"
        ]
        == "32 * 8 * 8"
    )
    assert "# linear-input-mismatch" in rules[first["ruleIndex"]]["help"]["markdown"]


def test_a_fingerprint_outlives_a_moved_line_and_another_number() -> None:
    def finding(**more: Any) -> Diagnostic:
        words = {
            "layer": "head.1",
            "target": "net.py:Net(10)",
            "span": Span("net.py", 9, 4),
        }
        return Diagnostic(
            "SHP101",
            "linear-input-mismatch",
            Severity.ERROR,
            "takes 9",
            **{**words, **more},
        )

    same = fingerprint(finding())
    assert fingerprint(finding(span=Span("net.py", 12, 4), found="7")) == same
    assert fingerprint(finding(target="net.py:Net")) == same
    assert fingerprint(finding(layer="head.2")) != same
    assert fingerprint(finding(span=Span("other.py", 9, 4))) != same


# -- the others
# --------------------------------------------------------------------------------------


def test_junit_fits_its_schema(printed: dict[str, str]) -> None:
    schema = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")
    schema.validate(printed["junit"])
    strange = Diagnostic(
        "SHP119",
        "forward-raises",
        Severity.ERROR,
        "\x00 <&> \x1b[31m",
        target="n.py:N",
        no_place=NoPlace.TARGET,
    )
    failed = TargetReport("n.py:N", status=Status.FAILED, diagnostics=[strange])
    schema.validate(
        render(
            "junit", [Outcome(failed), Outcome(TargetReport("clean.py"))], Style(), True
        )
    )
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(printed["junit"].replace("<testcase name=", "<testcase nam="))


def test_junit_is_understood_by_a_reader_of_others(printed: dict[str, str]) -> None:
    read = junitparser.JUnitXml.fromstring(printed["junit"].encode())
    found = [
        item
        for item in json.loads(printed["json"])["diagnostics"]
        if item["severity"] != "info"
    ]
    assert (read.tests, read.failures, read.errors) == (len(found), len(found), 0)
    told = [result for suite in read for case in suite for result in case.result]
    assert [result.type.split()[0] for result in told] == [
        item["code"] for item in found
    ]
    assert all(result.message and result.text for result in told)


def test_github_shows_ten_of_a_kind_and_no_columns_across_lines() -> None:
    def finding(number: int, severity: Severity) -> Diagnostic:
        span = Span("net.py", number, 3, number + number % 2, 9)
        return Diagnostic(
            "SHP101", "linear-input-mismatch", severity, "100 %, \nso: wrong", span=span
        )

    report = TargetReport(
        "net.py:Net", diagnostics=[finding(n, Severity.ERROR) for n in range(1, 14)]
    )
    text = render("github", [Outcome(report)], Style(), True)
    commands = [line for line in text.splitlines() if line.startswith("::")]
    assert len(commands) == SHOWN
    assert commands[0] == (
        "::error file=net.py,line=1,endLine=2,title=shapelint SHP101 linear-input-mismatch::100 %25, \\nso: wrong"
    )
    assert commands[1].startswith("::error file=net.py,line=2,col=3,endColumn=9,title=")
    assert "3 more errors" in text
    assert text.count("net.py:") == 3


def test_gitlab_has_what_it_asks_for(printed: dict[str, str]) -> None:
    issues = json.loads(printed["gitlab"])
    assert len(issues) == len(json.loads(printed["json"])["diagnostics"])
    for issue in issues:
        assert set(issue) == {
            "description",
            "check_name",
            "fingerprint",
            "severity",
            "location",
        }
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("/")


def test_markdown_stays_in_its_cells() -> None:
    item = Diagnostic(
        "SHP119",
        "forward-raises",
        Severity.ERROR,
        "a | b\n```<b>",
        target="n.py:N",
        no_place=NoPlace.TARGET,
    )
    text = render(
        "markdown", [Outcome(TargetReport("n.py:N", diagnostics=[item]))], Style(), True
    )
    assert "a \\| b\\n```&lt;b>" in text
    assert "````text" in text


def test_places_in_notebooks_are_the_notebook_and_say_the_cell() -> None:
    cell = Span("train.ipynb:cell 4", 3, 5, 3, 9)
    item = Diagnostic(
        "SHP406",
        "no-grad-missing",
        Severity.WARNING,
        "m",
        span=cell,
        related=(Related(cell, "r"),),
    )
    outcomes = [
        Outcome(TargetReport("train.ipynb", diagnostics=[item], kind=TargetKind.SOURCE))
    ]
    (result,) = json.loads(render("sarif", outcomes, Style(), True))["runs"][0][
        "results"
    ]
    place = result["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "train.ipynb", "uriBaseId": "SRCROOT"}, "region": {"startLine": 1},
    }  # fmt: skip
    assert place["logicalLocations"][0]["name"] == "cell 4, line 3"
    assert "file=train.ipynb,title" in render("github", outcomes, Style(), True)
    assert json.loads(render("gitlab", outcomes, Style(), True))[0][
        "description"
    ].startswith("cell 4, line 3: ")


# -- the words
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--output-format", "sariff"), "did you mean `sarif`?"),
        (
            ("--output-format", "full", "--output-format", "json"),
            "would both go to stdout",
        ),
        (
            ("--output-format", "json=a", "--output-format", "sarif=a"),
            "two formats would be written to `a`",
        ),
        (("--output-format", "json=a", "--output-file", "b"), "is for one format"),
        (("--output-format", "json="), "names no file"),
    ],
)
def test_formats_that_cannot_be_printed(words: tuple[str, ...], said: str) -> None:
    done = run_shapelint(
        "check", "fixtures/small_cnn.py:SmallCNN", "--input", "1,3,64,64", *words
    )
    assert done.code == 2
    assert said in done.err


# -- the registry
# ------------------------------------------------------------------------------------


def test_what_can_be_asked_for_is_what_there_is() -> None:
    assert set(all_formats()) == {known.name for known in FORMATS}
    assert len(FORMATS) == len({known.name for known in FORMATS})


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_a_format_writes_what_it_can_be_asked_for(known: FormatName) -> None:
    own = vars(type(load_format(known.name)))
    assert ("render_check" in own) is known.of_check
    assert ("render_layers" in own) is known.of_report
    assert ("write_finding" in own) is own.get("is_for_terminals", False)
    assert known.of_check or known.of_report


def test_only_formats_for_programs_escape_on_their_own() -> None:
    """A new one starts with the texts of others made safe, and must say if it does
    that."""
    assert Format.escaping is Escaping.PLAIN
    own = {
        name: found.escaping
        for name, found in all_formats().items()
        if found.escaping is not Escaping.PLAIN
    }
    exact = dict.fromkeys(("json", "sarif", "gitlab"), Escaping.EXACT)
    assert own == {**exact, "github": Escaping.COMMANDS}


@pytest.mark.parametrize(
    ("source", "held"),
    [
        ("", "nothing"),
        ("class Second(Format):\n    name = 'json'\n", "json"),
        (
            "class New(Format):\n    name = 'new'\n\nclass More(New):\n    pass\n",
            "new, new",
        ),
    ],
)
def test_a_file_holds_the_format_of_its_name_and_no_second(
    source: str, held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shapelint.render.formats

    file = tmp_path / "new.py"
    file.write_text(f"from shapelint.render.format import Format\n{source}")
    monkeypatch.setattr(shapelint.render.formats, "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "shapelint.render.formats.new", raising=False)
    with pytest.raises(ValueError, match=f"hold it alone, not {held}$"):
        load_format("new")
