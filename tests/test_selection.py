from __future__ import annotations

import pytest

from shapelint.facts.errors import UsageError
from shapelint.rules import catalogue


def test_all_by_default() -> None:
    assert catalogue().selection((), ()) == set(catalogue().rules)


@pytest.mark.parametrize(
    ("select", "ignore", "inside", "outside"),
    [
        (["SHP1"], [], "SHP101", "SHP301"),
        (["linear-input-mismatch"], [], "SHP101", "SHP102"),
        ([], ["SHP3"], "SHP101", "SHP301"),
        (["ALL"], ["SHP101"], "SHP102", "SHP101"),
        (["SHP101"], ["SHP1"], "SHP101", "SHP102"),
        (["SHP1"], ["conv-channel-mismatch"], "SHP101", "SHP102"),
    ],
)
def test_the_more_specific_word_wins(
    select: list[str], ignore: list[str], inside: str, outside: str
) -> None:
    chosen = catalogue().selection(select, ignore)
    assert inside in chosen
    assert outside not in chosen


def test_unknown_rules_get_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean `SHP101`"):
        catalogue().selection(["SPH101"], ())
    with pytest.raises(UsageError, match="did you mean `linear-input-mismatch`"):
        catalogue().selection((), ["linear-input-missmatch"])
