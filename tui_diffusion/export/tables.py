"""The trajectory and the losses as numbers: NPZ and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from ..core.assemble import sampling_schedule, scaling_of
from ..core.config.experiment_json import to_json
from ..core.datasets import Scaling
from ..core.progress import ProgressCallback
from ..core.text import shortened
from ..core.trajectory import Trajectory
from .atomic import write_files
from .formats import check
from .options import ExportError, ExportOptions
from .scene import Animation, Exhibit

_PREDICTIONS = ("x0_hat", "eps_hat")
"""Predictions of the denoiser at every level but the last."""


def write_npz(animation: Animation, file: Path, progress: ProgressCallback) -> None:
    """Write the trajectory, the predictions, the schedule, the losses and the experiment as NPZ.

    Arrays: x (N+1, n, d); x0_hat, eps_hat, mean and noise of each step (N, n, d); alphas, sigmas,
    losses, and the experiment's JSON. x and x0_hat are in the data's own units (float64 for points
    from a file); the others are at the unit size of the network. For points from a file, centre and
    scale convert between the two: own = centre + scale · x. labels (n,) are the classes of the
    points, where the network has labels. The archive has no object arrays, so it
    opens with ``allow_pickle=False``.
    """
    trajectory, exhibit = animation.trajectory, animation.exhibit
    described = exhibit.experiment.data.given is None
    more = {
        "repeats": trajectory.repeats.detach().cpu().numpy(),
        "result_level": trajectory.result_level,
        "losses": exhibit.losses,
        "experiment": to_json(exhibit.experiment) if described else "",
    }
    scaling = scaling_of(exhibit.experiment.data)
    _save(trajectory, scaling, (*_PREDICTIONS, "mean", "noise"), more, file, progress)


def check_points(file: Path) -> None:
    """Raise `ExportError` if `write_points` cannot write there, replacing an existing file."""
    if file.suffix.lower() != ".npz":
        raise ExportError(
            f"--out {shortened(str(file), 200)}: suffix {shortened(file.suffix)!r} is not known; "
            "allowed: .npz"
        )
    try:
        check(file, ExportOptions(force=True))
    except ExportError as error:
        raise ExportError(f"--out {error}") from None


def write_points(
    trajectory: Trajectory, scaling: Scaling, file: Path, progress: ProgressCallback
) -> None:
    """Write the points and the schedule of every level, atomically; units as in `write_npz`."""

    def write(paths: list[Path]) -> None:
        _save(trajectory, scaling, _PREDICTIONS, {}, paths[0], progress)

    write_files([file], True, write)


def _save(
    trajectory: Trajectory,
    scaling: Scaling,
    predictions: Sequence[str],
    more: Mapping[str, Any],
    file: Path,
    progress: ProgressCallback,
) -> None:
    """Write x and ``predictions``, level by level, with the schedule and ``more``.

    The archive is not compressed: compression saves a tenth for noisy numbers and takes most of the
    time.
    """
    x, schedule = trajectory.x, trajectory.schedule
    more = {"alphas": schedule.alphas.numpy(), "sigmas": schedule.sigmas.numpy(), **more}
    if trajectory.labels is not None:
        more |= {"labels": trajectory.labels.cpu().numpy()}
    if scaling.changes:
        more |= {"centre": scaling.centre.numpy(), "scale": scaling.scale.numpy()}

    def numbers(name: str, values: Tensor) -> memoryview:
        values = values.detach().cpu().to(x.dtype)
        return in_units(name, values).contiguous().numpy().data

    def in_units(name: str, values: Tensor) -> Tensor:
        return scaling.inverse(values) if name in ("x", "x0_hat") else values

    def begin(name: str, levels: int) -> IO[bytes]:
        out = archive.open(f"{name}.npy", "w", force_zip64=True)
        kind: NDArray[Any] = in_units(name, x[0, :0].cpu()).numpy()
        shape = (levels, *x.shape[1:])
        header = {"descr": kind.dtype.str, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(out, header)
        return out

    with ExitStack() as files:
        archive = files.enter_context(ZipFile(file, "w"))
        with begin("x", len(x)) as out:
            for points in x:
                out.write(numbers("x", points))
        # A step holds all its predictions at once, but an archive takes one array after another.
        aside = {name: files.enter_context(TemporaryFile(dir=file.parent)) for name in predictions}
        for k in range(trajectory.levels):
            step = trajectory.step(k)
            for name, kept in aside.items():
                kept.write(numbers(name, getattr(step, name)))
            progress(k + 1, trajectory.levels)
        for name, kept in aside.items():
            kept.seek(0)
            with begin(name, trajectory.levels) as out:
                copyfileobj(kept, out, 2**20)
        for name, value in more.items():
            with archive.open(f"{name}.npy", "w") as out:
                npy.write_array(out, np.asarray(value), allow_pickle=False)


def write_csv(animation: Animation, file: Path, progress: ProgressCallback) -> None:
    """Write one line for every point at every level: level, alpha, sigma, point, coordinates.

    The last column is the label of the point, where the network has labels.
    """
    trajectory = animation.trajectory
    scaling = scaling_of(animation.exhibit.experiment.data)
    number_text = float.__repr__ if scaling.changes else "{:.9g}".format  # float64, else float32
    alphas, sigmas = trajectory.schedule.alphas.tolist(), trajectory.schedule.sigmas.tolist()
    names = ("x",) if animation.dim == 1 else ("x", "y")
    ends = [""] * trajectory.points
    if trajectory.labels is not None:
        names = (*names, "label")
        ends = [f",{label}" for label in trajectory.labels.tolist()]
    with file.open("w", encoding="ascii", newline="") as out:
        out.write(",".join(("level", "alpha", "sigma", "point", *names)) + "\r\n")
        for level, points in enumerate(trajectory.x.detach()):
            head = f"{level},{alphas[level]!r},{sigmas[level]!r}"
            for point, position in enumerate(scaling.inverse(points).tolist()):
                numbers = ",".join(map(number_text, position))
                out.write(f"{head},{point},{numbers}{ends[point]}\r\n")
            progress(level + 1, len(trajectory.x))


def write_view_csv(exhibit: Exhibit, view: str, file: Path) -> None:
    """Write the numbers of a view of `TABLE_VIEWS`, one line for each step, level or part."""
    heads, rows = _table(exhibit, view)
    with file.open("w", encoding="ascii", newline="") as out:
        out.write(",".join(heads) + "\r\n")
        out.writelines(",".join(map(_cell, row)) + "\r\n" for row in rows)


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.9g}"


def _table(
    exhibit: Exhibit, view: str
) -> tuple[Sequence[str], Iterable[Sequence[str | float | None]]]:
    """Return the heading and the rows of a view."""
    if view == "loss":
        return ("step", "loss"), enumerate(exhibit.losses.tolist(), 1)
    if view == "excess":
        rows = exhibit.diagnosed.losses
        of_level = ("level", "alpha", "sigma", "loss", "floor", "excess", "nats")
        return of_level, [[getattr(row, head) for head in of_level] for row in rows]
    if view == "error":
        split = exhibit.diagnosed.attribution
        parts = ("start", "network", "discretisation", "total", "chance")
        errors = [] if split is None else [(part, getattr(split, part)) for part in parts]
        return ("part", "energy_distance"), errors
    if view == "evaluations":
        heads = ("sampler", "levels", "evaluations", "network", "ideal", "real")
        return heads, [[getattr(row, head) for head in heads] for row in exhibit.evaluations]
    if view == "memorisation":
        optima = ("to_population", "to_training_set")
        of_levels = [
            (at.level, None, *(getattr(at, name) for name in optima)) for at in exhibit.distances
        ]
        over_steps = [(None, *row) for row in exhibit.memorisation[["step", *optima]].tolist()]
        return ("level", "step", *optima), [*of_levels, *over_steps]
    if view == "guidance":
        of_guidance = ("level", "sigma", "angle", "ratio", "length", "exact")
        guided = [at for at in exhibit.guidance.levels if at is not None]
        return of_guidance, [[getattr(at, head) for head in of_guidance] for at in guided]
    if view == "schedule":
        schedule, by = sampling_schedule(exhibit.experiment), exhibit.diagnosed.amplification
        grow = [(at.step, at.out) for at in by] + [(None, None)]
        noise = zip(schedule.alphas.tolist(), schedule.sigmas.tolist(), strict=True)
        lines = [(k, *of, *to) for k, (of, to) in enumerate(zip(noise, grow, strict=False))]
        return ("level", "alpha", "sigma", "error_after_step", "error_in_sample"), lines
    if exhibit.trajectory is None:
        raise ExportError("there is no denoising yet; allowed without one: a view of the training")
    animation = Animation(exhibit, exhibit.trajectory)
    names = ("x", "y")[: animation.dim]
    of = ("mean", "std", "exact_mean", "exact_std")
    named = ("level", *(f"{what}_{name}" for what in of for name in names))
    values = np.concatenate(animation.moments, 1)
    return named, [(level, *row) for level, row in enumerate(values.tolist())]


def write_losses_csv(exhibit: Exhibit, file: Path) -> None:
    """Write one line for every gradient step: step (from 1) and loss."""
    with file.open("w", encoding="ascii", newline="") as out:
        out.write("step,loss\r\n")
        out.writelines(
            f"{step},{loss:.9g}\r\n" for step, loss in enumerate(exhibit.losses.tolist(), 1)
        )
