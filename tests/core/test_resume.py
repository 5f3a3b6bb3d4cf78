"""To stop and go on is never to have stopped, bit for bit; and what may change."""

import numpy as np
import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import resume, resumed_experiment
from tui_diffusion.core.runs.run import RunError, open_run, save_run, store
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..fakes import wait_until
from ..trainings import go_on, same, short, trained

# --- bit for bit -------------------------------------------------------------------------------


@for_each("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_and_optimizer_goes_on_bit_for_bit(name, optimizer, tmp_path):
    experiment = short(name, 60, **{"training.optimizer": optimizer, "training.average": 0.9})
    whole = trained(experiment)
    folder = save_run(tmp_path / optimizer, trained(experiment, 7), "stopped")
    for stop in (23, 24):
        save_run(folder, go_on(resume(open_run(str(folder))), stop), "stopped")
    assert same(go_on(resume(open_run(str(folder)))), whole)


@for_each("average", [0, 0.9])
@for_each("decay", ["none", "step", "cosine"])
@pytest.mark.parametrize(
    "name", ["ddpm-multimodal", pytest.param("ddpm-1d-per-level", marks=pytest.mark.slow)]
)
def test_every_decay_of_the_rate_goes_on_bit_for_bit(name, decay, average, tmp_path):
    experiment = short(
        name,
        300,
        **{
            "training.batch": 256,
            "training.decay": decay,
            "training.average": average,
            "training.optimizer": "adam",
        },
    )
    whole = trained(experiment)
    for stop in (1, 127, 128, 150, 299):
        folder = tmp_path / f"{decay}-{average}-{stop}"
        save_run(folder, trained(experiment, stop), "stopped")
        assert same(go_on(resume(open_run(str(folder)))), whole)


@pytest.mark.parametrize("kind", ["beta", "karras-beta", "linear-beta", "cosine"])
def test_every_schedule_goes_on_bit_for_bit(kind, tmp_path):
    experiment = short("ddpm-multimodal", 40, **{"schedule.kind": kind})
    folder = save_run(tmp_path / "run", trained(experiment, 13), "stopped")
    assert same(go_on(resume(open_run(str(folder)))), trained(experiment))


def test_a_training_with_checkpoints_is_the_same_as_one_without(home):
    experiment = short("edm-multimodal", 400)
    trainer = Trainer(experiment)
    with Checkpointer(trainer, store() / "run", seconds=0) as keeper:
        for _ in trainer.run(every=100):
            written, keeper._due = keeper.written, 0
            keeper.offer()
            wait_until(lambda w=written: keeper.written > w, "a checkpoint")
        keeper.finish("finished")
    assert keeper.written > 3
    assert same(trainer, trained(experiment))
    assert (open_run("run").losses() == trainer.losses).all()


def test_more_steps_after_the_end():
    experiment = short("naive-2d", 50)
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    with pytest.raises(RunError, match=r"has finished its 50 steps; allowed: .*training.steps=100"):
        resume(run)
    more = go_on(resume(run, resumed_experiment(run, {"training.steps": 80})))
    assert same(more, trained(short("naive-2d", 80)))


@pytest.mark.parametrize("name", list(PRESETS))
def test_more_steps_for_every_preset(name):
    experiment = short(name, 40, **{"training.optimizer": "adam"})
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    more = go_on(resume(run, resumed_experiment(run, {"training.steps": 90})))
    assert (more.step, more.status) == (90, "finished")
    assert np.array_equal(more.losses[:40], run.losses())


# --- what may change ---------------------------------------------------------------------------


@for_each(
    "settings, words",
    [
        ({"training.lr": 0.5}, ("training.lr", "cannot change", "training.steps")),
        ({"training.batch": 3}, ("training.batch", "it is 16")),
        ({"seed": 3}, ("seed", "cannot change")),
        ({"network.width": 3}, ("network.width", "cannot change")),
        ({"data.means": "3"}, ("data.means", "cannot change")),
        ({"schedule.rho": 3}, ("schedule.rho", "cannot change")),
        ({"training.steps": 39}, ("training.steps", "39", "from 40")),
        ({"training.steps": "x"}, ("training.steps", "allowed")),
        ({"nope": 1}, ("nope", "allowed")),
    ],
)
def test_what_is_part_of_the_mathematics_stays(settings, words):
    save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    with pytest.raises(ConfigError) as caught:
        resumed_experiment(open_run("run"), settings)
    assert all(word in str(caught.value) for word in words), caught.value


def test_another_way_to_sample_may_be_taken():
    experiment = short("naive-1d", 40)
    save_run(store() / "run", trained(experiment, 5), "stopped")
    run = open_run("run")
    changed = resumed_experiment(run, {"sampling.points": 7, "training.lr": "1e-3"})
    assert same(go_on(resume(run, changed)), trained(experiment))


def test_a_diverged_run_is_not_gone_on_with():
    trainer = trained(short("naive-1d", 40, **{"training.lr": 1e9}))
    save_run(store() / "run", trainer, "diverged")
    with pytest.raises(RunError, match=r"diverged at step \d+; allowed: "):
        resume(open_run("run"))


def test_another_experiment_is_refused():
    save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    with pytest.raises(ConfigError, match="not that of run 'run'; allowed: naive-1d"):
        resume(open_run("run"), short("naive-2d", 40))
