"""What every test shares: a home for runs of its own, and one torch thread."""

import os
import sys
from pathlib import Path

import pytest

from .command_line import Cli

try:
    from hypothesis import settings
except ImportError:  # on a machine that runs the tests of a GPU alone
    pass
else:
    # Times differ from machine to machine; no test depends on one.
    settings.register_profile("diffusion-tui", deadline=None)
    settings.load_profile("diffusion-tui")


CUDA = Path(__file__).parent / "cuda"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m cuda``, collect only the files of such tests.

    The machine that lends its GPU may lack packages that other files import.
    """
    if config.option.markexpr != "cuda" or collection_path.suffix != ".py":
        return None
    here = collection_path.is_relative_to(CUDA) or "mark.cuda" in collection_path.read_text("utf-8")
    return None if here else True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests that need a CUDA device where there is none."""
    if item.get_closest_marker("cuda") is None:
        return
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")


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
