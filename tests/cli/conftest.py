"""What the tests of the command line share."""

from pathlib import Path

import pytest

from ..command_line import SHORT


@pytest.fixture
def saved(run_cli, tmp_path) -> Path:
    folder = tmp_path / "saved"
    run_cli.json("train", "ddpm-1d", *SHORT, "--out", str(folder))
    return folder
