"""`python -m benchmarks.mutation [--rejected N] [--accepted N] [--double N] [--seed N]
[--json FILE] [NAME ...]`."""

from __future__ import annotations

import argparse
import collections
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.mutation.editable import Mutation
from benchmarks.mutation.operators import mutations
from benchmarks.mutation.subjects import Subject, subjects

SLOW = 3.0
"""Seconds that a subject's own eager run may take."""


Job = tuple[Subject, tuple[Mutation, ...], bool]
"""A file, what is done to it, and whether it is of interest only if eager accepts
it."""


def work(job: Job) -> Any:
    """One mutant in a worker process."""
    from benchmarks.mutation.judge import verdict

    with tempfile.TemporaryDirectory() as folder:
        try:
            return verdict(job[0], job[1], Path(folder), accepted_only=job[2])
        finally:
            os.chdir("/")


def runs(subject: Subject) -> float | None:
    """Seconds that the correct file takes in eager; None where it does not run as it
    is."""
    from benchmarks.mutation.judge import eager_error

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "inputs.py").write_text(subject.inputs)
        started = time.monotonic()
        raised = eager_error(subject.source, subject, Path(name))
        return None if raised else time.monotonic() - started


def initialise() -> None:
    """One thread a worker, and quiet."""
    import warnings

    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the life of the worker
    os.environ["HF_HUB_OFFLINE"] = "1"


def jobs(
    usable: list[Subject], draw: random.Random
) -> Iterator[tuple[Subject, tuple[Mutation, ...]]]:
    """Single mutations without end, each kind and each subject in turn, none twice."""
    pools: dict[str, list[tuple[Subject, Mutation]]] = collections.defaultdict(list)
    for subject in usable:
        for mutation in mutations(subject.source, draw):
            if subject.first_line <= mutation.lines[0] <= subject.last_line:
                pools[mutation.kind].append((subject, mutation))
    for pool in pools.values():
        draw.shuffle(pool)
        turns: dict[str, int] = collections.Counter()
        order = []
        for subject, mutation in pool:
            turns[subject.name] += 1
            order.append((turns[subject.name], subject, mutation))
        pool[:] = [
            (subject, mutation)
            for _, subject, mutation in sorted(order, key=lambda item: -item[0])
        ]
    while any(pools.values()):
        for kind in sorted(pools):
            if pools[kind]:
                subject, mutation = pools[kind].pop()
                yield subject, (mutation,)


Broken = tuple[Subject, Mutation, str]
"""A mutation that eager rejects, and where."""


def doubles(
    rejected: list[Broken], draw: random.Random
) -> Iterator[tuple[Subject, Any]]:
    """Pairs of independent mutations of one file: on lines of their own, rejected by
    themselves at different calls."""
    by_subject: dict[Subject, list[Broken]] = collections.defaultdict(list)
    for item in rejected:
        by_subject[item[0]].append(item)
    pairs = []
    for group in by_subject.values():
        for index, (subject, first, place) in enumerate(group):
            for _, second, other in group[index + 1 :]:
                apart = (
                    first.lines[1] < second.lines[0] - 1
                    or second.lines[1] < first.lines[0] - 1
                )
                if apart and place != other:
                    pairs.append((subject, (first, second)))
    draw.shuffle(pairs)
    yield from pairs


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
    draw = random.Random(given.seed)
    deadline = time.monotonic() + given.seconds
    os.environ["HF_HUB_OFFLINE"] = "1"
    found = list(subjects(tuple(given.names)))
    with multiprocessing.get_context("fork").Pool(
        2, initialise, maxtasksperchild=60
    ) as pool:
        timed = list(zip(found, pool.imap(runs, found), strict=True))
        usable = [
            subject
            for subject, seconds in timed
            if seconds is not None and seconds < SLOW
        ]
        print(
            f"{len(usable)} files of {len(found)} run as they are and quickly",
            flush=True,
        )
        singles, broken = _singles(pool, usable, given, draw, deadline)
        drawn = [
            (*job, False)
            for job, _ in zip(doubles(broken, draw), range(given.double), strict=False)
        ]
        pairs = [
            item for item in finished(pool, drawn) if item.eager and not item.trouble
        ]
    tell(singles, pairs)
    save(given.json, [*singles, *pairs])


def save(file: str, verdicts: list[Any]) -> None:
    """What is known so far, so that a long run that ends early is not lost."""
    if file:
        Path(file).write_text(json.dumps([asdict(item) for item in verdicts], indent=1))


def finished(pool: Any, jobs: list[Job]) -> Iterator[Any]:
    """The verdicts, in order; a mutant that took its process down with it counts as
    trouble."""
    from benchmarks.mutation.judge import SECONDS, Verdict

    under_way = [pool.apply_async(work, (job,)) for job in jobs]
    for (subject, mutated, _), result in zip(jobs, under_way, strict=True):
        result.wait(timeout=2.5 * SECONDS)
        if result.ready():
            yield result.get()
            continue
        kinds = tuple(mutation.kind for mutation in mutated)
        text = "; ".join(
            f"{mutation.lines[0]}: {mutation.text!r}" for mutation in mutated
        )
        yield Verdict(subject.name, kinds, text, "", trouble="its process died")


def _singles(
    pool: Any, usable: list[Subject], given: Any, draw: random.Random, deadline: float
) -> Any:
    queue = jobs(usable, draw)
    singles: list[Any] = []
    broken: list[Broken] = []
    rejected = accepted = 0
    while (
        rejected < given.rejected or accepted < given.accepted
    ) and time.monotonic() < deadline:
        enough = rejected >= given.rejected
        batch = [(*job, enough) for job, _ in zip(queue, range(60), strict=False)]
        if not batch:
            break
        for (subject, mutated, _), item in zip(
            batch, finished(pool, batch), strict=True
        ):
            if item.detected is not None:
                rejected += 1
                broken.append((subject, mutated[0], item.place))
            accepted += item.false_error is not None
            if not item.skipped:
                singles.append(item)
        print(f"{rejected} rejected, {accepted} accepted", flush=True)
        save(given.json, singles)
    return singles, broken


if __name__ == "__main__":
    main()
