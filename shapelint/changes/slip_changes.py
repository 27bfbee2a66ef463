"""The changes that may correct a slip in a name or a call."""

from __future__ import annotations

from shapelint.changes.class_members import member_candidates
from shapelint.changes.special_methods import method_candidates
from shapelint.changes.super_calls import super_candidates
from shapelint.changes.unfitting_calls import call_candidates
from shapelint.changes.unknown_names import name_candidates
from shapelint.changes.wrong_operands import list_candidates
from shapelint.facts.findings import Candidate
from shapelint.facts.slips import Slip, SlipKind
from shapelint.syntax.texts import Texts


def slip_candidates(slip: Slip | None, texts: Texts) -> list[Candidate]:
    """The changes that may correct a slip, the likeliest first."""
    if slip is None:
        return []
    found = [
        *method_candidates(slip, texts),
        *member_candidates(slip, texts),
        *call_candidates(slip, texts),
        *name_candidates(slip, texts),
        *list_candidates(slip, texts),
    ]
    if is_about_super(slip, texts):
        found += super_candidates(slip, texts)
    unique: dict[object, Candidate] = {}
    for candidate in found:
        unique.setdefault(candidate.edits, candidate)
    return sorted(unique.values(), key=lambda each: -each.likely)


def is_about_super(slip: Slip, texts: Texts) -> bool:
    """Whether a slip is in a call of `super().__init__`, or in its absence."""
    if slip.kind is SlipKind.NO_INIT:
        return True
    kinds = (SlipKind.ARGUMENTS, SlipKind.OPERATION, SlipKind.NAME, SlipKind.KEYWORD)
    if slip.kind not in kinds or not slip.sites:
        return False
    site = slip.sites[0]
    line = texts.line_of(site.file, site.line)
    return "super" in line or "Module.__init__" in line
