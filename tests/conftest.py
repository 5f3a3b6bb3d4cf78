"""What every test shares: a home for runs of its own, and one torch thread."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from .command_line import Cli

# Times differ from machine to machine; no test depends on one.
settings.register_profile("diffusion-tui", deadline=None)
settings.load_profile("diffusion-tui")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory for this test alone, and no settings; subprocesses inherit it."""
    for name in [name for name in os.environ if name.startswith("DIFFUSION_TUI_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Tests run beside each other; a test that needs no torch must not pay for its import."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)
