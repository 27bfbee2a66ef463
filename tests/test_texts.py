"""A file is one text for all that looks at it: as it lies on disk, or as an edited copy has it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shapelint.facts.diagnostics import Edit
from shapelint.facts.places import Position
from shapelint.syntax.checks import edits_a_check
from shapelint.syntax.edits import edit_texts, try_edits
from shapelint.syntax.texts import DISK
from shapelint.syntax.trees import parse_file
from tests.conftest import check_target, errors

BARE = """
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        y = x.view(-1, 5)
        # the layers behind
        # come later
        return y
"""
CAUGHT = """
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        try:
            y = x.view(-1, 5)
        except RuntimeError:
            y = x
        return y
"""


@pytest.mark.parametrize("on_disk", [BARE, CAUGHT], ids=["bare", "caught"])
@pytest.mark.parametrize("looked_at", [BARE, CAUGHT], ids=["bare", "caught"])
def test_a_try_counts_in_the_text_that_is_walked(
    write: Callable[..., Path], on_disk: str, looked_at: str
) -> None:
    file = write(on_disk, "net.py")
    texts = {str(file): looked_at}
    report = check_target("net.py:Net", "2,8", texts=texts, fixes=False)
    assert errors(report) == ([] if looked_at is CAUGHT else ["SHP107"])


def test_an_edited_copy_is_read_imported_and_asked_for_its_comments(
    write: Callable[..., Path],
) -> None:
    """The class has moved in the copy, and only there does it have inputs of its own."""
    file = write(BARE, "net.py")
    commented = BARE.replace(
        "class Net", "# moved\n\n\n# shapelint: input=2,8\nclass Net"
    )
    report = check_target("net.py:Net", texts={str(file): commented}, fixes=False)
    assert errors(report) == ["SHP107"]
    (found,) = report.diagnostics
    assert found.span.line == 1 + commented.split("\n").index(
        "        y = x.view(-1, 5)"
    )


def test_a_copy_goes_by_each_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "net.py")
    texts = DISK.with_copies({str(tmp_path / "link.py"): "x = 2\n"})
    assert texts.text_of(str(tmp_path / "net.py")) == "x = 2\n"
    assert texts.line_of(str(tmp_path / "link.py"), 1) == "x = 2"
    assert DISK.text_of(str(tmp_path / "net.py")) == "x = 1\n"


def test_what_is_remembered_of_a_text_is_not_given_for_another(tmp_path: Path) -> None:
    """Written anew within one tick of the clock, with as many bytes and the old time."""
    file = tmp_path / "net.py"
    file.write_text("a = f(1)\n")
    long_ago = file.stat().st_mtime_ns - 3_600 * 10**9
    for number in range(1, 6):
        file.write_text(f"a = f({number})\n")
        os.utime(file, ns=(long_ago, long_ago))
        source = parse_file(str(file), DISK)
        assert source is not None
        assert source.text == f"a = f({number})\n"
        assert [source.segment(node) for node in source.calls.values()] == [
            f"f({number})"
        ]


def test_edits_build_on_edits_and_leave_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("assert x == 1\ny = 2\n")
    condition = Edit(str(file), Position(1, 8), Position(1, 14), "True")
    other = Edit(str(file), Position(2, 5), Position(2, 6), "3")
    once = edit_texts(DISK, [condition])
    twice = edit_texts(once, [other])
    assert twice.text_of(str(file)) == "assert True\ny = 3\n"
    assert file.read_text() == "assert x == 1\ny = 2\n"
    assert edits_a_check([condition], DISK)
    assert not edits_a_check([other], DISK)
    assert try_edits(once, [condition, condition]) is None
    start = Position(1, 1)
    assert try_edits(DISK, [Edit(str(tmp_path / "none.py"), start, start, "")]) is None
