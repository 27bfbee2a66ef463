"""What is said while it takes long, and how much with --quiet and --verbose."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import pytest

from tests.conftest import ROOT, run_shapelint

TARGETS = (
    "fixtures/small_cnn.py:SmallCNN",
    "fixtures/lenet.py:LeNet",
    "fixtures/mobile.py:MobileNet",
)
CHECK = ("check", *TARGETS, "--input", "1,3,32,32", "--output-format", "concise")


def at_a_terminal(*words: str) -> tuple[str, str]:
    """Standard output, a pipe, and what a terminal as standard error got."""
    import pty

    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        while True:
            try:
                got = os.read(ours, 4096)
            except OSError:
                return
            if not got:
                return
            seen.append(got)

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "shapelint", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=120, check=False,
    )  # fmt: skip
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)
    return done.stdout, b"".join(seen).decode()


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own")
def test_a_terminal_shows_a_bar_that_is_taken_away_again() -> None:
    out, err = at_a_terminal(*CHECK)
    assert "SHP101" in out
    assert "[K" not in out
    assert re.search(
        r"\[#+-+\] +\d+%  fixtures/\w+\.py:\w+: (loading|walking in train mode)", err
    )
    assert "100%" in err
    assert err.endswith("\r\x1b[K\x1b[?25h")


@pytest.mark.skipif(os.name != "posix", reason="a terminal of its own")
def test_quiet_has_no_bar() -> None:
    assert at_a_terminal(*CHECK, "-q")[1] == ""


def test_pipes_get_nothing() -> None:
    assert run_shapelint(*CHECK).err == ""


def test_quiet_prints_the_findings_and_nothing_else() -> None:
    whole = run_shapelint(*CHECK)
    quiet = run_shapelint(*CHECK, "--quiet")
    assert quiet.code == whole.code == 1
    assert quiet.out.splitlines() == [
        line for line in whole.out.splitlines() if "SHP" in line
    ]
    clean = run_shapelint("check", "fixtures/unet.py:UNet", "-i", "1,1,32,32", "-q")
    assert (clean.code, clean.out, clean.err) == (0, "", "")
    full = run_shapelint("check", TARGETS[0], "-i", "1,3,32,32", "-q")
    assert full.out.startswith("error[SHP101]: ")
    assert full.out.rstrip().endswith("new weights; other sizes too]")
    assert "f32[" not in full.out


def test_verbose_says_what_was_done_and_how_long_it_took() -> None:
    done = run_shapelint(
        "check", TARGETS[0], "fixtures/mlp.py", "-i", "1,3,64,64", "-v", "--no-report"
    )
    lines = done.err.splitlines()
    assert re.fullmatch(r"shapelint \S+, torch \S+, Python \S+", lines[0])
    assert lines[1] == "no configuration was found" or lines[1].startswith(
        "settings from "
    )
    steps = [re.fullmatch(r"(.+): (.+) took \d+\.\d\d s", line) for line in lines[2:]]
    assert all(steps)
    assert [(step[1], step[2]) for step in steps if step][:3] == [
        (TARGETS[0], "importing torch"),
        (TARGETS[0], "loading"),
        (TARGETS[0], "walking in train mode"),
    ]


def test_quiet_and_verbose_exclude_each_other() -> None:
    done = run_shapelint("check", TARGETS[0], "-q", "-v")
    assert (done.code, done.err) == (
        2,
        "error: `--quiet` and `--verbose` cannot be combined\n",
    )
