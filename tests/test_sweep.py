"""A dozen public architectures: eager's shapes, no false error, nothing left changed.
`make sweep` walks them all."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.sweep.architectures import ARCHITECTURES, Architecture

CORE = [architecture for architecture in ARCHITECTURES if architecture.core]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("architecture", CORE, ids=lambda a: f"{a.package} {a.name}")
def test_public_architecture(
    architecture: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.sweep.run import judge

    if importlib.util.find_spec(architecture.module) is None:
        pytest.skip(f"{architecture.package} is not installed (`make test` does so)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert judge(architecture, tmp_path)[0] == []


def test_a_dozen_from_six_packages() -> None:
    assert len(CORE) >= 12
    assert len({architecture.package for architecture in CORE}) >= 6


def test_sixty_from_six_packages_in_the_sweep() -> None:
    assert len(ARCHITECTURES) >= 60
    assert len({architecture.package for architecture in ARCHITECTURES}) >= 6
