"""Many trainings of one shape as one batched training, as a generator of progress.

Every cell takes the steps of its single training: it begins with the same weights, draws the same
random numbers, and has its own learning rate, data, noise levels and seed. Its losses are those of
the single training to the rounding of float32, which grows as it does between two devices. A cell
that diverges keeps its last finite weights; its part of the computation goes on unread.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...arguments import check_count, expected
from ...assemble import make_network
from ...config.experiment import Experiment
from ...randomness import generator
from ...short_repr import short_repr
from ..devices import subnormals_as_zero, use_threads
from ..steppers.cuda_graph import Capture
from ..steppers.cuda_graph import capture as record
from ..steppers.optimizers import state_of
from ..trainer import Status, part_of
from .batches import StackedBatches
from .cell import Cell
from .grouping import check_stackable, device_of
from .rates import Rates
from .sources import fresh_weights
from .stepper import make_stacked_stepper

_MOMENT = 0.05
"""Seconds of training between two checks whether a report is due."""


@dataclass(frozen=True)
class StackProgress:
    """The progress of all cells since the last report.

    ``losses`` (cells, steps) are those of the steps since then, float32, NaN after a divergence;
    ``step`` of ``steps`` gradient steps are done, ``diverged`` of ``cells`` have diverged.
    ``seconds`` is the time spent training. ``trainer`` is the live training.
    """

    step: int
    steps: int
    cells: int
    diverged: int
    losses: NDArray[np.float32]
    seconds: float
    status: Literal["training", "finished"]
    trainer: StackedTrainer = field(repr=False, compare=False)

    def __repr__(self) -> str:
        names = ("step", "steps", "cells", "diverged", "seconds", "status")
        return short_repr(self, *names)


class StackedTrainer:
    """A batched training of experiments that can be stacked; see `grouping.check_stackable`.

    ``step`` of ``steps`` steps are done. ``diverged`` maps the index of each cell that has diverged
    to the number of its steps. `cell` takes out a training at any pause, and ``note`` says why
    there is no CUDA graph, else ''. ``capture`` records a step; by default on CUDA alone.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        *,
        device: torch.device | str | None = None,
        capture: Capture | None = None,
    ) -> None:
        check_stackable(experiments)
        self.experiments = list(experiments)
        first = self.experiments[0]
        self.choice = device_of(experiments, device)
        self.device = self.choice.device
        self.steps = first.training.steps
        self.step = 0
        self.seconds = 0.0
        self.status: Literal["training", "finished"] = "training"
        self.diverged: dict[int, int] = {}
        network = make_network(first, generator(first.seed, "weights"))
        self._names = list(network.state_dict())
        self._batches = StackedBatches(self.experiments, network, self.device)
        self._stepper = make_stacked_stepper(
            first,
            [parameter.shape for parameter in network.parameters()],
            self._batches,
            averaged=any(experiment.training.average for experiment in experiments),
            capture=capture or (record if self.device.type == "cuda" else None),
        )
        self.note = self._stepper.note
        weights = fresh_weights(self.experiments, network)
        for row in self._stepper.trained:
            for mine, values in zip(self._stepper.parameters(row), weights, strict=True):
                mine.copy_(values)
        self._rates = Rates(self.experiments)
        self._losses = np.empty((self.steps, len(experiments)), np.float32)
        self._finite = self._stepper.trained.clone()
        self._pace = 0.0
        self._block: int | None = None
        self._drawn: int | None = None
        self._held = range(0)
        # By the first step of a block: the states of the generators before it is drawn.
        self._random = {0: self._batches.generators()}
        self._at_block: list[Tensor] = []
        self._ended: dict[int, dict[str, Tensor]] = {}
        self._copied: tuple[int, _Memory] | None = None

    def __repr__(self) -> str:
        return short_repr(
            self, "step", "steps", "status", cells=len(self), diverged=len(self.diverged),
            device=self.device,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.experiments)

    @property
    def block_steps(self) -> int:
        """Number of steps whose batches are drawn together."""
        return self._batches.steps

    @property
    def losses(self) -> NDArray[np.float32]:
        """Every loss so far, (cells, step); NaN after the loss at which a cell diverged."""
        return self._losses[: self.step].T

    def status_of(self, index: int) -> Status:
        """Return the status of a cell."""
        return "diverged" if index in self.diverged else self.status

    # --- running -----------------------------------------------------------------------------

    def run(
        self, *, every: int | None = None, interval: float | None = None
    ) -> Generator[StackProgress, None, None]:
        """Train to the end; yield progress after ``every`` steps, ``interval`` s, and at the end.

        The training ends early if every cell has diverged. Closing the generator stops it between
        two steps; an interruption amid a step, as by Ctrl+C, returns to the beginning of the block
        of batches. Raises TypeError and ValueError for a wrong ``every`` or ``interval``.
        """
        check_count("every", every)
        if interval is not None and not isinstance(interval, int | float):
            raise expected("interval", "a number of seconds", interval)
        return self._run(every, interval)

    def _run(
        self, every: int | None, interval: float | None
    ) -> Generator[StackProgress, None, None]:
        use_threads(self.experiments[0])
        reported, clock = self.step, perf_counter()
        last = clock
        while self.status == "training":
            with subnormals_as_zero():
                count = self._advance(every)
            now = perf_counter()
            self.seconds += now - clock
            self._pace = (now - clock) / count
            clock = now
            due = every is not None and self.step % every == 0
            late = interval is not None and now - last >= interval
            if self.status != "training" or due or late:
                yield self._report(reported)
                reported = self.step
                last = clock = perf_counter()

    def _advance(self, every: int | None) -> int:
        """Take some steps and settle their losses; return their number."""
        first = self.step
        try:
            held = self._hold()
            count, place = self._count(held, every), first - held.start
            self._stepper.run(place, self._rates.table(range(first, first + count)))
            following = self._block_of(first) + self._batches.steps
            if first + count == following < self.steps:
                self._draw(following)  # by the host, while a GPU computes
            losses = self._stepper.losses(place, count).numpy()
        except BaseException:  # such as Ctrl+C
            self._return_to_block()
            raise
        self._settle(first, losses)
        return count

    def _count(self, held: range, every: int | None) -> int:
        """Return how many steps to take next: at most to the end of held batches or report."""
        ends = [held.stop, self.steps]
        if every is not None:
            ends.append(self.step - self.step % every + every)
        # The first step measures how many fit into a moment.
        moment = max(1, int(_MOMENT / self._pace)) if self._pace else 1
        return min(min(ends) - self.step, moment)

    def _settle(self, first: int, values: NDArray[np.float32]) -> None:
        """Record the losses from step ``first`` on; detect divergences and the end."""
        self.step = first + len(values)
        self._losses[first : self.step] = values
        bad = ~np.isfinite(values)
        for index in {*np.flatnonzero(bad.any(0)).tolist(), *self.diverged}:
            if index not in self.diverged:
                self.diverged[index] = first + int(bad[:, index].argmax()) + 1
                self._ended[index] = self._state_of(index, restored=True)
            self._losses[max(first, self.diverged[index]) : self.step, index] = np.nan
        if len(self.diverged) == len(self):
            self.step = max(self.diverged.values())
            self.status = "finished"
        if self.step == self.steps:
            self._keep_finite()
            self.status = "finished"

    def _report(self, since: int) -> StackProgress:
        return StackProgress(
            step=self.step,
            steps=self.steps,
            cells=len(self),
            diverged=len(self.diverged),
            losses=self._losses[since : self.step].T.copy(),
            seconds=self.seconds,
            status=self.status,
            trainer=self,
        )

    # --- batches -----------------------------------------------------------------------------

    def _block_of(self, step: int) -> int:
        """Return the first step of the block of a step."""
        return step - step % self._batches.steps

    def _draw(self, block: int) -> None:
        """Draw the numbers of a block, and keep the states of the generators before."""
        now = self._block_of(self.step)
        self._random = {first: states for first, states in self._random.items() if first == now}
        self._random[block] = self._batches.generators()
        self._batches.draw(block)
        self._drawn = block

    def _hold(self) -> range:
        """Return the steps whose batches are held, which the current step is one of."""
        block, room = self._block_of(self.step), self._batches.room
        if self._block != block:
            if self._drawn != block:
                self._draw(block)
            self._keep_finite()
            stepper = self._stepper
            self._at_block = [m.clone() for m in (stepper.trained, stepper.moments, stepper.count)]
            self._block, self._held = block, range(0)
        if self.step not in self._held:
            start = self.step - (self.step - block) % room
            self._held = range(start, min(start + room, block + self._batches.steps))
            self._batches.write(start - block, len(self._held))
        return self._held

    @torch.no_grad()
    def _return_to_block(self) -> None:
        """Return to the beginning of the block after an interruption amid a step or a drawing."""
        stepper, block = self._stepper, self._block_of(self.step)
        if self._block == block:  # otherwise no step of it has begun
            memory = (stepper.trained, stepper.moments, stepper.count)
            for mine, kept in zip(memory, self._at_block, strict=True):
                mine.copy_(kept)
        if block in self._random:
            self._batches.set_generators(self._random[block])
            self._random = {block: self._random[block]}
        self.step, self._block, self._drawn, self._copied = block, None, None, None

    # --- weights -----------------------------------------------------------------------------

    @torch.no_grad()
    def _keep_finite(self) -> None:
        """Remember the weights of every cell whose weights are finite."""
        trained = self._stepper.trained
        sizes = [
            torch.linalg.vector_norm(layer, torch.inf, dim=(1, 2))
            for row in trained
            for layer in self._stepper.layers(row)
        ]
        finite = torch.stack(sizes).isfinite().all(0)
        self._finite = torch.where(self._stepper.of_weights(finite), trained, self._finite)
        self._copied = None

    def _memory(self) -> _Memory:
        """Return a copy of the memory of all cells on the CPU, one for each pause."""
        if self._copied is None or self._copied[0] != self.step:
            stepper = self._stepper
            values = (stepper.trained, self._finite, stepper.moments, stepper.count)
            self._copied = self.step, _Memory(*(value.to("cpu", copy=True) for value in values))
        return self._copied[1]

    # --- taking out --------------------------------------------------------------------------

    def cell(self, index: int) -> Cell:
        """Take out the training of a cell as it is now, or was when it diverged.

        A cell that is taken out right after an overflow, before its loss shows it, has diverged.
        """
        experiment, status = self.experiments[index], self.status_of(index)
        state = self._ended.get(index)
        if state is None:
            restored = self.status == "finished"
            state = self._state_of(index, restored=restored)
            weights = [value for name, value in state.items() if _is_weight(name)]
            if not all(bool(value.isfinite().all()) for value in weights):
                state, status = self._state_of(index, restored=True), "diverged"
        step = len(state["losses"])
        seconds = float(state["seconds"])
        return Cell(experiment, status, step, seconds, self.choice.label, state, self.device)

    def _state_of(self, index: int, *, restored: bool) -> dict[str, Tensor]:
        """Return what `Trainer.state` would of a cell; ``restored``: with the last finite weights.

        The time is the cell's share of that of the stack.
        """
        parameters, memory = self._stepper.parameters, self._memory()
        rows = memory.finite if restored else memory.trained
        state: dict[str, Tensor] = {}
        for prefix, row in zip(("network", "average"), rows, strict=False):
            if prefix == "network" or self.experiments[index].training.average:
                for name, view in zip(self._names, parameters(row), strict=True):
                    state[f"{prefix}.{name}"] = view[index]
        moments = [[view[index] for view in parameters(row)] for row in memory.moments]
        for name, value in state_of(moments, memory.steps).items():
            state[f"optimizer.{name}"] = value
        done = self.diverged.get(index, self.step)
        block = self._block_of(done - (index in self.diverged))
        random = self._random.get(block) or self._batches.generators()
        state["generator"] = random[self._batches.of_cell[index]]
        state["losses"] = torch.from_numpy(self._losses[:done, index])
        state["seconds"] = torch.tensor(self.seconds / len(self), dtype=torch.float64)
        whole = torch.contiguous_format
        return {name: value.clone(memory_format=whole) for name, value in state.items()}

    # --- saving ------------------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Return the whole state as named tensors on the CPU, enough to resume the stack."""
        memory = self._memory()
        block = self._block_of(self.step)
        state = {
            "trained": memory.trained,
            "finite": memory.finite,
            "moments": memory.moments,
            "count": memory.steps,
            "generators": torch.stack(self._random.get(block) or self._batches.generators()),
            "losses": torch.from_numpy(self._losses[: self.step]),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "diverged": torch.tensor(list(self.diverged.items()), dtype=torch.long).view(-1, 2),
        }
        for index, ended in self._ended.items():
            state |= {f"cell.{index}.{name}": value for name, value in ended.items()}
        return {name: value.clone() for name, value in state.items()}

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore a saved `state` of the same experiments on the same kind of device."""
        stepper = self._stepper
        for mine, name in (
            (stepper.trained, "trained"),
            (stepper.moments, "moments"),
            (stepper.count, "count"),
            (self._finite, "finite"),
        ):
            mine.copy_(state[name])
        self.step = len(state["losses"])
        self._losses[: self.step] = state["losses"].numpy()
        self.seconds = float(state["seconds"])
        self.diverged = dict(state["diverged"].tolist())
        self._ended = {i: part_of(state, f"cell.{i}.") for i in self.diverged}
        random = list(state["generators"])
        self._batches.set_generators(random)
        self._random = {self._block_of(self.step): random}
        self._block = self._drawn = self._copied = None
        self._held = range(0)
        done = self.step == self.steps or len(self.diverged) == len(self)
        self.status = "finished" if done else "training"


class _Memory(NamedTuple):
    """The weights of all cells, the last finite ones, and the state of the optimizer."""

    trained: Tensor
    finite: Tensor
    moments: Tensor
    steps: Tensor


def _is_weight(name: str) -> bool:
    return name.startswith(("network.", "average."))


def train_stack(
    experiments: Sequence[Experiment],
    *,
    every: int | None = None,
    interval: float | None = None,
    state: dict[str, Tensor] | None = None,
    device: torch.device | str | None = None,
) -> Iterator[StackProgress]:
    """Train experiments as one stack, from the start or a saved ``state``."""
    trainer = StackedTrainer(experiments, device=device)
    if state is not None:
        trainer.restore(state)
    return trainer.run(every=every, interval=interval)
