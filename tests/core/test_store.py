"""The store: what is listed and as what, and files that are not what they seem."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.runs.store import RunError, list_runs

from ..cases import for_each
from ..faults import fault
from ..stored_runs import of_an_earlier_version
from ..trainings import trained
from .stored import EXPERIMENT, listed, saved

pytestmark = pytest.mark.usefixtures("no_disk")

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
