"""The ``export`` command: write pictures, animations, numbers or a script of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.config.errors import ConfigError
from ..core.progress import ProgressCallback
from ..core.text import shown
from . import completion
from .examples import examples
from .options import json_option, parts_option
from .progress import with_bar
from .resampling import denoiser_of, resampled
from .results import end_if_diverged, print_json
from .signals import Interruption, complain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.trajectory import Trajectory
    from ..export.options import ExportOptions


@click.command("export", epilog=examples("export"))
@click.argument("run", metavar="RUN|SWEEP", shell_complete=completion.exported)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--points", metavar="N", help="Points denoised together.")
@click.option("--size", metavar="WxH", help="Size of an animation or a picture, such as 640x480.")
@click.option("--fps", metavar="N", help="Frames per second of an animation.")
@click.option("--seconds", metavar="S", help="Length of an animation.")
@click.option("--seed", metavar="N", help="Seed of the sampling, instead of the run's.")
@click.option(
    "--view",
    metavar="V",
    help="What a picture shows: grid, a view of the lab such as scatter or score-field, or loss, "
    "excess, error, schedule.",
)
@click.option("--level", metavar="K", help="The level a view shows, from 0 (noise) to N (clean).")
@click.option("--light", is_flag=True, help="Use a light background.")
@click.option("--transparent", is_flag=True, help="Use a transparent background (.png and .svg).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@parts_option
@json_option
def export_(
    run: str,
    file: Path,
    points: str | None,
    size: str | None,
    fps: str | None,
    seconds: str | None,
    seed: str | None,
    view: str | None,
    level: str | None,
    light: bool,
    transparent: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write an animation, a picture, the numbers or a script of a run, or the results of a sweep.

    RUN is a name, the beginning of one, a folder, or latest. FILE ends in .gif .mp4 .png .svg .csv
    .npz or .py; a .py file is a standalone script that trains and samples the same. A sweep goes to
    .csv .png or .svg; --view is then the measure, such as energy-distance or excess.
    """
    from ..core.sweeps.either import find_sweep_or_run
    from ..export import formats
    from ..export.formats import check, format_of, samples
    from ..export.options import ExportOptions, read_level, read_number, read_size
    from ..export.write import export

    options = ExportOptions(
        view=view,
        level=read_level(level),
        light=light,
        transparent=transparent,
        size=read_size(size),
        fps=read_number("fps", fps),
        seconds=read_number("seconds", seconds),
        force=force,
    )
    format_of(file)
    sweep, _ = find_sweep_or_run(run)
    if sweep is not None:
        given = {"--points": points, "--fps": fps, "--seconds": seconds, "--seed": seed}
        _export_sweep(sweep, file, options, given, as_json)
        return
    check(file, options)
    sampled = samples(file) and formats.needs_points(view)
    if seed is not None and not samples(file):
        raise ConfigError(
            "--seed does not go with .py, which trains with the run's own seed; allowed: none"
        )
    from ..core.analysis.report import not_finite
    from ..core.runs.run import open_run
    from ..core.trajectory import denoise
    from ..export.scene import Exhibit

    opened = open_run(run)
    experiment = resampled(opened, points, None, None, seed)
    formats.check_view(experiment, options)
    exhibit = Exhibit(experiment)
    if samples(file):
        denoiser, device = denoiser_of(opened, experiment)

        def sample(progress: ProgressCallback) -> Trajectory:
            return denoise(experiment, denoiser, device=device, progress=progress)

        trajectory = with_bar("sampling", sample) if sampled else None
        exhibit = Exhibit(
            opened.experiment,
            trajectory,
            opened.losses(),
            denoiser=denoiser,
            seed=experiment.seed,
            memorisation=opened.memorisation(),
        )
    with Interruption():  # no partial file stays behind
        files = with_bar(
            f"writing {file.suffix}", lambda progress: export(exhibit, file, options, progress)
        )
    _print_files(files, {"run": str(opened.folder), "experiment": opened.experiment.name}, as_json)
    if exhibit.trajectory is not None:
        finite = int(exhibit.trajectory.result.isfinite().all(1).sum())
        end_if_diverged(not_finite(experiment.sampling.points - finite, experiment.sampling.points))


def _export_sweep(
    folder: Path, file: Path, options: ExportOptions, given: Mapping[str, object], as_json: bool
) -> None:
    """Write the results of a sweep; ``given`` are options that only a run takes."""
    from ..core.sweeps.results import sweep_results
    from ..core.sweeps.store import read_sweep
    from ..export.sweeps import check_sweep, export_sweep

    if wrong := [name for name, value in given.items() if value is not None]:
        raise ConfigError(
            f"{', '.join(wrong)} does not go with a sweep; allowed: --view, --size, --light, "
            "--transparent, --force"
        )
    check_sweep(file, options)
    found = sweep_results(read_sweep(folder))
    for change in found.stored.changed_parts:
        complain(change)
    with Interruption():
        files = export_sweep(found, file, options)
    about = {"sweep": str(found.stored.folder), "experiment": found.sweep.base.name}
    _print_files(files, about, as_json)


def _print_files(files: Sequence[Path], about: Mapping[str, str], as_json: bool) -> None:
    entries = [{"file": str(path), "bytes": path.stat().st_size} for path in files]
    if as_json:
        print_json({**about, "files": entries})
        return
    for entry in entries:
        print(f"{shown(str(entry['file']))}  {entry['bytes']:,} bytes")
