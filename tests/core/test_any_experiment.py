"""Any settings train, sample, are saved and go on, or are refused by name."""

import json
import math
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.config.choices import schedules_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.parts.datasets import centred
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run
from tui_diffusion.core.training.trainer import Trainer

from ..hostile_files import MAKERS
from ..trainings import go_on, trained
from .refusals import NAIVE

small = {
    "data.means": st.sampled_from(["", "0", "-1, 1", "(1, 2)", "(0, 0), (3, 1), (1e3, 0)", "1e30"]),
    "data.std": st.sampled_from(["1e-6", "0.01", "1", "10"]),
    "data.balanced": st.booleans(),
    "data.scaling": st.sampled_from(["column", "shared"]),
    "data.train_points": st.sampled_from([0, 1, 2, 50]),
    "data.holdout": st.sampled_from([0, 0.3, 0.9]),
    "data.weights": st.sampled_from(["", "1", "1, 3", "0.1 0.2 0.7"]),
    "data.stds": st.sampled_from(["", "0.1", "1e-6, 10", "0.1 0.2 0.7"]),
    "data.correlation": st.sampled_from([-0.99, 0, 0.8]),
    "data.count": st.integers(1, 9),
    "method.noise_mean": st.sampled_from([-10, -1.2, 10]),
    "method.noise_std": st.sampled_from([1e-9, 1.2, 5]),
    "network.fourier": st.integers(0, 3),
    "network.level_fourier": st.integers(0, 3),
    "training.average": st.sampled_from([0, 0.5, 0.999]),
    "sampling.levels": st.integers(0, 7),
    "sampling.eta": st.sampled_from([0, 0.5, 1]),
    "schedule.levels": st.integers(1, 12),
    "schedule.sigma_min": st.sampled_from([1e-9, 1e-3, 0.1, 2.0]),
    "schedule.sigma_max": st.sampled_from([1e-3, 0.5, 1.0, 100.0]),
    "schedule.beta_min": st.sampled_from([1e-17, 1e-3, 0.5]),
    "schedule.beta_max": st.sampled_from([1e-3, 0.9, 0.9999999]),
    "schedule.rho": st.sampled_from([1, 4, 100]),
    "schedule.betas": st.lists(
        st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=1, max_size=12
    ).map(tuple),
    "network.width": st.integers(1, 9),
    "network.depth": st.integers(1, 4),
    "network.activation": st.sampled_from(["relu", "tanh", "silu", "gelu"]),
    "network.per_level": st.booleans(),
    "network.labels": st.booleans(),
    "network.guide": st.booleans(),
    "network.guide_width": st.integers(1, 9),
    "network.guide_depth": st.integers(1, 4),
    "training.label_dropout": st.sampled_from([0, 0.1, 1]),
    "training.guide_share": st.sampled_from([1e-9, 0.125, 1]),
    "sampling.label": st.sampled_from(["all", 0, 1, 7]),
    "sampling.guidance": st.sampled_from([0, 1, 3]),
    "sampling.guidance_from": st.sampled_from([0, 0.3]),
    "sampling.guidance_to": st.sampled_from([0.2, 1, 1e6]),
    "sampling.guide": st.sampled_from(["no-label", "own"]),
    "training.steps": st.integers(1, 14),
    "training.batch": st.integers(1, 9),
    "training.lr": st.sampled_from([1e-300, 1e-5, 1e-3, 1.0, 1e9, 1e12]),
    "training.optimizer": st.sampled_from(["sgd", "adam", "adamw"]),
    "training.loss": st.sampled_from(["sum", "norm", "mean"]),
    "training.decay": st.sampled_from(["none", "step", "cosine"]),
    "training.decay_factor": st.sampled_from([1e-9, 0.5, 1]),
    "training.decay_every": st.integers(1, 5),
    "training.first_factor": st.sampled_from([1, 2.5, 1000]),
    "training.first_lr": st.sampled_from([1e-3, 1e12]),
    "sampling.points": st.integers(1, 30),
    "sampling.sampler": st.sampled_from(sorted(n for n, p in SAMPLER_PARTS.items() if not p.needs)),
    "sampling.s_churn": st.sampled_from([0, 3, 1000]),
    "sampling.s_min": st.sampled_from([0, 0.05, 3]),
    "sampling.s_max": st.sampled_from([0, 1, 50]),
    "sampling.s_noise": st.sampled_from([0, 1, 2]),
    "sampling.snr": st.sampled_from([0.01, 0.16, 0.7]),
    "sampling.step_size": st.sampled_from([0.01, 0.5, 2]),
    "sampling.variance": st.sampled_from(["posterior", "beta"]),
    "sampling.quiet": st.integers(0, 13),
    "sampling.start": st.sampled_from(["zero-mean", "data-mean", "exact"]),
    "sampling.repeats": st.integers(0, 3),
    "sampling.stop_before": st.integers(0, 12),
    "seed": st.sampled_from([0, 1, 2**63 - 1]),
}


def any_settings(**data: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    methods = st.sampled_from(list(METHOD_PARTS))
    fixed = {f"data.{field}": values for field, values in data.items()}
    return st.fixed_dictionaries({**fixed, "method.name": methods}, optional=small)


GOOD = {
    "line.csv": "x\n1\n2\n5\n",
    "plane.csv": "x;y\n1,5;2\n3;4\n5;9\n",
    "point.csv": "7,7\n",
    "same.csv": "3\n3\n3\n",
    "far.csv": "1e100\n-1e100\n",
    "near.csv": "1e-100,0\n0,1e-100\n",
}

PATHS = [*GOOD, *(what for what in MAKERS if what not in ("blank lines", "one line"))]
"""Files that are points, and those that are none but for the slow ones."""
GOOD_OR_NOT = st.sampled_from([*GOOD]) | st.sampled_from(PATHS)

JUDGED_BESIDE = {
    "schedule.sigma_min": "schedule.sigma_max",
    "schedule.beta_min": "schedule.beta_max",
    "data.weights": "data.means",
    "data.stds": "data.means",
    "data.path": "data.name",
}
"""Where a field is at fault that was not set, the one that was."""


def test_every_field_is_tried():
    fixed = {"data.name", "data.path", "data.columns", "data.where", "data.label"}
    fixed |= {"method.name", "schedule.kind", "network.name", "device"}
    assert set(small) | fixed == set(field_table())


def saves_and_goes_on(trainer: Trainer) -> None:
    """A training is the same reopened, and goes on bit for bit from its first step."""
    with tempfile.TemporaryDirectory() as folder, mock.patch("os.fsync"):
        run = open_run(str(save_run(Path(folder) / "whole", trainer, "finished")))
        kept = run.experiment.data.path  # the run's own copy of a file's points
        data = trainer.experiment.data.model_copy(update={"path": kept})
        assert run.experiment == trainer.experiment.model_copy(update={"data": data})
        assert run.losses().tobytes() == trainer.losses[: trainer.step].tobytes()
        kept = trainer.denoiser.network.state_dict()
        again = run.denoiser().network.state_dict()
        assert all(torch.equal(kept[name], again[name]) for name in kept)
        part = Trainer(trainer.experiment)
        if next(part.run(every=1)).status == "training":
            saved = save_run(Path(folder) / "part", part, "stopped")
            if not all(bool(torch.isfinite(p).all()) for p in part.network.parameters()):
                raise AssertionError("weights that overflowed were left in place")
            if part.status == "diverged":
                with pytest.raises(RunError, match="diverged"):
                    resume(open_run(str(saved)))
                return
            resumed = resume(open_run(str(saved)))
            go_on(resumed)
            assert (resumed.step, resumed.status) == (trainer.step, trainer.status)
            before, after = (t.losses[: t.step].tobytes() for t in (trainer, resumed))
            assert before == after


NAMED = st.sampled_from([*centred(), "ring", "moons"])


@settings(max_examples=30)
@given(any_settings(name=NAMED), st.integers(0, 3))
def test_any_setting_trains_and_samples_or_is_refused_by_name(changes, place):
    trains_and_samples_or_is_refused(changes, place)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A path for each of `PATHS`."""
    folder = tmp_path_factory.mktemp("points")
    for name, text in GOOD.items():
        (folder / name).write_text(text)
    made = {what: make(folder) for what, make in MAKERS.items() if what in PATHS}
    return {**{name: folder / name for name in GOOD}, **made}


@settings(max_examples=25)
@given(changes=any_settings(path=GOOD_OR_NOT), place=st.integers(0, 3))
def test_any_file_trains_and_samples_or_is_refused_by_name(files, changes, place):
    what = changes["data.path"]
    changes |= {"data.name": "file", "data.path": str(files[what])}
    for field in ("means", "weights", "count"):
        changes.pop(f"data.{field}", None)
    trains_and_samples_or_is_refused(changes, place)
    assert ("data.path" in changes) == (what in GOOD)


def trains_and_samples_or_is_refused(changes, place):
    """What is refused is left out of ``changes``, one by one, and the rest goes on."""
    kinds = schedules_of(changes["method.name"])
    changes["schedule.kind"] = kinds[place % len(kinds)]
    steps = changes.setdefault("training.steps", 3)
    while True:
        try:
            experiment = NAIVE.with_settings(changes)
            break
        except ConfigError as error:
            assert error.field in field_table()
            assert str(error).startswith(f"{error.field}: ")
            assert "allowed" in str(error)
            if error.field == "training.steps":  # fewer than there are networks
                assert changes["network.per_level"] and steps < 12
                changes["training.steps"] = steps = 12
                continue
            # Without the field at fault, the rest is tried on.
            field = error.field
            changes.pop(field if field in changes else JUDGED_BESIDE[field])
    assert from_json(to_json(experiment)) == experiment
    trainer = trained(experiment)
    assert trainer.status in ("finished", "diverged")
    assert trainer.step == steps or not np.isfinite(trainer.losses[trainer.step - 1])
    assert all(bool(torch.isfinite(p).all()) for p in trainer.network.parameters())
    saves_and_goes_on(trainer)
    report = training_report(trainer)
    json.dumps(report, allow_nan=False)
    sample = report["sample"]
    assert sample["points"] == experiment.sampling.points
    assert len(sample["mean"]) == experiment.dim
    # Shares of all points, of none where none is finite, or null where data have no modes.
    weights = sample["mode_weights"] or [0.0]
    assert math.isclose(sum(weights), 1, abs_tol=1e-5) or not any(weights)
