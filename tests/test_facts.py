"""The facts that the parts of shapelint tell each other: typed, and the same after a
pipe."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from shapelint.asked.request import (
    Propose,
    Read,
    Request,
    Walk,
    dump_request,
    load_request,
)
from shapelint.facts.diagnostics import Diagnostic, Draft, Edit, Fix, Related, Severity
from shapelint.facts.drawing import Block, Picture
from shapelint.facts.kinds import (
    BlockKind,
    CallKind,
    DiagnosticKind,
    Mode,
    NoPlace,
    Safety,
    Status,
    TargetKind,
)
from shapelint.facts.outcome import TargetReport
from shapelint.facts.places import Position, Span
from shapelint.facts.plain import from_plain, to_plain
from shapelint.facts.rows import Row
from shapelint.rules import catalogue


def test_words_are_their_texts_in_json_and_in_sentences() -> None:
    assert json.dumps([Mode.TRAIN, Safety.SAFE]) == '["train", "safe"]'
    assert f"{Status.PARTIAL} {Severity.ERROR:>6}" == "partial  error"
    assert ", ".join(Mode) == "train, eval"


def test_a_report_has_its_types_again_after_a_pipe() -> None:
    edit = Edit("n.py", Position(1, 2), Position(3, 4), "x")
    item = Diagnostic(
        *("SHP903", "not-walked", Severity.INFO, "m"),
        span=Span("n.py", 1),
        related=(Related(Span("n.py", 2), "or here", is_background=True),),
        fixes=(Fix("t", Safety.UNSAFE, True, (edit,)),),
        modes=(Mode.EVAL,),
        kind=DiagnosticKind.GAP,
    )
    report = TargetReport("n.py:N", status=Status.PARTIAL, kind=TargetKind.SOURCE)
    report.rows = [Row("a", "Linear", CallKind.MODULE)]
    report.diagnostics = [item]
    report.acted = [("n.py", 1, 2, "SHP101")]
    report.picture = Picture([Block("", "N", BlockKind.CONTAINER, made=("n.py", 1))])
    again = from_plain(TargetReport, json.loads(json.dumps(to_plain(report))))
    assert again == report
    assert again.status is Status.PARTIAL
    assert again.rows[0].is_module
    assert again.diagnostics[0].is_gap
    assert again.diagnostics[0].fixes[0].safety is Safety.UNSAFE
    assert again.picture is not None
    assert type(again.picture.blocks[0].kind) is BlockKind
    assert asdict(again) == asdict(report)


def test_a_finding_without_a_place_cannot_be_made() -> None:
    words = ("SHP101", "linear-input-mismatch", Severity.ERROR, "m")
    with pytest.raises(ValueError, match="no place"):
        Diagnostic(*words)
    with pytest.raises(ValueError, match="no place"):
        Draft(*words).at(None)
    placed = Draft(*words, label="l").at(Span("n.py", 1))
    assert (placed.label, placed.place) == ("l", Span("n.py", 1))
    with pytest.raises(ValueError, match="no place"):
        replace(placed, span=None)


def test_a_finding_may_say_why_it_has_no_place() -> None:
    draft = Draft("SHP304", "too-many-parameters", Severity.ERROR, "m")
    assert draft.at(None, otherwise=NoPlace.TARGET).no_place is NoPlace.TARGET
    assert draft.at(Span("n.py", 1), otherwise=NoPlace.TARGET).no_place is None


@pytest.mark.parametrize("data", [None, [], {"target": 1, "nothing": 2}, {"rows": [1]}])
def test_what_is_no_report_is_refused(data: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        from_plain(TargetReport, data)


@pytest.mark.parametrize(
    "request_",
    [
        Walk("n.py:N", ("1,3",), modes=(Mode.EVAL,), texts={"/n.py": "x"}, seconds=2.5),
        Read("train.py", ("SHP406",), ("*/old",), ignored_in={"/a/*": ["SHP401"]}),
        Propose("n.py:N", 9.0),
    ],
)
def test_a_request_is_the_same_after_a_pipe(request_: Request) -> None:
    again = load_request(dump_request(request_))
    assert (type(again), again) == (type(request_), request_)


def test_rules_name_rules_that_exist() -> None:
    rules = catalogue().rules
    for rule in rules.values():
        assert {*rule.supersedes, *rule.follows} <= set(rules)
        assert rule.code not in {*rule.supersedes, *rule.follows}


def test_no_layer_is_refused_by_two_rules() -> None:
    beginnings = [
        word for rule in catalogue().rules.values() for word in rule.constructors
    ]
    assert len(beginnings) == len(set(beginnings))
    assert not [
        (one, other)
        for one in beginnings
        for other in beginnings
        if one != other and one.startswith(other)
    ]
