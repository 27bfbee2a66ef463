"""The pytest plugin in sessions of its own."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import ROOT

NET = """from torch import nn


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(width, 10)

    def forward(self, x):
        return self.fc(self.conv(x).mean((2, 3)))
"""
CONFIG = """[tool.shapelint]
ignore = ["SHP301"]
[[tool.shapelint.targets]]
target = "net.py:Net"
inputs = "1,3,16,16"
[[tool.shapelint.targets]]
target = "net.py:Net(9)"
inputs = "1,3,16,16"
"""
TESTS = """import pytest
from net import Net

@pytest.mark.shapelint(Net, (1, 3, 16, 16))
def test_clean():
    pass

@pytest.mark.shapelint(lambda: Net(9), (1, 3, 16, 16))
def test_broken():
    raise SystemError("never")

@pytest.mark.shapelint(Net, (1, 3, 16, 16), sleect=[])
def test_misused():
    pass

def test_fixture(shapelint):
    assert shapelint.check(Net, (1, 3, 16, 16)).output == "f32[1,10]"
    with pytest.raises(AssertionError, match="SHP118"):
        shapelint.assert_shapes(Net, "B 3 16 16 -> B 11")
"""


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(net=NET)
    pytester.makefile(".toml", pyproject=CONFIG)
    return pytester


def test_each_configured_target_is_a_test(project: pytest.Pytester) -> None:
    for more in ((), ("-n", "2")):
        result = project.runpytest_subprocess(
            "--shapelint", "--strict-markers", "-W", "error", *more
        )
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "*shapelint[[]net.py:Net(9)]*",
                "error[[]SHP101]: `Linear` takes 9 features but gets 8",
            ]
        )
        assert "Traceback" not in result.stdout.str()
        assert "pytest_plugin.py" not in result.stdout.str()
    project.runpytest_subprocess("--shapelint", "-k", "not 9").assert_outcomes(
        passed=1, deselected=1
    )
    project.runpytest_subprocess().assert_outcomes()


def test_marker_and_fixture(project: pytest.Pytester) -> None:
    project.makepyfile(test_net=TESTS)
    result = project.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*error[[]SHP101]: `Linear` takes 9 features but gets 8",
            "*takes a model and inputs*",
        ]
    )
    assert "SystemError" not in result.stdout.str()


def test_it_can_be_left_out_and_does_not_import_torch(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_torch="import sys\n\ndef test_it():\n    assert sys.modules.get('torch') is None\n"
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)
    result = project.runpytest_subprocess("-p", "no:shapelint", "--shapelint")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    project.makepyfile(conftest="import sys\nsys.modules['torch'] = None\n")
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_mistakes_in_the_configuration_are_said_in_a_line(
    project: pytest.Pytester,
) -> None:
    for text, said in (
        ("[tool.shapelint]\nmoed = 1\n", "did you mean `mode`"),
        ("", "no [[]tool.shapelint.targets]"),
    ):
        project.makefile(".toml", pyproject=text)
        result = project.runpytest_subprocess("--shapelint")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            [f"*{said}*"]
            if text
            else ["*no [[][[]tool.shapelint.targets]] are configured*"]
        )


def test_this_python_has_the_plugin() -> None:
    from importlib.metadata import entry_points

    names = {point.name: point.value for point in entry_points(group="pytest11")}
    assert names["shapelint"] == "shapelint.pytest_plugin", sys.executable
