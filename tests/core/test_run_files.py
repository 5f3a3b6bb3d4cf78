"""Files of a run that are damaged, missing or another's: one line each, and no harm."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tui_diffusion.core.runs import writer as snapshot
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run
from tui_diffusion.core.runs.store import summarise

from ..cases import for_each
from ..faults import fault
from ..stored_runs import of_an_earlier_version
from ..trainings import trained
from .run_files import FILES, files_of, open_all, short


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
    put = snapshot.put
    monkeypatch.setattr(snapshot, "put", lambda f, c: full() if f.parent == copy else put(f, c))
    snapshot.show_files(copy / "checkpoint-3", copy)
    assert {file.name for file in copy.iterdir() if file.is_file()} == {"run.json", "lock"}
    open_all(copy)
