from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.asked.config import load_config
from shapelint.asked.settings import OPTIONS, field_name
from shapelint.cli.options import InputOptions
from shapelint.cli.requests import walk_request
from shapelint.facts.errors import UsageError
from shapelint.facts.kinds import Mode


def config(tmp_path: Path, text: str) -> Path:
    (tmp_path / "pyproject.toml").write_text(text)
    return tmp_path


def test_defaults_where_there_is_no_file(tmp_path: Path) -> None:
    found = load_config(tmp_path)
    for name, option in OPTIONS.items():
        assert getattr(found, field_name(name)) == option.default


def test_nearest_table_wins_and_the_command_line_beats_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    config(tmp_path, "[tool.shapelint]\nmode = 'eval'\ntimeout = 5\n")
    config(inner.parent, "[tool.other]\nx = 1\n")
    found = load_config(inner)
    assert found.mode == "eval"
    assert found.timeout == 5.0
    (inner / "net.py").write_text("")
    target = f"{inner / 'net.py'}:Net"
    said = walk_request(target, found, InputOptions(mode="train"))
    assert (said.modes, said.seconds) == ((Mode.TRAIN,), 5.0)
    assert walk_request(target, found, InputOptions()).modes == (Mode.EVAL,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.shapelint]\nmoed = 'eval'\n", "did you mean `mode`"),
        ("[tool.shapelint]\nmode = 'evil'\n", "one of train, eval, both"),
        ("[tool.shapelint]\nselect = 'SHP1'\n", "a list of strings"),
        ("[tool.shapelint]\nselect = [1]\n", "a list of strings"),
        ("[tool.shapelint]\ntimeout = true\n", "a number"),
        ("[tool]\nshapelint = 3\n", "not a table"),
        ("[tool.shapelint\n", "cannot read"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_config(config(tmp_path, text))
