"""`python -m benchmarks.advice [--count N] [--seed N] [--misses FILE] [--json FILE]
[NAME ...]`: what the first fix of a broken file is worth.

Correct files are broken on purpose. A good first fix restores what was there: the same
text, or an expression with the same value."""

from __future__ import annotations

import argparse
import collections
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.mutation.mended import Mended, Restored
from benchmarks.mutation.sampling import Sample, pool_of_workers

RUNS = (Restored.TEXT, Restored.VALUE, Restored.BEHAVIOUR, Restored.RUNS)
GOOD = (Restored.TEXT, Restored.VALUE)


def share(found: Iterable[bool]) -> str:
    """The share of those for which something holds."""
    all_of_them = list(found)
    if not all_of_them:
        return "    -"
    held = sum(all_of_them)
    return f"{100 * held / len(all_of_them):5.1f} % ({held} of {len(all_of_them)})"


def tell(singles: list[Any], pairs: list[Any]) -> None:
    """Print the figures."""
    rejected = [item for item in singles if item.detected is not None]
    accepted = [item for item in singles if item.false_error is not None]
    fixes = [fix for item in rejected for fix in item.fixes if _is_edit(fix)]
    working = [fix for fix in fixes if fix.restored in RUNS]
    safe = [fix for fix in working if fix.is_safe]
    rows: list[tuple[str, Iterable[bool]]] = [
        ("detected", (bool(item.detected) for item in rejected)),
        ("primary line", (bool(item.primary) for item in rejected)),
        ("among the places", (bool(item.among) for item in rejected)),
        (
            "first fix runs, two batch sizes",
            (_first(item) in RUNS for item in rejected),
        ),
        *(
            (f"first fix: {kind.value}", (_first(item) is kind for item in rejected))
            for kind in Restored
        ),
        ("first fix: none", (_first(item) is None for item in rejected)),
        ("restores: text or equal value", (_first(item) in GOOD for item in rejected)),
        ("any fix restores", map(_any_restores, rejected)),
        ("follow-ups printed as errors", (bool(item.follow_ups) for item in rejected)),
        ("two mistakes: both reported", (bool(item.both) for item in pairs)),
        ("two mistakes: each with a fix", (bool(item.both_mended) for item in pairs)),
        ("accepted: false errors", (bool(item.false_error) for item in accepted)),
        ("damage among safe fixes", (bool(fix.damage) for fix in safe)),
        ("damage among all fixes", (bool(fix.damage) for fix in working)),
        ("a fix raises", (fix.restored is Restored.RAISES for fix in fixes)),
    ]
    print()
    for title, found in rows:
        print(f"{title:<34} {share(found)}")
    troubles = [item for item in [*singles, *pairs] if item.trouble]
    print(f"not judged: {len(troubles)}", *{item.trouble for item in troubles})
    times = sorted(item.seconds for item in rejected) or [0.0]
    middle, late = times[len(times) // 2], times[int(len(times) * 0.9)]
    print(
        f"processor seconds: median {middle:.2f}, 90 % {late:.2f}, most {times[-1]:.1f}"
    )


def _is_edit(fix: Mended) -> bool:
    return fix.restored is not Restored.INPUT


def _first(item: Any) -> Restored | None:
    return item.fixes[0].restored if item.fixes else None


def _any_restores(item: Any) -> bool:
    return any(fix.restored in GOOD for fix in item.fixes)


# -- what was missed ---------------------------------------------------------------------


def cause_of(item: Any) -> str:
    """Why the first fix of a rejected mutant does not restore the original."""
    first = _first(item)
    if not item.detected:
        return "not detected"
    if first is None:
        return "no fix"
    if _any_restores(item):
        return "the right fix is there, but not the first"
    if first is Restored.INPUT:
        return "another input comes first"
    if first is Restored.RAISES:
        return "the first fix raises"
    where = "the right line" if item.primary else "another line"
    if first is Restored.BEHAVIOUR:
        return f"equal results in other words, at {where}"
    return f"another model, at {where}"


def misses_of(singles: list[Any]) -> str:
    """A page that lists what the first fix does not restore, by cause and kind."""
    groups: dict[str, list[Any]] = collections.defaultdict(list)
    for item in singles:
        if item.detected is not None and _first(item) not in GOOD:
            groups[cause_of(item)].append(item)
    by_size: Callable[[str], int] = lambda cause: -len(groups[cause])  # noqa: E731
    lines = ["# First fixes that do not restore the original", ""]
    for cause in sorted(groups, key=by_size):
        lines += [f"## {cause}: {len(groups[cause])}", ""]
        for item in sorted(groups[cause], key=lambda item: item.kinds):
            lines += _lines_of(item)
        lines.append("")
    return "\n".join(lines)


def _lines_of(item: Any) -> list[str]:
    lines = [
        f"- **{', '.join(item.kinds)}** {item.subject}, line {item.text}",
        f"  - original: `{item.detail.get('at', '')}`",
        f"  - eager: {item.eager[:160]}",
        f"  - {', '.join(item.codes)}: {'; '.join(item.messages)[:300]}",
    ]
    for fix in item.fixes:
        safety = "safe" if fix.is_safe else "unsafe"
        said = fix.damage or fix.raised[:120]
        lines.append(f"  - fix ({safety}, {fix.restored.value}) {fix.title} {said}")
    return lines


def main() -> None:
    """Draw as many mutants that eager rejects as `--count` says, a third as many that it
    accepts, and a third as many pairs."""
    words = argparse.ArgumentParser()
    words.add_argument("--count", type=int, default=60)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--misses", default="")
    words.add_argument("--json", default="")
    words.add_argument("names", nargs="*")
    given = words.parse_args()

    def keep(verdicts: list[Any]) -> bool:
        if given.json:
            listed = [asdict(item) for item in verdicts]
            Path(given.json).write_text(json.dumps(listed, indent=1, default=str))
        if given.misses:
            Path(given.misses).write_text(misses_of(verdicts))
        return True

    with pool_of_workers() as pool:
        sample = Sample(pool, tuple(given.names), given.seed)
        singles = sample.singles(given.count, given.count // 3, keep)
        pairs = sample.pairs(given.count // 3)
    keep([*singles, *pairs])
    tell(singles, pairs)


if __name__ == "__main__":
    main()
