"""A training: the same losses however it is watched, stopped or resumed."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.stages import stages
from tui_diffusion.core.training.trainer import Trainer, train
from tui_diffusion.core.trajectory import denoise

from ..trainings import go_on, trained
from .short_trainings import STEPS, losses, run_to, same, same_bits, short, weights

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
