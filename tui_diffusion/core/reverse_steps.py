"""The steps of a sampling that can be repeated: with the same points, denoiser and noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .guidance import for_points
from .methods import Denoiser
from .samplers import Sampler, Step
from .schedules import Schedule


@dataclass(frozen=True)
class ReverseSteps:
    """The steps of one sampling: their points, denoiser and source of noise.

    ``denoiser`` is ``given``, with the classes of the points and its guide.

    A step uses ``steps_back`` steps before it, and draws ``noises`` times as many numbers as it has
    coordinates. ``states`` are the generator's states before the noise of each step. Noise is drawn
    for ``count`` points, of which the first are sampled, ``at_once`` of them in one batch for the
    network. A step is repeated after the earlier ones that it uses; ``latest`` holds the last that
    were, so that steps in order are repeated once each.
    """

    take: Sampler
    steps_back: int
    noises: int
    given: Denoiser
    denoiser: Denoiser
    schedule: Schedule
    x: Tensor
    count: int
    at_once: int
    states: list[Tensor] = field(default_factory=list)
    latest: dict[tuple[int, int], tuple[int, Step]] = field(default_factory=dict)

    def draw(self, random: torch.Generator) -> Tensor:
        """Draw z of a step for the sampled points."""
        shape = (self.count, self.noises * self.x.shape[2])
        z = torch.randn(shape, generator=random, device=self.x.device)
        return z[: self.x.shape[1]]

    @torch.no_grad()
    def __call__(self, k: int, part: slice) -> Step:
        first, last, _ = part.indices(self.x.shape[1])
        parts = [slice(at, min(at + self.at_once, last)) for at in range(first, last, self.at_once)]
        for at in {*self.latest}.difference((some.start, some.stop) for some in parts):
            self.latest.pop(at, None)
        steps = [self._repeated(k, some) for some in parts]
        return steps[0] if len(steps) == 1 else Step.joined(steps)

    def _repeated(self, k: int, part: slice) -> Step:
        """Repeat step k for the points of a batch, after those on which it depends."""
        begin, previous = max(k - self.steps_back, 0), None
        at, denoiser = (part.start, part.stop), for_points(self.denoiser, part)
        known, step = self.latest.get(at, (-1, None))
        if self.steps_back and begin <= known < k:
            begin, previous = known + 1, step
        for j in range(begin, k + 1):
            random = torch.Generator(self.x.device)
            random.set_state(self.states[j])
            z = self.draw(random)[part]
            previous = self.take(self.x[j][part], self.schedule[j], denoiser, z, previous)
        assert previous is not None
        if self.steps_back:
            self.latest[at] = k, previous
        return previous
