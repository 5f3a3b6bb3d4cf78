"""The choices of the export dialog: from the lab, its training panel, or a comparison."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.progress import ProgressCallback
from ..runs.compare.subjects import LETTERS, Subject

if TYPE_CHECKING:
    from ...core.memorisation_rows import Rows
    from ...core.sweeps.results import SweepResults
    from ...export import ExportOptions
    from ...export.scene import Exhibit
    from ..panels.training import LossPanel
    from ..runs.compare.differences import ComparisonRow
    from ..sampling.measured_trajectory import MeasuredTrajectory
    from ..session.records import Training

Write = Callable[[Path, "ExportOptions", ProgressCallback], list[Path]]
"""Writes a file, in a thread, and returns the paths it wrote."""

KINDS = {
    ".png": "a picture",
    ".svg": "a picture that scales",
    ".gif": "an animation, out and back",
    ".mp4": "an animation",
    ".csv": "points at every level, and the losses",
    ".npz": "the same as arrays",
    ".py": "a stand-alone script that does the same",
}
"""Description of each kind of file, by suffix."""

SCREEN = "the screen"
"""The choice that exports the terminal's own picture, as SVG."""


@dataclass(frozen=True)
class ExportChoices:
    """The choices of the export dialog.

    ``name``: default name of the file. ``kinds``: descriptions by suffix. ``shows``: by suffix,
    the contents with their writers, the default first. ``screen``: offer the terminal's picture.
    """

    name: str
    kinds: Mapping[str, str]
    shows: Mapping[str, Mapping[str, Write]]
    screen: bool = True

    def shown(self, suffix: str) -> list[str]:
        """Return the contents that a file with this suffix can show."""
        contents = list(self.shows.get(suffix, {}))
        return [*contents, SCREEN] if suffix == ".svg" and contents else contents


def of_lab(
    trajectory: MeasuredTrajectory,
    view: str,
    position: float,
    training: Training | None,
    panel: LossPanel,
    first: bool,
) -> ExportChoices:
    """Return the choices of the lab: the denoising and the training panel.

    ``position``: playback position between levels 0 and N. ``first``: put the training panel first.
    """
    exhibit = _exhibit(trajectory, training)
    level = f"{view}, level {position:g}/{trajectory.levels}"
    at = None if view == "mean and std" else position
    points: dict[str, Write] = {
        view if at is None else level: _writer(exhibit, view=view, level=at),
        "grid of levels": _writer(exhibit, view="grid"),
    }
    numbers: dict[str, Write] = {"points and losses": _writer(exhibit)}
    curves = _of_training(panel)
    if curves is not None:
        own: dict[str, Write] = {_TITLES[panel.view]: _writer(curves, view=panel.view)}
        points = {**own, **points} if first else {**points, **own}
        numbers = {**own, **numbers} if first else {**numbers, **own}
    if view == "mean and std":
        numbers[view] = _writer(exhibit, view=view)
    whole: dict[str, Write] = {"": _writer(exhibit)}
    shows = dict.fromkeys(KINDS, whole) | {
        ".png": points,
        ".svg": points,
        ".csv": numbers,
    }
    return ExportChoices(trajectory.request.experiment.name, KINDS, shows)


_TITLES = {
    "loss": "loss curve",
    "excess": "excess per level",
    "error": "error by its source",
    "schedule": "noise schedule",
    "evaluations": "error against evaluations",
    "guidance": "guidance per level",
    "memorisation": "population and training set",
}


def _writer(exhibit: Exhibit, view: str | None = None, level: float | None = None) -> Write:
    def write(file: Path, options: ExportOptions, progress: ProgressCallback) -> list[Path]:
        from ...export import export

        return export(exhibit, file, replace(options, view=view, level=level), progress)

    return write


def _exhibit(trajectory: MeasuredTrajectory, training: Training | None) -> Exhibit:
    from ..views.exported import exported

    exhibit, request = exported(trajectory).exhibit, trajectory.request
    if training is None or training.losses is None or request.source != "network":
        return exhibit
    losses = training.losses[: training.step].copy()
    return _with_measurements(replace(exhibit, losses=losses), training.memorisation)


def _of_training(panel: LossPanel) -> Exhibit | None:
    """Return the contents of the training panel, or None if it is empty."""
    from ...export.scene import ErrorDiagnosis, Exhibit

    training, diagnosis = panel.training, panel.diagnosis
    if panel.view != "loss":
        if diagnosis is None:
            return None
        errors = ErrorDiagnosis(
            diagnosis.losses,
            diagnosis.amplification,
            diagnosis.attribution,
            diagnosis.likelihood,
            diagnosis.evaluations,
            diagnosis.guidance,
            diagnosis.distances,
        )
        exhibit = Exhibit(diagnosis.request.experiment, diagnosis=errors)
        return _with_measurements(exhibit, panel.measurements)
    if training is None or training.losses is None or not training.step:
        return None
    exhibit = Exhibit(training.experiment, losses=training.losses[: training.step].copy())
    return _with_measurements(exhibit, training.memorisation)


def _with_measurements(exhibit: Exhibit, rows: Rows | None) -> Exhibit:
    return exhibit if rows is None else replace(exhibit, memorisation=rows)


_OF_A_SWEEP = {
    ".csv": "every training, a line each",
    ".png": "a picture of a measure",
    ".svg": "a picture that scales",
}


def of_sweep(results: SweepResults, measure: str) -> ExportChoices:
    """Return the choices of a sweep: its table, and pictures of ``measure`` and of the others."""
    from ...core.sweeps.measures import MEASURES
    from ...export.sweeps import export_sweep

    def writer(view: str | None) -> Write:
        def write(file: Path, options: ExportOptions, progress: ProgressCallback) -> list[Path]:
            return export_sweep(results, file, replace(options, view=view))

        return write

    keys = dict.fromkeys((measure, *results.measures))
    pictures = {MEASURES[key].name: writer(key) for key in keys}
    shows = {".csv": {"": writer(None)}, ".png": pictures, ".svg": pictures}
    return ExportChoices(results.stored.name, _OF_A_SWEEP, shows)


# --- a comparison --------------------------------------------------------------------------------

_COMPARED = {
    ".png": "a picture of all runs",
    ".svg": "a picture that scales",
    ".csv": "losses, or the table",
}


def of_comparison(
    subjects: Sequence[Subject],
    trajectories: Sequence[tuple[int, MeasuredTrajectory, float]],
    views: Mapping[int, str],
    rows: Sequence[ComparisonRow],
    *,
    log: bool,
    relative: bool,
    first: str,
) -> ExportChoices:
    """Return the choices of a comparison: losses, trajectories side by side, and the table.

    ``trajectories``: index of the subject, trajectory, and position between levels 0 and N.
    ``views``: view by dimension. ``first``: the default, "losses", "denoising" or "table".
    """
    from ...export.pictures.learning_curves import losses_figure
    from ...export.pictures.side_by_side import denoisings
    from ...export.scene import Animation
    from ...export.write import export_figure

    names = [f"{LETTERS[k]}  {subject.name}" for k, subject in enumerate(subjects)]
    title = " and ".join(dict.fromkeys(subject.experiment.name for subject in subjects))
    losses = [(name, s.losses, s.floors) for name, s in zip(names, subjects, strict=True)]

    def draw_losses(file: Path, options: ExportOptions, progress: ProgressCallback) -> list[Path]:
        figure = losses_figure(losses, title, log=log, relative=relative)
        return export_figure(lambda size: figure, file, options, progress)

    def draw_trajectories(
        file: Path, options: ExportOptions, progress: ProgressCallback
    ) -> list[Path]:
        exported = [
            (names[k], Animation(_exhibit(trajectory, None), trajectory.raw), position)
            for k, trajectory, position in trajectories
        ]
        figure = denoisings(exported, views, title)
        return export_figure(lambda size: figure, file, options, progress)

    pictures: dict[str, Write] = {"losses": draw_losses}
    if trajectories:
        side_by_side: dict[str, Write] = {"denoising, side by side": draw_trajectories}
        leads = first == "denoising"
        pictures = {**side_by_side, **pictures} if leads else {**pictures, **side_by_side}
    tables: dict[str, Write] = {
        "losses": partial(_write_table, lambda: _losses_table(names, subjects)),
        "settings and results": partial(
            _write_table, lambda: [["", *names], *([r.label, *r.values] for r in rows if r.values)]
        ),
    }
    if first == "table":
        tables = dict(reversed(tables.items()))
    return ExportChoices(
        "comparison", _COMPARED, {".png": pictures, ".svg": pictures, ".csv": tables}
    )


def _losses_table(names: Sequence[str], subjects: Sequence[Subject]) -> list[list[str]]:
    """Return one row for each gradient step and one column for each training.

    Cells beyond the end of a training are empty.
    """
    longest = max(len(subject.losses) for subject in subjects)
    columns = [[f"{loss:.9g}" for loss in s.losses.tolist()] for s in subjects]
    columns = [column + [""] * (longest - len(column)) for column in columns]
    rows = [list(row) for row in zip(map(str, range(1, longest + 1)), *columns, strict=True)]
    return [["step", *names], *rows]


def _write_table(
    make: Callable[[], list[list[str]]],
    file: Path,
    options: ExportOptions,
    progress: ProgressCallback,
) -> list[Path]:
    from ...export.atomic import write_files

    def write(files: list[Path]) -> None:
        with files[0].open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(make())
        progress(1, 1)

    write_files([file], options.force, write)
    return [file]
