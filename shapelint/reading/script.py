"""Reads a file of training code on all its paths, and collects the facts for the rules
about modes."""

from __future__ import annotations

import ast
import os
from contextlib import suppress
from dataclasses import dataclass, field

from shapelint.reading.entries import (
    Entry,
    begin_at_function,
    begin_at_top,
    find_uncalled,
)
from shapelint.reading.events import Path
from shapelint.reading.journal import OutOfStepsError
from shapelint.reading.library_classes import OTHER_FRAMEWORKS
from shapelint.reading.machine import Machine
from shapelint.reading.path_state import NothingFollowsError
from shapelint.reading.scopes import Files
from shapelint.reading.values import Scope
from shapelint.syntax.trees import ParsedFile, parse_file

PATHS = 8
"""The most paths followed from one entry: three settings, each on and off."""

_TRAINING_TEXTS = (
    ".eval",
    ".train(",
    "backward(",
    "zero_grad",
    "load_state_dict",
    "loader",
    "no_grad",
    "inference_mode",
)
"""A file without any of these has nothing that a rule could find, and is not
followed."""


@dataclass
class Script:
    """The facts about one file. `entries`: the paths from each place where it may start
    to run."""

    file: str
    source: ParsedFile
    entries: list[list[Path]] = field(default_factory=list)


def read_script(file: str, files: Files) -> Script | None:
    """Read a file; None if it is not valid Python. A file that is not about training,
    or uses another framework, has no entries."""
    file = os.path.abspath(file)
    source = parse_file(file, files.texts)
    if source is None:
        return None
    script = Script(file, source)
    if _speaks_of_training(source.text) and not _is_of_another_framework(source.tree):
        script.entries = _Reading(source, files).read_entries()
    return script


def _speaks_of_training(text: str) -> bool:
    return any(word in text for word in _TRAINING_TEXTS)


def _is_of_another_framework(tree: ast.Module) -> bool:
    """Whether a file imports another framework, and nothing of torch."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    if any("torch" in name for name in names):
        return False
    return not names.isdisjoint(OTHER_FRAMEWORKS)


class _Reading:
    """Follows the paths of one file. `visited`: the ids of the nodes of functions that
    ran on some path."""

    def __init__(self, source: ParsedFile, files: Files) -> None:
        self._source = source
        self._files = files
        self._visited: set[int] = set()

    def read_entries(self) -> list[list[Path]]:
        """Read the paths from the top of the file, then those from each function that
        has not run by then."""
        found = [self._follow(begin_at_top(self._source))]
        for function in find_uncalled(self._source.file, self._files):
            # It was read where it is called, with its arguments.
            if id(function.node) in self._visited:
                continue
            if _speaks_of_training(self._source.segment(function.node)):
                self._visited.add(id(function.node))
                found.append(self._follow(begin_at_function(function)))
        return [paths for paths in found if paths]

    def _follow(self, entry: Entry) -> list[Path]:
        """Follow the paths from an entry. On the first, all conditions on names are
        true; on each further one, one of these decisions is reversed."""
        found: list[Path] = []
        queue: list[dict[str, bool]] = [{}]
        while queue and len(found) < PATHS:
            given = queue.pop(0)
            machine = Machine(self._files, given)
            module = self._files.scope(self._source.file)
            # A copy, because the names bound on this path must not exist on the next.
            names = dict(module.names) if module is not None else {}
            scope = Scope(self._source, names)
            machine.state.scopes.append(scope)
            try:
                with suppress(NothingFollowsError):
                    entry(machine, scope)
            # Half of a path would look as if the rest did not happen.
            except (OutOfStepsError, RecursionError):
                return []
            self._visited |= machine.expressions.functions.visited
            found.append(machine.journal.path)
            queue += _list_other_decisions(given, machine.expressions.decisions.taken)
        return found


def _list_other_decisions(
    given: dict[str, bool], taken: dict[str, bool]
) -> list[dict[str, bool]]:
    """For each condition that a path decided itself: all decisions before it, and that
    one reversed."""
    found: list[dict[str, bool]] = []
    before: dict[str, bool] = {}
    for key, truth in taken.items():
        if key not in given:
            found.append({**before, key: not truth})
        before[key] = truth
    return found
