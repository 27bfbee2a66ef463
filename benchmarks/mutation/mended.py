"""A file with a fix applied, beside the file before it was broken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from benchmarks.mutation.eager import Seen, equal, observe
from benchmarks.mutation.equal_text import is_same_text, probed, watch
from benchmarks.mutation.subjects import Subject
from shapelint.facts.diagnostics import Fix
from shapelint.facts.kinds import Safety
from shapelint.syntax.edits import apply_edits


class Restored(Enum):
    """How much of the original a fix brings back, the most first."""

    TEXT = "same text"
    VALUE = "equal value"
    BEHAVIOUR = "equal results"
    RUNS = "runs, another model"
    RAISES = "raises"
    INPUT = "another input"


@dataclass(frozen=True)
class Mended:
    """What a fix gives. `damage`: what of the results is no longer as it was."""

    title: str
    is_safe: bool
    restored: Restored
    raised: str = ""
    damage: str = ""


@lru_cache(maxsize=4)
def observe_original(subject: Subject, folder_name: str) -> Seen:
    """What the file computes before it is broken. `folder_name`: a folder to write to."""
    folder = Path(folder_name)
    (folder / "inputs.py").write_text(subject.inputs)
    return observe(subject.source, subject, folder)


def judge_fix(fix: Fix, broken: str, subject: Subject, folder: Path) -> Mended:
    """Apply a fix to a broken file, and compare it with the original."""
    is_safe = fix.safety is Safety.SAFE
    if not fix.edits:
        return Mended(fix.title, is_safe, Restored.INPUT)
    text = apply_edits(broken, list(fix.edits))
    original = observe_original(subject, str(folder))
    seen = observe(text, subject, folder, original.state)
    raised = seen.raised
    if not raised and not original.raised_with_more:
        raised = seen.raised_with_more and f"with more samples: {seen.raised_with_more}"
    if raised:
        return Mended(fix.title, is_safe, Restored.RAISES, raised)
    damage = find_damage(original, seen)
    restored = _how_restored(text, subject, folder, original, seen)
    return Mended(fix.title, is_safe, restored, "", damage)


def _how_restored(
    text: str, subject: Subject, folder: Path, original: Seen, seen: Seen
) -> Restored:
    if is_same_text(text, subject.source):
        return Restored.TEXT
    if has_equal_values(text, subject, folder):
        return Restored.VALUE
    if _has_equal_results(original, seen):
        return Restored.BEHAVIOUR
    return Restored.RUNS


def has_equal_values(text: str, subject: Subject, folder: Path) -> bool:
    """Whether every expression that differs from the original has the original's value
    wherever it runs."""
    source = probed(text, subject.source)
    if source is None:
        return False
    with watch() as found:
        seen = observe(source, subject, folder)
    return not seen.raised and bool(found) and all(found)


def _has_equal_results(original: Seen, seen: Seen) -> bool:
    if not seen.has_weights_of:
        return False
    ones = [*original.results, *original.results_with_more]
    others = [*seen.results, *seen.results_with_more]
    return len(ones) == len(others) and all(
        equal(one, other) for one, other in zip(ones, others, strict=True)
    )


def find_damage(original: Seen, seen: Seen) -> str:
    """What of the results a fix has made different in kind; empty where nothing is."""
    pairs = [
        *zip(original.results, seen.results, strict=False),
        *zip(original.results_with_more, seen.results_with_more, strict=False),
    ]
    if len(original.results) != len(seen.results):
        return "number of results"
    for one, other in pairs:
        if one.dim() != other.dim():
            return f"rank: {tuple(one.shape)} is {tuple(other.shape)}"
        if one.shape[:1] != other.shape[:1]:
            return f"batch: {tuple(one.shape)} is {tuple(other.shape)}"
        if one.shape != other.shape:
            return f"sizes: {tuple(one.shape)} is {tuple(other.shape)}"
    if original.is_apart and seen.is_apart is False:
        return "samples are mixed"
    return ""
