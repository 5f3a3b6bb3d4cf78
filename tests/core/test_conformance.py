"""Conformance checks: every built-in part passes, and a broken one fails where it is broken."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tui_diffusion.core import (
    ConfigError,
    Conformance,
    GaussianMixture,
    Schedule,
    Verdict,
    check_dataset,
    check_method,
    check_network,
    check_part,
    check_sampler,
    check_schedule,
    samplers,
)
from tui_diffusion.core.conformance.check import conformance_of, judged
from tui_diffusion.core.conformance.kinds import KINDS, names_of
from tui_diffusion.core.methods import DDPM, EDM, Flow, Prediction
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.schedules import cosine, karras
from tui_diffusion.parts import load_parts

from ..changed import changed
from ..part_files import restored, written

FEW = {"levels": 30, "points": 100}
QUICK = {"levels": 100, "points": 400}
ENOUGH = {"levels": 256, "points": 400}
OWN_FIRST = "order, own first steps, moons"


def failures(report: Conformance) -> set[str]:
    return {check.name for check in report.failures}


def measured(report: Conformance, name: str) -> float | str | None:
    return next(check.measured for check in report.checks if check.name == name)


# --- parts of this program -----------------------------------------------------------------------


def test_a_sampler_of_each_kind_passes_and_shows_its_order() -> None:
    for name, size in (("lms", ENOUGH), ("predictor-corrector", QUICK)):
        part, report = SAMPLER_PARTS[name], check_sampler(name, **size)
        assert report.passed, str(report)
        order = measured(report, "order, moons")
        assert part.order is None or order == pytest.approx(part.order, abs=0.25), str(report)
        assert (OWN_FIRST in {check.name for check in report.checks}) == (part.looks_back > 0)
    # What the post's sampler gets wrong by nature is measured, and not held against it.
    naive = check_sampler("naive", **QUICK)
    biased = {check.name: check for check in naive.checks if check.name.endswith(", naive")}
    assert {check.verdict for check in biased.values()} == {Verdict.NOT_APPLICABLE}
    assert biased["std ratio, naive"].measured < 0.8
    assert "declared" in biased["energy, naive"].note


def test_too_few_levels_are_no_bias() -> None:
    slow = partial(samplers.langevin, step_size=0.1)
    checks = check_sampler(slow, levels=400, points=200).checks
    mode = next(check for check in checks if check.name == "std ratio in a mode")
    assert mode.verdict == Verdict.PASSED
    assert "after 1,600 levels" in mode.note and "after 400" in mode.note


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_part_passes_its_whole_check(kind: str) -> None:
    for name in names_of(kind):
        if not name.endswith("PATH") and not name.startswith("diffusers:"):
            report = check_part(kind, name)
            assert report.passed, str(report)
            assert (report.kind, report.name) == (kind, name)


SCHEDULERS = [name for name, part in SAMPLER_PARTS.items() if part.scheduler]
KNOWN = {
    "IPNDM": {"order, four-gaussians", "order, moons"},  # its weights are for steps of equal size
    "KDPM2Ancestral": {"stability, 2 levels"},  # nan: a variance below 0 in float32
}
"""What is wrong with schedulers of diffusers."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_schedulers_of_diffusers_fail_only_where_known(name: str) -> None:
    pytest.importorskip("diffusers")
    for package in SAMPLER_PARTS[name].needs:
        pytest.importorskip(package)
    report = check_sampler(name)
    assert failures(report) == KNOWN.get(name.removeprefix("diffusers:"), set()), str(report)


def test_every_schedule_and_method_and_some_data_pass() -> None:
    for name in names_of("schedule"):
        assert check_schedule(name).passed, name
    for name in names_of("method"):
        report = check_method(name, points=1000)
        assert report.passed, str(report)
    for name in ("gaussian-1d", "heavy-light", "ring", "moons"):
        report = check_dataset(name, points=4000)
        assert report.passed, str(report)


def test_a_file_of_points_is_a_data_set(tmp_path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("x,y\n0,0\n1,2\n3,1\n")
    report = check_dataset(f"file:{file}", points=2000)
    assert report.passed, str(report)
    assert report.name == f"file:{file}"


# --- samplers ------------------------------------------------------------------------------------


def slanted(x, level, denoiser, z, previous=None):
    """Take Heun's step with weights 0.6 and 0.4 in place of a half each."""
    first = samplers.euler(x, level, denoiser, z)
    if level.following is None:
        return first
    ahead = denoiser(first.x_next, level.following)
    x0_hat = 0.6 * first.x0_hat + 0.4 * ahead.x0_hat
    eps_hat = 0.6 * first.eps_hat + 0.4 * ahead.eps_hat
    end = x + (level.alpha_next - level.alpha) * x0_hat + (level.sigma_next - level.sigma) * eps_hat
    return replace(first, mean=end, x_next=end)


def overshooting(x, level, denoiser, z, previous=None):
    """Extrapolate x0_hat by a whole step, where dpmpp_2m takes half of one."""
    half = samplers.dpmpp_2m(x, level, denoiser, z, previous)
    end = 2 * half.mean - samplers.dpmpp_2m(x, level, denoiser, z).mean
    return replace(half, mean=end, x_next=end)


def late(x, level, denoiser, z, previous=None):
    """Do not move in the first step."""
    step = samplers.dpmpp_2m(x, level, denoiser, z, previous)
    end = step.mean if previous else x * level.alpha_next / level.alpha
    return replace(step, mean=end, x_next=end)


def own_noise(x, level, denoiser, z, previous=None):
    step = samplers.euler(x, level, denoiser, z)
    noise = 1e-3 * torch.randn_like(x)
    return replace(step, noise=noise, x_next=step.mean + noise)


def in_place(x, level, denoiser, z, previous=None):
    step = samplers.euler(x, level, denoiser, z)
    x.copy_(step.x_next)
    return step


def centred(x, level, denoiser, z, previous=None):
    """Take an Euler step, and keep the mean of the batch where it is."""
    step = samplers.euler(x, level, denoiser, z)
    end = step.x_next - 0.5 * step.x_next.mean(0)
    return replace(step, mean=end, x_next=end)


def wide(x, level, denoiser, z, previous=None):
    """Draw twice the noise of a DDPM step."""
    step = samplers.ddpm(x, level, denoiser, z)
    return replace(step, noise=2 * step.noise, x_next=step.mean + 2 * step.noise)


def divides(x, level, denoiser, z, previous=None):
    """Need the level after the next one."""
    ahead = level.following.sigma_next if level.index == 0 else 1.0
    assert ahead >= 0
    return samplers.euler(x, level, denoiser, z)


def exploding(x, level, denoiser, z, previous=None):
    step = samplers.euler(x, level, denoiser, z)
    return replace(step, mean=1.3 * step.x_next, x_next=1.3 * step.x_next)


def flat(x, level, denoiser, z, previous=None):
    step = samplers.euler(x, level, denoiser, z)
    return replace(step, x0_hat=step.x0_hat[0])


def never_last(x, level, denoiser, z, previous=None):
    """Return nothing but nan from the last level."""
    step = samplers.euler(x, level, denoiser, z)
    end = step.x_next if level.sigma_next else step.x_next / (0 * step.x_next)
    return replace(step, mean=end, x_next=end)


@pytest.mark.slow
def test_a_broken_sampler_fails_where_it_is_broken() -> None:
    euler = {"order": 1, "evaluations": 1}
    orders = {"order, four-gaussians", "order, moons"}
    slant = check_sampler(slanted, order=2, evaluations=2, **QUICK)
    assert failures(slant) == orders
    assert measured(slant, "order, moons") < 1.3
    two = {"order": 2, "evaluations": 1}
    assert failures(check_sampler(overshooting, **two, **FEW)) >= {*orders, OWN_FIRST}
    assert failures(check_sampler(late, **two, **QUICK)) == {OWN_FIRST}
    assert failures(check_sampler(own_noise, **euler, **FEW)) >= {"same z, same points"}
    assert failures(check_sampler(in_place, **euler, **FEW)) >= {"arguments unchanged"}
    assert failures(check_sampler(centred, **euler, **FEW)) >= {"a point alone"}
    assert failures(check_sampler(samplers.heun, order=2, evaluations=1, **QUICK)) == {
        "evaluations a step"
    }
    assert failures(check_sampler(samplers.euler, order=2, evaluations=1, **QUICK)) == orders
    assert failures(check_sampler(samplers.heun, order=1, evaluations=2, **QUICK)) == orders
    biased = failures(check_sampler(wide, evaluations=1, **QUICK))
    assert "std ratio in a mode" in biased and not biased & orders
    assert failures(check_sampler(divides, **euler, **QUICK)) == {"stability, 1 level"}
    assert "stability, 30 levels" in failures(check_sampler(exploding, **euler, **FEW))
    assert "step" in failures(check_sampler(flat, **euler, **FEW))
    nan = failures(check_sampler(never_last, **euler, **FEW))
    assert nan >= {f"stability, {n} level{'s' * (n > 1)}" for n in (1, 2, 30)}


def test_a_sampler_of_which_nothing_is_declared_is_measured() -> None:
    report = check_sampler(samplers.dpmpp_2m, **QUICK)
    assert report.passed and report.name == "dpmpp_2m"
    rows = {check.name: check for check in report.checks}
    assert rows["order, moons"].verdict == Verdict.NOT_APPLICABLE
    assert rows["order, moons"].measured == pytest.approx(2, abs=0.3)
    assert rows["evaluations a step"].measured == "1"


# --- schedules -----------------------------------------------------------------------------------


def test_a_broken_schedule_fails_where_it_is_broken() -> None:
    good = karras(10, 0.01, 5, 7)
    assert check_schedule(good).passed
    sigmas = good.sigmas.clone()
    sigmas[[3, 4]] = sigmas[[4, 3]]
    assert failures(check_schedule(Schedule(good.alphas, sigmas))) == {"sigma/alpha falls"}
    noisy = Schedule(good.alphas[:-1], good.sigmas[:-1])
    assert failures(check_schedule(noisy)) == {"sigma at the end"}
    faded = Schedule(0.9 * good.alphas, good.sigmas)
    assert failures(check_schedule(faded)) == {"alpha at the end"}
    assert failures(check_schedule(karras(10, 0.01, 0.5, 7))) == {"signal at the start"}
    endless = Schedule(good.alphas, torch.cat([torch.full((1,), math.inf).double(), sigmas[1:]]))
    assert "levels" in failures(check_schedule(endless))


# --- data sets -----------------------------------------------------------------------------------


class WrongScore(GaussianMixture):
    def score(self, x, alpha=1.0, sigma=0.0):
        return 1.01 * super().score(x, alpha, sigma)


class WrongSample(GaussianMixture):
    def sample(self, n, generator=None, *, balanced=False, dtype=torch.float32):
        points = super().sample(n, generator, balanced=balanced, dtype=dtype)
        return points + 0.2 * (points[:, :1] > 0)


class WrongDensity(GaussianMixture):
    def log_prob(self, x, alpha=1.0, sigma=0.0):
        return super().log_prob(x, alpha, sigma) + 0.1


def test_a_broken_data_set_fails_where_it_is_broken() -> None:
    modes, quick = ([[-1.0, 0.0], [1.0, 0.5]], 0.1), {"points": 4000}
    assert check_dataset(GaussianMixture(*modes), **quick).passed
    assert failures(check_dataset(WrongScore(*modes), **quick)) == {"score against autograd"}
    wrong = failures(check_dataset(WrongSample(*modes), **quick))
    assert wrong >= {"chi² of samples a cell", "mean of samples", "energy of samples"}
    assert "mass of the density" in failures(check_dataset(WrongDensity(*modes), **quick))
    negative = GaussianMixture(modes[0], 0.1, [1.5, -0.5])
    assert "sum of weights" in failures(check_dataset(negative, **quick))
    assert "least std" in failures(check_dataset(GaussianMixture(modes[0], 0.0), **quick))


# --- methods -------------------------------------------------------------------------------------


class Inconsistent(DDPM):
    """Forget alpha in x0_hat."""

    def to_prediction(self, output, x, level):
        return Prediction(output, output, x - level.sigma * output)


class Nonlinear(DDPM):
    def target(self, x0, eps, level):
        return eps.abs()


class Flipped(Flow):
    """Learn the velocity from noise to data, but read it the other way."""

    def target(self, x0, eps, level):
        return x0 - eps


class HalfNan(EDM):
    def network_input(self, x, level):
        return super().network_input(x, level) / (level.sigma > 0.5)


def test_a_broken_method_fails_where_it_is_broken() -> None:
    vp = {"schedule": None, "points": 1000}
    assert check_method(DDPM(), **vp).passed
    # With alpha = 1 the error does not show.
    assert check_method(Inconsistent(), **vp).passed
    vp["schedule"] = cosine(20)
    wrong = failures(check_method(Inconsistent(), **vp))
    assert wrong == {"x0_hat with eps_hat", "x0_hat of the ideal output"}
    assert failures(check_method(Nonlinear(), **vp)) >= {
        "target is linear",
        "loss of the ideal output",
    }
    assert failures(check_method(Flipped(), **vp)) == {"x0_hat of the ideal output"}
    assert "values, far off too" in failures(check_method(HalfNan(), **vp))


# --- networks ------------------------------------------------------------------------------------


class Own(nn.Module):
    """A layer of 16 units."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 16), nn.Linear(16, 2)
        self.unused = nn.Linear(3, 2)

    def hidden(self, x: Tensor, c: Tensor) -> Tensor:
        return self.first(torch.cat([x, c], 1)).tanh()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.last(self.hidden(x, c)) + self.unused(torch.cat([x, c], 1))


class Dead(Own):
    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.last(self.hidden(x, c))


class NanGradient(Own):
    """The slope of the root is infinite at 0."""

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return super().forward(x, c) + 0 * (0 * self.hidden(x, c)[:, :2]).abs().sqrt()


class Mixes(Own):
    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return super().forward(x - x.mean(0), c)


class Draws(Own):
    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return super().forward(x, c) + 1e-3 * torch.randn_like(x)


class Overflows(Own):
    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return super().forward(x, c) * (x / 10).square().sum(1, keepdim=True).exp()


class Constant(Own):
    """Let no gradient through."""

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return super().forward(x, c) * 0


def test_a_broken_network_fails_where_it_is_broken() -> None:
    torch.manual_seed(0)
    of = changed("edm-multimodal", schedule__levels=5, training__batch=32, device="cpu")
    quick = {"experiment": of, "steps": 60}
    assert check_network("mlp", **quick).passed
    own = Own()
    before = [weight.clone() for weight in own.parameters()]
    report = check_network(own, **quick)
    assert report.passed and report.name == "Own", str(report)
    assert all(map(torch.equal, before, own.parameters()))  # a copy was trained
    assert failures(check_network(Dead(), **quick)) == {"weights with a gradient"}
    assert "unused" in check_network(Dead(), **quick).failures[0].note
    assert "gradients" in failures(check_network(NanGradient(), **quick))
    assert failures(check_network(Mixes(), **quick)) >= {"a point alone"}
    assert "same input, same output" in failures(check_network(Draws(), **quick))
    assert "values far off" in failures(check_network(Overflows(), **quick))
    assert failures(check_network(Constant(), **quick)) >= {
        "weights with a gradient",
        "excess after 60 steps",
    }
    built = check_network(nn.Linear(2, 2), **quick)
    assert failures(built) == {"shapes"} and "x, c" in built.failures[0].note


# --- the report ----------------------------------------------------------------------------------


def test_what_is_no_part_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"did you mean heun\? allowed: naive, euler"):
        check_sampler("huen")
    with pytest.raises(ConfigError, match="did you mean sampler"):
        check_part("samplers", "heun")
    with pytest.raises(ConfigError, match="allowed: mlp"):
        check_network("cnn")
    with pytest.raises(ConfigError, match="no such file"):
        check_dataset("file:nowhere.csv")
    for check, wrong in ((check_network, 3), (check_method, 3)):
        with pytest.raises(TypeError, match="must be a name"):
            check(wrong)


def test_a_report_is_short_and_holds_what_raised() -> None:
    def raises():
        raise ZeroDivisionError("division\nby zero")

    done = []
    rows = {"built": lambda: [judged("built", 1.0, "1", True)], "later": raises}
    report = conformance_of("sampler", "own", rows, lambda *at: done.append(at))
    assert done == [(1, 2), (2, 2)]
    assert failures(report) == {"later"} and not report.passed
    assert report.failures[0].note == "ZeroDivisionError: division by zero"
    assert repr(report) == "Conformance(kind='sampler', name='own', passed=False, checks=2)"
    assert str(report).splitlines()[0] == "sampler own: 1 failed"
    assert "<td" in report._repr_html_() and "later" in report._repr_html_()
    assert len(conformance_of("sampler", "own", {"a": raises, "b": raises}, None).checks) == 1


def test_a_step_that_is_none_is_a_failed_check() -> None:
    report = check_sampler(lambda x, level, denoiser, z, previous=None: None, **QUICK)
    assert failures(report) == {"step"} and "must be a Step" in report.failures[0].note


RAISING = """
    @sampler(order=1)
    def bad_sampler(x, level, denoiser):
        "Fail."
        raise RuntimeError("two\\nlines")

    @schedule(methods=["edm"])
    def bad_schedule(levels):
        "Fail."
        raise SystemExit(3)

    @dataset
    def bad_data():
        "Fail."
        return torch.full((4, 2), float("nan"))

    @network
    def bad_network(dim):
        "Fail."
        return 3

    @method(schedule="karras", sampler="heun", schedules=["karras"])
    class Bad:
        "Fail."

        def condition(self, level):
            return 0

        def target(self, x0, eps, level):
            raise LookupError("no target")

        def to_prediction(self, output, x, level):
            return None
"""


def test_a_part_of_a_file_that_raises_is_one_failed_check(tmp_path: Path) -> None:
    with restored():
        load_parts(written(tmp_path, RAISING))
        for kind, name, line in (
            ("sampler", "bad-sampler", "RuntimeError: two lines"),
            ("schedule", "bad-schedule", "it calls sys.exit(3)"),
            ("dataset", "bad-data", "it must return finite points"),
            ("network", "bad-network", "the result must be a torch.nn.Module"),
            ("method", "bad", "LookupError: no target"),
        ):
            (check,) = check_part(kind, name).checks
            assert check.verdict == Verdict.FAILED and line in check.note, str(check)
            assert "my_parts.py, line" in check.note and "\n" not in check.note
