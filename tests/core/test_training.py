"""Training: the same losses bit for bit however it is watched, and the steps themselves by hand."""

import math
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.assemble import make_schedule
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import METHODS
from tui_diffusion.core.training.stages import Stage, learning_rate, stages
from tui_diffusion.core.training.steppers.autograd import loss_of
from tui_diffusion.core.training.trainer import Trainer, train
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed
from ..trainings import go_on, trained

# A block of batches is at most 256 steps: these are a whole block and a part of one.
STEPS = 300


def short(name: str, steps: int = STEPS, **changes: object) -> Experiment:
    """A preset with few steps."""
    return changed(name, training__steps=steps, **changes)


def block_of(trainer: Trainer) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (steps, batch, inputs) and targets (steps, batch, d) of the current block."""
    trainer._current_block()
    return trainer._stepper.features.mT.clone(), trainer._stepper.targets.mT.clone()


def losses(experiment: Experiment, **how: object) -> np.ndarray:
    return np.concatenate([progress.losses for progress in train(experiment, **how)])


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.network.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


def run_to(trainer: Trainer, step: int) -> None:
    """Train until ``step`` steps are done, then let go of the generator."""
    if step > trainer.step:
        for progress in trainer.run(every=1):
            if progress.step == step:
                return


# --- the same losses ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(PRESETS))
def test_losses_do_not_depend_on_the_reporting(name):
    # A step of a large batch takes long; a block of 256 steps is reached with a small one.
    large = PRESETS[name].experiment.training.batch > 200
    steps = 120 if PRESETS[name].experiment.network.per_level else STEPS
    experiment = short(name, steps, **({"training__batch": 40} if large else {}))
    whole = losses(experiment)
    assert len(whole) == steps
    assert np.isfinite(whole).all()
    for how in (
        {"every": 1},
        {"every": 7},
        {"every": 1000},
        {"every": 50, "interval": 0.004},
    ):
        assert same_bits(losses(experiment, **how), whole), how


@pytest.mark.parametrize("name", ["naive-2d", "ddpm-1d-per-level"])
def test_weights_do_not_depend_on_the_reporting(name):
    one, other = trained(short(name, 300)), trained(short(name, 300), every=13)
    assert same(weights(one), weights(other))


def test_seeds_differ_and_one_seed_repeats():
    assert same_bits(losses(short("naive-1d", seed=3)), losses(short("naive-1d", seed=3)))
    assert not same_bits(losses(short("naive-1d", seed=3)), losses(short("naive-1d", seed=4)))


def test_more_steps_begin_with_the_losses_of_fewer():
    longer, shorter = losses(short("naive-2d", 300)), losses(short("naive-2d", 250))
    assert same_bits(longer[:250].copy(), shorter)


def test_stopping_and_pausing_change_nothing():
    experiment = short("ddpm-multimodal")
    whole = losses(experiment)
    trainer = Trainer(experiment)
    for stop in (1, 2, 130, 255, 256, 257, STEPS):
        run_to(trainer, stop)
        assert (trainer.step, trainer.status == "finished") == (stop, stop == STEPS)
    assert same_bits(trainer.losses, whole)


def test_sampling_in_between_changes_nothing():
    experiment = short("ddpm-1d", STEPS)
    whole = losses(experiment)
    trainer = Trainer(experiment)
    for progress in trainer.run(every=60):
        denoise(experiment, progress.denoiser, points=50)
        torch.randn(3)
    assert same_bits(trainer.losses, whole)


def test_the_process_wide_generator_is_neither_used_nor_changed():
    experiment = short("ddpm-1d-per-level", 40)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first = losses(experiment)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(1)
    assert same_bits(losses(experiment), first)


END = 280
RESUMED = [
    ("naive-1d", "sgd", "none", 1),
    ("naive-multimodal", "sgd", "step", 32),
    ("ddpm-1d", "adam", "none", 64),
    ("ddpm-multimodal", "adam", "cosine", 128),
    ("naive-2d", "adamw", "step", 500),
    ("ddpm-1d", "adamw", "cosine", 8),
    ("ddpm-1d-per-level", "sgd", "none", 100),
    ("ddpm-1d-per-level", "adam", "cosine", 20),
    ("ddpm-1d-detailed", "adamw", "step", 300),
]


@pytest.mark.parametrize(("name", "optimizer", "decay", "batch"), RESUMED)
def test_to_stop_and_resume_is_never_to_have_stopped(name, optimizer, decay, batch):
    experiment = short(
        name, END, training__optimizer=optimizer, training__decay=decay, training__batch=batch
    )
    trainer = Trainer(experiment)
    block = trainer.batches.steps
    second, last = trainer.stages[min(1, len(trainer.stages) - 1)], trainer.stages[-1]
    bounds = {second.start, second.start + 1, second.stop - 1, second.stop, last.start}
    stops = {0, 1, block - 1, block, block + 1, END - 1, END} | bounds
    states = {0: trainer.state()}
    # The training goes on after every state, and must not reach into it.
    for progress in trainer.run(every=1):
        if progress.step in stops:
            states[progress.step] = trainer.state()
    for stop, state in states.items():
        resumed = Trainer(experiment)
        resumed.restore(state)
        assert resumed.step == stop
        go_on(resumed, every=50)
        assert same_bits(resumed.losses, trainer.losses), stop
        assert same(weights(resumed), weights(trainer)), stop


@settings(max_examples=8)
@given(
    name=st.sampled_from(["naive-2d", "ddpm-1d-per-level", "ddpm-multimodal"]),
    optimizer=st.sampled_from(["sgd", "adam", "adamw"]),
    decay=st.sampled_from(["none", "step", "cosine"]),
    balanced=st.booleans(),
    stops=st.lists(st.integers(0, 300), max_size=4).map(sorted),
)
def test_any_number_of_resumes_changes_nothing(name, optimizer, decay, balanced, stops):
    changes = {"training__optimizer": optimizer, "training__decay": decay}
    experiment = short(name, 300, training__batch=64, data__balanced=balanced, **changes)
    whole = losses(experiment)
    trainer = Trainer(experiment)
    for stop in stops:
        run_to(trainer, stop)
        state = trainer.state()
        trainer = Trainer(experiment)
        trainer.restore(state)
        # A state of a restored training that has not moved is the state it was restored from.
        again = trainer.state()
        assert again.keys() == state.keys()
        assert all(torch.equal(again[key], state[key]) for key in state)
    run_to(trainer, 300)
    assert same_bits(trainer.losses, whole)


def test_train_resumes_from_a_state():
    experiment = short("naive-2d", 300)
    trainer = Trainer(experiment)
    run_to(trainer, 100)
    rest = losses(experiment, state=trainer.state())
    assert same_bits(rest, losses(experiment)[100:].copy())


# --- progress ----------------------------------------------------------------------------------


def test_progress_counts_every_step_once():
    experiment = short("ddpm-1d-per-level", 50)
    step = 0
    for progress in train(experiment, every=7):
        assert len(progress.losses) == progress.step - step
        assert progress.step == 50 or progress.step % 7 == 0
        step = progress.step
        assert progress.steps == 50
        assert progress.status == ("finished" if step == 50 else "training")
        stage = next(s for s in stages(experiment) if s.start < step <= s.stop)
        assert (progress.level, progress.lr) == (stage.level, stage.lr)
        with pytest.raises(FrozenInstanceError):
            progress.step = 0
    assert step == 50


def test_reported_losses_are_not_overwritten():
    first = None
    for progress in train(short("naive-1d", 100), every=10):
        if first is None:
            first, copy = progress.losses, progress.losses.copy()
    assert same_bits(first, copy)


def test_time_stands_still_in_a_pause(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(
        "tui_diffusion.core.training.trainer.perf_counter", lambda: float(next(clock))
    )
    run = train(short("naive-1d", 20), every=10)
    before = next(run).seconds
    for _ in range(500):
        next(clock)
    assert 0 < next(run).seconds - before < 100


# --- divergence --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "experiment",
    [
        short("naive-1d", training__lr=1e9),
        short("naive-multimodal", training__lr=0.2),
        short("ddpm-1d", training__lr=1e12, training__optimizer="adam"),
        short("ddpm-1d-per-level", training__first_lr=1e9),
        short("ddpm-1d-per-level", training__lr=1e9),
        short("ddpm-1d-per-level", 8, training__lr=1e12, training__first_lr=1e12),
    ],
    ids=["sgd", "slowly", "adam", "first-level", "second-level", "a-step-a-level"],
)
@for_each("every", [None, 1])
def test_a_loss_that_is_not_finite_ends_the_training(experiment, every):
    trainer = Trainer(experiment)
    reports = list(trainer.run(every=every))
    last = reports[-1]
    assert (last.status, trainer.status) == ("diverged", "diverged")
    assert all(report.status == "training" for report in reports[:-1])
    seen = np.concatenate([report.losses for report in reports])
    assert last.step == trainer.step == len(seen)
    assert np.isfinite(seen[:-1]).all()
    assert not np.isfinite(seen[-1])
    assert same_bits(trainer.losses[: trainer.step], seen)
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))
    assert list(trainer.run()) == []


def test_a_divergence_is_at_the_same_step_however_it_is_watched():
    experiment = short("naive-multimodal", training__lr=0.2)
    ends = []
    for every in (None, 1, 7, 100):
        trainer = trained(experiment, every=every)
        ends.append((trainer.step, trainer.losses[: trainer.step].tobytes()))
    assert len(set(ends)) == 1
    assert ends[0][0] > 2


def test_the_weights_kept_are_finite_ones_of_this_training():
    experiment = short("naive-1d", training__lr=1e-3)
    trainer = Trainer(experiment)
    run_to(trainer, 290)
    with torch.no_grad():
        next(trainer.network.parameters()).fill_(float("nan"))
    go_on(trainer)
    assert (trainer.status, trainer.step) == ("diverged", 291)
    reference = Trainer(experiment)
    run_to(reference, 256)
    assert same(weights(trainer), weights(reference))


def test_weights_lost_at_the_very_last_step_of_a_stage_are_restored_too():
    experiment = short("ddpm-1d-per-level", 270)
    trainer = Trainer(experiment)
    end = trainer.stages[0].stop
    run_to(trainer, end)
    with torch.no_grad():
        next(trainer.network.body(7).parameters()).fill_(float("inf"))
    go_on(trainer)
    assert (trainer.status, trainer.step) == ("diverged", end + 1)
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))


def test_weights_lost_at_the_very_last_step_of_all_are_restored():
    experiment = short("naive-1d", 10)
    trainer = Trainer(experiment)
    run = trainer.run(every=9)
    next(run)
    run_of = trainer._stepper.run

    def lose(*args):
        found = run_of(*args)
        with torch.no_grad():
            next(trainer.network.parameters()).fill_(float("nan"))
        return found

    trainer._stepper.run = lose
    assert next(run).status == "finished"
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))


# --- stages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "others", "first_lr"),
    [
        ("ddpm-1d-per-level", 20_000, [1_000] * 7, 2e-3),
        ("ddpm-1d-detailed", 25_000, [2_000] * 8, 3e-3),
    ],
)
def test_the_posts_stages(name, first, others, first_lr):
    made = stages(get_preset(name).experiment)
    assert [s.stop - s.start for s in made] == [first, *others]
    assert [s.lr for s in made] == [first_lr, *[1e-5] * len(others)]
    # Least noisy first: level N − 1 is the one beside the clean data.
    assert [s.level for s in made] == list(range(len(others), -1, -1))


@given(st.integers(8, 5000), st.floats(1, 1000))
def test_stages_share_all_the_steps_and_leave_no_network_out(steps, factor):
    made = stages(short("ddpm-1d-per-level", steps, training__first_factor=factor))
    assert made[0].start == 0
    assert made[-1].stop == steps
    assert all(a.stop == b.start for a, b in pairwise(made))
    assert all(s.stop > s.start for s in made)
    assert sorted(s.level for s in made) == list(range(8))


def test_one_network_for_all_levels_is_one_stage():
    assert stages(short("naive-1d", 77)) == [Stage(0, 77, None, 1e-3)]


def test_each_network_starts_from_its_neighbours_weights():
    experiment = short("ddpm-1d-per-level", 54, training__first_factor=20)
    trainer = Trainer(experiment)
    fresh = {k: weights_of(trainer, k) for k in range(8)}
    for before, after in pairwise(trainer.stages):
        run_to(trainer, before.stop)
        assert all(same(weights_of(trainer, k), fresh[k]) for k in range(after.level + 1))
        trained = weights_of(trainer, before.level)
        assert not same(trained, fresh[before.level])
        # The first step of the new stage begins where the old one ended.
        trainer._current_block()
        trainer._enter_stage()
        assert same(weights_of(trainer, after.level), trained)
        run_to(trainer, after.start + 1)
        assert not same(weights_of(trainer, after.level), trained)
        assert same(weights_of(trainer, before.level), trained)


def weights_of(trainer: Trainer, level: int) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.network.body(level).parameters()]


# --- one step by hand --------------------------------------------------------------------------


@for_each(
    "kind, formula",
    [
        ("sum", lambda e: (e**2).sum()),
        ("norm", lambda e: (e**2).sum() ** 0.5),
        ("mean", lambda e: (e**2).sum() / e.numel()),
    ],
)
@for_each("name", ["naive-2d", "ddpm-1d", "ddpm-1d-per-level"])
def test_the_first_step_is_plain_gradient_descent(name, kind, formula):
    experiment = short(name, 100, training__loss=kind)
    trainer = Trainer(experiment)
    stage = trainer.stages[0]
    body = trainer.network.body(stage.level)
    features, targets = block_of(trainer)
    by_hand = [p.detach().clone().requires_grad_() for p in body.parameters()]
    hidden = features[0]
    for layer in range(3):
        hidden = hidden @ by_hand[2 * layer].T + by_hand[2 * layer + 1]
        hidden = hidden.clamp_min(0) if layer < 2 else hidden
    loss = formula(hidden - targets[0])
    gradients = torch.autograd.grad(loss, by_hand)
    progress = next(trainer.run(every=1))
    assert abs(float(progress.losses[0]) / float(loss.detach()) - 1) < 1e-5
    for parameter, old, gradient in zip(body.parameters(), by_hand, gradients, strict=True):
        expected = old - stage.lr * gradient
        assert float((parameter - expected).abs().max().detach()) < 1e-6
        assert float(gradient.abs().max()) > 0


@for_each("kind", ["sum", "norm", "mean"])
def test_the_losses_by_hand(kind):
    error = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    expected = {"sum": 25.0, "norm": 5.0, "mean": 6.25}[kind]
    assert abs(float(loss_of(kind, error)) - expected) < 1e-6


# --- batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [p.id for p in PRESETS.values() if p.script])
def test_a_batch_is_true_data_noised_at_one_level(name):
    experiment = get_preset(name).experiment
    trainer = Trainer(experiment)
    schedule, method = make_schedule(experiment.schedule), METHODS[experiment.method.name]
    features, targets = block_of(trainer)
    dim, batch = experiment.dim, experiment.training.batch
    for seen, target in zip(features[:40], targets[:40], strict=True):
        x = seen[:, :dim]
        assert target.shape == x.shape == (batch, dim)
        if experiment.network.per_level:
            assert seen.shape == (batch, dim)
            k = experiment.levels - 1
        else:
            told = seen[0, dim]
            assert seen.shape == (batch, dim + 1)
            assert bool((seen[:, dim] == told).all())
            conditions = [float(method.condition(schedule[j])) for j in range(schedule.levels)]
            k = int(np.argmin([abs(float(told) - c) for c in conditions]))
            assert abs(conditions[k] - float(told)) < 1e-6
        level = schedule[k]
        if experiment.method.name == "naive" and not level.sigma_next:
            assert torch.equal(target, torch.zeros_like(target))
            continue
        eps = target / (level.sigma_next if experiment.method.name == "naive" else 1.0)
        x0 = (x - level.sigma * eps) / level.alpha
        # With the noise that the target tells, the point under it is one of the data.
        gap = (x0[:, None] - trainer.mixture.means.float()).norm(dim=2).min(1).values
        assert float(gap.max()) < 8 * experiment.data.std + 1e-4


def test_levels_are_drawn_uniformly():
    trainer = Trainer(short("naive-1d", 2000))
    told = []
    for _ in range(8):
        trainer._block = None
        features, _ = block_of(trainer)
        told += [float(f[0, 1]) for f in features]
    counts = np.unique(np.round(told, 7), return_counts=True)[1]
    assert len(counts) == 10
    expected = len(told) / 10
    assert np.abs(counts - expected).max() < 5 * expected**0.5


@pytest.mark.parametrize(("batch", "counts"), [(128, [32] * 4), (6, [1, 2, 1, 2])])
def test_balanced_batches_hold_every_mode_equally(batch, counts):
    experiment = short("ddpm-multimodal", 50, training__batch=batch)
    for found in mode_counts(experiment):
        assert sorted(found) == sorted(counts)


def test_batches_that_are_not_balanced_vary():
    experiment = short("ddpm-multimodal", 50, data__balanced=False)
    found = mode_counts(experiment)
    assert any(counts != [32] * 4 for counts in found)
    total = np.sum(found, 0)
    assert np.abs(total / total.sum() - 0.25).max() < 5 * 0.5 / total.sum() ** 0.5


def mode_counts(experiment: Experiment) -> list[list[int]]:
    """How many points of each mode every batch of the first block holds."""
    trainer = Trainer(experiment)
    schedule = make_schedule(experiment.schedule)
    conditions = torch.tensor([1 - float(schedule[k].beta) for k in range(schedule.levels)])
    found = []
    features, targets = block_of(trainer)
    for seen, eps in zip(features, targets, strict=True):
        level = schedule[int((conditions - seen[0, 2]).abs().argmin())]
        x0 = (seen[:, :2] - level.sigma * eps) / level.alpha
        mode = torch.cdist(x0, trainer.mixture.means.float()).argmin(1)
        found.append(mode.bincount(minlength=4).tolist())
    return found


def test_every_batch_is_fresh():
    trainer = Trainer(short("naive-1d"))
    features, targets = block_of(trainer)
    assert not torch.equal(targets[0], targets[1])
    run_to(trainer, 257)
    assert trainer._block == 256
    assert not torch.equal(block_of(trainer)[0][0], features[0])


# --- learning rates ----------------------------------------------------------------------------


@for_each("step", [0, 1, 99, 100, 199, 200, 999])
def test_rates_by_hand(step):
    stage = Stage(0, 1000, None, 0.004)
    base = short("naive-1d", 1000)
    flat = base
    falling = base.with_settings(
        {"training.decay": "step", "training.decay_factor": 0.95, "training.decay_every": 100}
    )
    cosine = base.with_settings({"training.decay": "cosine"})
    assert learning_rate(flat, stage, step) == 0.004
    assert abs(learning_rate(falling, stage, step) - 0.004 * 0.95 ** (step // 100)) < 1e-15
    half = 0.004 * 0.5 * (1 + math.cos(math.pi * step / 1000))
    assert abs(learning_rate(cosine, stage, step) - half) < 1e-15


def test_rates_fall_anew_in_every_stage():
    experiment = short("ddpm-1d-per-level", 270, training__decay="cosine")
    for stage in stages(experiment):
        assert learning_rate(experiment, stage, stage.start) == stage.lr
        middle = stage.start + (stage.stop - stage.start) / 2
        assert abs(learning_rate(experiment, stage, middle) / stage.lr - 0.5) < 1e-9
    stepped = {"training.decay": "step", "training.decay_factor": 0.5, "training.decay_every": 4}
    experiment = experiment.with_settings(stepped)
    for stage in stages(experiment):
        for done in (0, 3, 4, 9):
            expected = stage.lr * 0.5 ** (done // 4)
            assert abs(learning_rate(experiment, stage, stage.start + done) / expected - 1) < 1e-9


def test_the_rate_in_use_is_the_formulas():
    experiment = short(
        "naive-1d",
        30,
        training__decay="step",
        training__decay_factor=0.5,
        training__decay_every=10,
    )
    trainer = Trainer(experiment, plain=True)
    for progress in trainer.run(every=1):
        expected = 1e-3 * 0.5 ** ((progress.step - 1) // 10)
        assert abs(progress.lr - expected) < 1e-12
        assert abs(trainer._stepper._optimizer.param_groups[0]["lr"] - expected) < 1e-12
