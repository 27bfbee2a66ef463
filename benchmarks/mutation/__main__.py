"""`python -m benchmarks.mutation [--rejected N] [--accepted N] [--double N] [--seed N]
[--json FILE] [NAME ...]`."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.mutation.sampling import Sample, pool_of_workers


def share(verdicts: list[Any], name: str) -> str:
    """Share of those for which something holds."""
    asked = [
        getattr(item, name) for item in verdicts if getattr(item, name) is not None
    ]
    return (
        f"{100 * sum(asked) / len(asked):5.1f} % ({sum(asked)} of {len(asked)})"
        if asked
        else "    -"
    )


def tell(singles: list[Any], pairs: list[Any]) -> None:
    """The figures, and where they are lost by kind of mutation."""
    rejected = [item for item in singles if item.detected is not None]
    accepted = [item for item in singles if item.false_error is not None]
    print(
        f"\nsingle mutations: {len(rejected)} rejected by eager, {len(accepted)} accepted"
    )
    rows = [
        ("detected", "detected"),
        ("false errors", "false_error"),
        ("primary line = mutated line", "primary"),
        ("mutated line among the places", "among"),
        ("first fix offered", "fix_offered"),
        ("first fix runs in eager", "fix_runs"),
        ("first fix restores the original", "fix_restores"),
    ]
    for title, name in rows:
        print(f"  {title:<34} {share(singles, name)}")
    print(f"two mutations: both reported          {share(pairs, 'both')}")
    times = sorted(item.seconds for item in rejected) or [0.0]
    print(
        f"seconds a rejected mutant: median {times[len(times) // 2]:.2f}, 90 % {times[int(len(times) * 0.9)]:.2f}"
    )
    print(
        f"not judged (too long, no memory): {sum(bool(item.trouble) for item in [*singles, *pairs])}"
    )
    print(
        f"\n{'kind':<18}{'rejected':>9}{'primary':>9}{'among':>9}{'fix runs':>9}{'restores':>9}"
    )
    for kind in sorted({item.kinds[0] for item in rejected}):
        own = [item for item in rejected if item.kinds[0] == kind]
        cells = [
            100 * sum(bool(getattr(i, n)) for i in own) / len(own)
            for n in ("primary", "among", "fix_runs")
        ]
        restored = 100 * sum(bool(item.fix_restores) for item in own) / len(own)
        print(
            f"{kind:<18}{len(own):>9}"
            + "".join(f"{cell:>8.0f}%" for cell in [*cells, restored])
        )


def main() -> None:
    """Draw mutants until there are enough of both sorts, then pairs."""
    words = argparse.ArgumentParser()
    words.add_argument("--rejected", type=int, default=1000)
    words.add_argument("--accepted", type=int, default=1000)
    words.add_argument("--double", type=int, default=300)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--seconds", type=float, default=1e9)
    words.add_argument("--json", default="")
    words.add_argument("names", nargs="*")
    given = words.parse_args()
    deadline = time.monotonic() + given.seconds

    def go_on(verdicts: list[Any]) -> bool:
        save(given.json, verdicts)
        return bool(time.monotonic() < deadline)

    with pool_of_workers() as pool:
        sample = Sample(pool, tuple(given.names), given.seed)
        singles = sample.singles(given.rejected, given.accepted, go_on)
        pairs = sample.pairs(given.double)
    tell(singles, pairs)
    save(given.json, [*singles, *pairs])


def save(file: str, verdicts: list[Any]) -> None:
    """What is known so far, so that a long run that ends early is not lost."""
    if file:
        Path(file).write_text(
            json.dumps([asdict(item) for item in verdicts], indent=1, default=str)
        )


if __name__ == "__main__":
    main()
