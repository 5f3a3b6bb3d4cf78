"""Training rates, headless, against the same mathematics as a plain PyTorch loop.

The loop is what a script has: a fresh batch each step, autograd, ``optimizer.step()``, the loss
noted with ``.item()``. One thread each, in one process, taking turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from copy import deepcopy
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from tests.bench.table import budget, show
from tui_diffusion.core.datasets import make_mixture
from tui_diffusion.core.experiment import Experiment
from tui_diffusion.core.methods import AnyLevel, make_method
from tui_diffusion.core.networks import make_network
from tui_diffusion.core.presets import PRESETS
from tui_diffusion.core.randomness import generator
from tui_diffusion.core.schedules import make_schedule
from tui_diffusion.core.training import Trainer

SLICE = 0.3
"""Seconds of a turn."""

BUDGET = 5.0
"""What the ratio of the post's presets should be at least, on a CPU."""


def run(rounds: int) -> None:
    """Print the rate of every preset, and how the cost of a step grows."""
    torch.set_num_threads(1)
    presets(rounds)
    growth(rounds)


def presets(rounds: int) -> None:
    """Every preset against the plain loop."""
    rows = []
    for name, preset in PRESETS.items():
        experiment = preset.experiment.with_settings({"device": "cpu"})
        loop = post_loop if preset.script else modern_loop
        plain, ours = turns(rounds, lambda e=experiment, f=loop: f(e), experiment)
        ratio = median(b / a for a, b in zip(plain, ours, strict=True))
        rows.append([name, f"{max(plain):,.0f}", f"{max(ours):,.0f}", f"{ratio:.1f}"])
        if preset.script:
            budget(f"{name}: training over the plain loop", f"{ratio:.1f}", "> 5", ratio > BUDGET)
    head = ["training, steps/s", "plain loop", "headless", "ratio"]
    show("Training against the plain PyTorch loop, one thread each", head, rows)


def growth(rounds: int) -> None:
    """Cost of a step against the batch and the width; all steps cost the same, however many."""
    base = PRESETS["ddpm-multimodal"].experiment
    settings = [("training.batch", n) for n in (32, 128, 512, 2048, 8192, 32768)]
    settings += [("network.width", n) for n in (16, 32, 64, 128, 256, 512)]
    rows = []
    for field, value in settings:
        experiment = base.with_settings({field: value, "device": "cpu", "training.lr": 1e-6})
        plain, ours = turns(max(1, rounds // 2), lambda e=experiment: post_loop(e), experiment)
        costs = [1e6 / max(rates) for rates in (plain, ours)]
        cells = [f"{cost:,.0f}" for cost in costs]
        rows.append([f"{field} = {value}", *cells, f"{costs[0] / costs[1]:.1f}"])
    show(
        "Growth from ddpm-multimodal, one thread each",
        ["microseconds a step", "plain loop", "headless", "ratio"],
        rows,
    )


def turns(
    rounds: int, loop: Callable[[], Iterator[float]], experiment: Experiment
) -> tuple[list[float], list[float]]:
    """Steps a second of a plain loop and of the trainer, one entry a round."""
    steps, plain, ours = loop(), [], []
    for _ in range(3):
        next(steps)
    for _ in range(rounds):
        plain.append(loop_rate(steps))
        ours.append(trainer_rate(experiment))
    return plain, ours


def loop_rate(steps: Iterator[float]) -> float:
    """Steps a second of a loop over a slice of time."""
    count, begin = 0, perf_counter()
    while perf_counter() - begin < SLICE:
        next(steps)
        count += 1
    return count / (perf_counter() - begin)


def trainer_rate(experiment: Experiment) -> float:
    """Steps a second of trainings, one after another where one is over sooner than the slice."""
    count, seconds = 0, 0.0
    while seconds < SLICE:
        trainer = Trainer(experiment)
        with closing(trainer.run(interval=SLICE - seconds)) as progress:
            begin = perf_counter()
            next(progress)
            seconds += perf_counter() - begin
        count += trainer.step
    return count / seconds


# --- the plain loops -----------------------------------------------------------------------------


def mlp(inputs: int, experiment: Experiment) -> nn.Sequential:
    """A network as a script writes it."""
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU, "gelu": nn.GELU}
    width, activation = experiment.network.width, kinds[experiment.network.activation]
    layers: list[nn.Module] = []
    for size in [inputs, *[width] * (experiment.network.depth - 1)]:
        layers += [nn.Linear(size, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, experiment.dim))


def post_loop(experiment: Experiment) -> Iterator[float]:
    """The training of the post's scripts; yields the loss of every step."""
    training, dim, batch = experiment.training, experiment.dim, experiment.training.batch
    schedule, levels = make_schedule(experiment.schedule), experiment.levels
    alphas, sigmas = schedule.alphas.float(), schedule.sigmas.float()
    told = 1 - schedule.betas.float()
    means, std = torch.tensor(experiment.data.means), experiment.data.std
    per_level, naive = experiment.network.per_level, experiment.method.name == "naive"
    network = mlp(dim if per_level else dim + 1, experiment)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6 if per_level else training.lr)
    step = 0
    while True:
        x0 = torch.cat([mean + std * torch.randn(batch // len(means), dim) for mean in means])
        eps = torch.randn(batch, dim)
        k = levels - 1 if per_level else int(torch.randint(levels, ()))
        x = alphas[k] * x0 + sigmas[k] * eps
        condition = sigmas[k] if naive else told[k]
        output = network(x if per_level else torch.cat([x, condition.expand(batch, 1)], 1))
        target = sigmas[k + 1] * eps if naive else eps
        error = target - output
        loss = torch.norm(error) if training.loss == "norm" else torch.sum(error**2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if training.decay == "step" and step % training.decay_every == 0:
            for group in optimizer.param_groups:
                group["lr"] *= training.decay_factor
        yield loss.item()


def modern_loop(experiment: Experiment) -> Iterator[float]:
    """The training of the other presets, with the library's own formulas."""
    training, batch = experiment.training, experiment.training.batch
    mixture = make_mixture(experiment.data)
    method = make_method(experiment.method, mixture)
    assert isinstance(method, AnyLevel)
    network = make_network(experiment, generator(experiment.seed, "weights"))
    average = deepcopy(network)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer = kinds[training.optimizer](network.parameters(), lr=training.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.steps)
    while True:
        x0 = mixture.sample(batch, balanced=experiment.data.balanced)
        eps = torch.randn(x0.shape)
        level = method.draw(torch.rand(batch, 1).clamp(1e-6, 1 - 1e-6))
        x = level.alpha * x0 + level.sigma * eps
        output: Tensor = network(method.see(x, level), method.condition(level))
        loss = (output - method.target(x0, eps, level)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
                mine.lerp_(theirs, 1 - training.average)
        yield loss.item()
