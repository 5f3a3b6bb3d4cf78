"""Runs on disk: what is written comes back, whole or not at all, and nothing is opened blindly."""

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs import writer as snapshot
from tui_diffusion.core.runs.resume import resume
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
from tui_diffusion.core.runs.store import summarise
from tui_diffusion.core.runs.tensor_files import save_tensors
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..stored_runs import of_an_earlier_version
from ..trainings import go_on, trained

FILES = {
    "experiment.json",
    "weights.safetensors",
    "state.safetensors",
    "losses.npy",
    "metrics.json",
}


def short(name: str, steps: int = 40, **changes: object) -> Experiment:
    return get_preset(name).experiment.with_settings({"training.steps": steps, **changes})


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


def files_of(folder: Path) -> dict[str, Path]:
    """The files of a run by name, those of its checkpoint among them."""
    return {file.name: file for file in folder.rglob("*") if file.is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each, but for the lock, which says who wrote last."""
    files = {str(file.relative_to(folder)): file for file in files_of(folder).values()}
    return {name: file.read_bytes() for name, file in files.items() if name != "lock"}


def fault(action, *args: object) -> str:
    with pytest.raises(RunError) as caught:
        action(*args)
    message = str(caught.value)
    assert message.isprintable(), "one line of plain text"
    return message


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
    message = fault(open_run, name)
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
@for_each("where", ["save_tensors", "_put", "to_json", "flush_folder"])
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

    monkeypatch.setattr(snapshot, "_put", fail)
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
        message = fault(check_writable, folder, "--out")
        assert message.startswith(f"--out {folder}")
        assert "allowed" in message
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "home") == [
        *("empty", "file", "full", "new")
    ]


# --- damage ------------------------------------------------------------------------------------


def open_all(folder: Path) -> None:
    run = open_run(str(folder))
    run.losses()
    run.denoiser()
    run.training_state()


@for_each("name", [*sorted(FILES), "run.json"])
@for_each("content", [b"", b"{", b"\x00\xff" * 40, b"[]", b"null", b"[" * 100_000])
def test_a_damaged_file_is_named_in_one_line(copied, name, content):
    copy = copied()
    files_of(copy)[name].write_bytes(content)
    assert name in fault(open_all, copy)


@for_each("name", sorted(FILES))
def test_a_missing_file_is_named_in_one_line(copied, name):
    copy = copied()
    files_of(copy)[name].unlink()
    assert name in fault(open_all, copy)


@for_each("name", [*sorted(FILES), "run.json"])
def test_a_file_cut_short_is_named_in_one_line(copied, name):
    copy = copied()
    data = files_of(copy)[name].read_bytes()
    files_of(copy)[name].write_bytes(data[: len(data) // 2])
    assert name in fault(open_all, copy)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([*sorted(FILES), "run.json"]), data=st.data())
def test_any_bytes_changed_open_or_are_refused(saved, tmp_path, name, data):
    folder = tmp_path / "changed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
    file = files_of(folder)[name]
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 400) - 1))] = data.draw(
            st.integers(0, 255)
        )
    file.write_bytes(bytes(content))
    try:
        open_all(folder)
    except RunError as error:
        assert str(error).isprintable()


@for_each(
    "key, value",
    [
        ("format", 1),
        ("format", None),
        ("state", "excellent"),
        ("state", None),
        ("step", "x"),
        ("step", None),
        ("step", -1),
        ("seconds", []),
        ("device", ...),
    ],
)
def test_a_run_file_that_says_what_cannot_be(copied, key, value):
    copy = copied()
    about = json.loads((copy / "run.json").read_text("utf-8"))
    about.pop(key) if value is ... else about.update({key: value})
    (copy / "run.json").write_text(json.dumps(about), "utf-8")
    fault(open_run, str(copy))


def test_an_experiment_that_cannot_be_is_refused_by_its_field(copy):
    file = files_of(copy)["experiment.json"]
    text = file.read_text("utf-8")
    file.write_text(text.replace('"lr": 0.001', '"lr": -1'), "utf-8")
    message = fault(open_run, str(copy))
    assert "training.lr" in message
    assert "allowed" in message


def test_weights_of_another_network_are_refused(copy):
    text = (copy / "experiment.json").read_text("utf-8").replace('"width": 32', '"width": 33')
    for file in copy.rglob("experiment.json"):
        file.write_text(text, "utf-8")
    of_an_earlier_version(copy)
    assert "weights.safetensors" in fault(open_run(str(copy)).denoiser)


def test_a_header_that_is_no_python_is_refused(copy):
    """Numpy reads the header with Python's tokenizer, whose errors are no ValueError."""
    file = files_of(copy)["losses.npy"]
    data = file.read_bytes()
    file.write_bytes(data.replace(b"'descr'", b"'desc\x00("))
    assert "losses.npy" in fault(open_run(str(copy)).losses)
    file.write_bytes(data.replace(b"(40,)", b"((0,)"))
    assert "losses.npy" in fault(open_run(str(copy)).losses)


@for_each(
    "array", [np.array(["a", "b"]), np.zeros((3, 2), np.float32), np.array([{}], dtype=object)]
)
def test_losses_that_are_no_row_of_numbers_are_refused(copied, array):
    copy = copied()
    np.save(files_of(copy)["losses.npy"], array, allow_pickle=True)
    assert "losses.npy" in fault(open_run(str(copy)).losses)


def test_a_pickle_in_place_of_the_losses_is_never_run(copy, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "boom",))

    files_of(copy)["losses.npy"].write_bytes(pickle.dumps(Bomb()))
    assert "losses.npy" in fault(open_run(str(copy)).losses)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("name", ["generator", "seconds"])
def test_a_state_without_what_goes_on_from_is_refused(copy, name):
    file = files_of(copy)["state.safetensors"]
    state = load_file(file)
    del state[name]
    save_file(state, file)
    assert "state.safetensors" in fault(open_run(str(copy)).training_state)


# --- what a run's own folder shows of its checkpoint ---------------------------------------------


def replaced(copy: Path, name: str, data: bytes) -> None:
    """Another file in its place, as `mv` leaves it; what counts is untouched."""
    (copy / "new").write_bytes(data)
    (copy / "new").replace(copy / name)


@for_each("name", sorted(FILES))
def test_another_file_in_place_of_one_that_is_shown_is_noticed(copied, name):
    copy = copied()
    data = (copy / name).read_bytes()
    replaced(copy, name, data[:-1])
    summary = summarise(copy)
    assert summary.standing == "damaged"
    for text in (summary.reason, fault(open_all, copy)):
        assert f"{name} is not that of checkpoint-1" in text
    replaced(copy, name, data[:-1] + bytes([data[-1] ^ 1]))
    assert summarise(copy).whole, "as long as before, which a list does not tell"
    assert f"{name} is not that of checkpoint-1" in fault(open_all, copy)
    (copy / name).unlink()
    (copy / name).symlink_to(copy / "checkpoint-1" / name)
    assert name in fault(open_all, copy)
    (copy / name).unlink()
    open_all(copy)
    assert summarise(copy).whole


@pytest.mark.parametrize("what", ["another network", "nan"])
def test_other_weights_in_a_run_s_own_folder_are_not_taken_for_its_own(copy, what, tmp_path):
    file = copy / "weights.safetensors"
    if what == "nan":
        weights = {name: value * torch.nan for name, value in load_file(file).items()}
        save_file(weights, copy / "new")
        (copy / "new").replace(file)
    else:
        other = save_run(tmp_path / "other", trained(short("ddpm-1d")), "finished")
        replaced(copy, file.name, (other / file.name).read_bytes())
    assert "weights.safetensors is not that of checkpoint-1" in fault(open_all, copy)


def test_a_crash_while_a_checkpoint_comes_to_show_harms_nothing(copy, monkeypatch):
    """Some files are the new one's and some the old one's, in the run and in a copy of it."""
    trainer = resume(open_run(str(copy)), short("naive-2d", 80))
    next(trainer.run(every=10))
    replace_, count = Path.replace, iter(range(100))

    def crash(self: Path, to: Path) -> Path:
        if to.parent == copy and to.name != "run.json" and next(count) == 2:
            raise KeyboardInterrupt
        return replace_(self, to)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        save_run(copy, trainer, "stopped")
    monkeypatch.undo()
    new = [file.samefile(copy / file.name) for file in (copy / "checkpoint-2").iterdir()]
    assert sum(new) == 2 < len(new)
    for folder in (copy, Path(shutil.copytree(copy, copy.parent / "again"))):
        assert summarise(folder).whole
        assert open_run(str(folder)).step == 50
        open_all(folder)


def test_what_cannot_be_shown_is_not_there_rather_than_an_older_one(copy, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    trainer = resume(open_run(str(copy)), short("naive-2d", 80))
    reports = trainer.run(every=10)
    monkeypatch.setattr("os.link", full)
    for _ in range(2):
        next(reports)
        save_run(copy, trainer, "stopped")
    assert (copy / "losses.npy").stat().st_nlink == 1, "a copy"
    put = snapshot._put
    monkeypatch.setattr(snapshot, "_put", lambda f, c: full() if f.parent == copy else put(f, c))
    snapshot._show(copy / "checkpoint-3", copy)
    assert {file.name for file in copy.iterdir() if file.is_file()} == {"run.json", "lock"}
    open_all(copy)
