"""A run keeps a copy of the points of its file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.runs.load import opened

from ..faults import fault
from ..trainings import go_on, trained


def of_file(file: Path, until: int = 20) -> Trainer:
    settings = {"data.name": f"file:{file}", "training.steps": 40, "device": "cpu"}
    return trained(get_preset("edm-moons").experiment.with_settings(settings), until)


@pytest.mark.parametrize("what", ["changed", "gone", "as it was"])
def test_a_run_keeps_the_points_of_its_file(what, tmp_path, monkeypatch):
    points = np.random.default_rng(0).normal(size=(50, 2)) * [1.0, 3.0]
    file = tmp_path / "points.csv"
    np.savetxt(file, points, delimiter=",")
    expected = of_file(file, until=40).losses.tobytes()
    save_run(store() / "run", of_file(file), "stopped")
    if what == "changed":
        np.savetxt(file, points[:7] + 5, delimiter=",")
    elif what == "gone":
        file.unlink()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(store() / "run", elsewhere)
    trainer = resume(open_run(str(elsewhere)))
    np.testing.assert_array_equal(trainer.points, points)
    go_on(trainer)
    assert trainer.losses.tobytes() == expected
    save_run(elsewhere, trainer, "finished")
    assert open_run(str(elsewhere)).denoiser() is not None
    experiment, training = opened(str(elsewhere))
    assert (experiment.data.dim, training.step) == (2, 40)


def test_a_damaged_copy_of_the_points_is_one_line(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("1, 2\n3, 4\n5, 7\n")
    run = save_run(store() / "run", of_file(file), "stopped")
    copy = run / "points.npy"
    whole = copy.read_bytes()
    for offset in (0, 1, 40, len(whole) - 1):
        copy.write_bytes(whole[:offset])
        assert "points.npy" in fault(open_run, "run")
    copy.unlink()
    copy.symlink_to(file)
    assert "not a plain file" in fault(open_run, "run")
    copy.unlink()
    assert open_run("run").experiment.data.path == str(file), "as runs of before have it"
    file.unlink()
    message = fault(open_run, "run")
    assert "data.path" in message and "no such file" in message
