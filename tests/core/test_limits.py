"""Whatever a field allows ends in finite results, a divergence that is told, or a refusal."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.analysis.loss_floor import floors
from tui_diffusion.core.analysis.metrics import evaluate
from tui_diffusion.core.analysis.report import evaluation, json_values, training_report, unknown
from tui_diffusion.core.assemble import make_method, make_mixture
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.choices import samplers_of, schedules_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, field_table
from tui_diffusion.core.config.fields import FieldSpec
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.parts.datasets import centred
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.program import main

from ..cases import for_each
from ..trainings import trained

SMALL = {
    "network.width": 4,
    "network.depth": 1,
    "training.steps": 4,
    "training.batch": 8,
    "sampling.points": 16,
    "sampling.levels": 0,
    "sampling.repeats": 0,
    "schedule.levels": 4,
}
"""What a training is kept short with."""

HUGE_AND_TINY = [5e-324, 1e-300, 1e-45, 1e-39, 1e-30, 1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e30, 1e300]


def numbers(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """Any number that a field may hold: its bounds, between them, and far too large or small."""
    low = spec.bounds.get("ge", spec.bounds.get("gt", -1e300))
    high = spec.bounds.get("le", spec.bounds.get("lt", 1e300))
    if spec.kind == "int":
        return st.integers(int(low), int(min(high, 1000)))
    tiny = [value for value in HUGE_AND_TINY if low <= value <= high]
    return st.sampled_from([spec.default, low, high, *tiny]) | st.floats(low, high)


def any_of(spec: FieldSpec) -> st.SearchStrategy[Any]:
    extremes = st.sampled_from(HUGE_AND_TINY)
    if spec.kind == "list":
        coordinates = st.tuples(extremes, extremes).map(lambda pair: (pair[0], -pair[1]))
        many = {
            "data.means": st.lists(coordinates, min_size=1, max_size=3).map(tuple),
            "data.weights": st.lists(extremes, min_size=4, max_size=4).map(tuple),
            "data.stds": st.lists(extremes, min_size=4, max_size=4).map(tuple),
            "schedule.betas": st.lists(
                st.sampled_from([5e-324, 1e-40, 1e-9, 0.1, 0.9, 0.999999, 1 - 1e-16]),
                min_size=1,
                max_size=6,
            ).map(tuple),
        }
        return many[spec.path]
    return st.sampled_from(spec.choices) if spec.choices else numbers(spec)


FIELDS = {
    path: any_of(spec)
    for path, spec in field_table().items()
    if path not in {*SMALL, "data.path", "device", "data.name", "method.name", "schedule.kind"}
}
# Those of diffusers have no finite numbers for levels so close to 0 or to each other.
BUILT_IN = [name for name, part in SAMPLER_PARTS.items() if not part.scheduler]
FIELDS["sampling.sampler"] = st.sampled_from(BUILT_IN)


@st.composite
def settings_of_any_kind(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    method = draw(st.sampled_from(list(METHOD_PARTS)))
    changed = draw(st.lists(st.sampled_from(list(FIELDS)), max_size=4, unique=True))
    return {
        "data.name": draw(st.sampled_from(names)),
        "method.name": method,
        "schedule.kind": draw(st.sampled_from(schedules_of(method))),
        "sampling.sampler": draw(
            st.sampled_from([name for name in samplers_of(method) if name in BUILT_IN])
        ),
        **{path: draw(FIELDS[path]) for path in changed},
    }


JUDGED_BESIDE = {
    "schedule.sigma_min": "schedule.sigma_max",
    "schedule.beta_min": "schedule.beta_max",
    "schedule.levels": "schedule.beta_max",
    "data.std": "data.means",
    "data.weights": "data.means",
}
"""Where a field is at fault that was not set, the one that was."""


def made(changes: dict[str, Any]) -> tuple[Experiment, list[str]]:
    """The experiment of these settings but for those that are refused, and the refusals."""
    wanted, refusals = {**SMALL, **changes}, list[str]()
    while True:
        try:
            return get_preset("naive-2d").experiment.with_settings(wanted), refusals
        except ConfigError as error:
            refusals.append(str(error))
            assert "; allowed: " in str(error) and "\n" not in str(error)
            if wanted.pop(error.field, None) is None:
                del wanted[JUDGED_BESIDE[error.field]]


def holds(of: Experiment, *, whole: bool = False) -> str:
    """What these settings come to; fails where that is neither finite nor told.

    ``whole``: with all that `evaluation` measures, which takes longer.
    """
    trainer = trained(of)
    report = training_report(trainer)
    assert report["loss"]["floor"] is not None
    assert None not in report["target"]["mean"] + report["target"]["std"]
    if trainer.status == "diverged":
        return "diverged"
    assert all(map(math.isfinite, floors(of)))
    if not (unknown(report) or (whole and unknown(evaluation(of, trainer.denoiser)))):
        return "finite"
    # That is the network's doing, and not of what is exact.
    mixture = make_mixture(of.data)
    exact = IdealDenoiser(mixture, make_method(of.method, mixture))
    assert not unknown(evaluation(of, exact))
    return "no sample"


@settings(max_examples=15)
@given(settings_of_any_kind(["gaussian-1d", "four-gaussians"]))
def test_any_setting_ends_in_finite_numbers_or_a_refusal(changes):
    holds(made(changes)[0])


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=500)
@given(settings_of_any_kind([*centred(), "ring", "moons"]))
def test_very_many_settings_end_in_finite_numbers_or_a_refusal(changes):
    holds(made(changes)[0], whole=True)


@for_each(
    "changes",
    [
        {"data.means": "(1e30, 0), (0, 1e30)"},
        {"data.means": "1e300"},
        {"data.std": "5e-324"},
        {"data.means": "(1000, 0)", "data.std": "1e-4"},
        {"data.name": "four-gaussians", "data.weights": "1, 1, 1, 1e-300"},
        {"schedule.sigma_min": "5e-324"},
        {"schedule.sigma_min": "1e-300"},
        {"method.name": "ddpm", "schedule.betas": "5e-324, 0.5"},
        {"method.name": "ddpm", "schedule.betas": ", ".join(["0.9999"] * 20)},
        {"method.name": "flow", "schedule.kind": "flow", "schedule.rho": "100"},
        {
            "method.name": "flow",
            "schedule.kind": "flow",
            "schedule.rho": "19",
            "sampling.levels": 9,
        },
    ],
)
def test_what_float32_cannot_hold_is_refused(changes):
    if "schedule.betas" in changes:
        changes = {**changes, "schedule.kind": "beta"}
    of, refusals = made(changes)
    assert any(refusal.startswith(f"{field}: ") for refusal in refusals for field in changes)
    assert holds(of) == "finite"


def test_a_file_of_huge_numbers_has_finite_results_in_its_units(tmp_path):
    huge = np.random.default_rng(0).normal(3e99, 1e99, (30, 2))
    np.save(tmp_path / "p.npy", huge)
    of, refusals = made({"data.name": f"file:{tmp_path / 'p.npy'}"})
    assert not refusals and holds(of) == "finite"
    goal = training_report(trained(of))["target"]
    assert goal["mean"] == pytest.approx(huge.mean(0))
    assert goal["std"] == pytest.approx(huge.std(0), rel=0.01)


def test_a_sample_that_is_not_finite_is_no_success(tmp_path, capsys, monkeypatch):
    """The weights are finite, what they make of noise is not: exit code 3, and a line."""
    changes = {"data.name": "ring", "method.name": "naive", "training.lr": 0.64, **SMALL}
    changes |= {"sampling.sampler": "dpm++2m", "network.activation": "silu", "network.fourier": 2}
    words = [word for path, value in changes.items() for word in ("--set", f"{path}={value}")]
    monkeypatch.setattr("sys.argv", ["diffusion-tui", "train", "naive-2d", *words, "--no-save"])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 3 and "sampling diverged: 16 of 16 points are not finite" in said


def test_a_few_points_that_are_not_finite_are_no_success():
    x = torch.zeros(10, 1)
    x[3] = float("nan")
    scores = evaluate(x, GaussianMixture([[0.0]], 1.0))
    assert scores.not_finite == 1 and np.isfinite(scores.energy_distance)
    assert unknown({"sample": json_values(asdict(scores))}) == "1 of 10 points are not finite"
