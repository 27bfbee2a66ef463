"""`%shapelint` and `%%shapelint` in a session of IPython."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shapelint.python.results import Report

CELL = """{magic}
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(8 * 4 * 4, classes)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))
"""


@pytest.fixture(params=["IPython", "Jupyter"])
def shell(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> Iterator[Any]:
    """A session with the extension loaded; Jupyter's kernel names its cells as files
    that do not exist."""
    import linecache

    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    session: Any = InteractiveShell.instance()
    session.history_manager.enabled = False
    if request.param == "Jupyter":
        named = session.compile.get_code_name
        monkeypatch.setattr(
            session.compile,
            "get_code_name",
            lambda *words: f"/tmp/ipykernel_1/{named(*words).strip('<>')[14:]}.py",
        )
    for line in ("%load_ext shapelint", "import torch\nfrom torch import nn"):
        assert session.run_cell(line, store_history=True).success
    yield session
    InteractiveShell.clear_instance()
    linecache.clearcache()


def ran(shell: Any, cell: str) -> Any:
    result = shell.run_cell(cell, store_history=True)
    assert result.success
    return result.result


def shown(shell: Any, cell: str) -> Any:
    """What a cell below a magic puts out."""
    ran(shell, cell)
    return shell.user_ns["_"]


def test_a_cell_is_run_and_its_model_walked_with_findings_in_its_lines(
    shell: Any,
) -> None:
    report = shown(shell, CELL.format(magic="%%shapelint 1,3,32,32"))
    assert isinstance(report, Report)
    (error,) = report.errors
    assert error.code == "SHP101"
    text = str(report)
    assert " --> In [3]:6:29\n" in text
    assert (
        "6 |         self.fc = nn.Linear(8 * 4 * 4, classes)\n  |                             ^^^^^^^^^ 128 expected"
        in text
    )
    assert "called at In [3]:9" in text
    assert ran(shell, "Net.__name__") == "Net"  # it stays


def test_what_is_shown_is_a_page_with_a_picture(shell: Any) -> None:
    page = shown(shell, CELL.format(magic="%%shapelint 1,3,32,32"))._repr_html_()
    assert "<svg" in page
    assert "SHP101" in page
    assert "<script" not in page


def test_models_of_other_cells_can_be_named(shell: Any) -> None:
    ran(shell, CELL.format(magic=""))
    assert ran(shell, "%shapelint Net 1,3,6,6").ok
    assert ran(shell, "%shapelint Net(classes=4) --input 1,3,6,6").output == "f32[1,4]"
    ran(shell, "net = Net()")
    assert ran(shell, "%shapelint net -i 1,3,6,6 --mode eval").ok
    assert [item.code for item in ran(shell, "%shapelint net 1,3,6,6").diagnostics] == [
        "SHP301"
    ]
    assert ran(shell, "%shapelint net 1,3,6,6 --ignore SHP301").diagnostics == ()


def test_without_an_input_the_models_own_is_used(shell: Any) -> None:
    ran(shell, CELL.format(magic=""))
    ran(shell, "net = Net()\nnet.example_input_array = torch.zeros(2, 3, 6, 6)")
    assert ran(shell, "%shapelint net").output == "f32[2,10]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "%shapelint Nett 1,3,6,6",
            "error: there is no `Nett` in this session (did you mean `Net`?)",
        ),
        (
            "%shapelint 1,3,6,6",
            "error: the cell defines no nn.Module class; name a model, as in `%shapelint Net 1,3,64,64`",
        ),
        ("%shapelint Net 1,3,b", "error: "),
        ("%shapelint Net --mode wrong", "error: Invalid value for '--mode'"),
        ("%shapelint Net", "error: "),
        ("%shapelint Net( 1,3,6,6", "error: `Net(` is not a Python expression"),
        (
            "%shapelint torch.zeros(1) 1,3",
            "error: `torch.zeros(1)()` returns `Tensor`, not an nn.Module",
        ),
        ("%shapelint 'Net", "error: No closing quotation"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    shell: Any, capsys: pytest.CaptureFixture[str], line: str, expected: str
) -> None:
    ran(shell, CELL.format(magic=""))
    assert ran(shell, line) is None
    said = capsys.readouterr()
    assert said.err.startswith(expected)
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.out + said.err


def test_a_cell_that_raises_is_not_walked(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(shell, CELL.format(magic="%%shapelint 1,3,32,32") + "\n1 / 0\n") is None
    assert "ZeroDivisionError" in capsys.readouterr().out
