"""Training batches: true data with noise, as input of the network, and the targets.

Batches are drawn in blocks of many steps, which is cheap. The size of a block depends only on the
experiment and the kind of device, so that a seed gives the same batches however a training is
reported or interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..assemble import make_schedule
from ..components import stretched
from ..config.experiment import Experiment
from ..methods import AnyLevel, Method
from ..mixtures import GaussianMixture
from ..networks import HIDDEN, Network
from ..randomness import generator
from ..schedules import Level
from ..training_set import TrainingSet

_BLOCK_NUMBERS = 65_536
"""Coordinates per block: enough to make drawing cheap, few enough for the cache."""

_PART_NUMBERS = 2**18
"""Features computed in one part, so that intermediate results stay in the cache."""

GPU_BLOCK, _GPU_PART = 2**20, 2**24
"""The same two on a GPU, which has no such cache and waits for the host once a block."""

_MOST_STEPS = 256
"""Maximum number of steps in a block."""

GOLDEN = (5**0.5 - 1) / 2
"""The golden ratio: the multiples of it mod 1 are evenly spread, for any count."""


def positions(batch: int, device: torch.device) -> Tensor:
    """Return i φ mod 1 for the points i of a batch, with φ the golden ratio: (1, batch, 1)."""
    multiples = torch.arange(batch, dtype=torch.float64).mul(GOLDEN).frac().float()
    return multiples.to(device).view(1, batch, 1)


def sampled_levels(method: AnyLevel, shift: Tensor, positions: Tensor) -> tuple[Level, Tensor]:
    """Return the level of every point, and its condition, for a method that covers every level.

    They are spread evenly over the distribution in each batch: u_i = i φ + U mod 1 with U the
    ``shift`` of a step, so that any part of a batch, such as the points of one mode, is spread
    evenly as well (Kingma et al. 2021, appendix I.1).
    """
    u = (shift + positions).frac().clamp(1e-6, 1 - 1e-6)
    now = method.sample_level(u)
    return now, torch.as_tensor(method.condition(now))


def block_steps(experiment: Experiment, numbers: int = _BLOCK_NUMBERS) -> int:
    """Return the number of steps whose batches are drawn together: about ``numbers`` coordinates.

    The default is that of a CPU.
    """
    return max(1, min(_MOST_STEPS, numbers // (experiment.training.batch * experiment.dim)))


class Batches:
    """The source of training batches; ``random`` is its generator, ``steps`` the block size.

    Points are fresh draws of the mixture, or drawn with replacement from a ``training_set``. They
    are ``means[c] + stds[c] ε`` for their `components` c; a point of a set is its own component,
    without ε.
    """

    def __init__(
        self,
        experiment: Experiment,
        mixture: GaussianMixture,
        method: Method,
        network: Network,
        training_set: TrainingSet | None = None,
    ) -> None:
        self._experiment = experiment
        self._mixture, self._method, self._network = mixture, method, network
        self._any_level = method if isinstance(method, AnyLevel) else None
        self._device = device = mixture.means.device
        self.fresh = training_set is None
        self.source = mixture if training_set is None else training_set.mixture.to(device)
        self._means, self._stds = self.source.means.float(), self.source.stds.float()
        shapes = self.source.ellipses
        self._roots = None if shapes is None else shapes.roots().float()
        self.random = generator(experiment.seed, "batches", device)
        batch = experiment.training.batch
        on_gpu = device.type != "cpu"
        size, self._at_once = (GPU_BLOCK, _GPU_PART) if on_gpu else (_BLOCK_NUMBERS, _PART_NUMBERS)
        self.steps = block_steps(experiment, size)
        schedule = make_schedule(experiment.schedule)
        # Columns: alpha, sigma, their next values, and the condition.
        self.table = torch.tensor(
            [
                (now.alpha, now.sigma, now.alpha_next, now.sigma_next, float(method.condition(now)))
                for now in map(schedule.__getitem__, range(schedule.levels))
            ],
            device=device,
        )
        self._positions = positions(batch, device)
        shares = mixture.weights * batch
        exact = bool(((shares - shares.round()).abs() < 1e-9).all())
        self._always = mixture.components(batch, balanced=True) if exact else None

    @torch.no_grad()
    def draw(
        self, first: int, features: Tensor, targets: Tensor, levels: Sequence[int] | None = None
    ) -> None:
        """Draw the block that begins with step ``first``.

        It is written to ``features`` (steps, inputs, batch) and ``targets`` (steps, d, batch):
        points are columns. ``levels`` holds the level of every step, if each level has its own
        network.
        """
        experiment, random, device = self._experiment, self.random, self._device
        batch, dim = experiment.training.batch, experiment.dim
        drawn = self.draw_levels(levels)
        component = self.components(first)
        shape = (self.steps, batch, dim)
        if self.fresh:
            x0 = torch.randn(shape, generator=random, device=device)
            eps = torch.randn(shape, generator=random, device=device)
            if self._roots is None:
                x0 *= self._stds[component].view(-1, batch, 1)
            else:
                x0 = stretched(x0, self._roots[component].view(-1, batch, dim, dim))
            x0 += self._means[component].view(-1, batch, dim)
        else:
            x0 = self._means[component].view(shape)
            eps = torch.randn(shape, generator=random, device=device)
        labels = self.labels(component)
        size = max(1, self._at_once // features[0].numel())
        for start in range(0, self.steps, size):
            part = slice(start, start + size)
            level, condition = self.levels(drawn[part])
            targets[part] = self._method.target(x0[part], eps[part], level).mT
            # In place, so that the block and the memory of a step fit in the cache together.
            x = x0[part].mul_(level.alpha).add_(eps[part].mul_(level.sigma))
            inputs = self._method.network_input(x, level).mT.contiguous()
            shown = None if labels is None else labels[part]
            self._network.features(inputs, condition.mT, shown, axis=-2, out=features[part])

    def draw_levels(self, levels: Sequence[int] | None = None) -> Tensor:
        """Draw the numbers that select the level of every step: k, or the shift U of `levels`."""
        steps, random, device = self.steps, self.random, self._device
        if self._any_level:
            return torch.rand((steps, 1, 1), generator=random, device=device)
        if levels is not None:
            return torch.tensor(levels, device=device)
        count = self._experiment.levels
        return torch.randint(count, (steps,), generator=random, device=device)

    def labels(self, component: Tensor) -> Tensor | None:
        """Draw which labels are hidden; return those of a block, (steps, batch), or None.

        ``component`` is that of each point, as `components` returns it.
        """
        if not self._network.classes:
            return None
        shape = self.steps, self._experiment.training.batch
        drawn = torch.rand(shape, generator=self.random, device=self._device)
        labels = self.source.labels[component].view(-1, shape[1])
        hidden = drawn < self._experiment.training.label_dropout
        return torch.where(hidden, HIDDEN, labels)

    def levels(self, drawn: Tensor) -> tuple[Level, Tensor]:
        """Return the level of every step, or of every point, and its condition."""
        if self._any_level:
            return sampled_levels(self._any_level, drawn, self._positions)
        row = self.table[drawn, :, None, None].unbind(1)
        alpha, sigma, alpha_next, sigma_next, condition = row
        return Level(alpha, sigma, alpha_next, sigma_next), condition

    def components(self, first: int) -> Tensor:
        """Return the component of each point of a block: (batch,) if equal in all steps, else all.

        If a balanced batch cannot hold every component in its exact share, the steps take different
        points, so that the shares are exact on average. Points of a set are drawn independently.
        """
        steps, batch = self.steps, self._experiment.training.batch
        if not self.fresh:
            size = (steps * batch,)
            return torch.randint(
                self.source.modes, size, generator=self.random, device=self._device
            )
        if not self._experiment.data.balanced:
            return self._mixture.components(steps * batch, self.random)
        if self._always is not None:
            return self._always
        offset = torch.arange(first, first + steps, dtype=torch.float64).mul(GOLDEN).frac()
        return self._mixture.components_at(
            (torch.arange(batch, dtype=torch.float64) + offset[:, None]).flatten() / batch
        )
