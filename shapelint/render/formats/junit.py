"""JUnit XML, which Jenkins, GitLab and Azure show as tests: a suite for each target, a
test for each finding.

What readers agree on: https://github.com/testmoapp/junitxml"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome
from shapelint.render.finding_text import render_diagnostic
from shapelint.render.format import Format, Wanted
from shapelint.render.style import Style
from shapelint.syntax.paths import shown_path


class Junit(Format):
    """A finding is a failure, a target that could not be checked is an error, and an
    info passes."""

    name = "junit"

    def render_check(self, outcomes: list[Outcome], wanted: Wanted) -> str:
        root = ET.Element("testsuites", name="shapelint")
        for outcome in outcomes:
            _add_suite(root, outcome)
        for name in ("tests", "failures", "errors"):
            root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_suite(root: ET.Element, outcome: Outcome) -> None:
    target = outcome.report.target
    is_failed = outcome.report.status is Status.FAILED
    found = [
        item
        for item in outcome.report.diagnostics
        if item.severity is not Severity.INFO
    ]
    # A suite without a test would not be shown: one that passes, or fails, stands in.
    tests = max(1, len(found))
    suite = ET.SubElement(
        root,
        "testsuite",
        name=target,
        tests=str(tests),
        failures=str(0 if is_failed else len(found)),
        errors=str(tests if is_failed else 0),
    )
    for item in found:
        case = _add_case(suite, _case_name(item), target)
        kind = "error" if is_failed else "failure"
        code = f"{item.code} {item.name}"
        text = ET.SubElement(case, kind, message=item.message, type=code)
        text.text = render_diagnostic(item, Style())
    if found:
        return
    case = _add_case(suite, "no finding", target)
    if is_failed:
        message = outcome.fault or "could not be checked"
        ET.SubElement(case, "error", message=message, type="fault")


def _add_case(suite: ET.Element, name: str, target: str) -> ET.Element:
    """Add a test. Readers group tests by `classname`, whose parts are separated by
    dots."""
    owner = target.replace("/", ".").removesuffix(".py")
    return ET.SubElement(suite, "testcase", name=name, classname=owner)


def _case_name(item: Diagnostic) -> str:
    place = item.place
    where = f" {shown_path(place.file)}:{place.line}" if place is not None else ""
    return f"{item.code} {item.layer or item.name}{where}"
