"""Batches: true data, noised at levels drawn uniformly."""

import numpy as np
import pytest
import torch

from tui_diffusion.core.assemble import make_schedule
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import METHODS
from tui_diffusion.core.training.trainer import Trainer

from .short_trainings import block_of, run_to, short


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
