"""Which names are meant by one that does not exist: those that differ in a letter or
two, in capitals, or in a word left out."""

from __future__ import annotations

import re
from collections.abc import Iterable

FAR = 100
"""The distance of names that have nothing to do with each other."""

_LETTERS_EACH_STEP = 4
"""One letter may differ for so many letters of a name, and one more."""

_WORD = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*|\d+")


def rank_near_names(name: str, known: Iterable[str]) -> list[tuple[int, str]]:
    """The names that may be meant, with their distances, the nearest first."""
    found = [(distance_between(name, other), other) for other in known if other != name]
    return sorted(pair for pair in found if pair[0] < FAR)


def distance_between(name: str, other: str) -> int:
    """How far a name is from another: 0 if only capitals and underscores differ, `FAR`
    if nothing is alike."""
    plain, plain_other = _plain(name), _plain(other)
    if plain == plain_other or _as_seen(plain) == _as_seen(plain_other):
        return 0
    # `conv4` is no slip for `conv3`: that layer was forgotten, or not yet written
    if _without_digits(plain) == _without_digits(plain_other):
        return FAR
    longer = max(len(plain), len(plain_other))
    steps = count_changes(plain, plain_other)
    if longer > 1 and steps <= 1 + (longer - 1) // _LETTERS_EACH_STEP - (longer < 3):
        return steps
    return _distance_of_words(name, other)


def _distance_of_words(name: str, other: str) -> int:
    """How many words are left out or exchanged, if at least half are the same:
    `hidden_dim` for `hidden_size`, `n_classes` for `num_classes`; or `embed` for
    `embedding`."""
    shorter, longer = sorted((name, other), key=len)
    if len(shorter) > 2 and longer.startswith(shorter):
        return 3
    words, others = set(split_words(name)), set(split_words(other))
    shared = words & others
    apart = len(words ^ others)
    is_alike = bool(shared) and 2 * len(shared) >= max(len(words), len(others))
    has_letters = any(len(word) > 2 for word in shared)
    return 2 + apart if is_alike and has_letters else FAR


def split_words(name: str) -> list[str]:
    """The words of a name, in lower case: `hidden` and `dim` of `hiddenDim`."""
    return [word.lower() for word in _WORD.findall(name)]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _as_seen(name: str) -> str:
    """A name with one letter for all that look alike in print."""
    return name.translate(_ALIKE)


_ALIKE = str.maketrans("1i0", "llo")


def _without_digits(name: str) -> str:
    return re.sub(r"\d+", "#", name) if re.search(r"\d", name) else name


def count_changes(one: str, other: str) -> int:
    """How many letters must be changed, added, left out or exchanged with their
    neighbour to make one word of the other (Damerau and Levenshtein)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        following = [i]
        for j, wanted in enumerate(other, 1):
            replaced = row[j - 1] + (letter != wanted)
            least = min(replaced, row[j] + 1, following[j - 1] + 1)
            if _are_exchanged(one, other, i, j):
                least = min(least, before[j - 2] + 1)
            following.append(least)
        before, row = row, following
    return row[-1]


def _are_exchanged(one: str, other: str, i: int, j: int) -> bool:
    """Whether the two letters before each position are the same in the other order."""
    if i < 2 or j < 2:
        return False
    return one[i - 2 : i] == other[j - 2 : j][::-1]
