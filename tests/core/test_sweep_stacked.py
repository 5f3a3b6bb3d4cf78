"""The engine that trains cells of one shape as one batched computation."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.sweeps.engines import _fitting
from tui_diffusion.core.sweeps.engines import stacked as engine
from tui_diffusion.core.sweeps.engines.protocol import Event
from tui_diffusion.core.sweeps.engines.stacked import Stacked
from tui_diffusion.core.sweeps.results import sweep_results
from tui_diffusion.core.sweeps.run import SweepProgress, run_sweep
from tui_diffusion.core.sweeps.store import StoredSweep, read_sweep
from tui_diffusion.core.sweeps.sweep import Sweep
from tui_diffusion.core.sweeps.training import train_run
from tui_diffusion.core.training.stacked.trainer import StackedTrainer

from ..sweeps import small
from ..trainings import trained


class Here:
    """Measures in this process what `Processes` would in others."""

    workers = 1

    def __init__(self) -> None:
        self.steps: dict[str, list[int]] = {}

    def run(self, trainings, folder):
        for index, training in enumerate(trainings):
            reported = self.steps.setdefault(training.name, [])
            train_run(training, folder / training.name, reported.append)
            yield Event("done", index)


def stacked() -> tuple[Stacked, Here]:
    one, here = Stacked(), Here()
    one._processes = here
    return one, here


def carried_out(sweep: Sweep | StoredSweep, one: Stacked) -> SweepProgress:
    *_, last = run_sweep(sweep, one)
    return last


def test_runs_of_a_stack_are_those_of_single_trainings(home) -> None:
    sweep = small("training.lr=1e-3,1e-2,1e12", "network.width=4,8")
    one, here = stacked()
    last = carried_out(sweep, one)
    assert (last.done, last.trainings, last.diverged, last.failed) == (12, 12, 4, 0)
    for training in sweep.trainings():
        opened, single = open_run(last.stored.run_folder(training)), trained(training.experiment)
        assert (opened.state, opened.step) == (single.status, single.step)
        calm = single.losses[: single.step] < 100
        mine, theirs = opened.losses()[calm], single.losses[: single.step][calm]
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-4)
        # The worker took no step: it found an ended training to measure.
        assert here.steps[training.name] == [single.step]
    assert [cell["done"] for cell in sweep_results(last.stored).report()["cells"]] == [2] * 6
    assert not list(last.stored.folder.glob(".stack*"))


def test_copies_are_a_measure_of_cells_with_a_training_set(home) -> None:
    sweep = small("data.train_points=0,3", "sampling.levels=5,10", sampling__sampler="ddim",
                  preset="ddpm-1d")  # fmt: skip
    results = sweep_results(carried_out(sweep, stacked()[0]).stored)
    fresh, few = (results.cells[index : index + 2] for index in (0, 2))
    assert {"copied", "to_population", "to_training_set"} < set(results.measures)
    for measure in ("copied", "train_loss", "heldout_loss", "to_training_set"):
        assert [cell.values(measure) for cell in fresh] == [[], []]
        assert [len(cell.values(measure)) for cell in few] == [2, 2]
    # One training serves both numbers of levels: its weights are the same, its levels are not.
    assert few[0].values("train_loss") == few[1].values("train_loss")
    assert few[0].values("to_training_set") != few[1].values("to_training_set")
    assert few[0].real("copied") == few[1].real("copied") > 0
    assert results.ranking("copied").best in (2, 3)


def test_a_stopped_stack_goes_on_and_does_nothing_twice(home, monkeypatch) -> None:
    monkeypatch.setattr(engine, "TICK", 0.0)
    sweep = small("training.lr=1e-3,1e-2", training__steps=600)
    with closing(run_sweep(sweep, stacked()[0])) as progress:
        last = next(one for one in progress if one.step > 0)
    assert 0 < last.step < last.steps
    begun: list[int] = []
    usual = StackedTrainer.run

    def noted(trainer, **how):
        begun.append(trainer.step)
        return usual(trainer, **how)

    monkeypatch.setattr(StackedTrainer, "run", noted)
    end = carried_out(read_sweep(last.stored.folder), stacked()[0])
    assert end.done == 4
    assert begun[0] >= last.step // 4
    for training in sweep.trainings():
        losses = open_run(end.stored.run_folder(training)).losses()
        np.testing.assert_allclose(losses, trained(training.experiment).losses, rtol=0, atol=1e-4)


def test_what_fits_no_stack_is_trained_by_processes(home) -> None:
    sweep = small("network.width=4,8", seeds=1)
    one, here = stacked()
    assert carried_out(sweep, one).done == 2
    assert [steps[0] for steps in here.steps.values()] == [0, 0]


def test_a_stack_that_fails_is_trained_by_processes(home, monkeypatch) -> None:
    def fails(trainer, **how):
        raise RuntimeError("CUDA error: out of memory")
        yield

    monkeypatch.setattr(StackedTrainer, "run", fails)
    one, here = stacked()
    news = [one.news for one in run_sweep(small("training.lr=1e-3,1e-2"), one) if one.news]
    assert len(news) == 4
    assert "its stack failed (" in news[0]
    assert [steps[0] for steps in here.steps.values()] == [0] * 4


def test_without_a_gpu_processes_fit() -> None:
    assert _fitting(small("training.lr=1e-4..1e-1:log8")) == "processes"


@pytest.mark.cuda
def test_on_a_gpu_stacks_fit_from_eight_trainings() -> None:
    assert _fitting(small("training.lr=1e-4..1e-1:log4", device="auto")) == "stacked"
    assert _fitting(small("training.lr=1e-4..1e-1:log3", device="auto")) == "processes"
    assert _fitting(small("training.lr=1e-4..1e-1:log4", device="cpu")) == "processes"
