"""Mutants drawn by a seed, and judged by processes of their own."""

from __future__ import annotations

import collections
import itertools
import multiprocessing
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.mutation.editable import Mutation
from benchmarks.mutation.operators import mutations, says_something_else
from benchmarks.mutation.subjects import Subject, subjects

MOST_OPERATIONS, MOST_ELEMENTS = 6_000, 60_000_000
"""What a subject's own eager run may cost, in operations and elements computed. Not in
seconds, so that every machine draws the same sample."""

BATCH = 12
"""How many mutants are drawn at a time."""

PATIENCE = 1500
"""Seconds after which a process that gives no verdict is taken for dead."""

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


def is_affordable(subject: Subject) -> bool:
    """Whether the correct file runs in eager, and costs little enough."""
    from benchmarks.mutation.eager import cost_of

    with tempfile.TemporaryDirectory() as name:
        cost = cost_of(subject, Path(name))
    if cost is None:
        return False
    operations, elements = cost
    return operations <= MOST_OPERATIONS and elements <= MOST_ELEMENTS


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
                if says_something_else(mutation, subject.source):
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


def finished(pool: Any, jobs: list[Job]) -> Iterator[Any]:
    """The verdicts, in order; a mutant that took its process down with it counts as
    trouble."""
    from benchmarks.mutation.judge import Verdict

    under_way = [pool.apply_async(work, (job,)) for job in jobs]
    for (subject, mutated, _), result in zip(jobs, under_way, strict=True):
        result.wait(timeout=PATIENCE)
        if result.ready():
            yield result.get()
            continue
        kinds = tuple(mutation.kind for mutation in mutated)
        text = "; ".join(
            f"{mutation.lines[0]}: {mutation.text!r}" for mutation in mutated
        )
        yield Verdict(subject.name, kinds, text, "", trouble="its process died")


class Sample:
    """Draws mutants of the subjects in the order of a seed, and has them judged."""

    def __init__(self, pool: Any, names: tuple[str, ...], seed: int) -> None:
        self.pool = pool
        self.draw = random.Random(seed)
        found = list(subjects(names))
        fits = pool.map(is_affordable, found, 1)
        usable = [each for each, fit in zip(found, fits, strict=True) if fit]
        print(f"{len(usable)} files of {len(found)} run as they are and cost little")
        self.queue = jobs(usable, self.draw)
        self.broken: list[Broken] = []
        """The single mutations that eager rejects."""

    def singles(
        self,
        rejected: int,
        accepted: int,
        on_batch: Callable[[list[Any]], bool] = lambda _: True,
    ) -> list[Any]:
        """Judge single mutations until there are so many that eager rejects and so many
        that it accepts, or until `on_batch`, which gets the verdicts so far, says no."""
        found: list[Any] = []
        counts = [0, 0]
        while counts[0] < rejected or counts[1] < accepted:
            is_enough = counts[0] >= rejected
            drawn = itertools.islice(self.queue, BATCH)
            batch = [(*job, is_enough) for job in drawn]
            if not batch:
                break
            for job, item in zip(batch, finished(self.pool, batch), strict=True):
                counts[0] += item.detected is not None
                counts[1] += item.false_error is not None
                if item.detected is not None:
                    self.broken.append((job[0], job[1][0], item.place))
                if not item.skipped:
                    found.append(item)
            print(f"{counts[0]} rejected, {counts[1]} accepted", flush=True)
            if not on_batch(found):
                break
        return found

    def pairs(self, count: int) -> list[Any]:
        """Judge pairs of mutations that eager rejects one by one."""
        drawn = itertools.islice(doubles(self.broken, self.draw), count)
        batch = [(*job, False) for job in drawn]
        verdicts = finished(self.pool, batch)
        return [item for item in verdicts if item.eager and not item.trouble]


def pool_of_workers() -> Any:
    """Two processes, each replaced by a fresh one now and then."""
    context = multiprocessing.get_context("fork")
    os.environ["HF_HUB_OFFLINE"] = "1"
    return context.Pool(2, initialise, maxtasksperchild=60)
