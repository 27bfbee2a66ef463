"""Which targets changed files are part of: found as the interpreter would, and checked
where that is not known."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shapelint.asked.config import load_config
from shapelint.cli.configured_targets import find_affected
from shapelint.syntax import module_files
from tests.conftest import run_shapelint

Write = Callable[..., Path]
NET = """
    from torch import nn
    {imports}

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 10)

        def forward(self, x):
            return self.fc(x)
"""


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> Iterator[None]:
    module_files.find_top_level.cache_clear()
    yield
    module_files.find_top_level.cache_clear()


@pytest.fixture
def project(write: Write) -> Callable[..., None]:
    """A project in the `src/` layout whose model is made of two files."""

    def make(
        target: str,
        imports: str = "from pkg.layers import WIDTH",
        where: str = "src/pkg",
    ) -> None:
        write(NET.format(imports=imports), f"{where}/net.py")
        write("WIDTH = 8", f"{where}/layers.py")
        write("", f"{where}/__init__.py")
        write("x = 1", "other.py")
        write(
            f'[tool.shapelint]\n[[tool.shapelint.targets]]\ntarget = "{target}"\ninputs = "1,8"\n',
            "pyproject.toml",
        )

    return make


def models(*changed: str) -> list[str]:
    return [target for target in find_affected(load_config(), changed) if ":" in target]


@pytest.mark.parametrize(
    "changed", ["src/pkg/net.py", "src/pkg/layers.py", "src/pkg/__init__.py"]
)
@pytest.mark.parametrize("target", ["pkg.net:Net", "src/pkg/net.py:Net"])
def test_in_a_src_layout(
    target: str, changed: str, project: Callable[..., None]
) -> None:
    project(target)
    assert models(changed) == [target]
    assert models("other.py") == []


@pytest.mark.parametrize("target", ["pkg.net:Net", "lib/code/pkg/net.py:Net"])
def test_in_a_folder_that_only_the_environment_knows(
    target: str,
    project: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A `.pth` file puts it on `sys.path`."""
    project(target, where="lib/code/pkg")
    monkeypatch.syspath_prepend(str(tmp_path / "lib" / "code"))
    assert models("lib/code/pkg/layers.py") == [target]
    assert models("other.py") == []


class Editable:
    """What an editable install puts on `sys.meta_path`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> object:
        if name != "mapped":
            return None
        return importlib.machinery.PathFinder.find_spec(
            name, [str(self.folder)]
        ) or importlib.util.spec_from_file_location(
            name,
            self.folder / "pkg" / "__init__.py",
            submodule_search_locations=[str(self.folder / "pkg")],
        )


def test_by_the_finder_of_an_editable_install(
    project: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project(
        "mapped.net:Net", imports="from mapped.layers import WIDTH", where="code/pkg"
    )
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Editable(tmp_path / "code")])
    assert models("code/pkg/layers.py") == ["mapped.net:Net"]
    assert models("code/pkg/net.py") == ["mapped.net:Net"]
    assert models("other.py") == []


def test_a_target_whose_files_are_not_known_is_checked(
    project: Callable[..., None],
) -> None:
    project("nowhere.net:Net")
    assert models("other.py") == ["nowhere.net:Net"]
    assert models() == []


@pytest.mark.parametrize(
    "imports",
    [
        "import importlib; importlib.import_module(name)",
        "__import__(name)",
        "import runpy; runpy.run_path(name)",
    ],
)
def test_a_target_that_imports_by_a_name_is_checked(
    imports: str, project: Callable[..., None]
) -> None:
    project("src/pkg/net.py:Net", imports=imports)
    assert models("other.py") == ["src/pkg/net.py:Net"]


def test_a_name_that_is_written_is_followed(project: Callable[..., None]) -> None:
    project(
        "src/pkg/net.py:Net",
        imports="import importlib; importlib.import_module('pkg.layers')",
    )
    assert models("src/pkg/layers.py") == ["src/pkg/net.py:Net"]
    assert models("other.py") == []


def test_a_file_that_cannot_be_parsed_may_import_anything(
    project: Callable[..., None],
) -> None:
    project("src/pkg/net.py:Net", imports="def (:")
    assert models("other.py") == ["src/pkg/net.py:Net"]


def test_an_installed_package_is_not_made_of_the_projects_files(
    project: Callable[..., None],
) -> None:
    project("torchinfo.torchinfo:summary")
    assert models("other.py", "src/pkg/net.py") == []


def test_the_input_factory_counts(project: Callable[..., None], write: Write) -> None:
    project("src/pkg/net.py:Net")
    write("def make():\n    return 1", "src/pkg/inputs.py")
    table = '[[tool.shapelint.targets]]\ntarget = "src/pkg/net.py:Net"\ninput-factory = "pkg.inputs:make"\n'
    write(table, "pyproject.toml")
    assert models("src/pkg/inputs.py") == ["src/pkg/net.py:Net"]


def test_the_hook_is_not_green_on_a_broken_model(
    project: Callable[..., None], tmp_path: Path
) -> None:
    project("pkg.net:Net")
    file = tmp_path / "src" / "pkg" / "net.py"
    file.write_text(file.read_text().replace("nn.Linear(8, 10)", "nn.Linear(9, 10)"))
    path = {"PYTHONPATH": f"{tmp_path / 'src'}:{Path(__file__).parent.parent}"}
    done = run_shapelint(
        "check", "--changed", "src/pkg/net.py", "--no-report", cwd=tmp_path, **path
    )
    assert done.code == 1
    assert "error[SHP101]: `Linear` takes 9 features but gets 8" in done.out


PIECES = {
    "a folder that is no package": {
        "net.py": "from layers.block import W", "layers/block.py": "from layers.conv import W", "layers/conv.py": "W = 1",
    },
    "beside the target, from below": {
        "net.py": "from layers.block import W", "layers/block.py": "import conv", "conv.py": "W = 1",
    },
    "a path that is set at run time": {"net.py": "import sys\nsys.path.insert(0, 'lib')\nimport conv", "lib/conv.py": ""},
    "another spelling of it": {"net.py": "from sys import path\npath.append('lib')\nimport conv", "lib/conv.py": ""},
    "a module that is nowhere": {"net.py": "import gone", "lib/conv.py": ""},
    "a star": {"net.py": "from layers import *", "layers/__init__.py": "__all__ = ['conv']", "layers/conv.py": ""},
    "by another name": {
        "net.py": "from importlib import import_module as load\nload('layers.conv')", "layers/conv.py": "",
    },
    "handed on": {"net.py": "import importlib\nlist(map(importlib.import_module, names))", "layers/conv.py": ""},
    "what is executed": {"net.py": "exec(open('layers/conv.py').read())", "layers/conv.py": ""},
}  # fmt: skip


@pytest.mark.parametrize("what", PIECES)
def test_what_a_target_is_made_of(what: str, write: Write) -> None:
    for name, text in PIECES[what].items():
        write(text, f"research/{name}")
    write(
        '[tool.shapelint]\n[[tool.shapelint.targets]]\ntarget = "research/net.py:Net"\n',
        "pyproject.toml",
    )
    changed = next(name for name in PIECES[what] if name.endswith("conv.py"))
    assert models(f"research/{changed}") == ["research/net.py:Net"]


def test_a_file_counts_by_each_of_its_names(write: Write, tmp_path: Path) -> None:
    write("from layers.conv import W", "net.py")
    write("W = 1", "shared/conv.py")
    (tmp_path / "layers").symlink_to("shared")
    write(
        '[tool.shapelint]\n[[tool.shapelint.targets]]\ntarget = "net.py:Net"\n',
        "pyproject.toml",
    )
    assert models("shared/conv.py") == models("layers/conv.py") == ["net.py:Net"]
