"""The baseline: a file of known findings, which are not shown again. No torch here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeGuard

from shapelint.apply.written_files import write_whole
from shapelint.facts.errors import UsageError
from shapelint.facts.escape import json_text
from shapelint.facts.outcome import Outcome
from shapelint.render.fingerprints import list_findings
from shapelint.syntax.parsing import UnreadableError
from shapelint.syntax.texts import read_bytes

VERSION = 1

Known = dict[str, Any]
"""The findings of a baseline by their fingerprints."""


def read(file: str) -> Known:
    """Read the findings of a baseline by their fingerprints.

    Raises:
        UsageError: there is no such file, or it is no baseline.
    """
    try:
        data = json.loads(read_bytes(file, named=True))
    except UnreadableError as error:
        if not os.path.exists(file):
            raise UsageError(
                f"no baseline `{file}`; `--update-baseline` writes it"
            ) from None
        raise UsageError(f"cannot read `{file}`: {error}") from None
    except (ValueError, RecursionError):
        data = None
    if not _is_baseline(data):
        raise UsageError(
            f"`{file}` is no baseline of shapelint; `--update-baseline` writes one anew"
        )
    found: Known = data["findings"]
    return found


def _is_baseline(data: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return False
    return isinstance(data.get("findings"), dict)


def write(file: str, outcomes: list[Outcome]) -> int:
    """Write the findings of a run into a baseline, except those of targets that could
    not be checked. Return their number.

    Raises:
        UsageError: it cannot be written, or there is something else in it.
    """
    _require_own(file)
    found = {
        item.fingerprint: {
            "code": item.diagnostic.code,
            "target": item.diagnostic.target,
            "layer": item.diagnostic.layer,
            "message": item.diagnostic.message,
        }
        for item in list_findings(outcomes)
        if not item.diagnostic.is_unchecked
    }
    # Not in the order of the findings, which an edit to the code changes.
    ordered = dict(sorted(found.items()))
    text = json_text({"version": VERSION, "findings": ordered}, indent=2)
    write_whole(Path(file), f"{text}\n".encode())
    return len(found)


def _require_own(file: str) -> None:
    """Refuse to overwrite a file that is neither a baseline nor named like one. The
    path may come from a setting."""
    if not file.endswith(".json") and os.path.isfile(file) and os.path.getsize(file):
        try:
            read(file)
        except UsageError:
            raise UsageError(
                f"`{file}` is no baseline of shapelint, and not written over"
            ) from None


def without_known(outcomes: list[Outcome], known: Known) -> list[Outcome]:
    """Remove the findings of a baseline from the outcomes. Only their number is
    kept."""
    # By identity: of equal findings, each has its own fingerprint.
    fresh = {
        id(item.diagnostic)
        for item in list_findings(outcomes)
        if item.fingerprint not in known
    }
    for outcome in outcomes:
        left = [item for item in outcome.report.diagnostics if id(item) in fresh]
        outcome.report.known += len(outcome.report.diagnostics) - len(left)
        outcome.report.diagnostics = left
    return outcomes
