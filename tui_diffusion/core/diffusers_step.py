"""One reverse step by a scheduler of diffusers: the real class, stepped level by level.

A scheduler knows its own form of x = α x_0 + σ ε only. The change of variables y = x/r is exact:

    form    r            y = a x_0 + s ε          classes
    vp      √(α² + σ²)   a² + s² = 1              those on alphas_cumprod
    ve      α            a = 1, s = σ/α           those of k-diffusion and EDM
    flow    α + σ        a = 1 − t, s = t         those of flow matching

The levels of a scheduler are those of the run: it is built as if trained on just these, and takes
all of them. Its other settings are the class's defaults, except that nothing is clipped and that
the last level is clean wherever the class has a setting for it. PNDM skips its Runge-Kutta steps.

A scheduler has memory. It is carried from step to step in a `SchedulerStep`, and copied before
use, so that a step is a pure function of its arguments. Without a previous step, it starts afresh
at its level. A class that evaluates the denoiser twice does so within one level. Noise is z: the
class draws from a function that returns it.
"""

from __future__ import annotations

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import unwrap
from types import FunctionType
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from .config.errors import ConfigError
from .methods import Denoiser, Prediction
from .parts.diffusers import PREFIX
from .parts.samplers import SAMPLER_PARTS
from .samplers import Step
from .schedules import Level
from .text import shortened

_SIGMA_DATA = 0.5
"""The default sigma_data of EDM's classes; their result does not depend on it."""
_MOST = 1e6
"""The largest σ/α that a class on x/α can start from."""
_LEAST_ALPHA_BAR = 1e-30
"""Least alpha_bar for the others: σ/α and its square stay finite in their float32."""

_LinAlgError: type[RuntimeError] = torch.linalg.LinAlgError  # type: ignore[attr-defined]

Output = Callable[[Prediction, Tensor, float, float], Tensor]
"""A model output in a class's parametrisation, from the estimates for y = a x_0 + s ε."""


def _x0(prediction: Prediction, y: Tensor, a: float, s: float) -> Tensor:
    return prediction.x0_hat


def _eps(prediction: Prediction, y: Tensor, a: float, s: float) -> Tensor:
    return prediction.eps_hat


def _v(prediction: Prediction, y: Tensor, a: float, s: float) -> Tensor:
    return a * prediction.eps_hat - s * prediction.x0_hat


def _velocity(prediction: Prediction, y: Tensor, a: float, s: float) -> Tensor:
    return prediction.eps_hat - prediction.x0_hat


def _edm(prediction: Prediction, y: Tensor, a: float, s: float) -> Tensor:
    """Return F with x0_hat = c_skip y + c_out F: Karras et al. 2022, table 1."""
    square = s**2 + _SIGMA_DATA**2
    return (prediction.x0_hat - _SIGMA_DATA**2 / square * y) * math.sqrt(square) / (s * _SIGMA_DATA)


@dataclass(frozen=True)
class _Class:
    """The way to drive a class.

    ``settings`` are those of its constructor, ``output`` the parametrisation that they name.
    ``second`` is the level of a second evaluation: the next one, one "between" whose σ the function
    ``middle`` reads from the scheduler, or "once": the next one, at the first level only. A
    ``noisy`` class draws noise with its default settings.
    """

    form: Literal["vp", "ve", "flow"]
    output: Output
    settings: Mapping[str, Any] = field(default_factory=dict)
    second: Literal["", "next", "between", "once"] = ""
    middle: Callable[[Any], Tensor] | None = None
    noisy: bool = False


_SAMPLE = {"prediction_type": "sample"}
_PLAIN = {**_SAMPLE, "clip_sample": False}
_TRAILING = {"timestep_spacing": "trailing"}


def _inner(scheduler: Any) -> Tensor:
    return scheduler.sigmas_interpol[scheduler.step_index]  # type: ignore[no-any-return]


def _ve(**about: Any) -> _Class:
    """Return a class of k-diffusion's family, which predicts the noise."""
    return _Class("ve", _eps, _TRAILING, **about)


_CLASSES: dict[str, _Class] = {
    "DDPM": _Class("vp", _x0, {**_PLAIN, **_TRAILING}, noisy=True),
    "DDIM": _Class("vp", _x0, {**_PLAIN, **_TRAILING}),
    "DDIMParallel": _Class("vp", _x0, {**_PLAIN, **_TRAILING}),
    "DPMSolverMultistep": _Class("vp", _x0, {**_SAMPLE, **_TRAILING}),
    # It turns lower_order_final on itself where the last level is clean, but not for one level.
    "DPMSolverSinglestep": _Class("vp", _x0, {**_SAMPLE, "lower_order_final": True}),
    "UniPC": _Class("vp", _x0, {**_SAMPLE, **_TRAILING}),
    "DEIS": _Class("vp", _eps, _TRAILING),
    "PNDM": _Class(
        "vp",
        _eps,
        {"skip_prk_steps": True, "set_alpha_to_one": True, **_TRAILING},
        second="once",
    ),
    "IPNDM": _Class("vp", _v),
    "EulerDiscrete": _ve(),
    "EulerAncestralDiscrete": _ve(noisy=True),
    "HeunDiscrete": _ve(second="next"),
    "KDPM2": _ve(second="between", middle=_inner),
    "KDPM2Ancestral": _ve(
        second="between",
        middle=lambda scheduler: scheduler.sigmas_interpol[scheduler.step_index - 1],
        noisy=True,
    ),
    "LMS": _ve(),
    "DPMSolverSDE": _ve(
        second="between",
        middle=lambda scheduler: scheduler.mid_point_sigma,
        noisy=True,
    ),
    "EDMEuler": _Class("ve", _edm, {"sigma_data": _SIGMA_DATA}),
    "EDMDPMSolverMultistep": _Class("ve", _edm, {"sigma_data": _SIGMA_DATA}),
    "FlowMatchEuler": _Class("flow", _velocity),
    "FlowMatchHeun": _Class("flow", _velocity, second="next"),
}
"""By name in a configuration."""

_FULL_NAMES = {
    "UniPC": "UniPCMultistep",
    "DEIS": "DEISMultistep",
    "KDPM2": "KDPM2Discrete",
    "KDPM2Ancestral": "KDPM2AncestralDiscrete",
    "LMS": "LMSDiscrete",
    "FlowMatchEuler": "FlowMatchEulerDiscrete",
    "FlowMatchHeun": "FlowMatchHeunDiscrete",
}
"""The names of the classes that are longer, without the "Scheduler" of all."""


@cache
def scheduler_class(name: str) -> type[Any]:
    """Import the class of a scheduler; nothing is printed on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import diffusers

        kind: type[Any] = getattr(diffusers, f"{_FULL_NAMES.get(name, name)}Scheduler")
    # Both write to standard error, where the lab draws.
    logging.getLogger("diffusers.schedulers").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"diffusers\.schedulers")
    return kind


@contextmanager
def _calling(name: str) -> Iterator[None]:
    """Turn an error of the class, such as a division by 0, into one line."""
    try:
        with np.errstate(all="ignore"):
            yield
    except ConfigError:
        raise
    except (ArithmeticError, IndexError, TypeError, ValueError, _LinAlgError) as error:
        raise ConfigError(
            f"sampling.sampler: diffusers:{name} cannot take these levels "
            f"({type(error).__name__}: {shortened(' '.join(str(error).split()), 80)}); allowed: "
            "levels further apart and further from 0, or another sampler",
            "sampling.sampler",
        ) from error


# --- a scheduler for these levels ------------------------------------------------------------


def _scale(form: str, level: Level) -> tuple[float, float, float]:
    """Return r, and a and s of y = x/r = a x_0 + s ε, at a level."""
    alpha, sigma = float(level.alpha), float(level.sigma)
    r = {"vp": math.hypot(alpha, sigma), "ve": alpha, "flow": alpha + sigma}[form]
    return r, alpha / r, sigma / r


def _levels_from(level: Level) -> Iterator[Level]:
    """Yield a level and all that follow it, without the clean one."""
    here: Level | None = level
    while here is not None:
        yield here
        here = here.following


def _built(name: str, level: Level, posterior: bool) -> Any:
    """Return a scheduler that begins at a level and takes all that follow.

    One without memory takes two, the least from which every class finds its next level: it is built
    anew in every step.
    """
    about, kind, part = _CLASSES[name], scheduler_class(name), SAMPLER_PARTS[PREFIX + name]
    levels = list(_levels_from(level))
    signal = float(level.alpha) * _MOST >= float(level.sigma)
    if part.needs_signal and not signal:
        raise ConfigError(
            f"sampling.sampler: diffusers:{name} works on sigma/alpha, which is infinite at a "
            "level without signal (alpha = 0); allowed: a schedule whose first level has some, or "
            "another sampler",
            "sampling.sampler",
        )
    if float(levels[-1].sigma_next):
        raise ConfigError(
            f"sampling.sampler: diffusers:{name} ends at clean data; allowed: a schedule whose "
            "last sigma is 0, or another sampler",
            "sampling.sampler",
        )
    if not part.looks_back:
        del levels[2:]
    count = len(levels)
    scales = torch.tensor([_scale(about.form, each) for each in levels], dtype=torch.float64)
    _, a, s = scales.unbind(1)
    settings = dict(about.settings)
    if name == "DDPM":
        settings["variance_type"] = "fixed_small" if posterior else "fixed_large"
    if about.form == "flow":
        scheduler = kind(**settings)
        scheduler.set_timesteps(count)
        _set_sigmas(scheduler, s, twice=bool(about.second))
        scheduler.timesteps = scheduler.config.num_train_timesteps * scheduler.sigmas[:-1]
    elif name.startswith("EDM"):
        scheduler = kind(sigma_min=float(s[-1]), sigma_max=float(s[0]), **settings)
        scheduler.set_timesteps(count)
        _set_sigmas(scheduler, s)
        scheduler.timesteps = scheduler.precondition_noise(s.float())
    elif name == "IPNDM":
        scheduler = kind(num_train_timesteps=count)
        end = torch.tensor([0.0, 1.0], dtype=torch.float64)
        scheduler.betas, scheduler.alphas = torch.cat([s, end[:1]]), torch.cat([a, end[1:]])
        scheduler.timesteps = torch.atan2(s, a) / math.pi * 2
    else:
        scheduler = kind(num_train_timesteps=count, **settings)
        # Its own are in float32, too coarse for 1 − alpha_bar at the last levels.
        square = (a / torch.hypot(a, s)).square().clamp_min(_LEAST_ALPHA_BAR).flip(0)
        scheduler.alphas_cumprod = square
        scheduler.alphas = square / torch.cat([torch.ones(1, dtype=torch.float64), square[:-1]])
        scheduler.betas = 1 - scheduler.alphas
        if name == "DPMSolverSinglestep":
            scheduler.set_timesteps(timesteps=list(range(count))[::-1])
        else:
            scheduler.set_timesteps(count)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    return scheduler


def _set_sigmas(scheduler: Any, sigmas: Tensor, *, twice: bool = False) -> None:
    """Give a scheduler these levels and the clean one; ``twice`` as a class with two stages does.

    They stay in float64: a number of no dimension does not change the type of the points.
    """
    rest = sigmas[1:].repeat_interleave(2) if twice else sigmas[1:]
    scheduler.sigmas = torch.cat([sigmas[:1], rest, sigmas.new_zeros(1)])


# --- the memory of a scheduler ---------------------------------------------------------------


@dataclass(frozen=True, repr=False, kw_only=True)
class SchedulerStep(Step):
    """A step with the scheduler that took it, after ``calls`` calls, and the level it expects."""

    scheduler: Any
    calls: int
    following: Level | None

    def part(self, points: slice) -> Self:
        scheduler = _copied(self.scheduler, lambda values: values[points])
        return replace(super().part(points), scheduler=scheduler)

    def _joined(self, steps: Sequence[Step]) -> Self:
        batches = [_points_of(step.scheduler) for step in steps if isinstance(step, SchedulerStep)]
        scheduler = _copied(self.scheduler, lambda _: torch.cat([next(batch) for batch in batches]))
        return replace(super()._joined(steps), scheduler=scheduler)


def _is_points(value: object) -> bool:
    """Return whether a value has a row a point; levels have one dimension or none."""
    return isinstance(value, Tensor) and value.ndim == 2


def _points_of(scheduler: Any) -> Iterator[Tensor]:
    """Yield the values of the points that a scheduler remembers, in the order of `_copied`."""
    for value in vars(scheduler).values():
        yield from filter(_is_points, value if isinstance(value, list) else [value])


def _copied(scheduler: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Copy a scheduler, with a change to all that it remembers of the points."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(each) for each in value]
        return change(value) if _is_points(value) else value

    other = copy.copy(scheduler)
    vars(other).update({name: changed(value) for name, value in vars(scheduler).items()})
    return other


# --- noise -----------------------------------------------------------------------------------


def _drawing(kind: type[Any], z: Tensor) -> Callable[..., Any]:
    """Return the class's ``step``, for which every draw of noise gives z.

    It is the same code over a copy of its module's names, so that diffusers stays as it is.
    """
    step: Any = unwrap(kind.step)
    names = {**step.__globals__, "randn_tensor": lambda *_, **__: z}
    own = FunctionType(step.__code__, names, step.__name__, step.__defaults__, step.__closure__)
    own.__kwdefaults__ = step.__kwdefaults__
    return own


def _brownian(scheduler: Any, z: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the noise of DPMSolverSDE: increments of one path over σ, of unit variance.

    Over the whole level the increment is z; over its first part, that of a Brownian bridge to z.
    """
    at = scheduler.step_index - (0 if scheduler.state_in_first_order else 1)
    sigma, sigma_next = (float(scheduler.sigmas[at + k]) for k in (0, 1))
    apart = _independent(z)

    def noise(first: Tensor, last: Tensor) -> Tensor:
        share = min(1.0, (float(first) - float(last)) / (sigma - sigma_next))
        whole = abs(float(last) - sigma_next) <= 1e-6 * sigma
        return z if whole else share**0.5 * z + (1 - share) ** 0.5 * apart

    return noise


def _independent(z: Tensor) -> Tensor:
    """Return normal noise that is a function of z, number by number, and yet independent of it.

    The bits of z are scrambled (Steele, Lea and Flood 2014, with the constants of MurmurHash3). The
    noise of 0 is 0, so that a quiet step stays quiet.
    """
    bits = z.float().view(torch.int32).long() & 0xFFFFFFFF
    for factor, shift in ((0x85EBCA6B, 13), (0xC2B2AE35, 16)):
        bits = ((bits ^ (bits >> 16)) * factor) & 0xFFFFFFFF
        bits ^= bits >> shift
    uniform = (bits.double() + 0.5) / 2**32
    return torch.where(z == 0, 0, torch.special.ndtri(uniform).to(z.dtype))


# --- the step --------------------------------------------------------------------------------


def scheduler_step(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    scheduler: str,
    eta: float = 0.0,
    posterior: bool = True,
) -> Step:
    """Take one level with a scheduler of diffusers, by its name without "Scheduler".

    In y = x/r, the form that the class works in, the estimates x0_hat and eps_hat become the model
    output that it expects, once or twice a level; its last ``prev_sample`` is x'/r'. The mean is
    what it returns for z = 0 in that last call. ``eta`` is DDIM's, ``posterior`` DDPM's variance.
    """
    about, kind = _CLASSES[scheduler], scheduler_class(scheduler)
    looks_back = SAMPLER_PARTS[PREFIX + scheduler].looks_back > 0
    known = isinstance(previous, SchedulerStep) and previous.following == level and looks_back
    if isinstance(previous, SchedulerStep) and known:
        here, calls = _copied(previous.scheduler, lambda values: values), previous.calls
    else:
        with _calling(scheduler):
            here, calls = _built(scheduler, level, posterior), 0
    twice = about.second and level.following and (about.second != "once" or not known)
    noisy = about.noisy or (eta > 0 and scheduler.startswith("DDIM"))
    options = {"eta": eta} if scheduler.startswith("DDIM") else {}

    def advance(here: Any, output: Tensor, y: Tensor, z: Tensor) -> Tensor:
        with _calling(scheduler):
            if hasattr(here, "scale_model_input"):
                here.scale_model_input(y, here.timesteps[calls])
            if hasattr(here, "noise_sampler"):
                here.noise_sampler = _brownian(here, z)
            taken = _drawing(kind, z)(here, output, here.timesteps[calls], y, **options)
        moved: Tensor = taken.prev_sample.to(x.dtype)
        return moved

    r, a, s = _scale(about.form, level)
    y = x / r
    first = prediction = denoiser(x, level)
    if twice:
        y = advance(here, about.output(prediction, y, a, s), y, z)
        calls += 1
        at = level.following
        if about.middle is not None:
            with _calling(scheduler):
                at = Level(1.0, float(about.middle(here)), 1.0, float(level.sigma_next))
        assert at is not None
        r, a, s = _scale(about.form, at)
        prediction = denoiser(y * r, at)
    output = about.output(prediction, y, a, s)
    r_next = _scale(about.form, Level(level.alpha_next, level.sigma_next, 1.0, 0.0))[0]
    mean = advance(_copied(here, lambda values: values), output, y, 0 * z) * r_next if noisy else x
    x_next = advance(here, output, y, z) * r_next
    mean = mean if noisy else x_next
    return SchedulerStep(
        x,
        first.eps_hat,
        first.x0_hat,
        mean,
        x_next - mean,
        x_next,
        float(level.alpha),
        float(level.sigma),
        scheduler=here,
        calls=calls + 1,
        following=level.following,
    )
