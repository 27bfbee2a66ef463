"""What is written: regular files whole or not at all, links followed, devices and pipes
written to and never replaced."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from shapelint.apply.source_files import write_whole
from shapelint.facts.errors import UsageError
from tests.conftest import ROOT, run_shapelint

Write = Callable[..., Path]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="FIFOs, devices, links")
FAULTY = "import torch\nmodel = torch.load('x')\nmodel.eval\n"


def read_later(fifo: Path) -> tuple[threading.Thread, list[bytes]]:
    """Somebody who reads from a FIFO."""
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()), daemon=True)
    reader.start()
    return reader, got


def device(folder: Path, minor: int) -> Path:
    """A device of our own, so that nothing is lost if it is replaced: 3 is like
    `/dev/null`, 7 like `/dev/full`."""
    place = folder / f"device{minor}"
    try:
        os.mknod(place, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        place.open("wb").close()
    except OSError:
        pytest.skip("devices cannot be made here")
    return place


def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader, got = read_later(fifo)
    write_whole(fifo, b"text")
    reader.join(timeout=30)
    assert got == [b"text"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_device_is_written_to(tmp_path: Path) -> None:
    place = device(tmp_path, 3)
    write_whole(place, b"text")
    assert stat.S_ISCHR(place.stat().st_mode)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("link", ["link", "second"])
def test_a_link_is_followed(link: str, there: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    if there:
        file.write_text("before")
    (tmp_path / "link").symlink_to("folder/file")
    (tmp_path / "second").symlink_to("link")
    write_whole(tmp_path / link, b"after")
    assert (tmp_path / link).is_symlink()
    assert file.read_bytes() == b"after"
    assert [entry.name for entry in (tmp_path / "folder").iterdir()] == ["file"]


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UsageError, match="cannot write"):
        write_whole(tmp_path / "circle", b"text")
    assert (tmp_path / "circle").is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_permissions_stay(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    file.chmod(mode)
    write_whole(file, b"after")
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_new_file_has_those_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_full_device_is_refused(tmp_path: Path) -> None:
    full = device(tmp_path, 7)
    with pytest.raises(UsageError, match="No space left"):
        write_whole(full, b"text")
    assert stat.S_ISCHR(full.stat().st_mode)


@pytest.mark.parametrize("place", ["/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_by_name_is_written_to(
    place: str, write: Write, tmp_path: Path
) -> None:
    """Through a link of our own, so that nothing is lost if it is replaced."""
    write(FAULTY, "train.py")
    out, link = tmp_path / "out.json", tmp_path / "link"
    link.symlink_to(place)
    words = ("check", "train.py", "--output-format", "json", "--output-file", str(link))
    with out.open("wb") as stream:
        before = os.fstat(stream.fileno())
        subprocess.run(
            [sys.executable, "-m", "shapelint", *words],
            cwd=tmp_path, stdout=stream, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=60,
        )  # fmt: skip
    assert link.is_symlink()
    assert os.path.samestat(before, out.stat())
    assert json.loads(out.read_text())["summary"]["warnings"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--output-format", "json", "--output-file", "{place}"),
        ("--output-format", "full", "--output-format", "sarif={place}"),
        ("--baseline", "{place}", "--update-baseline"),
    ],
)
def test_by_every_option(words: tuple[str, ...], write: Write, tmp_path: Path) -> None:
    write(FAULTY, "train.py")
    fifo, link, null = tmp_path / "pipe", tmp_path / "link", device(tmp_path, 3)
    os.mkfifo(fifo)
    (tmp_path / "file").touch()
    link.symlink_to("file")
    reader, got = read_later(fifo)
    for place in (fifo, link, null):
        done = run_shapelint(
            "check",
            "train.py",
            *(word.format(place=place) for word in words),
            cwd=tmp_path,
        )
        assert done.code in (0, 1), done
        assert "Traceback" not in done.err
    reader.join(timeout=30)
    assert b"SHP405" in got[0]
    assert "SHP405" in link.read_text()
    assert link.is_symlink()
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert stat.S_ISCHR(null.stat().st_mode)


def test_fixes_and_settings_go_through_links(write: Write, tmp_path: Path) -> None:
    write(FAULTY, "real/train.py")
    (tmp_path / "train.py").symlink_to("real/train.py")
    done = run_shapelint("check", "train.py", "--fix", "--unsafe-fixes", cwd=tmp_path)
    assert done.code == 0, done
    assert (tmp_path / "train.py").is_symlink()
    assert "model.eval()" in (tmp_path / "real" / "train.py").read_text()


def test_a_setting_of_endless_size_is_refused(write: Write, tmp_path: Path) -> None:
    write(FAULTY, "train.py")
    for words in (("--baseline", "/dev/zero"), ("--config", "/dev/zero")):
        done = run_shapelint("check", "train.py", *words, cwd=tmp_path)
        assert done.code == 2
        assert "larger than 64 MB" in done.err
        assert len(done.err.splitlines()) == 1


def test_what_is_checked_is_not_written_over(write: Write, tmp_path: Path) -> None:
    file = write(FAULTY, "train.py")
    notes = write("[mine]", "notes.toml")
    (tmp_path / "link.json").symlink_to("report.json")
    for words, said in (
        (("--output-format", "json=train.py"), "source file"),
        (("--output-format", "json", "--output-file", "train.py"), "source file"),
        (("--baseline", "notes.toml", "--update-baseline"), "no baseline of shapelint"),
        (
            (
                "--output-format",
                "json=report.json",
                "--output-format",
                "sarif=link.json",
            ),
            "two formats",
        ),
    ):
        done = run_shapelint("check", "train.py", *words, cwd=tmp_path)
        assert done.code == 2
        assert said in done.err
    assert file.read_text() == FAULTY
    assert notes.read_text() == "[mine]"
