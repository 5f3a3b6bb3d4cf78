"""Runs on disk: a folder with plain files, written whole or not at all, and never pickle.

    run.json              state, step, seconds, device, versions, time of writing
    experiment.json       the whole configuration
    weights.safetensors   the network that samples; its weights are averaged where so wished
    state.safetensors     optimizer and generator state, and weights still in training where others
                          sample: enough to go on bit for bit
    losses.npy            one float32 a gradient step
    metrics.json          the quality of the final sample, where there is one

A folder is written under a temporary name beside its place, flushed, and renamed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .. import __version__
from .datasets import make_mixture
from .experiment import ConfigError, Experiment, from_json, to_json
from .methods import NetworkDenoiser, make_method
from .networks import make_network
from .randomness import generator
from .training import Trainer, part_of

FORMAT = 1
State = Literal["finished", "stopped", "diverged"]


_T = TypeVar("_T")


class RunError(ValueError):
    """A run that cannot be opened or written: one line that says which and why."""


def store() -> Path:
    """The folder that holds the runs: under ``DIFFUSION_TUI_HOME`` or the user's data directory."""
    home = os.environ.get("DIFFUSION_TUI_HOME")
    base = (
        Path(home) if home else Path(platformdirs.user_data_dir("diffusion-tui", appauthor=False))
    )
    return base / "runs"


@dataclass(frozen=True)
class Run:
    """A run read from disk."""

    folder: Path
    experiment: Experiment
    state: State
    step: int
    seconds: float
    device: str
    metrics: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def losses(self) -> NDArray[np.float32]:
        """Every loss, one a gradient step."""
        return _read(self.folder, "losses.npy", _load_losses)

    def denoiser(self, device: torch.device | str = "cpu") -> NetworkDenoiser:
        """The trained network, on a device."""
        network = make_network(self.experiment, generator(0, "weights"))
        _read(
            self.folder,
            "weights.safetensors",
            lambda file: network.load_state_dict(load_file(file)),
        )
        method = make_method(self.experiment.method, make_mixture(self.experiment.data))
        return NetworkDenoiser(network.to(device), method)

    def training_state(self) -> dict[str, Tensor]:
        """What `Trainer.restore` takes."""
        weights = _read(self.folder, "weights.safetensors", load_file)
        rest = _read(self.folder, "state.safetensors", _load_state)
        part = "average" if self.experiment.training.average else "network"
        state = {f"{part}.{name}": value for name, value in weights.items()}
        return {**state, **rest, "losses": torch.from_numpy(self.losses().copy())}


def _load_losses(file: Path) -> NDArray[np.float32]:
    losses = np.asarray(np.load(file, allow_pickle=False), np.float32)
    if losses.ndim != 1:
        raise ValueError(f"{losses.ndim} dimensions in place of one")
    return losses


def _load_state(file: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = load_file(file)
    if state["generator"].dtype != torch.uint8 or state["seconds"].ndim:
        raise ValueError("not the state of a training")
    return state


def _load_object(file: Path) -> dict[str, Any]:
    values = json.loads(file.read_text("utf-8"))
    if not isinstance(values, dict):
        raise TypeError("not an object")
    return values


def _read(folder: Path, file: str, load: Callable[[Path], _T]) -> _T:
    """A file of a run, read by ``load``; raises `RunError` that names the file."""
    try:
        return load(folder / file)
    except ConfigError as error:
        raise RunError(f"run {shown(str(folder))}: {file}: {error}") from None
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(
            f"run {shown(str(folder))}: {file} cannot be read ({shown(reason)})"
        ) from None


# What readers raise on files that are damaged, or none of theirs; nesting without end and sizes
# beyond the memory among them.
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    SafetensorError,
)


def shown(text: str) -> str:
    """Text from outside made harmless: control characters become '?'."""
    return "".join(c if c.isprintable() else "?" for c in text)


def new_name(experiment: Experiment) -> str:
    """A name for a new run, free in the store: the experiment and the time."""
    name = f"{experiment.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    others = (f"{name}-{number}" for number in count(2))
    return next(n for n in chain((name,), others) if not (store() / n).exists())


def check_writable(folder: Path) -> None:
    """Raise `RunError` unless a run can be written to ``folder``, which must not hold anything."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise RunError(
                f"--out {shown(str(folder))}: not empty; allowed: a new or an empty folder"
            )
        if folder.exists() and not folder.is_dir():
            raise RunError(
                f"--out {shown(str(folder))}: not a folder; allowed: a new or empty folder"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        probe = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(
            f"--out {shown(str(folder))}: cannot be written ({reason}); allowed: a folder in a "
            "place you may write to"
        ) from None


def save_run(
    folder: Path, trainer: Trainer, state: State, metrics: Mapping[str, Any] | None = None
) -> Path:
    """Write a training to ``folder``, whole or not at all; returns the folder."""
    temporary = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
    tensors = trainer.state()
    prefix = "average." if trainer.experiment.training.average else "network."
    losses = tensors.pop("losses").numpy()
    weights = {name: v.contiguous() for name, v in part_of(tensors, prefix).items()}
    rest = {name: v.contiguous() for name, v in tensors.items() if not name.startswith(prefix)}
    about = {
        "format": FORMAT,
        "experiment": trainer.experiment.name,
        "state": state,
        "step": trainer.step,
        "steps": trainer.steps,
        "seconds": trainer.seconds,
        "device": str(trainer.device),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "diffusion-tui": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        (temporary / "experiment.json").write_text(to_json(trainer.experiment), "utf-8")
        save_file(weights, temporary / "weights.safetensors")
        save_file(rest, temporary / "state.safetensors")
        np.save(temporary / "losses.npy", losses, allow_pickle=False)
        if metrics is not None:
            (temporary / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
        (temporary / "run.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
        for file in temporary.iterdir():
            _flush(file)
        _flush(temporary)
        if folder.exists():
            old = folder.parent / f".{folder.name}.{os.getpid()}.old"
            folder.rename(old)
            temporary.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(folder)
        _flush(folder.parent)
    except (OSError, SafetensorError) as error:
        raise RunError(f"run {shown(str(folder))}: cannot be written ({error})") from None
    finally:
        # Where the writing went well the name is free again.
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def find(name: str) -> Path:
    """The folder of a run given by its name in the store or by its path; raises `RunError`."""
    for folder in (store() / name, Path(name)):
        try:
            if (folder / "run.json").is_file():
                return folder
        except (OSError, ValueError):
            continue  # a name that no folder can have, or a folder that may not be read
    raise RunError(
        f"run {shown(name)!r} does not exist; allowed: the folder of a run, or a name in {store()}"
    )


def open_run(name: str) -> Run:
    """Read a run by its name in the store or its path; raises `RunError` with one line."""
    folder = find(name)
    about = _read(folder, "run.json", _load_about)
    metrics = folder / "metrics.json"
    return Run(
        folder=folder,
        experiment=_read(
            folder, "experiment.json", lambda file: from_json(file.read_text("utf-8"))
        ),
        state=about["state"],
        step=about["step"],
        seconds=about["seconds"],
        device=about["device"],
        metrics=_read(folder, metrics.name, _load_object) if metrics.is_file() else None,
    )


def _load_about(file: Path) -> dict[str, Any]:
    about = _load_object(file)
    if about["format"] != FORMAT:
        raise ValueError(f"format {about['format']}; allowed: {FORMAT}")
    if about["state"] not in get_args(State):
        raise ValueError(f"state {about['state']!r}; allowed: {', '.join(get_args(State))}")
    if not isinstance(about["step"], int) or about["step"] < 0:
        raise ValueError(f"step {about['step']!r}; allowed: a whole number from 0")
    return {**about, "seconds": float(about["seconds"]), "device": str(about["device"])}
