"""The trajectory and the losses as numbers: NPZ and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.datasets import scaling_of
from ..core.experiment import to_json
from .exhibit import Exhibit, Film
from .frames import Progress


def write_npz(film: Film, file: Path, progress: Progress) -> None:
    """x (N+1, n, d), what each step said of it, alphas, sigmas, losses and the experiment's JSON.

    x and x0_hat have the data's own size; all else has the unit size at which a network sees it.
    No object arrays, so it opens with ``allow_pickle=False``.
    """
    trajectory, scaling = film.trajectory, scaling_of(film.exhibit.experiment.data)
    names = ("eps_hat", "mean", "noise", "x0_hat")
    said = dict(zip(names, trajectory.every(*names), strict=True)) | {"repeats": trajectory.repeats}
    arrays: dict[str, Any] = {name: values.detach().cpu().numpy() for name, values in said.items()}
    arrays["x"] = scaling.back(trajectory.x.detach().cpu()).numpy()
    arrays["x0_hat"] = scaling.back(said["x0_hat"].detach().cpu()).numpy()
    arrays["alphas"] = trajectory.schedule.alphas.numpy()
    arrays["sigmas"] = trajectory.schedule.sigmas.numpy()
    arrays["result_level"] = np.asarray(trajectory.result_level)
    arrays["losses"] = film.exhibit.losses
    arrays["experiment"] = np.asarray(to_json(film.exhibit.experiment))
    with file.open("wb") as out:
        np.savez_compressed(out, **arrays)
    progress(1, 1)


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
