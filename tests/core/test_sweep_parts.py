"""Sweeps with parts from a file, in processes that have not loaded it."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui_diffusion.core import get_preset
from tui_diffusion.core.parts.loading import load_parts
from tui_diffusion.core.parts.registries import part_files
from tui_diffusion.core.runs.manifest import MissingPartError
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.sweeps.run import run_sweep
from tui_diffusion.core.sweeps.store import create_sweep, read_sweep
from tui_diffusion.core.sweeps.sweep import Sweep

from ..part_files import restored, written

TEXT = '''
@dataset
def line(dots: int = 5):
    """Stand in a line."""
    return torch.stack([torch.arange(dots), torch.zeros(dots)], 1)
'''
SHORT = {
    "data.name": "line",
    "training.steps": 5,
    "sampling.points": 20,
    "network.width": 4,
    "device": "cpu",
}


def test_a_training_brings_its_part_files_and_its_run_and_sweep_keep_them(home, tmp_path):
    with restored():
        file = load_parts(written(tmp_path, TEXT))
        base = get_preset("edm-moons").experiment.with_settings(SHORT)
        sweep = Sweep(base, {"data.dots": (3, 4)}, 1)
        with ThreadPoolExecutor(1) as executor:
            *_, last = run_sweep(create_sweep(sweep), executor)
        assert (last.done, last.failed) == (2, 0)
        pickled = pickle.dumps(sweep.trainings())
        folder = last.stored.folder
        runs = [last.stored.run_folder(training) for training in sweep.trainings()]
    assert file.path not in part_files
    with pytest.raises(MissingPartError, match=r"^sweep .*: data set 'line' is not loaded"):
        read_sweep(folder).sweep  # noqa: B018
    for run in runs:
        assert (run / "my_parts.py").read_bytes() == file.content
        with pytest.raises(MissingPartError) as missing:
            open_run(run)
        assert missing.value.checked_copy().content == file.content
    with restored():
        assert pickle.loads(pickled) == sweep.trainings()
        assert part_files[file.path] == file
        assert [one.name for one in read_sweep(folder).sweep.trainings()] == [r.name for r in runs]
