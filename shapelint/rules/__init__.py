"""The rules, one file each, registered by being in a family's folder.

A rule reads what was walked (plain data, no torch) and yields findings. Its docstring
is its page; its examples are its tests."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType

from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Rule

ALL = "ALL"
PREFIX = "SHP"


@dataclass(frozen=True)
class Catalogue:
    """All rules, by code."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def matching(self, word: str) -> list[Rule]:
        """The rules that a code, a prefix of codes or a name selects.

        Raises:
            UsageError: nothing matches.
        """
        wanted = word.strip()
        if wanted.upper() == ALL:
            return list(self.rules.values())
        found = [rule for rule in self.rules.values() if _matches(rule, wanted)]
        if not found:
            raise UsageError(f"no rule `{word}`{self._suggest(wanted)}")
        return found

    def _suggest(self, wanted: str) -> str:
        names = [rule.name for rule in self.rules.values()]
        words = [*self.rules, *names]
        for spelling in (wanted, wanted.upper()):
            close = difflib.get_close_matches(spelling, words, n=1, cutoff=0.5)
            if close:
                return f" (did you mean `{close[0]}`?)"
        return "; `shapelint rule --all` lists them"

    def selection(self, select: Iterable[str], ignore: Iterable[str]) -> set[str]:
        """The codes of the selected rules; without `select`, of all rules.

        As in ruff, the more specific word wins, and `ignore` wins a tie.

        Raises:
            UsageError: a word matches no rule.
        """
        selected = self._weigh(list(select) or [ALL])
        ignored = self._weigh(ignore)
        nothing = -1  # less specific than any word
        return {
            code
            for code, precision in selected.items()
            if precision > ignored.get(code, nothing)
        }

    def _weigh(self, words: Iterable[str]) -> dict[str, int]:
        """The codes that these words select, each with the precision of the most
        specific word."""
        weights: dict[str, int] = {}
        for word in words:
            precision = _precision(word)
            for rule in self.matching(word):
                earlier = weights.get(rule.code, precision)
                weights[rule.code] = max(earlier, precision)
        return weights


def _matches(rule: Rule, word: str) -> bool:
    """Whether a word is a rule's name, its code, or a prefix of its code."""
    if rule.name == word.lower():
        return True
    upper = word.upper()
    return upper.startswith(PREFIX) and rule.code.startswith(upper)


def _precision(word: str) -> int:
    """How specific a word is. A longer prefix is more specific, and a name is as
    specific as a full code."""
    upper = word.strip().upper()
    if upper == ALL:
        return 0
    return len(upper) if upper.startswith(PREFIX) else len("SHP101")


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Import every module of every family, and return all rules.

    Raises:
        ValueError: two rules share a code or a name.
    """
    rules: dict[str, Rule] = {}
    names: set[str] = set()
    for module in _import_modules():
        for rule in _rules_of(module):
            if rule.code in rules or rule.name in names:
                raise ValueError(f"rule {rule.code} {rule.name} is registered twice")
            rules[rule.code] = rule
            names.add(rule.name)
    return Catalogue(dict(sorted(rules.items())))


def _import_modules() -> Iterator[ModuleType]:
    """Import the modules of every family. Each family is a package."""
    for family in pkgutil.iter_modules(__path__):
        if not family.ispkg:
            continue
        package = importlib.import_module(f"{__name__}.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            yield importlib.import_module(f"{package.__name__}.{module.name}")


def _rules_of(module: ModuleType) -> Iterator[Rule]:
    """The rules that a module defines itself, without the base classes that it
    imports."""
    for value in vars(module).values():
        is_rule = isinstance(value, type) and issubclass(value, Rule)
        if is_rule and value.__module__ == module.__name__:
            yield value()
