"""The trajectory and the losses as numbers: NPZ and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.datasets import Scaling, scaling_of
from ..core.experiment import to_json
from ..core.trajectory import Trajectory
from ..core.values import shown
from .exhibit import Exhibit, Film
from .formats import ExportError, Options, check, write_whole
from .frames import Progress


def write_npz(film: Film, file: Path, progress: Progress) -> None:
    """x (N+1, n, d), what each step said of it, alphas, sigmas, losses and the experiment's JSON.

    x and x0_hat have the data's own size; all else has the unit size at which a network sees it.
    No object arrays, so it opens with ``allow_pickle=False``.
    """
    trajectory, exhibit = film.trajectory, film.exhibit
    arrays = _arrays(trajectory, scaling_of(exhibit.experiment.data), "mean", "noise")
    arrays["repeats"] = trajectory.repeats.detach().cpu().numpy()
    arrays["result_level"] = np.asarray(trajectory.result_level)
    arrays["losses"] = exhibit.losses
    arrays["experiment"] = np.asarray(to_json(exhibit.experiment))
    _save(arrays, file)
    progress(1, 1)


def check_points(file: Path) -> None:
    """Raise `ExportError` unless `write_points` can write there, if need be over what is there."""
    if file.suffix.lower() != ".npz":
        raise ExportError(
            f"--out {shown(file)}: suffix {shown(file.suffix)!r} is not known; allowed: .npz"
        )
    try:
        check(file, Options(force=True))
    except ExportError as error:
        raise ExportError(f"--out {error}") from None


def write_points(trajectory: Trajectory, scaling: Scaling, file: Path) -> None:
    """Points at every level with alphas and sigmas, whole or not at all; sizes as above."""
    write_whole([file], True, lambda places: _save(_arrays(trajectory, scaling), places[0]))


def _arrays(trajectory: Trajectory, scaling: Scaling, *more: str) -> dict[str, Any]:
    """x, x0_hat, eps_hat and ``more`` at every level, with alphas and sigmas."""
    names = ("x0_hat", "eps_hat", *more)
    tensors = dict(zip(names, trajectory.every(*names), strict=True)) | {"x": trajectory.x}
    arrays: dict[str, Any] = {name: values.detach().cpu() for name, values in tensors.items()}
    for name in ("x", "x0_hat"):
        arrays[name] = scaling.back(arrays[name])
    arrays |= {"alphas": trajectory.schedule.alphas, "sigmas": trajectory.schedule.sigmas}
    return {name: values.numpy() for name, values in arrays.items()}


def _save(arrays: dict[str, Any], file: Path) -> None:
    # By way of a handle: numpy would add a suffix to some names.
    with file.open("wb") as out:
        np.savez_compressed(out, **arrays)


def write_csv(film: Film, file: Path, progress: Progress) -> None:
    """One line for every point at every level: level, alpha, sigma, point, and its coordinates."""
    trajectory = film.trajectory
    x = scaling_of(film.exhibit.experiment.data).back(trajectory.x.detach().cpu()).numpy()
    alphas, sigmas = trajectory.schedule.alphas.tolist(), trajectory.schedule.sigmas.tolist()
    names = ("x",) if film.dim == 1 else ("x", "y")
    with file.open("w", encoding="ascii", newline="") as out:
        out.write(",".join(("level", "alpha", "sigma", "point", *names)) + "\r\n")
        for level, points in enumerate(x):
            head = f"{level},{alphas[level]!r},{sigmas[level]!r}"
            for point, place in enumerate(points):
                out.write(f"{head},{point},{','.join(f'{v:.9g}' for v in place.tolist())}\r\n")
            progress(level + 1, len(x))


def write_losses_csv(exhibit: Exhibit, file: Path) -> None:
    """One line for every gradient step: step (from 1) and loss."""
    with file.open("w", encoding="ascii", newline="") as out:
        out.write("step,loss\r\n")
        out.writelines(
            f"{step},{loss:.9g}\r\n" for step, loss in enumerate(exhibit.losses.tolist(), 1)
        )
