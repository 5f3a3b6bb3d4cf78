"""A sweep on disk: what it holds, what a second start does, and how it is found."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui_diffusion.core.analysis.report import sample_report
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.lock import Lock
from tui_diffusion.core.runs.manifest import RunError
from tui_diffusion.core.runs.naming import all_runs, find, run_folders
from tui_diffusion.core.runs.outside import remember
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.sweeps.either import find_sweep_or_run
from tui_diffusion.core.sweeps.engines.protocol import Event
from tui_diffusion.core.sweeps.naming import find_sweep, open_sweep
from tui_diffusion.core.sweeps.packing import pack, train_to_files, unpack
from tui_diffusion.core.sweeps.results import sweep_results
from tui_diffusion.core.sweeps.run import run_sweep
from tui_diffusion.core.sweeps.store import (
    create_sweep,
    delete_sweep,
    list_sweeps,
    read_sweep,
    rename_sweep,
)
from tui_diffusion.core.sweeps.sweep import Sweep
from tui_diffusion.core.sweeps.training import train_run
from tui_diffusion.core.training.trainer import Trainer, train
from tui_diffusion.core.trajectory import denoise

from ..changed import changed
from ..sweeps import SMALL, Inline, carried_out, small
from ..trainings import short, trained
from .short_trainings import same, weights


def test_a_run_of_a_sweep_is_a_run_as_everywhere_and_what_train_gives(home):
    sweep = small("training.lr=1e-3,1e-2")
    last = carried_out(sweep)
    assert (last.done, last.trainings, last.cells_done, last.step) == (4, 4, 2, 120)
    for training in sweep.trainings():
        opened = open_run(last.stored.run_folder(training))
        *_, progress = train(training.experiment)
        assert opened.experiment == training.experiment
        assert (opened.state, opened.step) == ("finished", 30)
        assert opened.losses().tobytes() == progress.trainer.losses.tobytes()
        assert same(weights(opened.denoiser()), weights(progress.trainer))
        sampled = sample_report(training.experiment, denoise(opened.experiment, opened.denoiser()))
        assert opened.metrics["sample"] == sampled["sample"]


def test_a_guide_that_cannot_be_ends_a_sweep_before_it_is_written(home):
    other = trained(short("naive-1d", 5))
    save_run(store() / "plain", other, "finished")
    good = {"sampling.guidance": 2, "sampling.guide": "plain"}
    base = get_preset("naive-1d").experiment.with_settings({**SMALL, **good})
    axes = {"sampling.guide": ["plain", "none-such"]}
    for sweep in (Sweep(base, axes), Sweep(changed(base, sampling__guide="none-such"))):
        with pytest.raises(ConfigError, match=r"sampling.guide: run 'none-such' does not exist"):
            run_sweep(sweep, Inline())
    with pytest.raises(ConfigError, match=r"'plai' may be another run later; allowed: plain"):
        run_sweep(Sweep(changed(base, sampling__guide="plai")), Inline())
    assert not list_sweeps()
    assert carried_out(Sweep(base, {"sampling.guidance": [1, 2]})).done == 1


def test_a_second_start_does_what_is_missing_only(home):
    sweep = small("network.width=4,8")
    first = Inline(lambda name: name.startswith("3"))
    last = carried_out(sweep, first)
    assert (last.done, last.failed, last.cells_done) == (3, 1, 1)
    (name, reason), *others = last.stored.faults.items()
    assert (name, others) == ("3-width=8-seed=0", [])
    assert "out of memory; allowed: less of" in reason
    cell = sweep_results(last.stored).report()["cells"][1]
    assert (cell["done"], cell["failed"]) == (1, 1)

    again = Inline()
    stored = read_sweep(last.stored.folder)
    assert carried_out(stored, again).done == 4
    assert again.names == ["3-width=8-seed=0"]
    assert read_sweep(stored.folder).faults == {}
    idle = Inline()
    assert carried_out(stored, idle).done == 4
    assert idle.names == []


def test_an_executor_that_was_shut_down_fails_every_training_in_a_line(home):
    with ThreadPoolExecutor(1) as executor:
        pass
    last = carried_out(small(), executor)
    assert (last.done, last.failed) == (0, 2)
    assert {*last.stored.faults.values()} == {
        "not begun: cannot schedule new futures after shutdown"
    }


class Local:
    """An engine that writes to the sweep's folder, as worker processes do."""

    name, workers = "local", 1

    def run(self, trainings, folder):
        for index, training in enumerate(trainings):
            train_run(training, folder / training.name, lambda step: None)
            yield Event("done", index)


def test_a_sweep_that_is_removed_meanwhile_is_not_made_anew(home):
    stored = create_sweep(small(seeds=1))
    (training,) = stored.sweep.trainings()
    folder = stored.run_folder(training)

    def remove(step):
        shutil.rmtree(stored.folder, ignore_errors=True)

    for _ in range(2):
        with pytest.raises(RunError, match="was removed or moved meanwhile"):
            train_run(training, folder, remove)
        assert not stored.folder.exists()


def test_what_a_killed_process_leaves_is_completed(home):
    """Half-written, damaged, without a report, or with a checkpoint in the middle."""
    sweep = small("network.width=4,8", training__steps=400)
    stored = create_sweep(sweep)
    middle, ended, damaged, half = (stored.run_folder(t) for t in sweep.trainings())
    experiment = sweep.trainings()[0].experiment
    trainer = Trainer(experiment)
    next(trainer.run(every=260))
    with Checkpointer(trainer, middle) as keeper:
        keeper.finish("training")
    *_, progress = train(sweep.trainings()[1].experiment)
    with Checkpointer(progress.trainer, ended) as keeper:
        keeper.finish("training")
    shutil.copytree(ended, damaged)
    (damaged / "run.json").write_text("{")
    (stored.folder / f".{half.name}.999999999.tmp").mkdir()
    written = (ended / "checkpoint-1" / "losses.npy").stat().st_mtime_ns

    begun = []
    real = Trainer.run

    def counting(self, **how):
        begun.append((self.experiment.network.width, self.experiment.seed, self.step))
        return real(self, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "run", counting)
        *_, last = run_sweep(stored, Local())
    assert last.done == 4
    assert begun == [(4, 0, 260), (8, 0, 0), (8, 1, 0)]
    assert (ended / "checkpoint-1" / "losses.npy").stat().st_mtime_ns == written
    *_, whole = train(experiment)
    assert open_run(middle).losses().tobytes() == whole.trainer.losses.tobytes()
    assert not list(stored.folder.glob(".*.tmp"))


def test_cells_of_one_training_have_reports_of_their_own(home):
    sweep = small("sampling.sampler=ddpm,ddim", seeds=1, preset="ddpm-1d")
    executor = Inline()
    last = carried_out(sweep, executor)
    assert executor.names == ["1-seed=0"]
    opened = open_run(last.stored.folder / "1-seed=0")
    found = sweep_results(last.stored)
    for result in found.cells:
        experiment = result.cell.experiments[0]
        expected = sample_report(experiment, denoise(experiment, opened.denoiser()))
        assert result.seeds[0].report["sample"] == expected["sample"]
        assert result.seeds[0].report["loss"] == opened.metrics["loss"]
    # Samples from other weights do not count, and are taken anew without another training.
    file = opened.folder / "samples.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "weights": "0"}))
    assert sweep_results(last.stored).cells[1].done == 0
    assert last.stored.missing(sweep.trainings()) == list(sweep.trainings())


def test_a_packed_run_is_checked_before_it_counts(home, tmp_path):
    (training,) = small(seeds=1).trainings()
    files = train_to_files(training)
    unpack(files, tmp_path / "run")
    assert open_run(tmp_path / "run").step == 30
    assert pack(tmp_path / "run") == files
    cut = {**files, "checkpoint-1/losses.npy": files["checkpoint-1/losses.npy"][:-4]}
    for bad, message in (
        ({**files, "../evil": b""}, "a file '../evil', which no run has"),
        ({**files, "checkpoint-1/../../evil.npy": b""}, "which no run has"),
        (cut, "losses.npy has"),
        ({k: v for k, v in files.items() if k != "run.json"}, "cannot be written"),
    ):
        with pytest.raises(RunError, match=message):
            unpack(bad, tmp_path / "other")
        assert [entry.name for entry in tmp_path.iterdir() if entry.name != "home"] == ["run"]


def test_a_sweep_at_work_is_refused_to_another_process(home):
    stored = create_sweep(small())
    lock = Lock.take(stored.folder, "sweep")
    with pytest.raises(RunError, match=r"sweep .* is still training this sweep; try again"):
        next(run_sweep(stored, Inline()))
    with pytest.raises(RunError, match="still training this sweep"):
        delete_sweep(stored.folder)
    (summary,) = list_sweeps()
    assert summary.state == "training"
    lock.release()
    (summary,) = list_sweeps()
    assert (summary.state, summary.done, summary.trainings) == ("interrupted", 0, 2)


def test_closing_the_generator_leaves_a_sweep_that_can_go_on(home):
    progress = run_sweep(small(seeds=4), Inline())
    for report in progress:
        if report.done == 2:
            break
    progress.close()
    stored = open_sweep("latest")
    assert stored.seconds > 0
    rest = Inline()
    assert carried_out(stored, rest).done == 4
    assert rest.names == ["3-seed=2", "4-seed=3"]


def test_sweeps_and_their_runs_are_found_by_name_beginning_folder_and_latest(home, tmp_path):
    one = rename_sweep(carried_out(small(seeds=1)).stored.folder, "moons-rate")
    two = carried_out(small("network.width=4,8", seeds=1), folder=tmp_path / "mine").stored.folder
    assert find_sweep("moons-rate") == find_sweep("moons") == find_sweep(str(one)) == one
    assert find_sweep("mine") == find_sweep("latest") == find_sweep(str(two)) == two
    assert {summary.folder for summary in list_sweeps()} == {one, two}
    assert find("moons/1") == find("moons-rate/1-seed=0") == one / "1-seed=0"
    assert find("latest/2") == two / "2-width=8-seed=0"
    assert open_run("mine/1").experiment.network.width == 4
    for name, message in (
        ("moons/9", "run '9' does not exist; allowed: a run of sweep 'moons-rate'"),
        ("nope/1", "run 'nope/1' does not exist; allowed: the folder of a run"),
        ("mine/", "run 'mine/' does not exist"),
    ):
        with pytest.raises(RunError, match=message):
            find(name)
    with pytest.raises(RunError, match=r"sweep 'moo2' does not exist; .*its beginning, or latest"):
        find_sweep("moo2")
    # They are listed under their sweep, not among the single runs, even once one was resumed.
    remember(two / "1-width=4-seed=0")
    assert all_runs() == [] == run_folders()
    assert find_sweep_or_run("moons") == (one, None)
    assert find_sweep_or_run("moons/1") == (None, one / "1-seed=0")
    assert find_sweep_or_run("latest") == (two, None)
    with pytest.raises(RunError, match="run 'nope' does not exist"):
        find_sweep_or_run("nope")


def test_a_sweep_is_renamed_and_removed_whole(home, tmp_path):
    inside = carried_out(small(seeds=1)).stored.folder
    outside = carried_out(small(seeds=1), folder=tmp_path / "mine").stored.folder
    for folder in (inside, outside):
        new = rename_sweep(folder, "other")
        assert not folder.exists()
        assert sweep_results(read_sweep(new)).cells[0].done == 1
        assert {s.folder for s in list_sweeps()} >= {new}
    with pytest.raises(RunError, match="name 'other' is taken"):
        rename_sweep(carried_out(small(seeds=1)).stored.folder, "other")
    with pytest.raises(RunError, match=r"name '\.\./x' is not allowed"):
        rename_sweep(tmp_path / "other", "../x")
    for summary in list_sweeps():
        delete_sweep(summary.folder)
        assert not summary.folder.exists()
    assert list_sweeps() == []


def test_a_sweep_of_points_from_a_file_keeps_them(home, tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("x,y\n" + "\n".join(f"{i % 7},{i % 5}" for i in range(40)) + "\n")
    base = {"data.name": f"file:{file}", "training.steps": 20, "sampling.points": 30}
    sweep = small("training.lr=1e-3,1e-2", seeds=1, preset="edm-moons", **base)
    stored = create_sweep(sweep)
    file.unlink()
    again = read_sweep(stored.folder)
    assert [t.name for t in again.sweep.trainings()] == [t.name for t in sweep.trainings()]
    assert again.sweep.base.data.points.tolist() == sweep.base.data.points.tolist()
    assert carried_out(again).done == 2


def test_damaged_and_foreign_sweeps_are_one_line(home, tmp_path):
    stored = create_sweep(small())
    whole = json.loads((stored.folder / "sweep.json").read_text())
    for text, message in (
        ("{", "sweep.json cannot be read"),
        (json.dumps({**whole, "format": 9}), "format 9; allowed: 1"),
        (json.dumps({**whole, "axes": [{"field": "training.lr", "values": [-1]}]}), "'-1' is not"),
        (json.dumps({**whole, "axes": 3}), "cannot be read"),
        (json.dumps({**whole, "axes": [{"field": 1, "values": []}]}), "cannot be read"),
        (json.dumps({**whole, "seeds": "2"}), "seeds '2'; allowed: a whole number from 1"),
        (json.dumps({**whole, "created": 5}), "cannot be read"),
        (json.dumps({**whole, "faults": 5}), "cannot be read"),
        (json.dumps({**whole, "seeds": 10**9}), "allowed: up to 10,000"),
    ):
        (stored.folder / "sweep.json").write_text(text)
        with pytest.raises(RunError, match=message):
            _ = read_sweep(stored.folder).sweep
        (summary,) = list_sweeps()
        assert isinstance(summary.axes, list)
        assert isinstance(summary.experiment, str)
        assert summary.state in ("damaged", "interrupted")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").touch()
    with pytest.raises(RunError, match="not empty; allowed: a new or an empty folder"):
        create_sweep(small(), tmp_path / "full")
    with pytest.raises(RunError, match="cannot be written"):
        create_sweep(small(), tmp_path / "full" / "note" / "sweep")
    with pytest.raises(RunError, match=r"sweep\.json is missing"):
        read_sweep(tmp_path)
