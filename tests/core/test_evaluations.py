"""The error of samplers against evaluations of the denoiser."""

from __future__ import annotations

import math

import pytest

from tui_diffusion.core.analysis.evaluations import (
    COUNTS,
    SamplerError,
    best_samplers,
    errors_by_evaluations,
)
from tui_diffusion.core.assemble import make_ideal, make_mixture, sampling_schedule
from tui_diffusion.core.config.choices import samplers_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.methods import Denoiser, Prediction
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS

from ..changed import changed
from ..trainings import trained


class Counting:
    """A denoiser that counts its calls."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser, self.calls = denoiser, 0

    def __call__(self, x: object, level: object) -> Prediction:
        self.calls += 1
        return self.denoiser(x, level)


def test_the_ideal_error_falls_with_the_order_of_the_sampler():
    # An energy distance is a square: the error of the points falls half as fast.
    experiment = changed(
        *("edm-1d",),
        data__std=0.5,
        schedule__rho=1,
        schedule__sigma_max=10,
        schedule__sigma_min=0.05,
        sampling__start="exact",
    )
    ideal = make_ideal(experiment, make_mixture(experiment))
    for sampler in ("euler", "heun"):
        rows = errors_by_evaluations(experiment, ideal, (16, 64), [sampler], points=4096)
        slope = math.log(rows[0].ideal / rows[1].ideal) / math.log(rows[1].levels / rows[0].levels)
        assert abs(slope / 2 - SAMPLER_PARTS[sampler].order) < 0.15, sampler


def test_a_guided_sample_is_compared_with_what_the_guided_ode_ends_in():
    experiment = changed(
        *("edm-1d",),
        data__means="-1, 1",
        data__std=0.5,
        schedule__rho=1,
        schedule__sigma_max=10,
        schedule__sigma_min=0.05,
        network__labels=True,
        sampling__guidance=2,
        sampling__start="exact",
    )
    ideal = make_ideal(experiment, make_mixture(experiment))
    few, many = errors_by_evaluations(experiment, ideal, (16, 64), ["euler"], points=4096)
    assert abs(math.log(few.ideal / many.ideal) / math.log(many.levels / few.levels) / 2 - 1) < 0.15
    heun, noisy = errors_by_evaluations(experiment, ideal, (64,), ["heun", "ddpm"], points=4096)
    assert abs(heun.ideal) < heun.real
    # Noise in every step leads elsewhere, as of p = N(0, 2) and p(.|c) = N(0, 1) in closed form.
    assert noisy.ideal > 10 * noisy.real


def test_evaluations_are_those_that_are_made():
    experiment = changed("edm-1d", sampling__points=50, sampling__repeats=2)
    ideal = make_ideal(experiment, make_mixture(experiment))
    for sampler in samplers_of("edm"):
        counting = Counting(ideal)
        rows = errors_by_evaluations(experiment, counting, (5,), [sampler])
        assert [row.evaluations for row in rows] == [counting.calls] and counting.calls <= 5
        assert rows[0].network == pytest.approx(rows[0].ideal, abs=1e-5)


def test_a_network_of_some_levels_takes_no_more_of_them():
    trainer = trained(changed("naive-1d", training__steps=20, sampling__points=50))
    experiment = trainer.experiment
    rows = errors_by_evaluations(experiment, trainer.denoiser, COUNTS)
    most = sampling_schedule(experiment).levels
    built_in = {name for name in samplers_of("naive") if not SAMPLER_PARTS[name].needs}
    assert {row.sampler for row in rows} == built_in
    assert max(row.levels for row in rows) == most
    assert [row.levels for row in rows if row.sampler == "naive"] == [most], "all of them, or none"
    assert len({(row.sampler, row.levels) for row in rows}) == len(rows)
    assert all(row.network != row.ideal for row in rows)
    with pytest.raises(ConfigError, match="'foo' is not allowed"):
        errors_by_evaluations(experiment, trainer.denoiser, COUNTS, ["foo"])


def test_the_best_sampler_has_the_least_error_within_the_evaluations():
    def row(sampler: str, evaluations: int, network: float | None, ideal: float) -> SamplerError:
        return SamplerError(sampler, evaluations, evaluations, network, ideal, 0.1, 0.1, 0.1)

    rows = [row("a", 4, 3.0, 0.0), row("b", 8, 2.0, 1.0), row("a", 8, math.nan, 0.0)]
    assert {most: at.sampler for most, at in best_samplers(rows).items()} == {
        5: "a",
        10: "b",
        20: "b",
    }
    assert best_samplers(rows, [3]) == {}
    ideal = [row("a", 4, None, 3.0), row("b", 4, None, 2.0)]
    assert best_samplers(ideal)[5].sampler == "b"
