"""A finished run, copies of it, and no waiting for the disk."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_diffusion.core.runs.run import save_run

from ..trainings import trained
from .run_files import short


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return save_run(folder, trained(short("naive-2d")), "finished", {"sample": {"points": 3}})


@pytest.fixture
def copied(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Copy the saved run anew at every call."""
    return lambda: Path(shutil.copytree(saved, tmp_path_factory.mktemp("runs") / "copy"))


@pytest.fixture
def copy(copied: Callable[[], Path]) -> Path:
    return copied()


@pytest.fixture
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here cuts the power: what is written need not reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
