"""A guide that is trained along: what it is, and that nothing about it changes the network."""

import numpy as np
import torch

from tui_diffusion.core.assemble import make_ideal, make_mixture
from tui_diffusion.core.conditioning import guided
from tui_diffusion.core.config.guide import guide_of
from tui_diffusion.core.guidance import GuidedDenoiser
from tui_diffusion.core.runs.resume import resume, resumed_experiment
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.training.divergence import what_diverged
from tui_diffusion.core.training.stacked.grouping import alone
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed
from ..trainings import go_on, same, short, trained
from .refusals import refusal

GUIDE = {"network.guide": True, "network.guide_width": 8, "training.guide_share": 0.25}
WAYS = {
    "edm with labels": ("edm-moons", {"network.labels": True}),
    "a net per level": ("ddpm-1d-per-level", {}),
}


@for_each("name", WAYS)
def test_the_guide_takes_its_share_of_steps_and_leaves_the_network_as_it_is(name):
    preset, changes = WAYS[name]
    experiment = short(preset, 80, **changes, **GUIDE)
    trainer, alone_ = trained(experiment), trained(short(preset, 80, **changes))
    assert trainer.losses.tobytes() == alone_.losses.tobytes()
    assert (trainer.guide.step, trainer.guide.status) == (20, "finished")
    by_itself = trained(guide_of(experiment))
    assert same(trainer.guide, by_itself)
    assert trainer.denoiser.guide is trainer.guide.average
    first = trainer.guide.network.body(0)[0]
    assert first.out_features == 8


@for_each("name", WAYS)
def test_a_guide_goes_on_bit_for_bit_however_it_is_cut(name, tmp_path):
    preset, changes = WAYS[name]
    experiment = short(preset, 80, **changes, **GUIDE, **{"training.average": 0.9})
    whole = trained(experiment)
    assert same(trained(experiment, every=3), whole)
    assert same(trained(experiment, plain=True), whole)
    for stop in (7, 31):
        folder = save_run(tmp_path / f"{name}-{stop}", trained(experiment, stop), "stopped")
        assert same(go_on(resume(open_run(folder))), whole)
    denoiser, own = open_run(folder).denoiser(), trained(experiment, 31).denoiser
    for mine, theirs in ((denoiser.guide, own.guide), (denoiser.network, own.network)):
        values = zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in values)


def test_more_steps_bring_the_guide_more_of_them(tmp_path):
    experiment = short("edm-moons", 40, **GUIDE)
    run = open_run(save_run(tmp_path / "run", trained(experiment), "finished"))
    more = go_on(resume(run, resumed_experiment(run, {"training.steps": 80})))
    assert (more.guide.step, more.guide.status) == (20, "finished")


def test_a_guide_that_diverges_ends_the_training_at_the_same_step_however_it_is_cut():
    small = {"network.width": 8, "network.depth": 1, "training.optimizer": "sgd"}
    large = {"network.guide_width": 512, "network.guide_depth": 4, "training.guide_share": 1}
    own = {"network.guide": True, "training.lr": 0.05}
    experiment = short("naive-1d", 400, **small, **large, **own)
    trainer = trained(experiment)
    assert (trainer.status, trainer.guide.status) == ("diverged", "diverged")
    losses = trainer.losses[: trainer.step]
    assert np.isfinite(losses).all()
    assert what_diverged(losses[-1], trainer.step) == "the weights after step 256 are not finite"
    assert same(trained(experiment, every=7), trainer)
    part = trained(experiment, 100)
    assert part.status == "training"
    after = Trainer(experiment)
    after.restore(part.state())
    assert same(go_on(after), trainer)
    assert after.status == "diverged"
    assert part.overflowed()


def test_the_guide_guides():
    experiment = short("edm-moons", 30, **GUIDE, **{"sampling.guidance": 2})
    assert experiment.sampling.guide == "own"
    trainer = trained(experiment)
    by = guided(experiment, trainer.denoiser, None)
    assert isinstance(by, GuidedDenoiser)
    assert by.guide.network is trainer.guide.average
    made = denoise(experiment, trainer.denoiser, points=20)
    plain = denoise(changed(experiment, sampling__guidance=1), trainer.denoiser, points=20)
    assert not torch.equal(made.x, plain.x)
    # The exact counterpart of a weaker network is that of the main one.
    ideal = make_ideal(experiment, make_mixture(experiment))
    assert guided(experiment, ideal, None) is ideal


def test_a_guide_is_no_part_of_a_stack_and_its_fields_need_it():
    assert "network.guide" in alone(short("edm-moons", 8, **GUIDE))
    for path, value in (("network.guide_width", 8), ("training.guide_share", 0.5)):
        assert refusal({path: value}).field == path
    assert refusal({**GUIDE, "training.guide_share": 0}).field == "training.guide_share"
