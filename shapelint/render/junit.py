"""JUnit's XML, which Jenkins, GitLab and Azure show as tests: a suite a target, a test
a finding."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from shapelint.facts.diagnostics import Diagnostic, Severity
from shapelint.facts.kinds import Status
from shapelint.facts.outcome import Outcome
from shapelint.render.full import render_diagnostic
from shapelint.render.style import Style
from shapelint.syntax.paths import shown_path


def render_junit(outcomes: list[Outcome]) -> str:
    """What is only worth knowing passes; a target that could not be checked is an
    error, a finding a failure."""
    root = ET.Element("testsuites", name="shapelint")
    for outcome in outcomes:
        _suite(root, outcome)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + ET.tostring(root, encoding="unicode")
        + "\n"
    )


def _suite(root: ET.Element, outcome: Outcome) -> None:
    target, failed = outcome.report.target, outcome.report.status is Status.FAILED
    told = [
        item
        for item in outcome.report.diagnostics
        if item.severity is not Severity.INFO
    ]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=target,
        tests=str(max(1, len(told))),
        failures=str(0 if failed else len(told)),
        errors=str(len(told) or 1) if failed else "0",
    )
    for item in told:
        case = ET.SubElement(
            suite, "testcase", name=_named(item), classname=_owner(target)
        )
        kind = "error" if failed else "failure"
        text = ET.SubElement(
            case, kind, message=item.message, type=f"{item.code} {item.name}"
        )
        text.text = render_diagnostic(item, Style())
    if not told:
        case = ET.SubElement(
            suite, "testcase", name="no finding", classname=_owner(target)
        )
        if failed:
            ET.SubElement(
                case,
                "error",
                message=outcome.fault or "could not be checked",
                type="fault",
            )


def _named(item: Diagnostic) -> str:
    place = item.place
    where = f" {shown_path(place.file)}:{place.line}" if place is not None else ""
    return f"{item.code} {item.layer or item.name}{where}"


def _owner(target: str) -> str:
    return target.replace("/", ".").removesuffix(".py")
