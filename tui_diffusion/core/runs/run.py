"""Runs on disk: folders of plain files, written atomically, without pickle.

    run.json                  the current checkpoint; state, step, seconds, device, versions, times
    lock                      held by the process that writes
    progress.bin              the losses since that process began, while it trains
    points.npy                the data, if they came from a file
    my_parts.py               a copy of each part file that the run uses
    checkpoint-3/             a training at one moment; never changed once it is current
        experiment.json       the whole configuration
        weights.safetensors   the network that samples; its weights are averaged if configured
        state.safetensors     optimizer and generator state, and the weights in training if others
                              sample: enough to resume bit for bit
        losses.npy            one float32 per gradient step
        metrics.json          the quality of the final sample, if there is one
    experiment.json, …        copies of the current checkpoint's files, for other programs

`writer` writes runs, `store` lists, renames and removes them, `outside` lists those elsewhere,
`naming` finds one, `changes` compares them with their presets, `resume` continues them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .. import notebook, pictures
from ..arguments import expected
from ..assemble import make_method, make_mixture, make_network
from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..config.guide import guide_of
from ..config.point_files import read_points
from ..device_names import device_from
from ..files import UNREADABLE, read_object, reason_of
from ..methods import NetworkDenoiser
from ..networks import Network
from ..paths import store
from ..randomness import generator
from ..short_repr import short_repr
from ..text import shown
from ..training.trainer import part_of
from .kept_parts import changed_parts, missing_part
from .manifest import (
    POINTS_FILE,
    MissingPartError,
    RunError,
    RunState,
    check_unchanged,
    read_about,
)
from .naming import find
from .store import is_shown
from .stored_experiment import load_experiment
from .writer import save_run, temporary_of

__all__ = [
    "Run",
    "RunError",
    "RunState",
    "check_writable",
    "find",
    "new_name",
    "open_run",
    "save_run",
    "shown",
    "store",
    "take_name",
]

_T = TypeVar("_T")

_WEIGHTS = ("network.", "guide.network.", "guide.average.")
"""Beginnings of the names of weights in a state."""


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A run read from disk; tensors are read on request."""

    folder: Path
    checkpoint: Path
    experiment: Experiment
    state: RunState
    step: int
    seconds: float
    device: str
    metrics: Mapping[str, Any] | None
    checksums: Mapping[str, str]
    changed_parts: tuple[str, ...] = ()
    """One line for each part file that has changed since the run."""

    def __repr__(self) -> str:
        name = self.experiment.name
        return short_repr(self, "name", experiment=name, step=self.step, state=self.state)

    def _repr_html_(self) -> str:
        rows = {
            "experiment": self.experiment.name,
            "step": f"{self.step:,} of {self.experiment.training.steps:,}",
            "state": self.state,
            "seconds": self.seconds,
            "device": self.device,
        }
        return notebook.table(self.name, rows, lambda: pictures.curve(self.losses()))

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def losses(self) -> NDArray[np.float32]:
        """Read every loss, one per gradient step."""
        return self._read("losses.npy", self._load_losses)

    def denoiser(self, device: torch.device | str = "cpu") -> NetworkDenoiser:
        """Read the trained network onto a device, and its guide if one was trained along."""
        device = device_from(device)
        network = make_network(self.experiment, generator(0, "weights"))
        self._read("weights.safetensors", lambda f: network.load_state_dict(_load_weights(f)))
        method = make_method(self.experiment.method, make_mixture(self.experiment.data))
        guide = self._guide() if self.experiment.network.guide else None
        return NetworkDenoiser(
            network.to(device), method, guide=guide if guide is None else guide.to(device)
        )

    def _guide(self) -> Network:
        """Read the guide that was trained along."""
        network = make_network(guide_of(self.experiment), generator(0, "weights"))
        part = "guide.average." if self.experiment.training.average else "guide.network."

        def load(file: Path) -> None:
            network.load_state_dict(part_of(_load_state(file), part))

        self._read("state.safetensors", load)
        return network

    def training_state(self) -> dict[str, Tensor]:
        """Read the state that `Trainer.restore` takes."""
        weights = self._read("weights.safetensors", _load_weights)
        rest = self._read("state.safetensors", _load_state)
        part = "average" if self.experiment.training.average else "network"
        state = {f"{part}.{name}": value for name, value in weights.items()}
        return {**state, **rest, "losses": torch.from_numpy(self.losses().copy())}

    def _read(self, file: str, load: Callable[[Path], _T]) -> _T:
        return _read(self.folder, self.checkpoint / file, load, self.checksums)

    def _load_losses(self, file: Path) -> NDArray[np.float32]:
        losses = np.asarray(np.load(_plain(file), allow_pickle=False), np.float32)
        if losses.ndim != 1:
            raise ValueError(f"{losses.ndim} dimensions in place of one")
        if len(losses) != self.step:
            raise ValueError(f"{len(losses):,} losses of {self.step:,} steps")
        return losses


def open_run(name: str | Path) -> Run:
    """Read a run by its name in the store or its path; raise `RunError`, one line.

    A part that is not loaded raises `MissingPartError`: a run's own copy is not loaded by itself.
    """
    if not isinstance(name, str | Path):
        raise expected("name", "the name or the folder of a run", name)
    folder = find(str(name))
    about = _read(folder, folder / "run.json", lambda file: read_about(file.parent), {})
    if missing := missing_part(about.parts, search=True):
        part, kept = missing
        raise MissingPartError(folder.name, part, kept, folder.absolute() / kept.name)
    checkpoint = folder / about.checkpoint
    points = folder / POINTS_FILE
    if os.path.lexists(points):
        _read(folder, points, lambda file: read_points(_plain(file)), about.checksums)
    experiment = _read(
        folder,
        checkpoint / "experiment.json",
        lambda file: load_experiment(file, points),
        about.checksums,
    )
    if about.step > experiment.training.steps:
        raise RunError(
            f"run {shown(str(folder))}: run.json: step {about.step:,} of an experiment of "
            f"{experiment.training.steps:,} steps"
        )
    metrics = checkpoint / "metrics.json"
    known = os.path.lexists(metrics) or metrics.name in about.files
    return Run(
        folder=folder,
        checkpoint=checkpoint,
        experiment=experiment,
        state=about.state,
        step=about.step,
        seconds=about.seconds,
        device=about.device,
        metrics=_read(folder, metrics, read_object, about.checksums) if known else None,
        checksums=about.checksums,
        changed_parts=changed_parts(about.parts),
    )


def _read(folder: Path, file: Path, load: Callable[[Path], _T], checksums: Mapping[str, str]) -> _T:
    """Read a file of a run with ``load``; raise `RunError` that names the file.

    The file must match ``checksums``. The run's own folder must hold the same file or none: a
    different one there means that somebody wants it to be used.
    """
    run = f"run {shown(str(folder))}"
    try:
        if file.parent != folder and file.parent.is_symlink():
            raise ValueError("its folder is a link")
        read = load(file)
        check_unchanged(file, checksums)  # afterwards, because a parse error says more
    except ConfigError as error:
        raise RunError(f"{run}: {file.name}: {error}") from None
    except FileNotFoundError:
        if file.parent != folder and _has_newer(folder, file.parent.name):
            raise RunError(f"{run}: it was written while being read; try again") from None
        raise RunError(f"{run}: {file.name} is missing") from None
    except (*UNREADABLE, SafetensorError) as error:
        raise RunError(f"{run}: {file.name} cannot be read ({reason_of(error)})") from None
    if file.parent != folder and not is_shown(folder, file, contents=True):
        raise RunError(
            f"{run}: {file.name} is not that of {file.parent.name}, which counts; allowed: the "
            "same, or none"
        )
    return read


def _has_newer(folder: Path, checkpoint: str) -> bool:
    """Return whether another checkpoint is current now."""
    try:
        return read_about(folder).checkpoint != checkpoint
    except UNREADABLE:
        return False


def _plain(file: Path) -> Path:
    """Return a path if it is a plain file: a link might lead elsewhere, a pipe might never end."""
    if not stat.S_ISREG(file.lstat().st_mode):
        raise ValueError("not a plain file")
    return file


def _load_weights(file: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = load_file(_plain(file))
    for name, value in weights.items():
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} holds numbers that are not finite")
    return weights


def _load_state(file: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = load_file(_plain(file))
    if state["generator"].dtype != torch.uint8 or state["seconds"].ndim:
        raise ValueError("not the state of a training")
    check = torch.Generator()
    if (
        state["generator"].shape == check.get_state().shape
    ):  # the state of a CPU generator; others differ in size
        check.set_state(state["generator"])
    weights = [name for name in state if name.startswith(_WEIGHTS)]
    for name, value in ((name, state[name]) for name in weights):
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} holds numbers that are not finite")
    return state


# --- where -------------------------------------------------------------------------------------


def new_name(experiment: Experiment) -> str:
    """Return a name for a new run, free in the store: the experiment and the time."""
    return next(name for name in _names(experiment) if not (store() / name).exists())


def take_name(experiment: Experiment) -> Path:
    """Reserve a unique name in the store and return the folder of the new run.

    Processes on other machines or in other containers may have the same number and start in the
    same second: the name belongs to the process that creates the temporary folder, which
    `writer.create` uses. In a read-only store no name is reserved; writing the run reports the
    error.
    """
    for name in _names(experiment):
        folder = (store() / name).absolute()
        temporary = temporary_of(folder)
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
        except FileExistsError:
            if temporary.is_dir():
                continue
            return folder
        except OSError:
            return folder
        if not folder.exists():  # checked last, because it replaces the temporary one
            return folder
        temporary.rmdir()
    raise AssertionError


def _names(experiment: Experiment) -> Iterator[str]:
    name = f"{experiment.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def check_writable(folder: Path, named: str) -> None:
    """Raise `RunError` unless a run can be written to ``folder``, which must be empty or new.

    ``named`` is the option or field that the message names.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise RunError(
                f"{named} {shown(str(folder))}: not empty; allowed: a new or an empty folder"
            )
        if folder.exists() and not folder.is_dir():
            raise RunError(
                f"{named} {shown(str(folder))}: not a folder; allowed: a new or empty folder"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        probe = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise RunError(
            f"{named} {shown(str(folder))}: cannot be written ({reason_of(error)}); allowed: a "
            "folder in a place you may write to"
        ) from None
