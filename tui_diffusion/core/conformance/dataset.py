"""Conformance of a data set: its density, score and samples against each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from ..analysis.energy_distance import energy_distance
from ..assemble import make_mixture
from ..config.data_section import DataConfig
from ..config.presets import PRESETS
from ..mixtures import GaussianMixture
from ..progress import ProgressCallback
from ..randomness import generator
from .check import Check, Conformance, Rows, conformance_of, judged, relative_error
from .kinds import check_name

_SIGMAS = (0.03, 0.3, 3.0)
"""Noise levels, with α = 1, at which score and denoiser are compared with the density."""

_FAR = 1e4
_SAMPLE = 20_000
_CELLS = 12
"""Cells along each coordinate in which samples are counted."""

_A_STD = 3
"""Points of the grid of densities along a coordinate, in a std of the noise."""

_PAIRS = 2_000_000
"""Pairs of points and components that are differentiated at a time."""


def check_dataset(
    data: str | DataConfig | GaussianMixture,
    *,
    points: int = _SAMPLE,
    progress: ProgressCallback | None = None,
) -> Conformance:
    """Check a data set by name (or file:PATH), by its settings, or a mixture.

    The score is compared with the gradient of the density, ``points`` samples with the density and
    the moments. Raises `ConfigError` for an unknown name.
    """
    if isinstance(data, GaussianMixture):
        mixture = data
        measurements = _measurements(lambda: mixture, points)
        return conformance_of("dataset", type(data).__name__, measurements, progress)
    if isinstance(data, str):
        check_name("dataset", data)
        any_experiment = next(iter(PRESETS.values())).experiment
        # Settings give errors that name the field.
        named, data = data, any_experiment.with_settings({"data.name": data}).data
    else:
        named = data.name
    config = data
    return conformance_of(
        "dataset", named, _measurements(lambda: make_mixture(config), points), progress
    )


def _measurements(build: Callable[[], GaussianMixture], points: int) -> dict[str, Rows]:
    made = cache(build)
    sample = cache(lambda: made().sample(points, generator(0, "conformance"), dtype=torch.float64))
    return {
        "components": lambda: _components(made()),
        "score": lambda: _score(made(), sample()),
        "denoiser": lambda: _denoiser(made(), sample()),
        "far off": lambda: _far_off(made()),
        "mass": lambda: _mass(made(), sample()),
        "moments": lambda: _moments(made(), sample()),
        "energy of a sample": lambda: _energy(made(), sample()),
    }


def _components(mixture: GaussianMixture) -> Iterator[Check]:
    means, widths, weights = mixture.means, mixture.widths, mixture.weights
    yield judged("coordinates", f"{mixture.dim}", "1 or 2", mixture.dim in (1, 2))
    finite = bool(means.isfinite().all() and widths.isfinite().all() and weights.isfinite().all())
    measured = f"{mixture.modes:,}, {'finite' if finite else 'not finite'}"
    yield judged("components", measured, "finite", finite)
    least = mixture.narrowest
    yield judged("least std", least, "above 0", least > 0)
    total, low = float(weights.sum()), float(weights.min())
    right = abs(total - 1) <= 1e-9 and low >= 0
    yield judged("sum of weights", total, "1, none below 0", right)


def _noisy(mixture: GaussianMixture, sample: Tensor, sigma: float) -> Tensor:
    """Return noised samples, half of them moved out by some std, (n, d) in float64."""
    half = max(4, min(100, _PAIRS // (2 * mixture.modes)))
    x = sample[: 2 * half]
    noise = torch.randn(x.shape, generator=generator(1, "conformance"), dtype=x.dtype)
    width = math.hypot(mixture.widest, sigma)
    x = x + sigma * noise
    return torch.cat([x[:half], x[half:] + 2 * width * noise[half:]])


def _score(mixture: GaussianMixture, sample: Tensor) -> Iterator[Check]:
    worst = 0.0
    for sigma in (0.0, *_SIGMAS):
        x = _noisy(mixture, sample, sigma).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(mixture.log_prob(x, 1.0, sigma).sum(), x)
        score = mixture.score(x.detach(), 1.0, sigma)
        worst = max(worst, relative_error(score, gradient))
    yield judged("score against autograd", worst, "at most 1e-6 off", worst <= 1e-6)


def _denoiser(mixture: GaussianMixture, sample: Tensor) -> Iterator[Check]:
    """Compare the denoiser with Tweedie's formula (x + σ² ∇ log p)/α, by autograd."""
    worst = 0.0
    for sigma in _SIGMAS:
        x = _noisy(mixture, sample, sigma).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(mixture.log_prob(x, 1.0, sigma).sum(), x)
        by_density = x.detach() + sigma**2 * gradient
        worst = max(worst, relative_error(mixture.denoise(x.detach(), 1.0, sigma), by_density))
    yield judged("E[x0|x] by the density", worst, "at most 1e-6 off", worst <= 1e-6)


def _far_off(mixture: GaussianMixture) -> Iterator[Check]:
    x = torch.full((2, mixture.dim), _FAR) * torch.tensor([[1.0], [-1.0]])
    wrong = []
    for sigma in (0.0, 1.0):
        values = {
            "log_prob": mixture.log_prob(x, 1.0, sigma),
            "score": mixture.score(x, 1.0, sigma),
        }
        values["denoise"] = mixture.denoise(x, 1.0, sigma)
        wrong += [name for name, value in values.items() if not bool(value.isfinite().all())]
    note = f"not {', '.join(dict.fromkeys(wrong))}" if wrong else ""
    measured = "not finite" if wrong else "finite"
    yield judged(f"far off, x = {_FAR:,.0f}", measured, "finite", not wrong, note)


def _mass(mixture: GaussianMixture, sample: Tensor) -> Iterator[Check]:
    """Integrate the density on a grid, and count noised samples in its cells."""
    spread = max(float(sample.std(0).max()), 1e-12)
    sigma = 0.2 * spread
    noise = torch.randn(sample.shape, generator=generator(2, "conformance"), dtype=sample.dtype)
    x = sample + sigma * noise
    low, high = x.min(0).values - 3 * sigma, x.max(0).values + 3 * sigma
    fine = math.ceil(_A_STD * float((high - low).max()) / sigma / _CELLS)
    count = _CELLS * fine
    axes = [
        low[i] + (torch.arange(count, dtype=x.dtype) + 0.5) * (high[i] - low[i]) / count
        for i in range(mixture.dim)
    ]
    grid = torch.cartesian_prod(*axes).reshape(-1, mixture.dim)
    cell = float(((high - low) / count).prod())
    density = (mixture.log_prob(grid, 1.0, sigma).exp() * cell).reshape([count] * mixture.dim)
    mass = float(density.sum())
    yield judged("mass of the density", mass, "1 ± 0.001", abs(mass - 1) <= 1e-3)
    shares = density.reshape([_CELLS, fine] * mixture.dim).sum(tuple(range(1, 2 * mixture.dim, 2)))
    index = ((x - low) / (high - low) * _CELLS).long().clamp(0, _CELLS - 1)
    flat = index[:, 0] if mixture.dim == 1 else index[:, 0] * _CELLS + index[:, 1]
    counts = torch.bincount(flat, minlength=_CELLS**mixture.dim).double()
    expected = shares.flatten() * len(x)
    # Cells in which few points are expected count together.
    few = expected < 10
    pooled = torch.cat([expected[~few], expected[few].sum()[None]]).clamp_min(1e-9)
    found = torch.cat([counts[~few], counts[few].sum()[None]])
    square = float(((found - pooled).square() / pooled).sum())
    freedom = max(len(pooled) - 1, 1)
    limit = 1 + 4 * math.sqrt(2 / freedom)
    name, shown = "chi² of samples a cell", f"1, up to {limit:.3g}"
    yield judged(name, square / freedom, shown, square / freedom <= limit)


def _moments(mixture: GaussianMixture, sample: Tensor) -> Iterator[Check]:
    mean, std = mixture.mean(), mixture.std()
    centred = (sample - mean) / std
    off = centred.mean(0).abs() * math.sqrt(len(sample))
    yield judged("mean of samples", float(off.max()), "up to 4 std errors", float(off.max()) <= 4)
    squares = centred.square()
    error = squares.std(0) / math.sqrt(len(sample))
    off = (squares.mean(0) - 1).abs() / error.clamp_min(1e-12)
    yield judged("std of samples", float(off.max()), "up to 4 std errors", float(off.max()) <= 4)


def _energy(mixture: GaussianMixture, sample: Tensor) -> Iterator[Check]:
    energy = energy_distance(sample, mixture)
    chance = 4 * energy.real
    right = energy.value <= chance
    yield judged("energy of samples", energy.value, f"chance, up to {chance:.2g}", right)
