"""The trainings as plain PyTorch loops: the same mathematics, as a script has it.

A fresh batch each step, autograd, ``optimizer.step()``, the loss noted with ``.item()``.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from tui_diffusion.core.assemble import make_method, make_mixture, make_network, make_schedule
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import AnyLevel
from tui_diffusion.core.randomness import generator


def plain_loop(experiment: Experiment) -> Iterator[float]:
    """The loop of an experiment's kind, on its device; yields the loss of every step."""
    modern = experiment.method.name in ("edm", "flow")
    return modern_loop(experiment) if modern else post_loop(experiment)


def mlp(inputs: int, experiment: Experiment) -> nn.Sequential:
    """A network as a script writes it."""
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU, "gelu": nn.GELU}
    width, activation = experiment.network.width, kinds[experiment.network.activation]
    layers: list[nn.Module] = []
    for size in [inputs, *[width] * (experiment.network.depth - 1)]:
        layers += [nn.Linear(size, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, experiment.dim))


def post_loop(experiment: Experiment) -> Iterator[float]:
    """The training of the post's scripts."""
    training, dim, batch = experiment.training, experiment.dim, experiment.training.batch
    schedule, levels = make_schedule(experiment.schedule), experiment.levels
    device = torch.device(experiment.device)
    alphas, sigmas = schedule.alphas.float().to(device), schedule.sigmas.float().to(device)
    told = 1 - schedule.betas.float().to(device)
    means, std = torch.tensor(experiment.data.means, device=device), experiment.data.std
    per_level, naive = experiment.network.per_level, experiment.method.name == "naive"
    network = mlp(dim if per_level else dim + 1, experiment).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6 if per_level else training.lr)
    step = 0
    while True:
        share = (batch // len(means), dim)
        x0 = torch.cat([mean + std * torch.randn(share, device=device) for mean in means])
        eps = torch.randn(batch, dim, device=device)
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
    device = torch.device(experiment.device)
    mixture = make_mixture(experiment.data, device)
    method = make_method(experiment.method, mixture)
    assert isinstance(method, AnyLevel)
    network = make_network(experiment, generator(experiment.seed, "weights")).to(device)
    average = deepcopy(network)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer = kinds[training.optimizer](network.parameters(), lr=training.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.steps)
    while True:
        x0 = mixture.sample(batch, balanced=experiment.data.balanced)
        eps = torch.randn_like(x0)
        level = method.sample_level(torch.rand(batch, 1, device=device).clamp(1e-6, 1 - 1e-6))
        x = level.alpha * x0 + level.sigma * eps
        output: Tensor = network(method.network_input(x, level), method.condition(level))
        loss = (output - method.target(x0, eps, level)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
                mine.lerp_(theirs, 1 - training.average)
        yield loss.item()
