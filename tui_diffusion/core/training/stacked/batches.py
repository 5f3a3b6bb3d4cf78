"""The batches of many trainings: drawn as each draws its own, computed together.

Every source has the generator of its single training and draws from it the same numbers in the same
order, on a CPU and on CUDA: levels, components, data, noise. Features and targets follow from these
numbers and are computed for all sources at once. A block of steps thus costs a few kernels for each
source, and those of a single training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...components import stretched
from ...config.experiment import Experiment
from ...methods import EDM, AnyLevel, Flow, Method
from ...mixtures import GaussianMixture
from ...networks import Network
from ...schedules import Level
from ..batches import positions, sampled_levels
from .sources import Sources

_ROOM = 2**20, 2**27
"""Numbers of features that are held at once, on a CPU and on a GPU."""

_PART = 2**18, 2**24
"""Numbers of features that are computed at once, so that a CPU's cache holds them."""


class StackedBatches:
    """The batches of some experiments with the same batch, dimension, method and network features.

    Blocks have ``steps`` steps, as in a single training. Features and targets are held for up to
    ``room`` steps: ``features`` (room, sources, inputs + 1, batch), with a last row of ones, and
    ``targets`` (room, sources, d, batch). ``of_cell`` lists the index of every cell's source;
    ``source`` is the same, (cells,).
    """

    def __init__(
        self, experiments: Sequence[Experiment], network: Network, device: torch.device
    ) -> None:
        self._sources = sources = Sources(experiments, network, device)
        self.of_cell = sources.of_cell
        self.source = torch.tensor(self.of_cell, device=device)
        self.steps = sources.batches[0].steps
        self._network = network
        batch, dim = experiments[0].training.batch, experiments[0].dim
        self._method = _together(sources.methods, device)
        self._positions = positions(batch, device)
        self._levels = _padded([batches.table for batches in sources.batches])
        # The components of all sources in one table; those of a source begin at its offset.
        tables = {sources.table_of(i): each.source for i, each in enumerate(sources.batches)}
        begins, total = {}, 0
        for key, mixture in tables.items():
            begins[key], total = total, total + mixture.modes
        offsets = [[begins[sources.table_of(index)]] for index in range(len(sources))]
        self._offset = torch.tensor(offsets, device=device)
        self._means = torch.cat([mixture.means for mixture in tables.values()]).float()
        self._stds = torch.cat([mixture.stds for mixture in tables.values()]).float()[:, None]
        shapes = [mixture.ellipses for mixture in tables.values()]
        self._roots = None if not any(shapes) else torch.cat([_roots(m) for m in tables.values()])
        # The numbers of the block that was drawn last.
        shape = (len(sources), self.steps, batch, dim)
        self._x0, self._eps = (torch.zeros(shape, device=device) for _ in range(2))
        self._drawn = self._component = torch.empty(0)
        self._labels: Tensor | None = None
        inputs = network.features(torch.zeros(dim, 1), torch.zeros(1, 1), axis=-2).shape[0]
        numbers, on_gpu = len(sources) * inputs * batch, device.type != "cpu"
        self.room = max(1, min(self.steps, _ROOM[on_gpu] // numbers))
        self._part = max(1, _PART[on_gpu] // numbers)
        self.features = torch.ones((self.room, len(sources), inputs + 1, batch), device=device)
        self.targets = torch.zeros((self.room, len(sources), dim, batch), device=device)

    # --- generators --------------------------------------------------------------------------

    def generators(self) -> list[Tensor]:
        """Return the state of every source's generator."""
        return [batches.random.get_state() for batches in self._sources.batches]

    def set_generators(self, states: Sequence[Tensor]) -> None:
        """Restore the states of `generators`."""
        for batches, state in zip(self._sources.batches, states, strict=True):
            batches.random.set_state(state.clone())  # torch crashes on part of a tensor

    # --- drawing -----------------------------------------------------------------------------

    @torch.no_grad()
    def draw(self, first: int) -> None:
        """Draw the numbers of the block that begins with step ``first``."""
        drawn, components, labels = [], [], []
        balanced: dict[int, Tensor] = {}
        for index, batches in enumerate(self._sources.batches):
            drawn.append(batches.draw_levels())
            key = id(self._sources.mixtures[index])
            # Balanced components depend on the mixture alone.
            component = balanced.get(key) if batches.fresh else None
            if component is None:
                component = batches.components(first)
            if batches.fresh and self._sources.experiments[index].data.balanced:
                balanced[key] = component
            components.append(component.view(-1, self._x0.shape[2]))
            # A point of a training set has no noise of its own: it stays 0.
            for numbers in (self._x0[index], self._eps[index])[0 if batches.fresh else 1 :]:
                torch.randn(numbers.shape, generator=batches.random, out=numbers)
            labels.append(batches.labels(component))
        if self._network.classes:
            self._labels = torch.stack([shown for shown in labels if shown is not None])
        self._drawn = torch.stack(drawn)
        steps = max(len(component) for component in components)
        self._component = torch.stack([c.expand(steps, -1) for c in components])
        self._component += self._offset[:, :, None]

    @torch.no_grad()
    def write(self, start: int, count: int) -> None:
        """Compute features and targets of ``count`` steps of the block, from index ``start``."""
        for first in range(0, count, self._part):
            part = slice(first, min(first + self._part, count))
            self._write(slice(start + part.start, start + part.stop), part)

    def _write(self, steps: slice, part: slice) -> None:
        level, condition = self._level(steps)
        component = self._component if self._component.shape[1] == 1 else self._component[:, steps]
        component = component.transpose(0, 1)
        x0, eps = (numbers[:, steps].transpose(0, 1) for numbers in (self._x0, self._eps))
        if self._roots is None:
            x0 = self._stds[component] * x0 + self._means[component]
        else:
            x0 = stretched(x0, self._roots[component]) + self._means[component]
        self.targets[part] = self._method.target(x0, eps, level).mT
        x = level.alpha * x0 + level.sigma * eps
        inputs = self._method.network_input(x, level).mT.contiguous()
        shown = None if self._labels is None else self._labels[:, steps].transpose(0, 1)
        out = self.features[part, :, :-1]
        self._network.features(inputs, condition.mT, shown, axis=-2, out=out)

    def _level(self, steps: slice) -> tuple[Level, Tensor]:
        """Return the levels of some steps and their conditions: (steps, sources, 1 or batch, 1)."""
        drawn = self._drawn[:, steps]
        if isinstance(self._method, AnyLevel):
            return sampled_levels(self._method, drawn.transpose(0, 1), self._positions)
        every = torch.arange(len(drawn), device=drawn.device)[:, None]
        row = self._levels[every, drawn].transpose(0, 1)[..., None, None]
        alpha, sigma, alpha_next, sigma_next, condition = row.unbind(2)
        return Level(alpha, sigma, alpha_next, sigma_next), condition


def _roots(mixture: GaussianMixture) -> Tensor:
    """Return the square root of the covariance of every component, (m, d, d)."""
    if mixture.ellipses is not None:
        return mixture.ellipses.roots().float()
    return torch.diag_embed(mixture.widths).float()


def _together(methods: Sequence[Method], device: torch.device) -> Method:
    """Return one method for all sources, whose constants have shape (sources, 1, 1 or d)."""

    def column(values: Sequence[object]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device).view(len(values), 1, -1)

    first = methods[0]
    if not isinstance(first, EDM | Flow):
        return first
    names = ("noise_mean", "noise_std", "sigma_data", "mean")[: 4 if isinstance(first, EDM) else 2]
    return type(first)(*(column([getattr(m, name) for m in methods]) for name in names))


def _padded(tables: Sequence[Tensor]) -> Tensor:
    """Stack tables of different lengths, which are padded with zeros."""
    longest = max(len(table) for table in tables)
    shape = (len(tables), longest, tables[0].shape[1])
    padded = tables[0].new_zeros(shape)
    for row, table in zip(padded, tables, strict=True):
        row[: len(table)] = table
    return padded
