"""Writing an export in the format that its suffix names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.progress import ProgressCallback
from ..core.text import shown
from .atomic import write_files
from .formats import (
    FORMATS,
    ExportFormat,
    check,
    check_view,
    format_of,
    formats_with,
    needs_points,
)
from .options import AS_USUAL, ExportError, ExportOptions
from .views import GRID, named

if TYPE_CHECKING:
    from .pictures.figure import Figure
    from .scene import Animation, Exhibit


def export(
    exhibit: Exhibit,
    file: Path,
    options: ExportOptions = AS_USUAL,
    progress: ProgressCallback | None = None,
) -> list[Path]:
    """Write ``file`` atomically and return the files written.

    A CSV export has two files: the trajectory, and the losses. Raise `ExportError` with a one-line
    message.
    """
    files = check(file, options)
    kind = FORMATS[file.suffix.lower()]
    report = progress or _no_progress
    write_files(files, options.force, lambda paths: _write(exhibit, kind, paths, options, report))
    return files


def _write(
    exhibit: Exhibit,
    kind: ExportFormat,
    files: list[Path],
    options: ExportOptions,
    progress: ProgressCallback,
) -> None:
    file = files[0]
    if file.suffix == ".py":
        from ..core.networks import OwnNetwork
        from .script.standalone import standalone_script

        if isinstance(getattr(exhibit.denoiser, "network", None), OwnNetwork):
            raise ExportError(
                "a network that a script has given cannot be written as one; allowed: "
                f"{', '.join(suffix for suffix in FORMATS if suffix != '.py')}"
            )
        file.write_text(standalone_script(exhibit.experiment), "utf-8")
        return progress(1, 1)
    view = named(options.view) if options.view else None
    if file.suffix == ".csv" and view is not None:
        from .tables import write_view_csv

        write_view_csv(exhibit, view, file)
        return progress(1, 1)
    if view is not None and not needs_points(view):
        from .pictures.learning_curves import training_figure

        return draw_figure(lambda size: training_figure(exhibit, view), file, options, progress)
    animation = _animation(exhibit)
    check_view(exhibit.experiment, options)
    size, fps = options.size or kind.size, options.fps or kind.fps or 1.0
    seconds = options.seconds or kind.seconds or 1.0
    match file.suffix:
        case ".gif" | ".mp4":
            from .pictures.theme import theme_of
            from .pictures.video import write_gif, write_mp4

            write = write_gif if file.suffix == ".gif" else write_mp4
            theme = theme_of(options.light, False)
            write(animation, file, size or (640, 480), theme, fps, seconds, progress)
        case ".png" | ".svg":
            from .pictures import views as pictures

            level = options.level
            make = partial(pictures.trajectory_figure, animation, view or GRID, level)
            draw_figure(make, file, options, progress)
        case ".npz":
            from .tables import write_npz

            write_npz(animation, file, progress)
        case _:
            from .tables import write_csv, write_losses_csv

            write_losses_csv(exhibit, files[1])
            write_csv(animation, file, progress)
    return None


def _no_progress(done: int, total: int) -> None:
    """Ignore progress."""


def draw_figure(
    make: Callable[[tuple[int, int]], Figure],
    file: Path,
    options: ExportOptions,
    progress: ProgressCallback = _no_progress,
) -> None:
    """Draw the figure that ``make`` returns for a size, as .png or .svg."""
    from .pictures.theme import theme_of

    kind = FORMATS[file.suffix.lower()]
    size = options.size or kind.size or (1280, 800)
    figure, theme = make(size), theme_of(options.light, options.transparent)
    if file.suffix.lower() == ".svg":
        from .pictures.svg import svg

        file.write_text(svg(figure, size, theme, progress), "utf-8")
    else:
        from .pictures.sheet import paint

        paint(figure, size, theme, progress).save(file, format="PNG", optimize=True)


def export_figure(
    make: Callable[[tuple[int, int]], Figure],
    file: Path,
    options: ExportOptions = AS_USUAL,
    progress: ProgressCallback = _no_progress,
) -> list[Path]:
    """Write the figure that ``make`` returns for a size, atomically. Raise `ExportError`."""
    files = check(file, options)
    if not format_of(file).views:
        raise ExportError(f"{shown(file)}: no picture; allowed: {formats_with('views')}")
    write_files(files, options.force, lambda paths: draw_figure(make, paths[0], options, progress))
    return files


def _animation(exhibit: Exhibit) -> Animation:
    from .scene import Animation

    if exhibit.trajectory is None:
        raise ExportError("there is no denoising yet; allowed without one: .py")
    return Animation(exhibit, exhibit.trajectory)
