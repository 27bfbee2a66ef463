"""`--fix`, `--unsafe-fixes`, `--diff`, `--fix-only`: what they write, what they leave
alone, how they exit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from shapelint.apply.source_files import SourceFile, difference, write
from shapelint.facts.errors import UsageError
from tests import eager
from tests.conftest import FIXTURES, Result, run_shapelint

SMALL = (FIXTURES / "small_cnn.py").read_text()


def check(folder: Path, name: str, shape: str, *words: str) -> Result:
    return run_shapelint(
        "check", f"{name}.py", "--input", shape, "--no-report", *words, cwd=folder
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return Path(shutil.copy(FIXTURES / "small_cnn.py", tmp_path / "small_cnn.py"))


def test_diff_shows_the_safe_fix_and_writes_nothing(small: Path) -> None:
    done = check(small.parent, "small_cnn", "1,3,32,32", "--diff")
    assert done.code == 1
    assert done.out.splitlines()[:2] == ["--- small_cnn.py", "+++ small_cnn.py"]
    assert (
        "+            nn.Sequential(nn.AdaptiveAvgPool2d((16, 16)), nn.Flatten()),\n"
        in done.out
    )
    assert done.err == "would fix 1 finding\n"
    assert small.read_text() == SMALL
    subprocess.run(
        ["git", "apply", "-p0"], input=done.out, cwd=small.parent, text=True, check=True
    )
    assert not eager.raises(small.read_text(), ("1,3,32,32",), "SmallCNN")


def test_diff_of_nothing_to_fix(small: Path) -> None:
    done = check(small.parent, "small_cnn", "1,3,64,64", "--diff")
    assert (done.code, done.out, done.err) == (0, "", "no fixes to make\n")


def test_fix_keeps_trained_weights_and_what_worked(small: Path) -> None:
    trained = eager.build(SMALL, "SmallCNN").eval()
    done = check(small.parent, "small_cnn", "1,3,32,32", "--fix")
    assert done.code == 0, done.out
    assert "1 fixed" in done.out
    mended = eager.build(small.read_text(), "SmallCNN").eval()
    mended.load_state_dict(trained.state_dict())
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(mended(x), trained(x))
    assert mended(torch.rand(2, 3, 32, 32)).shape == (2, 2)


def test_unsafe_fixes_are_made_when_asked_for(small: Path) -> None:
    assert check(small.parent, "small_cnn", "1,3,32,32", "--unsafe-fixes").code == 1
    assert small.read_text() == SMALL
    done = check(small.parent, "small_cnn", "1,3,32,32", "--fix", "--unsafe-fixes")
    assert done.code == 0, done.out
    assert small.read_text() == SMALL.replace("32 * 16 * 16", "32 * 8 * 8")


def test_fix_only_says_nothing_of_what_is_left(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "three_errors.py", tmp_path / "three_errors.py")
    done = check(tmp_path, "three_errors", "2,3,16,16", "--fix-only")
    assert (done.code, done.out) == (0, "")
    assert check(tmp_path, "three_errors", "2,3,16,16", "--fix").code == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_several_fixes_in_one_file_keep_its_formatting(
    tmp_path: Path, newline: str
) -> None:
    file = tmp_path / "three_errors.py"
    source = (
        (FIXTURES / "three_errors.py")
        .read_text()
        .replace("BatchNorm2d(32)", "BatchNorm2d( 32 )  # häufig\t")
    )
    file.write_bytes(source.replace("\n", newline).encode())
    file.chmod(0o640)
    done = check(tmp_path, "three_errors", "2,3,16,16", "--fix", "--unsafe-fixes")
    assert done.code == 0, done.out
    assert "3 fixed" in done.out
    expected = (
        source.replace("BatchNorm2d( 32 )", "BatchNorm2d( 16 )")
        .replace("nn.Conv2d(16, 24, 1)", "nn.Conv2d(16, 32, 1)")
        .replace("32 * 8 * 8", "32 * 16 * 16")
    )
    assert file.read_bytes() == expected.replace("\n", newline).encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["three_errors.py"]
    assert not eager.raises(expected, ("2,3,16,16",), "ThreeErrors")


def test_two_targets_in_one_file(tmp_path: Path) -> None:
    head = "from torch import nn\n\n\n"
    net = "class {0}(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear({1}, 4)\n\n"
    net += "    def forward(self, x):\n        return self.fc(x)\n\n\n"
    (tmp_path / "nets.py").write_text(
        head + net.format("One", 9) + net.format("Two", 7)
    )
    words = (
        "nets.py:One",
        "nets.py:Two",
        "--input",
        "2,8",
        "--no-report",
        "--fix",
        "--unsafe-fixes",
    )
    done = run_shapelint("check", *words, cwd=tmp_path)
    assert done.code == 0, done.out
    assert (tmp_path / "nets.py").read_text() == head + net.format(
        "One", 8
    ) + net.format("Two", 8)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file = Path(shutil.copy(FIXTURES / "small_cnn.py", tmp_path / "real" / "net.py"))
    (tmp_path / "small_cnn.py").symlink_to(file)
    assert check(tmp_path, "small_cnn", "1,3,32,32", "--fix").code == 0
    assert (tmp_path / "small_cnn.py").is_symlink()
    assert "AdaptiveAvgPool2d((16, 16))" in file.read_text()


def test_a_file_changed_meanwhile_is_not_touched_nor_is_any_other(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1\n")
    two.write_text("b = 1\n")
    originals = {str(file): SourceFile.of(str(file)) for file in (one, two)}
    two.write_text("b = 3\n")
    with pytest.raises(UsageError, match=r"two\.py` was changed"):
        write({str(one): "a = 2\n", str(two): "b = 2\n"}, originals)
    assert (one.read_text(), two.read_text()) == ("a = 1\n", "b = 3\n")


def test_a_failed_write_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "one.py"
    file.write_text("a = 1\n")
    originals = {str(file): SourceFile.of(str(file))}

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UsageError, match="No space left on device"):
        write({str(file): "a = 2\n"}, originals)
    assert file.read_text() == "a = 1\n"
    assert os.listdir(tmp_path) == ["one.py"]


def test_lines_that_stay_keep_their_own_ends(tmp_path: Path) -> None:
    file = tmp_path / "mixed.py"
    file.write_bytes(b"a = 1\r\nb = 1\nc = 1\r\nd = 1")
    source = SourceFile.of(str(file))
    assert (
        source.with_line_ends("a = 1\nb = 2\nc = 1\nd = 1")
        == "a = 1\r\nb = 2\r\nc = 1\r\nd = 1"
    )
    shown = difference({str(file): "a = 1\nb = 1\nc = 1\nd = 2"}, {str(file): source})
    assert shown.endswith(
        "-d = 1\n\\ No newline at end of file\n+d = 2\n\\ No newline at end of file\n"
    )


def test_a_change_of_what_works_is_never_safe(tmp_path: Path) -> None:
    from tests.conftest import check_target

    report = check_target(f"{FIXTURES / 'vgg_head.py'}:VGGLike", "1,3,224,224")
    assert {fix.safety for finding in report.diagnostics for fix in finding.fixes} == {
        "unsafe"
    }
    (tmp_path / "net.py").write_text(
        "from torch import nn\nimport torch.nn.functional as F\n\n\nclass Net(nn.Module):\n"
        "    def forward(self, x):\n        return F.dropout(x, 0.5)\n"
    )
    (finding,) = check_target(f"{tmp_path / 'net.py'}:Net", "2,8").diagnostics
    assert [fix.safety for fix in finding.fixes] == ["unsafe"]


@pytest.mark.parametrize("option", ["--diff", "--fix-only"])
def test_a_target_that_cannot_be_checked_says_why(small: Path, option: str) -> None:
    done = run_shapelint(
        "check",
        "small_cnn.py:SmalCNN",
        "--input",
        "1,3,32,32",
        option,
        cwd=small.parent,
    )
    assert (done.code, done.out) == (2, "")
    assert "has no `SmalCNN` (did you mean `SmallCNN`?)" in done.err
