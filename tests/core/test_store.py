"""The store: what is listed and as what, who may write, and names that cannot lead out of it."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.lock import Lock, writer_of
from tui_diffusion.core.runs.run import find, open_run, save_run, take_name
from tui_diffusion.core.runs.store import (
    RunError,
    Summary,
    check_name,
    delete_run,
    list_runs,
    rename_run,
)

from ..cases import for_each
from ..stored_runs import of_an_earlier_version
from ..trainings import trained

EXPERIMENT = get_preset("naive-1d").experiment.with_settings({"training.steps": 6})
HOSTILE = ["a\x1b]0;boo\x07", "[red]x[bold]", "a\nb", "--help", "\u202eevil", "$(boo)", "a b", "'"]
OUTSIDE = ["..", ".", "", "../x", "a/../../x", "/etc", "a/b", "a\0b", "~/x"]


def saved(name: str, state="stopped", **changes: object) -> Path:
    return save_run(store() / name, trained(EXPERIMENT.with_settings(changes)), state)


def fault(action, *arguments: object) -> str:
    with pytest.raises(RunError) as caught:
        action(*arguments)
    message = str(caught.value)
    assert message.isprintable()
    return message


def listed() -> dict[str, Summary]:
    return {summary.name: summary for summary in list_runs()}


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    """Nothing here cuts the power: what is written need not reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


# --- listing -----------------------------------------------------------------------------------


def test_a_store_that_is_not_there_is_empty():
    assert list_runs() == []


def test_a_store_that_is_a_file_is_one_line(home):
    home.mkdir()
    store().write_text("mine")
    assert "cannot be read" in fault(list_runs)
    assert "cannot be written" in fault(save_run, store() / "x", trained(EXPERIMENT), "stopped")
    assert store().read_text() == "mine"


def test_what_a_run_says_of_itself_is_listed():
    sample = {"energy_distance": 0.25, "off_mode": None, "mean": [1.0]}
    save_run(
        store() / "mine",
        trained(EXPERIMENT.with_settings({"seed": 7})),
        "finished",
        {"sample": sample},
    )
    (summary,) = list_runs()
    about = summary.about
    assert (summary.name, summary.standing, summary.whole) == ("mine", "finished", True)
    assert (about.experiment, about.step, about.steps) == ("naive-1d", 6, 6)
    assert (about.seed, about.device) == (7, "cpu")
    assert about.quality["energy_distance"] == 0.25
    assert about.quality["off_mode"] is None
    assert 0 <= summary.age() < 60
    assert not summary.resumable


def test_the_latest_comes_first_and_what_is_not_whole_last():
    for number, name in enumerate(("b", "c", "a")):
        of_an_earlier_version(saved(name), written=f"2026-01-0{number + 1}T00:00:00+00:00")
    (store() / "0").mkdir()
    assert [summary.name for summary in list_runs()] == ["a", "c", "b", "0"]


def test_what_is_no_whole_run_is_listed_as_what_it_is(tmp_path):
    saved("good")
    (store() / "notes.txt").write_text("mine")
    (store() / "pictures").mkdir()
    (store() / "link").symlink_to(saved("elsewhere"))
    (store() / ".good.999999999.tmp" / "checkpoint-1").mkdir(parents=True)
    (store() / "begun" / "checkpoint-1").mkdir(parents=True)
    (saved("damaged") / "run.json").write_text("{")
    (saved("other format") / "run.json").write_text('{"format": 99}')
    (store() / ".hidden").write_text("none of our business")
    os.mkfifo(store() / "pipe")
    found = listed()
    standings = {name: summary.standing for name, summary in found.items()}
    assert standings == {
        "good": "stopped",
        "elsewhere": "stopped",
        "notes.txt": "foreign",
        "pictures": "foreign",
        "link": "foreign",
        "pipe": "foreign",
        ".good.999999999.tmp": "half-written",
        "begun": "half-written",
        "damaged": "damaged",
        "other format": "damaged",
    }
    for summary in found.values():
        assert bool(summary.reason) != summary.whole
        assert summary.reason.isprintable()
    assert "format 99" in found["other format"].reason


def test_what_is_only_just_being_written_or_removed_is_not_listed():
    for name in (f".new.{os.getpid()}.tmp", f".old.{os.getpid()}.deleted"):
        (store() / name).mkdir(parents=True)
    assert list_runs() == []


def test_a_run_that_is_training_with_nobody_at_it_was_interrupted():
    trainer = trained(EXPERIMENT, 3)
    with Checkpointer(trainer, store() / "mine") as keeper:
        keeper.finish("training")
        assert listed()["mine"].standing == "training"
        assert not listed()["mine"].resumable
    assert listed()["mine"].standing == "interrupted"
    assert listed()["mine"].resumable


def test_a_run_that_was_killed_after_its_last_step_has_finished():
    with Checkpointer(trained(EXPERIMENT), store() / "mine") as keeper:
        keeper.finish("training")
    assert listed()["mine"].standing == "finished"
    assert not listed()["mine"].resumable


def test_a_clock_set_back_makes_no_negative_age():
    saved("mine")
    (summary,) = list_runs()
    assert summary.age(datetime.now(UTC) - timedelta(days=400)) == 0
    assert summary.age(datetime.now(UTC) + timedelta(hours=2)) > 7000


# --- the lock ----------------------------------------------------------------------------------


def test_two_writers_are_kept_apart():
    trainer = trained(EXPERIMENT, 3)
    folder = save_run(store() / "mine", trainer, "stopped")
    with Checkpointer(trainer, folder):
        assert str(os.getpid()) in writer_of(folder)
        for action in (
            lambda: Checkpointer(trainer, folder),
            lambda: save_run(folder, trainer, "stopped"),
            lambda: rename_run("mine", "yours"),
            lambda: delete_run("mine"),
        ):
            message = fault(action)
            assert f": process {os.getpid()} on " in message and "is still training" in message
            assert message.endswith("; try again when it ends")
    assert writer_of(folder) is None
    delete_run("mine")


def test_a_lock_goes_with_its_process():
    folder = saved("mine")
    code = f"""
import os, sys
from pathlib import Path
from tui_diffusion.core.runs.lock import Lock
lock = Lock.take(Path({str(folder)!r}))
print("held", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    assert f"process {process.pid}" in fault(Lock.take, folder)
    process.kill()
    process.communicate()
    Lock.take(folder).release()


def test_a_lock_that_is_a_link_or_says_strange_things_harms_nothing(tmp_path):
    folder = saved("mine")
    target = tmp_path / "target"
    target.write_text("keep")
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(target)
    assert "cannot be written" in fault(Lock.take, folder)
    assert target.read_text() == "keep"
    (folder / "lock").unlink()
    lock = Lock.take(folder)
    (folder / "lock").write_bytes(b"\x1b[31m\xff" * 400)
    assert "another process is still training this run" in fault(Lock.take, folder)
    lock.release()


def test_a_run_that_was_written_since_it_was_read_is_not_gone_on_with():
    early, late = trained(EXPERIMENT, 2), trained(EXPERIMENT, 4)
    folder = save_run(store() / "mine", early, "stopped")
    save_run(folder, late, "stopped")
    assert "written meanwhile" in fault(Checkpointer, early, folder)
    Checkpointer(late, folder).close()


def test_a_new_run_never_takes_the_place_of_another():
    first, second = trained(EXPERIMENT, 3), trained(EXPERIMENT, 5)
    a, b = (Checkpointer(trainer, store() / "same") for trainer in (first, second))
    a.finish("stopped")
    assert "cannot be written" in fault(b.finish, "stopped")
    a.close()
    b.close()
    assert open_run("same").step == 3
    assert [entry.name for entry in store().iterdir()] == ["same"]


def test_a_name_is_taken_before_the_training_begins():
    """As two containers take it that share a store, both with the same process in the same second.

    Here threads do, which have one process number.
    """
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(take_name, [EXPERIMENT] * 8))
    assert len(set(folders)) == 8
    assert listed() == {}, "what is only just coming to be is no run yet"
    for steps, folder in enumerate(folders[:3], start=1):
        with Checkpointer(trained(EXPERIMENT, steps), folder) as keeper:
            keeper.finish("stopped")
    assert [open_run(folder.name).step for folder in folders[:3]] == [1, 2, 3]
    for folder in folders[3:]:  # a training that came to nothing gives its name back
        Checkpointer(trained(EXPERIMENT, 1), folder).close()
    assert {entry.name for entry in store().iterdir()} == {folder.name for folder in folders[:3]}


# --- names -------------------------------------------------------------------------------------


def test_rename_and_delete():
    saved("mine")
    rename_run("mine", "  σ 2, the best ")
    assert open_run("σ 2, the best").step == 6
    assert list(listed()) == ["σ 2, the best"]
    saved("mine")
    assert "is taken" in fault(rename_run, "mine", "σ 2, the best")
    delete_run("mine")
    assert list(listed()) == ["σ 2, the best"]
    assert len(list(store().iterdir())) == 1
    assert "does not exist" in fault(delete_run, "mine")


@for_each("name", [*OUTSIDE, "a\x1b[31m", "a\nb", ".x", "-x", "x" * 201, "é" * 101])
def test_a_run_is_never_given_a_name_that_leads_elsewhere(name):
    saved("mine")
    assert "is not allowed" in fault(check_name, name)
    assert "is not allowed" in fault(rename_run, "mine", name)
    assert list(listed()) == ["mine"]


@for_each("name", OUTSIDE)
def test_nothing_outside_the_store_is_renamed_or_removed(name, home, tmp_path):
    saved("mine")
    (home / "x").mkdir(exist_ok=True)
    for action in (delete_run, lambda name: rename_run(name, "new")):
        assert "does not exist" in fault(action, name)
    assert (home / "x").is_dir()
    assert list(listed()) == ["mine"]


def test_a_link_in_the_store_is_neither_opened_nor_removed(tmp_path):
    outside = save_run(tmp_path / "outside", trained(EXPERIMENT), "stopped")
    store().mkdir(parents=True)
    (store() / "link").symlink_to(outside)
    assert "link" in fault(open_run, "link")
    assert "no run" in fault(delete_run, "link")
    assert "no run" in fault(rename_run, "link", "new")
    assert open_run(str(outside)).step == 6


@pytest.mark.parametrize("name", ["notes.txt", "pictures"])
def test_what_is_foreign_stays(name):
    store().mkdir(parents=True)
    (store() / "notes.txt").write_text("mine")
    (store() / "pictures").mkdir()
    assert "no run" in fault(delete_run, name)
    assert (store() / name).exists()


def test_what_was_left_half_written_can_be_removed():
    (store() / ".good.999999999.tmp" / "checkpoint-1").mkdir(parents=True)
    (saved("damaged") / "run.json").write_text("{")
    for summary in list_runs():
        delete_run(summary.name)
    assert list(store().iterdir()) == []


@for_each("name", HOSTILE)
def test_hostile_names_are_listed_harmless_and_can_be_used(name):
    Path(saved("plain")).rename(store() / name)
    (summary,) = list_runs()
    assert summary.name == name
    assert summary.label.isprintable()
    assert find(name) == store() / name
    assert open_run(name).step == 6
    rename_run(name, "plain again")
    delete_run("plain again")


# --- files that are not what they seem -----------------------------------------------------------


@pytest.mark.parametrize(
    "file", ["experiment.json", "weights.safetensors", "state.safetensors", "losses.npy"]
)
@pytest.mark.parametrize("make", [lambda f, to: f.symlink_to(to), lambda f, to: os.mkfifo(f)])
def test_a_link_or_a_pipe_in_place_of_a_file_is_refused(file, make, tmp_path):
    folder = saved("mine")
    path = folder / "checkpoint-1" / file
    elsewhere = path.rename(tmp_path / file)
    make(path, elsewhere)
    assert listed()["mine"].standing == "damaged"

    def read():
        run = open_run("mine")
        run.denoiser()
        run.training_state()

    assert file in fault(read)


def test_a_checkpoint_that_is_a_link_is_refused(tmp_path):
    folder = saved("mine")
    (folder / "checkpoint-1").rename(tmp_path / "elsewhere")
    (folder / "checkpoint-1").symlink_to(tmp_path / "elsewhere")
    assert listed()["mine"].standing == "damaged"
    assert "link" in fault(open_run, "mine")


@for_each("name", ["..", "../other/checkpoint-1", "/etc", "checkpoint-1/..", "", 3])
def test_a_checkpoint_cannot_lie_elsewhere(about, name):
    saved("other")
    (store() / "mine" / "run.json").write_text(json.dumps({**about, "checkpoint": name}))
    assert listed()["mine"].standing == "damaged"
    assert "checkpoint" in fault(open_run, "mine")


SHAPES = [
    "null",
    "[]",
    "3",
    '"x"',
    "{}",
    "NaN",
    "[" * 100_000,
    '{"a":' * 5000,
    "1" * 5000,
    "\ud800",
]


@for_each("text", SHAPES)
def test_json_of_the_wrong_shape(about, text):
    saved("other")
    (store() / "mine" / "run.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert listed()["mine"].standing == "damaged"
    assert listed()["other"].whole
    fault(open_run, "mine")


@pytest.fixture
def about():
    """What the saved run `mine` says of itself."""
    return json.loads((saved("mine") / "run.json").read_text())


VALUES = [
    None,
    -1,
    True,
    1.5,
    10**4000,
    "x",
    "\x1b[31m" * 100,
    [],
    {},
    [[]],
    {"../x": 1},
    {"x": -1},
]


@for_each("value", VALUES)
@for_each(
    "key",
    [
        *("format", "experiment", "state", "step", "steps", "seconds", "seed", "device"),
        *("started", "written", "checkpoint", "files", "quality", "versions"),
    ],
)
def test_any_value_anywhere_is_taken_or_refused_in_one_line(about, key, value):
    (store() / "mine" / "run.json").write_text(json.dumps({**about, key: value}))
    summary = listed()["mine"]
    assert summary.label.isprintable()
    assert summary.reason.isprintable()
    try:
        open_run("mine")
    except RunError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 400
