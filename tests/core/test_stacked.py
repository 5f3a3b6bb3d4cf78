"""Stacked trainings: each cell is its single training, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_diffusion.core.assemble import make_schedule
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.training.stacked.grouping import EQUAL, check_stackable, group
from tui_diffusion.core.training.stacked.rates import Rates
from tui_diffusion.core.training.stacked.trainer import StackedTrainer, train_stack
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..changed import changed
from ..tape import Tape
from ..trainings import go_on, trained

STEPS = 130


def cell(name: str, **changes: object) -> Experiment:
    settings = {"device": "cpu", "training__steps": STEPS, **changes}
    return changed(name, **settings)


def stacked(experiments: list[Experiment], every: int | None = None) -> StackedTrainer:
    trainer = StackedTrainer(experiments)
    for _ in trainer.run(every=every):
        pass
    return trainer


def gaps(stack: StackedTrainer, index: int, single: Trainer) -> tuple[float, float, float]:
    """Return the greatest errors of losses, of weights, and of the optimizer's state.

    Those of values above 1 are relative to them: squared gradients may be thousands.
    """
    expected = single.losses[: single.step]
    losses = (np.abs(stack.losses[index] - expected) / expected.clip(1)).max()
    mine, theirs = stack.cell(index).tensors, single.state()
    assert {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in theirs.items()}
    assert torch.equal(mine["generator"], theirs["generator"])
    assert all(value.is_contiguous() for value in mine.values())

    def gap(*prefixes: str) -> float:
        names = [name for name in mine if name.startswith(prefixes)]
        errors = [(mine[n] - theirs[n]).abs() / theirs[n].abs().clamp_min(1) for n in names]
        return max((float(error.max()) for error in errors), default=0.0)

    return float(losses), gap("network.", "average."), gap("optimizer.")


# --- the losses of single trainings --------------------------------------------------------------

BLOCKS = {"training__batch": 1024, "network__width": 8}
"""Settings of blocks of 32 steps for two coordinates."""

ADAM = {"training__optimizer": "adam", "training__loss": "norm", "training__lr": 1e-4}

STACKS = {
    "naive, sgd, sum, relu": [
        cell("naive-2d", training__lr=3e-4),
        cell("naive-2d", training__lr=1e-4, seed=1, data__std=0.1),
        cell("naive-2d", training__lr=1e-4, seed=2**62, schedule__levels=7),
    ],
    "naive-exact, adamw, mean, tanh, decays": [
        cell(
            "naive-1d",
            method__name="naive-exact",
            training__optimizer="adamw",
            training__loss="mean",
            training__lr=3e-3,
            training__decay=decay,
            network__activation="tanh",
            seed=seed,
            **more,
        )
        for seed, (decay, more) in enumerate(
            [("none", {}), ("step", {"training__decay_every": 10}), ("cosine", {})]
        )
    ],
    "ddpm, sgd, norm, silu, averages": [
        cell("ddpm-1d", network__activation="silu"),
        cell("ddpm-1d", network__activation="silu", training__average=0.99, seed=3),
        cell("ddpm-1d", network__activation="silu", training__average=0.5, data__means=((-2,),)),
    ],
    "ddpm, adam, norm, other data": [
        cell("ddpm-multimodal", **ADAM),
        cell("ddpm-multimodal", **ADAM, data__name="moons", seed=1),
        cell("ddpm-multimodal", **ADAM, data__balanced=False, seed=2),
        cell("ddpm-multimodal", **ADAM, data__name="ring", seed=3),
        cell("ddpm-multimodal", **ADAM, data__name="correlated", seed=4),
    ],
    "edm, adam, mean, fourier, constants": [
        cell("edm-multimodal", **BLOCKS),
        cell("edm-multimodal", **BLOCKS, method__noise_mean=-1, data__std=0.2),
        cell("edm-multimodal", **BLOCKS, method__noise_std=1.0, data__name="moons", seed=5),
    ],
    "edm, labels": [
        cell("edm-moons", **BLOCKS, network__labels=True),
        cell("edm-moons", **BLOCKS, network__labels=True, training__label_dropout=0.5),
        cell("edm-spirals", **BLOCKS, network__labels=True, data__balanced=False, seed=2),
    ],
    "flow, adamw, sum, gelu, one layer": [
        cell(
            "flow-multimodal",
            network__depth=1,
            network__activation="gelu",
            training__optimizer="adamw",
            training__loss="sum",
            training__lr=1e-4 * (1 + seed),
            method__noise_mean=-seed,
            seed=seed,
        )
        for seed in range(2)
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_every_cell_has_the_losses_and_the_weights_of_its_single_training(name: str) -> None:
    experiments = STACKS[name]
    stack = stacked(experiments)
    assert stack.status == "finished"
    assert stack.losses.shape == (len(experiments), STEPS)
    assert len(set(stack.losses[:, -1].tolist())) == len(experiments)
    for index, experiment in enumerate(experiments):
        single = trained(experiment)
        losses, weights, optimizer = gaps(stack, index, single)
        assert losses < 1e-5
        assert weights < 1e-5
        assert optimizer < 1e-4


def test_cells_with_the_same_batches_share_them() -> None:
    rates = [cell("naive-2d", training__lr=rate) for rate in (1e-5, 1e-4)]
    stack = StackedTrainer([*rates, cell("naive-2d", seed=1)])
    assert stack._batches.of_cell == [0, 0, 1]


def test_each_rate_and_average_is_that_of_the_single_training() -> None:
    experiments = STACKS["naive-exact, adamw, mean, tanh, decays"]
    experiments = [*experiments, *STACKS["ddpm, sgd, norm, silu, averages"]]
    table = Rates(experiments).table(range(100, STEPS))
    for index, experiment in enumerate(experiments):
        trainer = Trainer(experiment)
        stage, steps = trainer.stages[0], range(100, STEPS)
        blends = torch.tensor(trainer._blends(steps, stage))
        assert torch.equal(table[:, 1, index], blends)
        trainer.step = 101
        assert float(table[0, 0, index]) == np.float32(trainer._report(100).lr)


# --- interruptions -------------------------------------------------------------------------------

SMALL = {"training__batch": 2048, "training__steps": 80, "network__width": 8}
FEW = [
    cell("ddpm-1d", **SMALL, training__optimizer="adam", seed=seed, training__average=average)
    for seed, average in enumerate((0.0, 0.9, 0.99))
]
"""Trainings of two blocks of batches, each of 32 steps, and a part of one."""


def same_bits(one: StackedTrainer, other: StackedTrainer) -> bool:
    first, second = one.state(), other.state()
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first if name != "seconds")


def test_pauses_and_a_graph_change_nothing() -> None:
    whole, cut = stacked(FEW), stacked(FEW, every=7)
    assert same_bits(whole, cut)
    tape = Tape()
    played = StackedTrainer(FEW, capture=tape)
    for _ in played.run():
        pass
    assert (tape.recorded, tape.played) == (1, 80)
    assert same_bits(whole, played)


def test_without_a_graph_a_stack_trains_and_says_so() -> None:
    def failing(warm_up, work, device):
        warm_up()
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    fallen = StackedTrainer(FEW, capture=failing)
    assert "without a CUDA graph" in fallen.note
    assert "(operation not permitted when stream is capturing)" in fallen.note
    for _ in fallen.run():
        pass
    assert same_bits(fallen, stacked(FEW))


def test_reports_hold_every_loss_once() -> None:
    reports = list(StackedTrainer(FEW).run(every=30))
    assert [(one.step, one.steps, one.cells) for one in reports] == [
        (step, 80, 3) for step in (30, 60, 80)
    ]
    losses = np.concatenate([one.losses for one in reports], axis=1)
    assert np.array_equal(losses, reports[-1].trainer.losses)
    assert [one.status for one in reports] == ["training", "training", "finished"]


@for_each("stop", [1, 40, 64, 65])
def test_a_stopped_stack_goes_on_from_its_state(stop: int) -> None:
    """In a block of batches, and at the end of one."""
    first = StackedTrainer(FEW)
    progress = first.run(every=stop)
    next(progress)
    progress.close()
    assert first.step == stop
    second = StackedTrainer(FEW)
    second.restore(first.state())
    for trainer in (first, second):
        for _ in trainer.run():
            pass
    assert same_bits(first, second)
    assert same_bits(first, stacked(FEW))


@for_each("where, calls", [("step", 1), ("step", 40), ("step", 64), ("draw", 0), ("draw", 1)])
def test_an_interruption_amid_steps_costs_a_block_at_most(where: str, calls: int) -> None:
    stack, left = StackedTrainer(FEW), [calls]
    of, name = {
        "step": (stack._stepper, "_replay"),
        "draw": (stack._batches._sources.batches[2], "draw_levels"),
    }[where]
    usual = getattr(of, name)

    def interrupted(*arguments: object) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return usual(*arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(of, name, interrupted)
        for _ in stack.run(every=25):
            pass
    assert stack.step == (calls // 32 * 32 if where == "step" else 0)
    assert stack.cell(0).step == stack.step
    for _ in stack.run():
        pass
    assert same_bits(stack, stacked(FEW))


@for_each("stop", [0, 40, 64, 80])
def test_a_cell_goes_on_as_an_ordinary_training(stop: int) -> None:
    stack = StackedTrainer(FEW)
    if stop:
        next(stack.run(every=stop))
    taken = stack.cell(1)
    assert (taken.step, taken.status) == (stop, "finished" if stop == 80 else "training")
    single, whole = go_on(taken.trainer()), trained(FEW[1])
    assert (single.status, single.step) == ("finished", 80)
    np.testing.assert_allclose(single.losses, whole.losses, rtol=0, atol=1e-5)
    if stop == 80:
        x, level = torch.tensor([[0.5], [2.0]]), make_schedule(FEW[1])[3]
        with torch.no_grad():
            error = taken.denoiser(x, level).x0_hat - whole.denoiser(x, level).x0_hat
        assert float(error.abs().max()) < 1e-4


def test_a_run_written_from_a_cell_opens_and_resumes(tmp_path) -> None:
    stack = StackedTrainer(FEW)
    next(stack.run(every=40))
    folder = save_run(tmp_path / "run", stack.cell(2).trainer(), "stopped")
    run = open_run(folder)
    assert (run.step, run.experiment) == (40, FEW[2])
    resumed = go_on(resume(run))
    np.testing.assert_allclose(resumed.losses, trained(FEW[2]).losses, rtol=0, atol=1e-5)


# --- divergence ----------------------------------------------------------------------------------


def test_a_diverged_cell_touches_no_other() -> None:
    calm = [cell("naive-2d", seed=seed, training__lr=1e-4) for seed in range(3)]
    wild = changed(calm[1], training__lr=1e12)
    usual, stack = stacked(calm), StackedTrainer([calm[0], wild, calm[2]])
    reports = list(stack.run(every=10))
    assert [one.diverged for one in reports] == [1] * 13
    for index in (0, 2):
        assert np.array_equal(stack.losses[index], usual.losses[index])
        mine, theirs = stack.cell(index).tensors, usual.cell(index).tensors
        assert all(torch.equal(mine[name], theirs[name]) for name in mine if name != "seconds")
        assert stack.status_of(index) == "finished"
    single, taken = trained(wild), stack.cell(1)
    assert (taken.status, taken.step) == (single.status, single.step) == ("diverged", single.step)
    assert stack.diverged == {1: single.step}
    assert not np.isfinite(stack.losses[1, single.step - 1])
    assert np.isnan(stack.losses[1, single.step :]).all()
    assert all(torch.equal(v, taken.tensors[f"network.{k}"]) for k, v in
               single.network.state_dict().items())  # fmt: skip
    assert taken.trainer().status == "diverged"
    again = StackedTrainer(stack.experiments)
    again.restore(stack.state())
    assert (again.status, again.diverged) == ("finished", stack.diverged)
    assert again.cell(1).step == single.step


def test_a_stack_ends_where_every_cell_has_diverged() -> None:
    wild = [cell("naive-2d", seed=seed, training__lr=1e12) for seed in range(2)]
    stack = stacked(wild)
    assert stack.status == "finished"
    assert stack.step == max(stack.diverged.values()) < STEPS
    assert sorted(stack.diverged) == [0, 1]


# --- groups --------------------------------------------------------------------------------------


def test_experiments_of_one_shape_are_grouped_and_others_are_named() -> None:
    base = cell("ddpm-1d")
    experiments = [
        base,
        changed(base, seed=1),
        changed(base, network__width=64),
        cell("ddpm-1d-per-level"),
        changed(base, training__lr=0.1, data__std=0.2),
        cell("naive-1d"),
        cell("naive-1d", seed=4),
    ]
    found = group(experiments)
    assert found.stacks == [[0, 1, 4], [5, 6]]
    assert list(found.single) == [2, 3]
    assert found.single[2] == "1 of its shape; a stack has 2 or more (network.width: 64 and 32)"
    assert "network.per_level: true" in found.single[3]
    assert group(experiments, least=3).stacks == [[0, 1, 4]]
    assert set(group(experiments, least=8).single) == set(range(7))


def test_a_stack_is_no_larger_than_memory(monkeypatch) -> None:
    monkeypatch.setattr("tui_diffusion.core.training.stacked.grouping._CPU_BYTES", 2**21)
    experiments = [cell("ddpm-1d", seed=seed) for seed in range(20)]
    stacks = group(experiments).stacks
    assert len(stacks) > 1
    assert [index for stack in stacks for index in stack] == list(range(20))
    assert max(map(len, stacks)) - min(map(len, stacks)) <= 1


OTHERS = {
    "method.name": "naive-exact",
    "network.width": 7,
    "network.depth": 1,
    "network.activation": "gelu",
    "network.per_level": True,
    "network.fourier": 1,
    "network.level_fourier": 1,
    "network.labels": True,
    "training.steps": STEPS + 1,
    "training.batch": 31,
    "training.optimizer": "adam",
    "training.loss": "mean",
    "device": "auto",
    "data.name": "gaussian-1d",
}


@for_each("path, value", OTHERS.items())
def test_a_stack_of_two_shapes_is_refused_with_the_field(path: str, value: object) -> None:
    base = cell("naive-multimodal")
    with pytest.raises(ValueError, match=rf"^{path}: .*; allowed in a stack: "):
        check_stackable([base, base.with_settings({path: value})])
    assert set(EQUAL) <= set(OTHERS)


def test_no_experiments_are_refused() -> None:
    with pytest.raises(ValueError, match="experiments: none; allowed: one or more"):
        train_stack([])


# --- to the end ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_results_of_whole_trainings_are_those_of_single_ones() -> None:
    from tui_diffusion.core.trajectory import denoise

    experiments = [cell("ddpm-1d", training__steps=6000, seed=seed) for seed in range(10)]
    stack = stacked(experiments)

    def result(experiment: Experiment, denoiser: object) -> tuple[float, float]:
        x = denoise(experiment, denoiser, points=4000).x[-1]
        return float(x.mean()), float(x.std())

    mine = np.array([result(e, stack.cell(i).denoiser) for i, e in enumerate(experiments)])
    theirs = np.array([result(e, trained(e).denoiser) for e in experiments])
    error = (mine.std(0) ** 2 / 10 + theirs.std(0) ** 2 / 10) ** 0.5
    assert (np.abs(mine.mean(0) - theirs.mean(0)) < 3 * error + 1e-3).all()
    assert np.abs(np.median(mine, 0) - np.median(theirs, 0)).max() < 0.02
