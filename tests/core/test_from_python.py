"""The library as a script or a notebook uses it: reprs, arguments, and parts of one's own."""

from __future__ import annotations

from pathlib import Path

import torch

from tui_diffusion.core import (
    METHODS,
    Checkpointer,
    GaussianMixture,
    IdealDenoiser,
    Trajectory,
    attribute,
    changes_of,
    denoise,
    densities,
    evaluate,
    forward_process,
    level_losses,
    list_runs,
    make_method,
    make_mixture,
    open_run,
    save_run,
    scaling_of,
    start_mismatch,
    train,
)
from tui_diffusion.core.analysis.energy_distance import Reference
from tui_diffusion.core.analysis.error_growth import amplification
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.paths import store

from ..changed import changed

QUICK = changed("edm-1d", training__steps=20, sampling__levels=4, sampling__points=30, device="cpu")


def sampled(experiment=QUICK, **given) -> Trajectory:
    mixture = make_mixture(experiment.data)
    return denoise(
        experiment, IdealDenoiser(mixture, make_method(experiment.method, mixture)), **given
    )


# --- reprs -------------------------------------------------------------------------------------


def test_everything_public_has_a_repr_of_one_line_without_an_address(home: Path) -> None:
    [*_, progress] = train(QUICK)
    trainer, trajectory = progress.trainer, sampled()
    path = save_run(store() / "run", trainer, "finished")
    mixture, denoiser = trainer.mixture, trainer.denoiser
    many = GaussianMixture(torch.randn(3000, 2), torch.rand(3000))
    reference, runs = Reference(mixture), list_runs()
    assert runs
    objects = [
        *(preset for preset in PRESETS.values()),
        *(preset.experiment for preset in PRESETS.values()),
        *(QUICK.data, QUICK.method, QUICK.schedule, QUICK.network, QUICK.training, QUICK.sampling),
        *(progress, trainer, trainer.network, denoiser, *METHODS.values(), trainer.method),
        *(mixture, many, mixture.noised(1e-150, 3.0)),
        *(IdealDenoiser(many, trainer.method), IdealDenoiser(mixture, METHODS["ddpm"])),
        *(trajectory, forward_process(QUICK), trajectory.step(0), trajectory.schedule),
        *(trajectory.schedule[0], denoiser(trajectory.x[0], trajectory.schedule[0])),
        *(evaluate(trajectory.result, mixture), reference, reference.distance(trajectory.result)),
        *(attribute(QUICK, denoiser, points=30), start_mismatch(QUICK), amplification(QUICK)[0]),
        level_losses(QUICK, denoiser, points=8)[0],
        *(densities(mixture, trajectory.schedule)[0], open_run(str(path))),
        *(*runs, *changes_of(runs).values(), Checkpointer(trainer, home / "other")),
        scaling_of(QUICK.data),
    ]
    for thing in objects:
        text = repr(thing)
        assert str(thing) == text
        assert text.startswith(f"{type(thing).__name__}(")
        assert text.isprintable(), text
        assert len(text) <= 120, text
        assert " object at 0x" not in text
    assert repr(QUICK) == (
        "Experiment(name='edm-1d', data='gaussian-1d', method='edm', sampler='heun', "
        "steps=20, seed=0)"
    )
    assert "step=20, steps=20" in repr(progress)
