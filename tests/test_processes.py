"""No process outlives its command, and none its time; what was walked until then is
told."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import run_shapelint
from tests.processes import MARK, Started, processes, wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks for processes in /proc"
)

NET = """
    import os, subprocess, sys, time
    from pathlib import Path
    from torch import nn

    {at_import}

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(8, 4)
            self.second = nn.Linear(4, 2)
            {in_init}

        def forward(self, x):
            x = self.first(x)
            {in_forward}
            return self.second(x)
"""
Write = Callable[..., Path]

REACHED = 'Path("reached").touch()'
SPINS = f"{REACHED}; sum(range(10**13))"
"""Never lets go of the interpreter: no thread and no handler of a signal runs."""

SLEEPS = f"{REACHED}; time.sleep(3600)"


def net(at_import: str = "", in_init: str = "", in_forward: str = "") -> str:
    return NET.format(at_import=at_import, in_init=in_init, in_forward=in_forward)


def gone(started: Started) -> bool:
    return wait_until(lambda: not started.running())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGINT"])
def test_a_signal_to_the_command_ends_its_worker(
    name: str, write: Write, tmp_path: Path
) -> None:
    write(net(in_forward=SPINS))
    started = Started("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert wait_until((tmp_path / "reached").exists)
    assert len(started.running()) > 1
    started.end(getattr(signal, name))
    assert gone(started)


@pytest.mark.parametrize(
    ("command", "phase"),
    [
        ("check", {"at_import": SPINS}),
        ("check", {"in_init": SLEEPS}),
        ("report", {"in_forward": SPINS}),
        ("init", {"in_forward": SPINS}),
    ],
)
def test_in_every_phase(
    command: str, phase: dict[str, str], write: Write, tmp_path: Path
) -> None:
    write(net(**phase))
    words = ("net.py:Net", "--input", "1,8") if command != "init" else ()
    started = Started(command, *words, cwd=tmp_path)
    assert wait_until((tmp_path / "reached").exists)
    started.end(signal.SIGKILL)
    assert gone(started)


@pytest.mark.parametrize("count", [39, 80])
def test_reading_ends_with_ctrl_c(count: int, tmp_path: Path) -> None:
    """In one process, and in several."""
    branches = "".join(
        f"    if x{n}: model = torch.load(str({n}))\n" for n in range(40)
    )
    functions = "".join(
        f"def train{n}(model):\n{branches}    model.eval()\n" for n in range(40)
    )
    for number in range(count):
        (tmp_path / f"m{number}.py").write_text(f"import torch\n{functions}")
    started = Started("check", ".", cwd=tmp_path)
    assert wait_until(lambda: len(started.running()) > (0 if count < 40 else 1))
    time.sleep(1)  # it reads by now, or Python is still at its imports
    started.end(signal.SIGINT)
    assert started.process.returncode in (130, -signal.SIGINT)
    assert gone(started)


def test_while_torch_is_imported(write: Write, tmp_path: Path) -> None:
    write(net())
    started = Started("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert wait_until(lambda: len(started.running()) > 1)
    started.end(signal.SIGKILL)
    assert gone(started)


def test_what_a_model_starts_ends_with_it(write: Write, tmp_path: Path) -> None:
    starts = 'for new in (False, True): subprocess.Popen(["sleep", "3600"], start_new_session=new)'
    forks = "if os.fork() == 0: os.setsid(); time.sleep(3600)"
    write(net(at_import=forks, in_forward=starts))
    mark = f"{time.monotonic_ns()}"
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", cwd=tmp_path, **{MARK: mark}
    )
    assert done.code == 0, done
    assert wait_until(lambda: not processes(f"{MARK}={mark}"))


def test_a_model_that_closes_its_descriptors_is_walked(
    write: Write, tmp_path: Path
) -> None:
    write(
        net(
            in_forward='os.closerange(0, 1000); files = [open(f"own{n}", "w") for n in range(40)]'
        )
    )
    done = run_shapelint("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert done.code == 0, done
    assert "f32[1,2]" in done.out
    assert not any(file.read_text() for file in tmp_path.glob("own*"))


@pytest.mark.parametrize("hangs", ["time.sleep(3600)", "sum(range(10**13))"])
def test_closed_descriptors_do_not_outlive_the_limit(
    hangs: str, write: Write, tmp_path: Path
) -> None:
    write(net(in_forward=f"os.closerange(0, 1000); {hangs}"))
    mark = f"{time.monotonic_ns()}"
    done = run_shapelint(
        "check",
        "net.py:Net",
        "--input",
        "1,8",
        "--timeout",
        "8",
        cwd=tmp_path,
        **{MARK: mark},
    )
    assert done.code == 2
    assert "not finished after 8 s" in done.out
    assert wait_until(lambda: not processes(f"{MARK}={mark}"))


def test_a_time_that_is_over_gives_what_was_walked(
    write: Write, tmp_path: Path
) -> None:
    write(net(in_forward="time.sleep(3600)"))
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", "--timeout", "10", cwd=tmp_path
    )
    assert done.code == 2
    assert "warning[SHP903]: not finished after 10 s: the walk ended here" in done.out
    assert "net.py:17:9" in done.out
    assert "first" in done.out
    assert "f32[1,4]" in done.out


def test_a_file_that_is_never_imported_to_its_end_says_where(
    write: Write, tmp_path: Path
) -> None:
    write(net(at_import="time.sleep(3600)"))
    done = run_shapelint(
        "check", "net.py:Net", "--input", "1,8", "--timeout", "10", cwd=tmp_path
    )
    assert done.code == 2
    assert "not finished after 10 s: there is no model yet" in done.out
    assert "net.py:6:1" in done.out


def test_no_limit_at_all(write: Write, tmp_path: Path) -> None:
    write(net())
    assert (
        run_shapelint(
            "check", "net.py:Net", "--input", "1,8", "--timeout", "inf", cwd=tmp_path
        ).code
        == 0
    )


def test_a_model_that_init_cannot_walk_in_time_is_named(
    write: Write, tmp_path: Path
) -> None:
    write(net(in_forward="time.sleep(3600)"))
    done = run_shapelint("init", "--timeout", "12", cwd=tmp_path)
    assert done.code == 0
    assert "not finished after 12 s" in done.out


def test_a_worker_that_died_says_by_what(write: Write, tmp_path: Path) -> None:
    write(net(in_forward="os.kill(os.getpid(), 11)"))
    done = run_shapelint("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert done.code == 2
    assert "the process that ran the model ended by signal 11" in done.out


def test_what_a_model_writes_in_place_of_a_report_is_none(
    write: Write, tmp_path: Path
) -> None:
    writes = "for number in range(3, 20):\\n    try: os.write(number, b'{\"report\": 5}\\\\n')\\n    except OSError: pass"
    write(net(in_forward=f'exec("""{writes}""")'))
    done = run_shapelint("check", "net.py:Net", "--input", "1,8", cwd=tmp_path)
    assert done.code == 2
    assert "wrote something else than a report" in done.out
    assert "Traceback" not in done.err
