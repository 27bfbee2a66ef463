"""The rules: one file each, registered by being there.

A rule looks at what was walked (plain data, no torch) and yields findings. Its
docstring is its page, its examples are its tests."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from shapelint.facts.errors import UsageError
from shapelint.facts.findings import Rule


@dataclass(frozen=True)
class Catalogue:
    """All rules by code."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def matching(self, word: str) -> list[Rule]:
        """The rules a code, a prefix of codes or a name stands for.

        Raises:
            UsageError: nothing matches.
        """
        wanted = word.strip()
        if wanted.upper() == "ALL":
            return list(self.rules.values())
        found = [
            rule
            for rule in self.rules.values()
            if rule.name == wanted.lower()
            or (
                wanted.upper().startswith("SHP")
                and rule.code.startswith(wanted.upper())
            )
        ]
        if not found:
            words = [*self.rules, *(rule.name for rule in self.rules.values())]
            close = difflib.get_close_matches(wanted, words, n=1, cutoff=0.5)
            close = close or difflib.get_close_matches(
                wanted.upper(), words, n=1, cutoff=0.5
            )
            hint = (
                f" (did you mean `{close[0]}`?)"
                if close
                else "; `shapelint rule --all` lists them"
            )
            raise UsageError(f"no rule `{word}`{hint}")
        return found

    def selection(self, select: Iterable[str], ignore: Iterable[str]) -> set[str]:
        """Codes that are on. As in ruff, the more specific word wins, and `ignore` wins
        a tie.

        Raises:
            UsageError: a word matches no rule.
        """
        selected, ignored = list(select), list(ignore)
        weights: dict[str, tuple[int, bool]] = {}
        for word in selected:
            for rule in self.matching(word):
                weights[rule.code] = max(
                    weights.get(rule.code, (0, True)), (_precision(word), True)
                )
        if not selected:
            weights = dict.fromkeys(self.rules, (0, True))
        for word in ignored:
            for rule in self.matching(word):
                if rule.code in weights and _precision(word) >= weights[rule.code][0]:
                    weights[rule.code] = (_precision(word), False)
        return {code for code, (_, on) in weights.items() if on}


def _precision(word: str) -> int:
    return (
        0
        if word.strip().upper() == "ALL"
        else (len(word.strip()) if word.upper().startswith("SHP") else 6)
    )


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Every rule, found by importing every module of every family.

    Raises:
        ValueError: two rules share a code or a name.
    """
    rules: dict[str, Rule] = {}
    for family in pkgutil.iter_modules(__path__):
        if not family.ispkg:
            continue
        package = importlib.import_module(f"{__name__}.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            for value in vars(loaded).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, Rule)
                    and value.__module__ == loaded.__name__
                ):
                    rule = value()
                    taken = {known.name for known in rules.values()}
                    if rule.code in rules or rule.name in taken:
                        raise ValueError(
                            f"rule {rule.code} {rule.name} is registered twice"
                        )
                    rules[rule.code] = rule
    return Catalogue(dict(sorted(rules.items())))
