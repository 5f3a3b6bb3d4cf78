"""A run to export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_diffusion.core import PRESETS
from tui_diffusion.core.runs.run import save_run

from ..trainings import trained


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trainer = trained(
        PRESETS["naive-2d"].experiment.with_settings({"training.steps": 50, "device": "cpu"})
    )
    return save_run(tmp_path_factory.mktemp("runs") / "run", trainer, "finished")
