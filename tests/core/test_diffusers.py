"""Every scheduler of diffusers as a sampler, with the exact denoiser and with a network."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tui_diffusion.core.analysis.error_growth import amplification
from tui_diffusion.core.assemble import make_ideal, make_mixture, sampler_function
from tui_diffusion.core.config.choices import samplers_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.stepping import nudge
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.samplers import Step, ddim, ddpm, dpmpp_2m, euler, heun
from tui_diffusion.core.schedules import Schedule, cosine, flow, from_betas, karras
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..trainings import short, trained

pytest.importorskip("diffusers")
pytest.importorskip("torchsde")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NAMES = [name for name, part in SAMPLER_PARTS.items() if part.scheduler]
EDM = PRESETS["edm-multimodal"].experiment
IDEAL = make_ideal(EDM, make_mixture(EDM))


def experiment(name: str, **settings: object) -> Experiment:
    few = {"sampling.points": 60, "schedule.levels": 12}
    return EDM.with_settings({"sampling.sampler": name, **few, **settings})


def path(name: str, schedule: Schedule, x: Tensor, steps: int) -> Tensor:
    """Where the first steps take x, without noise."""
    step, previous = sampler_function(name), None
    for k in range(steps):
        previous = step(x, schedule[k], IDEAL, torch.zeros_like(x), previous)
        x = previous.x_next
    return x


def test_all_of_them_are_here_and_say_what_they_are():
    assert len(NAMES) == 20 and list(SAMPLER_PARTS)[-20:] == NAMES
    for name in NAMES:
        part = SAMPLER_PARTS[name]
        assert part.formula and part.papers and part.evaluations in (1, 2), name
        assert name == f"diffusers:{part.scheduler}"
    spec = field_table()["sampling.sampler"]
    assert spec.choices[-20:] == tuple(NAMES)
    assert spec.allowed.endswith(", diffusers:NAME") and spec.allowed.count("diffusers") == 1
    assert "diffusers:NAME: a scheduler of the library diffusers." in spec.help


@for_each("name", NAMES)
def test_each_reaches_the_data_and_its_steps_are_repeated_bit_for_bit(name):
    of = experiment(name)
    made = denoise(of, IDEAL)
    assert torch.equal(made.x, denoise(of, IDEAL).x)
    assert float((made.result.abs() - 1).norm(dim=1).median()) < 0.05
    for k in (4, 11):
        step = made.step(k)
        assert torch.equal(step.x_next, made.x[k + 1]), k
        assert torch.allclose(step.mean + step.noise, step.x_next)
        assert torch.equal(made.step(k, slice(7, 30)).x_next, made.x[k + 1][7:30]), k
    noisy = bool(made.step(2).noise.abs().max())
    assert noisy == (SAMPLER_PARTS[name].order is None)
    assert noisy == ("quiet" in SAMPLER_PARTS[name].uses and "eta" not in SAMPLER_PARTS[name].uses)
    for levels in (1, 2):
        few = denoise(experiment(name, **{"sampling.levels": levels}), IDEAL)
        # Its sigma'² - u² is a difference of float32 numbers, and may come out below 0.
        known = name == "diffusers:KDPM2Ancestral" and levels == 2
        assert known or bool(few.x.isfinite().all()), levels


@pytest.mark.slow
@for_each("name", NAMES)
def test_each_takes_a_thousand_levels(name):
    made = denoise(experiment(name, **{"sampling.levels": 1000}), IDEAL)
    assert float((made.result.abs() - 1).norm(dim=1).median()) < 0.05
    assert torch.equal(made.step(999).x_next, made.x[1000])


@pytest.mark.slow
@for_each("name", NAMES)
def test_levels_that_a_class_cannot_take_end_in_nan_or_in_one_line(name):
    for schedule in (
        from_betas([0.5, 0.5, 1e-20, 1e-20]),
        from_betas([1e-20]),
        from_betas([0.999999] * 60),
        karras(6, 1, 1, 7),
        karras(12, 1e-9, 1, 7),
        karras(5, 1e-3, 1e8, 7),
        flow(10, 100),
        flow(1),
    ):
        try:
            denoise(experiment(name), IDEAL, points=20, schedule=schedule)
        except ConfigError as error:
            assert re.fullmatch(rf"sampling.sampler: {name} .*; allowed: .*", str(error))


def test_the_order_of_convergence_is_the_one_that_is_said():
    x = 3 * torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = path("heun", karras(1000, 0.3, 3, 7), x, 999)
    for name in NAMES:
        order = SAMPLER_PARTS[name].order
        if order is None:
            continue
        # LMS starts with a step of first order, and IPNDM has weights for steps of equal size.
        order = min(order, 2) if name[10:] in ("LMS", "IPNDM") else order
        # UniPC comes near to its order from below.
        below, above = {"UniPC": (0.5, 0.2), "LMS": (0.2, 0.9)}.get(name[10:], (0.2, 0.2))
        errors = [
            float((path(name, karras(n, 0.3, 3, 7), x, n - 1) - truth).norm(dim=1).mean())
            for n in (41, 81)
        ]
        slope = math.log2(errors[0] / errors[1])
        assert order - below < slope < order + above, (name, errors, slope)


EQUALS = {
    "EulerDiscrete": euler,
    "EDMEuler": euler,
    "DDIM": euler,
    "DDIMParallel": euler,
    "FlowMatchEuler": euler,
    "HeunDiscrete": heun,
    "DPMSolverMultistep": dpmpp_2m,
    "EDMDPMSolverMultistep": dpmpp_2m,
    "DDPM": ddpm,
}
SCHEDULES = {"karras": karras(12, 0.02, 20, 7), "cosine": cosine(12), "flow": flow(12, 3)}


def test_those_of_ours_that_are_the_same_agree():
    """On the same levels, in absolute error: theirs keep their levels in float32."""
    for name, ours in EQUALS.items():
        step = sampler_function(f"diffusers:{name}")
        for kind, schedule in SCHEDULES.items():
            part = SAMPLER_PARTS[f"diffusers:{name}"]
            if kind == "flow" and (part.needs_signal or ours is dpmpp_2m):
                continue  # sigma/alpha is infinite, and theirs need a finite ln(alpha/sigma)
            if kind != "karras" and ours is heun:
                continue  # theirs takes the mean slope in x/alpha, ours in x
            random = torch.Generator().manual_seed(0)
            x, *z = torch.randn((13, 50, 2), generator=random, dtype=torch.float64)
            x = x * schedule.sigmas[0]
            mine, theirs = x, x
            before: list[Step | None] = [None, None]
            for k in range(12):
                before = [
                    ours(mine, schedule[k], IDEAL, z[k], before[0]),
                    step(theirs, schedule[k], IDEAL, z[k], before[1]),
                ]
                mine, theirs = (taken.x_next for taken in before)
                unit = math.hypot(schedule.alphas[k + 1], schedule.sigmas[k + 1])
                assert float((mine - theirs).abs().max()) < 2e-5 * unit, (name, kind, k)


def test_eta_and_variance_are_theirs_too():
    schedule, random = cosine(12), torch.Generator().manual_seed(1)
    x, z = torch.randn(2, 50, 2, generator=random, dtype=torch.float64)
    for settings, name, ours in (
        ({"eta": 0.5}, "DDIM", ddim),
        ({"eta": 1.0}, "DDIMParallel", ddim),
        ({"posterior": False}, "DDPM", ddpm),
        ({"posterior": True}, "DDPM", ddpm),
    ):
        for k in (3, 10):
            want = ours(x, schedule[k], IDEAL, z, **settings)
            step = sampler_function(f"diffusers:{name}")(x, schedule[k], IDEAL, z, **settings)
            for part in ("x_next", "mean", "noise", "eps_hat", "x0_hat"):
                apart = getattr(step, part) - getattr(want, part)
                assert float(apart.abs().max()) < 1e-6, (name, settings, k, part)


def test_a_step_leaves_the_one_before_as_it_is_and_joins_with_others():
    schedule = karras(8, 0.02, 5, 7)
    random = torch.Generator().manual_seed(2)
    x, z = torch.randn(2, 60, 2, generator=random, dtype=torch.float64)
    for name in NAMES:
        step, previous = sampler_function(name), None
        for k in range(4):
            previous = step(x if k == 0 else previous.x_next, schedule[k], IDEAL, z, previous)
        assert previous is not None
        now, level = previous.x_next, schedule[4]
        once = step(now, level, IDEAL, z, previous)
        assert torch.equal(step(now, level, IDEAL, z, previous).x_next, once.x_next), name
        halves = [previous.part(slice(25)), previous.part(slice(25, None))]
        again = step(now, level, IDEAL, z, Step.joined(halves))
        assert torch.equal(again.x_next, once.x_next), name
        half = step(now[:25], level, IDEAL, z[:25], halves[0])
        assert torch.allclose(half.x_next, once.x_next[:25], atol=1e-12), name


def test_the_noise_of_two_stages_is_that_of_one_path():
    """A unit Brownian path over a level: z in all, and its correlation with the first part."""
    from tui_diffusion.core.diffusers_step import _brownian, _independent, scheduler_class

    z = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    apart = _independent(z)
    assert abs(float(apart.mean())) < 0.01 and abs(float(apart.std()) - 1) < 0.01
    assert abs(float((apart * z).mean())) < 0.01 and abs(float((apart**2 * z**2).mean()) - 1) < 0.03
    assert not _independent(0 * z).any()
    scheduler = scheduler_class("DPMSolverSDE")(num_train_timesteps=3)
    scheduler.set_timesteps(3)
    scheduler.set_begin_index(0)
    scheduler._step_index = 0
    first, last = scheduler.sigmas[:2]
    noise = _brownian(scheduler, z)
    assert torch.equal(noise(first, last), z)
    middle = last + 0.25 * (first - last)
    part = noise(first, middle)
    assert abs(float(part.std()) - 1) < 0.01
    assert abs(float((part * z).mean()) - 0.75**0.5) < 0.01


def test_a_network_is_sampled_as_by_our_own():
    for of in (
        short("ddpm-1d-per-level", 100),
        short("ddpm-multimodal", 100, **{"sampling.repeats": 0}),
        short("edm-multimodal", 30),
        short("flow-multimodal", 30),
    ):
        network = trained(of).denoiser
        for ours, theirs in (("euler", "DDIM"), ("heun", "FlowMatchHeun"), ("dpm++2m", "UniPC")):
            samples = [
                denoise(of.with_settings({"sampling.sampler": name}), network, points=200).result
                for name in (ours, f"diffusers:{theirs}")
            ]
            assert bool(samples[1].isfinite().all()), (of.name, theirs)
            if theirs == "DDIM":
                assert float((samples[0] - samples[1]).abs().max()) < 2e-4, of.name


def test_the_growth_of_an_error_is_that_of_our_own():
    ours, theirs = (
        amplification(experiment(name, **{"schedule.levels": 8}))
        for name in ("dpm++2m", "diffusers:DPMSolverMultistep")
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.out == pytest.approx(other.out, rel=1e-2)


def test_what_goes_with_what():
    between = {f"diffusers:{name}" for name in ("KDPM2", "KDPM2Ancestral", "DPMSolverSDE")}
    assert {*NAMES} - {*samplers_of("ddpm")} == between and {*NAMES} <= {*samplers_of("edm")}
    with pytest.raises(ConfigError, match=r"'diffusers:KDPM2' does not go with method 'ddpm'; .*"):
        PRESETS["ddpm-1d"].experiment.with_settings({"sampling.sampler": "diffusers:KDPM2"})
    straight = PRESETS["flow-multimodal"].experiment
    with pytest.raises(ConfigError, match=r"which is infinite at the first level of schedule"):
        straight.with_settings({"sampling.sampler": "diffusers:LMS"})
    with pytest.raises(ConfigError, match=r"did you mean diffusers:UniPC"):
        straight.with_settings({"sampling.sampler": "diffusers:UniPCMultistep"})
    curved = straight.with_settings(
        {"schedule.kind": "cosine", "sampling.sampler": "diffusers:LMS"}
    )
    assert curved.with_settings({"schedule.kind": "flow"}).sampling.sampler == "heun"
    with pytest.raises(
        ConfigError, match=r"diffusers:LMS works on sigma/alpha.*; allowed: a sched"
    ):
        denoise(curved, IDEAL, points=5, schedule=flow(4))
    noisy_end = Schedule(torch.ones(4).double(), torch.tensor([3, 2, 1, 0.5]).double())
    with pytest.raises(ConfigError, match=r"ends at clean data; allowed: a schedule whose last"):
        denoise(curved, IDEAL, points=5, schedule=noisy_end)


def test_without_the_library_one_line_says_how_to_get_it(monkeypatch):
    saved = experiment("diffusers:UniPC")
    for package, names in (("torchsde", ["diffusers:DPMSolverSDE"]), ("diffusers", NAMES)):
        monkeypatch.setitem(sys.modules, package, None)
        field_table.cache_clear()
        for name in names:
            line = f"sampling.sampler: {name} needs {package}; allowed: pip install "
            line += "'diffusion-tui[diffusers]', or euler, ddim, heun, "
            with pytest.raises(ConfigError) as refused:
                EDM.with_settings({"sampling.sampler": name})
            assert str(refused.value).startswith(line)
            assert name not in field_table()["sampling.sampler"].choices
    with pytest.raises(ConfigError, match="needs diffusers; allowed: pip install"):
        denoise(saved, IDEAL, points=5)
    other = saved.with_settings({"seed": 1})  # opened and changed, if not sampled
    assert nudge(other, "sampling.sampler", up=False).sampling.sampler == "langevin"
    assert nudge(other, "sampling.sampler", up=True) == other
    monkeypatch.undo()
    field_table.cache_clear()


def test_a_run_keeps_the_version_of_the_library(run_cli):
    """The command line trains, samples and evaluates with them, and prints nothing besides."""
    import diffusers

    few = ("--set", "training.steps=20", "--set", "sampling.points=50")
    chosen = ("--set", "sampling.sampler=diffusers:DEIS")
    report = run_cli.json("train", "edm-multimodal", *few, *chosen)
    assert run_cli.err == ""
    about = json.loads((Path(report["run"]) / "run.json").read_text())
    assert about["versions"]["diffusers"] == diffusers.__version__
    for command in ("sample", "evaluate"):
        again = run_cli.json(command, "latest", "--sampler", "diffusers:KDPM2", "--levels", "5")
        assert again["sampler"] == "diffusers:KDPM2" and run_cli.err == ""
    assert run_cli("sample", "latest", "--sampler", "diffusers:KDPM") == 2
    assert "did you mean diffusers:KDPM2" in run_cli.err
