"""Damaged files of a run: named in one line, and never taken for whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tui_diffusion.core.runs import resume as resuming
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer

from ..faults import EXPERIMENT, fault
from ..stored_runs import of_an_earlier_version
from ..trainings import go_on, trained

BINARY = ("weights.safetensors", "state.safetensors", "losses.npy")
FILES = ("run.json", "experiment.json", "metrics.json", *BINARY)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "run"
    return save_run(
        folder, trained(EXPERIMENT, 20), "stopped", {"sample": {"energy_distance": 1.0}}
    )


@pytest.fixture
def run(original: Path) -> Path:
    """A run in the store, beside another."""
    shutil.copytree(original, store() / "other")
    return Path(shutil.copytree(original, store() / "run"))


def file_of(folder: Path, name: str) -> Path:
    return folder / name if name == "run.json" else folder / "checkpoint-1" / name


def read_all(name: str) -> None:
    opened = open_run(name)
    opened.losses()
    opened.denoiser()
    if opened.step < EXPERIMENT.training.steps:
        resume(opened)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_byte_is_told_in_a_line(run, name):
    file = file_of(run, name)
    data = file.read_bytes()
    # The last byte of JSON is the end of its line, and no loss.
    whole = len(data) - (name not in BINARY)
    offsets = {*range(0, whole, max(1, len(data) // 60)), 1, 8, 9, whole - 1}
    for offset in sorted(offsets):
        file.write_bytes(data[:offset])
        assert name in fault(read_all, "run"), offset
        standings = {summary.name: summary for summary in list_runs()}
        assert standings["run"].standing == "damaged", offset
        assert name in standings["run"].reason
        assert standings["other"].whole
    file.write_bytes(data)
    read_all("run")


@pytest.mark.parametrize("name", BINARY)
def test_a_file_that_goes_on_after_its_end_is_listed_as_damaged(run, name):
    with file_of(run, name).open("ab") as file:
        file.write(b"\0")
    assert next(s for s in list_runs() if s.name == "run").standing == "damaged"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("file", "part"), [("weights", ""), ("state", "network.")])
def test_weights_that_are_no_numbers_are_refused(run, file, part, value):
    path = file_of(run, f"{file}.safetensors")
    tensors = load_file(path)
    tensors[f"{part}bodies.0.2.weight"][3, 3] = value
    save_file(tensors, path)
    message = fault(read_all, "run")
    assert f"{file}.safetensors" in message
    assert "not finite" in message


def test_the_tensors_of_another_network_are_refused(run, tmp_path):
    other = EXPERIMENT.with_settings({"network.width": 7})
    strange = save_run(tmp_path / "strange", Trainer(other), "stopped")
    for name in ("weights.safetensors", "state.safetensors"):
        data = file_of(run, name).read_bytes()
        shutil.copy(file_of(strange, name), file_of(run, name))
        assert name in fault(read_all, "run")
        file_of(run, name).write_bytes(data)


def test_more_or_fewer_losses_than_steps_are_refused(run):
    for count in (0, 19, 21, 10**6):
        np.save(file_of(run, "losses.npy"), np.zeros(count, np.float32))
        assert "losses.npy" in fault(read_all, "run")


def test_a_run_that_has_gone_further_than_its_experiment_is_refused(run):
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "step": 10**9, "steps": 10**9}))
    assert "run.json" in fault(read_all, "run")


def test_a_run_written_while_it_is_read_says_so(run):
    opened = open_run("run")
    for steps in (22, 24):
        save_run(run, trained(EXPERIMENT, steps), "stopped")
    assert "written while being read" in fault(opened.denoiser)
    assert open_run("run").step == 24


def test_a_run_of_another_kind_of_device_goes_on_with_fresh_random_numbers(run):
    """A CUDA generator's state is 16 bytes; such a run goes on here all the same."""
    tensors = load_file(run / "state.safetensors")
    tensors["generator"] = torch.zeros(16, dtype=torch.uint8)
    for path in run.rglob("state.safetensors"):
        save_file(tensors, path)
    of_an_earlier_version(run)
    assert go_on(resuming.resume(open_run("run"))).status == "finished"
