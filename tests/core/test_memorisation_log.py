"""Measurements during a training on a fixed set: what they are, when they come, where they stay."""

import json

import numpy as np
import pytest

from tui_diffusion.core.analysis.memorisation import log as memorisation_log
from tui_diffusion.core.analysis.memorisation.log import BEFORE, SHARE, MemorisationLog
from tui_diffusion.core.analysis.memorisation.measures import (
    finite_losses,
    optimum_distances,
    overall,
)
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.memorisation_rows import ROW, set_floors, with_report
from tui_diffusion.core.runs.manifest import MEMORISATION_FILE, RunError
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.training.trainer import Trainer

from ..trainings import short, trained

FINITE = short("naive-2d", 40).with_settings({"data.train_points": 8})


def measure(log):
    log.offer()
    log._thread.join()


def test_a_row_holds_the_numbers_of_a_report_and_the_training_is_as_without_it():
    trainer, plain = Trainer(FINITE), trained(FINITE, 40)
    log = MemorisationLog(trainer)
    for _ in trainer.run(every=20):
        log._due = 0
        measure(log)
    log.close()
    log.offer()
    assert log.rows["step"].tolist() == [20, 40]
    assert np.array_equal(trainer.losses, plain.losses)
    row, losses = log.rows[-1], finite_losses(FINITE, trainer.denoiser)
    distances = overall(optimum_distances(FINITE, trainer.denoiser))
    assert row.item() == (
        *(40, losses.train, losses.train_floor, losses.heldout, losses.heldout_floor),
        *distances,
    )


def test_measurements_take_no_more_of_the_time_than_they_may():
    trainer = trained(FINITE, 20)
    log, costs, start = MemorisationLog(trainer), [0.0], trainer.seconds
    while log.spent <= 2 * BEFORE:
        trainer.seconds = log._due
        before = log.spent
        measure(log)
        costs.append(log.spent - before)
        most = (trainer.seconds - start) * SHARE + BEFORE
        assert log.spent <= most + 0.1 + max(costs)
        log.spent += 0.1  # as if it were a larger network
    thread, trainer.seconds = log._thread, log._due - 1e-6
    log.offer()
    assert log._thread is thread
    fresh = MemorisationLog(trained(short("naive-2d", 40), 2))
    fresh.offer()
    assert fresh._thread is None, "no training set"


def test_a_fault_ends_the_measurements_and_not_the_training(monkeypatch):
    trainer = trained(FINITE, 20)
    log = MemorisationLog(trainer)
    monkeypatch.setattr(memorisation_log, "finite_losses", lambda *_, **__: 1 / 0)
    measure(log)
    assert not len(log.rows)
    thread, trainer.seconds = log._thread, 1e9
    log.offer()
    assert log._thread is thread


def test_a_run_keeps_them_and_goes_on_with_them():
    trainer = trained(FINITE, 20)
    log = MemorisationLog(trainer)
    measure(log)
    report = training_report(trainer)
    folder = save_run(store() / "mine", trainer, "stopped", report)
    kept = open_run(folder).memorisation()
    assert kept["step"].tolist() == [20]
    assert kept["train_loss"][0] == report["memorisation"]["train_loss"]
    assert np.load(folder / MEMORISATION_FILE).dtype.names[1:] == ROW.names[1:]
    assert np.array_equal(resume(open_run(folder)).memorisation, kept)
    plain = save_run(store() / "plain", trained(short("naive-2d", 40), 2), "stopped")
    assert len(open_run(plain).memorisation()) == 0
    about = json.loads((folder / "run.json").read_text())
    np.save(folder / about["checkpoint"] / MEMORISATION_FILE, np.zeros((1, 7)))
    with pytest.raises(RunError, match=r"memorisation\.npy cannot be read"):
        open_run(folder).memorisation()


def test_the_floor_of_the_set_is_one_or_one_for_each_network():
    report = dict.fromkeys(ROW.names[1:])
    rows = np.empty(0, ROW)
    for step, floor in ((5, 2.0), (9, 2.0), (12, 1.0)):
        rows = with_report(rows, step, {**report, "train_floor": floor})
    assert set_floors(rows) == ((0, 2.0), (12, 1.0))
    assert np.isnan(rows["heldout_loss"]).all()
    assert with_report(rows, 9, report)["step"].tolist() == [5, 9]
    per_level = short("ddpm-1d-per-level", 40).with_settings({"data.train_points": 4})
    trainer = Trainer(per_level)
    log = MemorisationLog(trainer)
    floors = set()
    for _ in trainer.run(every=10):
        log._due = 0
        measure(log)
        floors.add(float(log.rows["train_floor"][-1]))
    assert len(floors) > 1, "each network at its own level"
