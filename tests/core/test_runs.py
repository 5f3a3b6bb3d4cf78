"""Runs in files: there and back, found by name, written whole or not at all."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs import writer as snapshot
from tui_diffusion.core.runs.run import (
    RunError,
    check_writable,
    find,
    new_name,
    open_run,
    save_run,
    shown,
    store,
)
from tui_diffusion.core.runs.tensor_files import save_tensors
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..faults import fault
from ..trainings import go_on, trained
from .run_files import FILES, contents, files_of, short

# --- there and back ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_run_comes_back_as_it_was(name, tmp_path):
    trainer = trained(short(name, **{"training.batch": 16}))
    metrics = {"sample": {"mean": [1.0, None]}, "text": "σ"}
    folder = save_run(tmp_path / "a run", trainer, "finished", metrics)
    own = {"run.json", "lock", "checkpoint-1"}
    assert {file.name for file in folder.iterdir()} == own | FILES
    for name_ in FILES:
        assert (folder / name_).read_bytes() == (folder / "checkpoint-1" / name_).read_bytes()
    assert {file.name for file in (folder / "checkpoint-1").iterdir()} == FILES
    run = open_run(str(folder))
    assert run.experiment == trainer.experiment
    assert (run.state, run.step, run.name) == ("finished", 40, "a run")
    assert (run.seconds, run.device, run.metrics) == (trainer.seconds, "cpu", metrics)
    assert run.losses().tobytes() == trainer.losses.tobytes()
    kept, again = trainer.denoiser.network.state_dict(), run.denoiser().network.state_dict()
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[key], again[key]) for key in kept)
    first = denoise(trainer.experiment, trainer.denoiser, points=20)
    assert torch.equal(denoise(run.experiment, run.denoiser(), points=20).x, first.x)


def test_the_files_are_plain(saved):
    about = json.loads((saved / "run.json").read_text("utf-8"))
    assert (about["format"], about["state"], about["step"], about["steps"]) == (
        *(2, "finished"),
        *(40, 40),
    )
    assert about["files"] == {
        file.name: file.stat().st_size for file in (saved / about["checkpoint"]).iterdir()
    }
    assert about["versions"].keys() == {"diffusion-tui", "torch", "python"}
    files = files_of(saved)
    losses = np.load(files["losses.npy"], allow_pickle=False)
    assert (losses.dtype, losses.shape) == (np.float32, (40,))
    assert set(load_file(files["weights.safetensors"])) == {
        f"bodies.0.{layer}.{kind}" for layer in (0, 2, 4) for kind in ("weight", "bias")
    }
    for file in files.values():
        data = file.read_bytes()
        assert not zipfile.is_zipfile(file)
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, KeyError, IndexError)):
            pickle.loads(data)


def test_without_metrics_there_is_no_metrics_file(tmp_path):
    folder = save_run(tmp_path / "run", trained(short("naive-1d")), "stopped")
    assert set(files_of(folder)) == (FILES - {"metrics.json"}) | {"run.json", "lock"}
    run = open_run(str(folder))
    assert (run.metrics, run.state) == (None, "stopped")


@pytest.mark.parametrize(
    ("name", "optimizer", "stop"),
    [
        ("naive-1d", "sgd", 100),
        ("naive-2d", "adam", 256),
        ("ddpm-multimodal", "adamw", 257),
        ("ddpm-1d-per-level", "adam", 202),
        ("ddpm-1d", "adam", 0),
    ],
)
def test_a_saved_training_goes_on_bit_for_bit(name, optimizer, stop, tmp_path):
    experiment = short(name, 270, **{"training.batch": 32, "training.optimizer": optimizer})
    whole = trained(experiment)
    part = trained(experiment, until=stop) if stop else Trainer(experiment)
    run = open_run(str(save_run(tmp_path / "run", part, "stopped")))
    assert run.step == stop
    resumed = Trainer(run.experiment)
    resumed.restore(run.training_state())
    go_on(resumed)
    assert resumed.losses.tobytes() == whole.losses.tobytes()
    pairs = zip(resumed.network.parameters(), whole.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert resumed.seconds > part.seconds


def test_a_diverged_run_is_kept_with_its_last_loss(tmp_path):
    trainer = trained(short("naive-1d", **{"training.lr": 1e9}))
    run = open_run(str(save_run(tmp_path / "run", trainer, "diverged")))
    assert run.state == "diverged"
    assert not np.isfinite(run.losses()[-1])
    assert np.isfinite(run.losses()[:-1]).all()
    restored = Trainer(run.experiment)
    restored.restore(run.training_state())
    assert restored.status == "diverged"


# --- the store ---------------------------------------------------------------------------------


def test_a_run_is_found_by_its_name_in_the_store_and_by_its_path(home, saved, monkeypatch):
    assert store() == home / "runs"
    shutil.copytree(saved, store() / "mine")
    assert find("mine") == store() / "mine"
    assert find(str(saved)) == saved
    monkeypatch.chdir(saved.parent)
    assert find(saved.name).resolve() == saved


def test_without_the_variable_the_store_is_the_users_data_directory(monkeypatch):
    monkeypatch.delenv("DIFFUSION_TUI_HOME")
    assert store().parts[-2:] == ("diffusion-tui", "runs")


@for_each("name", ["nope", "", "a\x1b[31m\nb", "../..", "x" * 5000, "/", "a\0b"])
def test_a_run_that_is_not_there(name):
    message = fault(open_run, name, longest=6000)
    assert "does not exist" in message
    assert "allowed" in message


def test_names_of_new_runs_tell_the_experiment_and_are_free():
    experiment, seen = get_preset("ddpm-1d").experiment, set()
    for _ in range(4):
        name = new_name(experiment)
        assert name.startswith("ddpm-1d-")
        assert Path(name).name == name
        seen.add(name)
        (store() / name).mkdir(parents=True)
    assert len(seen) == 4


def test_text_from_outside_is_shown_without_control_characters():
    assert shown("a\x1b[31m\nb\u202eσ") == "a?[31m?b?σ"


def test_tensors_are_written_as_the_library_writes_them():
    kinds = (torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64, torch.bfloat16)
    tensors = {f"x{n}": torch.arange(n).reshape(1, n).to(k) for n, k in enumerate(kinds, start=2)}
    tensors |= {"none": torch.zeros(0, 3), "one": torch.tensor(1.5), "y": torch.ones(2, 2)}
    assert b"".join(save_tensors(tensors)) == save(tensors)


# --- whole or not at all -----------------------------------------------------------------------


@for_each("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), TypeError("no")])
@for_each(
    "where", ["save_tensors", "write_new", "put", "to_json", "flush_together", "flush_folder"]
)
def test_a_failed_write_leaves_nothing_behind(error, where, tmp_path, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    trainer = trained(short("naive-1d", 5))
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, where, fail)
        with pytest.raises(RunError if isinstance(error, OSError) else type(error)):
            save_run(tmp_path / "runs" / "run", trainer, "finished")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_failed_write_leaves_the_run_that_was_there(copy, monkeypatch):
    before = contents(copy)

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot, "put", fail)
    message = fault(save_run, copy, trained(short("naive-1d", 5)), "stopped")
    assert "No space left" in message
    assert contents(copy) == before
    assert [file.name for file in copy.parent.iterdir() if file.name != "home"] == ["copy"]


def test_a_run_is_written_over_as_a_whole(copy):
    save_run(copy, trained(short("naive-1d", 5)), "stopped")
    run = open_run(str(copy))
    assert (run.experiment.name, run.step, run.metrics) == ("naive-1d", 5, None)
    assert [file.name for file in copy.parent.iterdir() if file.name != "home"] == ["copy"]


def test_where_a_run_can_be_written(tmp_path):
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir()
    full.mkdir()
    (full / "x").touch()
    file.touch()
    check_writable(tmp_path / "new" / "below", "--out")
    check_writable(empty, "--out")
    for folder in (full, file, file / "below", tmp_path / ("x" * 300), Path("/proc/nope/run")):
        message = fault(check_writable, folder, "--out", longest=600)
        assert message.startswith(f"--out {folder}")
        assert "allowed" in message
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "home") == [
        *("empty", "file", "full", "new")
    ]
