"""Training as a generator of progress.

Pulling no item pauses the training; closing the generator stops it. Batches are drawn in blocks
whose size depends only on the experiment and the kind of device, so the losses of a seed are the
same bit for bit on a CPU, whatever the reporting interval, the pauses, the front end, or a stop and
resume in between.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import notebook, pictures
from ..arguments import check_count, expected
from ..assemble import make_method, mixture_for, network_for, with_mixture
from ..config.experiment import Experiment
from ..config.guide import guide_of
from ..config.presets import Preset, experiment_of
from ..memorisation_rows import no_rows
from ..methods import NetworkDenoiser
from ..mixtures import GaussianMixture
from ..networks import OwnNetwork
from ..parts.used import used_files
from ..short_repr import short_repr
from ..training_set import make_training_set
from .batches import Batches
from .devices import choose_device, subnormals_as_zero, use_threads
from .finite_weights import FiniteWeights
from .stages import Stage, learning_rate, stages
from .steppers.choice import make_stepper
from .steppers.protocol import Stepper

_MOMENT = 0.02
"""Seconds of training between two checks whether a report is due."""

_LAST = 100
"""Losses whose mean a notebook shows."""

Status = Literal["training", "finished", "diverged"]


@dataclass(frozen=True)
class Progress:
    """The progress since the last report.

    ``losses`` are those of the steps since then, float32; ``step`` of ``steps`` gradient steps are
    done; ``level`` is the level in training if each level has its own network; ``seconds`` is the
    time spent training, without pauses. If ``status`` is "diverged", the loss of ``step`` was not
    finite. ``trainer`` is the live training.
    """

    step: int
    steps: int
    losses: NDArray[np.float32]
    lr: float
    level: int | None
    seconds: float
    status: Status
    trainer: Trainer = field(repr=False, compare=False)

    def __repr__(self) -> str:
        loss = float(self.losses.mean()) if len(self.losses) else math.nan
        return short_repr(
            self, "step", "steps", loss=loss, lr=self.lr, seconds=self.seconds, status=self.status
        )

    def _repr_html_(self) -> str:
        return self.trainer._repr_html_()

    @property
    def denoiser(self) -> NetworkDenoiser:
        """The network with its current weights."""
        return self.trainer.denoiser


class Trainer:
    """A training that can be run, interrupted, saved and restored.

    ``losses`` holds every loss so far; ``step`` steps are done; ``threads`` of torch are used.
    ``plain`` takes the steps with autograd even if a faster stepper exists: on a CPU the result is
    the same bit for bit, or up to rounding if a batch is one point or a layer one unit.

    ``mixture`` takes the place of the experiment's data, of the same dimension. ``network`` takes
    the place of its network and is trained in place: a `Network` of the same layers, or any module
    that maps points x (n, d) and the condition of their level c (n, 1) to outputs (n, d), whose
    steps are taken with autograd. ``own_parts`` names those of the two that the experiment does not
    describe: such a training cannot be saved as a run, but its `state` can be restored.
    ``part_files`` are those of the experiment, as they are when the training begins.
    ``memorisation`` holds what a `MemorisationLog` has measured, as rows.

    ``guide`` is the training of a smaller network, if the experiment has a guide. It takes its
    steps along with these, until it has taken its own number of them.
    """

    def __init__(
        self,
        experiment: Experiment | Preset,
        *,
        mixture: GaussianMixture | None = None,
        network: nn.Module | None = None,
        plain: bool = False,
    ) -> None:
        self.experiment = experiment = experiment_of(experiment)
        self.choice = choose_device(experiment)
        self.device = self.choice.device
        self.mixture = mixture_for(experiment, mixture, self.device)
        self.points = experiment.data.copy_of_points
        self.method = make_method(experiment.method, self.mixture)
        self.network = network_for(experiment, network).to(self.device).eval()
        own = isinstance(self.network, OwnNetwork)
        self._plain = plain or own
        self.part_files = used_files(experiment.get)
        given = mixture is not None or experiment.data.given is not None
        replaced = own and network is not None
        self.own_parts = ("mixture",) * given + ("network",) * replaced
        self.average = deepcopy(self.network) if experiment.training.average else self.network
        self.guide: Trainer | None = None
        if experiment.network.guide:
            beside = guide_of(experiment).model_copy(update={"device": str(self.device)})
            self.guide = Trainer(beside, mixture=mixture, plain=plain)
        self.stages = stages(experiment)
        self._starts = [stage.start for stage in self.stages]
        self.step = 0
        self.seconds = 0.0
        self.threads = 1
        self.status: Status = "training"
        self.losses = np.empty(experiment.training.steps, np.float32)
        self.training_set = make_training_set(with_mixture(experiment, mixture))
        self.memorisation = no_rows()
        self.batches = Batches(
            experiment, self.mixture, self.method, self.network, self.training_set
        )
        self._random_at_block = self.batches.random.get_state()
        self._block: int | None = None
        self._stage = self.stages[0]
        self._weights = FiniteWeights()
        self._stepper = self._make_stepper(self._stage)
        self._pace = 0.0

    def __repr__(self) -> str:
        return short_repr(
            self,
            experiment=self.experiment.name,
            step=self.step,
            steps=self.steps,
            status=self.status,
            device=self.device,
        )

    def _repr_html_(self) -> str:
        losses = self.losses[: self.step]
        rows = {
            "step": f"{self.step:,} of {self.steps:,}",
            "loss": float(losses[-_LAST:].mean()) if self.step else math.nan,
            "status": self.status,
            "seconds": self.seconds,
            "device": self.choice.label,
        }
        title = f"Training of {self.experiment.name}"
        return notebook.table(title, rows, lambda: pictures.curve(losses))

    @property
    def denoiser(self) -> NetworkDenoiser:
        """The network with its current weights, averaged if configured, and its method."""
        guide = None if self.guide is None else self.guide.average
        return NetworkDenoiser(self.average, self.method, guide=guide)

    @property
    def steps(self) -> int:
        """Number of gradient steps in total."""
        return self.experiment.training.steps

    # --- running -----------------------------------------------------------------------------

    def run(
        self, *, every: int | None = None, interval: float | None = None
    ) -> Generator[Progress, None, None]:
        """Train to the end; yield `Progress` after ``every`` steps, ``interval`` s, and at the end.

        A loss that is not finite, of the network or of its guide, ends the training as diverged and
        restores the last finite weights. Raises TypeError and ValueError for a wrong ``every`` or
        ``interval``.
        """
        check_count("every", every)
        if interval is not None and not isinstance(interval, int | float):
            raise expected("interval", "a number of seconds", interval)
        return self._run(every, interval)

    def _run(self, every: int | None, interval: float | None) -> Generator[Progress, None, None]:
        self.threads = use_threads(self.experiment)
        reported, clock = self.step, perf_counter()
        last = clock
        while self.status == "training":
            self._advance(self.steps if every is None else self.step - self.step % every + every)
            if self.guide is not None:
                self.guide._advance_to(self.step)
                self._end_with(self.guide)
            now = perf_counter()
            self.seconds += now - clock
            clock = now
            due = every is not None and self.step % every == 0
            if (
                self.status != "training"
                or due
                or (interval is not None and now - last >= interval)
            ):
                yield self._report(reported)
                reported = self.step
                last = clock = perf_counter()

    def _advance(self, end: int) -> None:
        """Take some steps, at most to step ``end``."""
        began = perf_counter()
        block = self._current_block()
        stage = self._enter_stage()
        first, count = self.step, self._count(block, stage, end)
        steps = range(first, first + count)
        rates = [learning_rate(self.experiment, stage, step) for step in steps]
        blends = self._blends(steps, stage)
        with subnormals_as_zero():
            losses = self._stepper.run(first - block, rates, blends)
        self.step += count
        self._settle(first, losses)
        self._pace = (perf_counter() - began) / count

    def _advance_to(self, end: int) -> None:
        """Take all steps to step ``end``, or to the last."""
        while self.status == "training" and self.step < end:
            self._advance(end)

    def _end_with(self, guide: Trainer) -> None:
        """Diverge if the guide has, at the end of the block: the same step however it is cut."""
        at_end = self.step == self.steps or self.step % self.batches.steps == 0
        if at_end and guide.status == "diverged":
            self.status = "diverged"

    def _count(self, block: int, stage: Stage, end: int) -> int:
        """Return how many steps to take next: at most to the end of block, stage or report."""
        ends = (block + self.batches.steps, stage.stop, self.steps, end)
        # The first step measures how many fit into a moment.
        moment = max(1, int(_MOMENT / self._pace)) if self._pace else 1
        return min(min(ends) - self.step, moment)

    def _blends(self, steps: range, stage: Stage) -> list[float]:
        """Return the weight of each new value in the average; early values are forgotten faster."""
        if self.average is self.network:
            return [1.0] * len(steps)
        most, ages = self.experiment.training.average, (step - stage.start for step in steps)
        return [1 - min(most, age / (age + 10)) for age in ages]

    def _settle(self, first: int, values: NDArray[np.float32]) -> None:
        """Record the losses from step ``first`` on; detect the end or a divergence."""
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            self.step = first + int(bad[0]) + 1
            self.losses[first : self.step] = values[: bad[0] + 1]
            self._weights.restore()
            self.status = "diverged"
            return
        self.losses[first : self.step] = values
        if self.step == self.steps:
            if not self._weights.finite():
                self._weights.restore()
            self.status = "finished"

    def _report(self, since: int) -> Progress:
        stage = self._stage
        return Progress(
            step=self.step,
            steps=self.steps,
            losses=self.losses[since : self.step].copy(),
            lr=learning_rate(self.experiment, stage, max(self.step - 1, stage.start)),
            level=stage.level,
            seconds=self.seconds,
            status=self.status,
            trainer=self,
        )

    # --- stages and weights ------------------------------------------------------------------

    def _enter_stage(self) -> Stage:
        """Return the stage of the current step; warm-start its network when it begins."""
        if self.step >= self._stage.stop:
            previous = self.network.body(self._stage.level)
            last_weights = self._weights.tensors
            self._stage = self._stage_at(self.step)
            self.network.body(self._stage.level).load_state_dict(previous.state_dict())
            leaving, self._stepper = self._stepper, self._make_stepper(self._stage)
            self._stepper.features.copy_(leaving.features)
            self._stepper.targets.copy_(leaving.targets)
            if not self._weights.finite():
                # The next loss will end the training; only here can the last network be restored.
                self._weights.restore(last_weights)
            self._weights.keep()
        return self._stage

    def _make_stepper(self, stage: Stage) -> Stepper:
        """Create the stepper of a stage and point the training at its weights."""
        average = None if self.average is self.network else self.average.body(stage.level)
        stepper = make_stepper(
            self.experiment,
            self.network.body(stage.level),
            average,
            self.batches.steps,
            plain=self._plain,
        )
        networks = dict.fromkeys((self.network, self.average))
        # Only now, because a stepper may move the weights.
        self._weights.tensors = [
            p.detach() for network in networks for p in network.body(stage.level).parameters()
        ]
        if stepper.note and stepper.note not in self.choice.reason:
            self.choice = replace(self.choice, reason=f"{self.choice.reason}; {stepper.note}")
        return stepper

    def overflowed(self) -> bool:
        """Return whether the weights are not finite, before a loss shows it.

        In that case the training has diverged, and the last finite weights are restored.
        """
        if self.status == "training" and not self._weights.finite():
            self._weights.restore()
            self.status = "diverged"
        if self.guide is not None and self.guide.overflowed():
            self.status = "diverged"
        return self.status == "diverged"

    # --- batches -----------------------------------------------------------------------------

    def _current_block(self) -> int:
        """Return the first step of the current block, drawing the block when it begins."""
        first = self.step - self.step % self.batches.steps
        if self._block != first:
            self._random_at_block = self.batches.random.get_state()
            steps, levels = range(first, first + self.batches.steps), None
            if self.experiment.network.per_level:
                levels = [self._stage_at(step).level or 0 for step in steps]
            self.batches.draw(first, self._stepper.features, self._stepper.targets, levels)
            self._block = first
            self._weights.keep()
        return first

    def _stage_at(self, step: int) -> Stage:
        return self.stages[bisect_right(self._starts, step) - 1]

    # --- saving ------------------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Return the whole state as named tensors on the CPU, enough to resume bit for bit.

        Names: ``network.…``, ``average.…`` if weights are averaged,
        ``optimizer.<parameter>.<name>``, ``generator``, ``losses``, ``seconds``; the step is the
        number of losses. Those of a guide begin with ``guide.``.
        """
        state = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        if self.average is not self.network:
            state |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        state |= {f"optimizer.{k}": v for k, v in self._stepper.state().items()}
        in_block = self._block is not None and self.step < self._block + self.batches.steps
        state["generator"] = self._random_at_block if in_block else self.batches.random.get_state()
        state["losses"] = torch.from_numpy(self.losses[: self.step])
        state["seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        if self.guide is not None:
            state |= {f"guide.{name}": value for name, value in self.guide.state().items()}
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore a saved `state` of the same experiment (which may have more steps now)."""
        self.network.load_state_dict(part_of(state, "network."))
        if self.average is not self.network:
            self.average.load_state_dict(part_of(state, "average."))
        losses = state["losses"].numpy()
        self.step = len(losses)
        self.losses[: self.step] = losses
        self.seconds = float(state["seconds"])
        self._stage = self._stage_at(max(self.step - 1, 0))
        self._stepper = self._make_stepper(self._stage)
        self._stepper.restore(part_of(state, "optimizer."))
        self.batches.random.set_state(state["generator"])
        self._block = None
        self._weights.forget()
        self._weights.keep()
        self.status = "finished" if self.step >= self.steps else "training"
        if self.step and not np.isfinite(losses[-1]):
            self.status = "diverged"
        if self.guide is not None:
            self.guide.restore(part_of(state, "guide."))
            self._end_with(self.guide)


def part_of(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose name begins with ``prefix``, without the prefix."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def train(
    experiment: Experiment | Preset,
    *,
    every: int | None = None,
    interval: float | None = None,
    state: dict[str, Tensor] | None = None,
    mixture: GaussianMixture | None = None,
    network: nn.Module | None = None,
) -> Iterator[Progress]:
    """Train an experiment from the start, or from a saved ``state``; see `Trainer.run`.

    ``mixture`` and ``network`` take the place of the experiment's; see `Trainer`.
    """
    trainer = Trainer(experiment, mixture=mixture, network=network)
    if state is not None:
        trainer.restore(state)
    return trainer.run(every=every, interval=interval)
