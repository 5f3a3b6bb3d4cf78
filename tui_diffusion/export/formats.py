"""The kinds of file, and writing one whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ..core.experiment import Experiment
from ..core.files import destination, replacing
from ..core.values import shown
from .options import AS_USUAL, ExportError, Options, read_level, read_number, read_size
from .views import GRID, TABLE_VIEWS, TRAINING_VIEWS, dashed, has_level, named, pictures_of

__all__ = [
    "FORMATS",
    "ExportError",
    "Format",
    "Options",
    "check",
    "check_view",
    "export",
    "export_figure",
    "needs_points",
    "read_level",
    "read_number",
    "read_size",
    "samples",
    "write_whole",
]

if TYPE_CHECKING:
    from .exhibit import Exhibit, Film
    from .figure import Figure

Progress = Callable[[int, int], None]
"""Called with what is done and how much there is; what it raises ends the export."""


@dataclass(frozen=True)
class Format:
    """One kind of file: what it is, its defaults, and how fast it may run; None: does not apply."""

    about: str
    size: tuple[int, int] | None = None
    sized: bool = False
    fps: float | None = None
    seconds: float | None = None
    most_fps: float = 60.0
    even: bool = False
    samples: bool = True
    views: bool = False


FORMATS: Mapping[str, Format] = {
    ".gif": Format("the denoising, out and back", (640, 480), True, 15, 6, most_fps=50),
    ".mp4": Format("the denoising as a video", (1280, 720), True, 30, 8, even=True),
    ".png": Format("a picture: a grid of levels, or a view", (1280, 800), True, views=True),
    ".svg": Format("the same to any scale", (1280, 800), True, views=True),
    ".csv": Format("the trajectory, with the losses in a second file"),
    ".npz": Format("the trajectory and the losses for numpy"),
    ".py": Format("a script of its own that trains and samples the same", samples=False),
}
"""Every kind of file by its suffix."""

LEAST_SIZE, MOST_SIZE = (320, 240), (7680, 4320)
"""Pixels; in a smaller picture no text could be read beside what it belongs to."""

LEAST_SECONDS, MOST_SECONDS = 0.5, 120.0
_MOST_GIF_PIXELS = 500_000_000
"""Pixels of all frames of a GIF, which are held in memory."""


def samples(file: Path) -> bool:
    """Whether this kind of file needs a denoising; raises `ExportError` for an unknown suffix."""
    return _format(file).samples


def check(file: Path, options: Options = AS_USUAL) -> list[Path]:
    """The files that an export would write; raises `ExportError` where it cannot.

    Cheap, so that nobody samples for long and then learns that the folder is missing.
    """
    kind = _format(file)
    _check_options(file, kind, options)
    files = [file]
    if file.suffix.lower() == ".csv" and options.view is None:
        files.append(file.with_name(f"{file.stem}-losses{file.suffix}"))
    for path in files:
        _check_place(path, options.force)
    return files


def export(
    exhibit: Exhibit,
    file: Path,
    options: Options = AS_USUAL,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``file``, whole or not at all; returns the files written.

    A CSV is two: the trajectory, and the losses beside it. Raises `ExportError` with one line.
    """
    files = check(file, options)
    kind = FORMATS[file.suffix.lower()]
    told = progress or _no_progress
    write_whole(files, options.force, lambda places: _write(exhibit, kind, places, options, told))
    return files


def write_whole(files: list[Path], force: bool, write: Callable[[list[Path]], None]) -> None:
    """Let ``write`` make files, and put them in their places only when they are whole.

    Raises `ExportError` with one line.
    """

    def check() -> None:
        for path in files:
            _check_place(path, force)

    try:
        with replacing(files, check) as temporary:
            write(temporary)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and _of_memory_or_device(error):
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ExportError(
            f"{shown(files[0])}: cannot be written ({shown(reason)[:160]}); "
            "allowed: a file in a folder you may write to, on a disk with room"
        ) from None


def _of_memory_or_device(error: RuntimeError) -> bool:
    """Whether it is no fault of the file, and told by another line."""
    from ..core.devices import fault_of

    return fault_of(error) is not None


def _write(
    exhibit: Exhibit, kind: Format, files: list[Path], options: Options, progress: Progress
) -> None:
    file = files[0]
    if file.suffix == ".py":
        from .script import standalone_script

        file.write_text(standalone_script(exhibit.experiment), "utf-8")
        return progress(1, 1)
    view = named(options.view) if options.view else None
    if file.suffix == ".csv" and view is not None:
        from .tables import write_view_csv

        write_view_csv(exhibit, view, file)
        return progress(1, 1)
    if view is not None and not needs_points(view):
        from .learning_curves import figure_of

        return draw(lambda size: figure_of(exhibit, view), file, options, progress)
    film = _film(exhibit)
    check_view(exhibit.experiment, options)
    size, fps = options.size or kind.size, options.fps or kind.fps or 1.0
    seconds = options.seconds or kind.seconds or 1.0
    match file.suffix:
        case ".gif" | ".mp4":
            from .theme import theme_of
            from .video import write_gif, write_mp4

            write = write_gif if file.suffix == ".gif" else write_mp4
            theme = theme_of(options.light, False)
            write(film, file, size or (640, 480), theme, fps, seconds, progress)
        case ".png" | ".svg":
            from . import pictures

            level = options.level
            make = partial(pictures.figure_of, film, view or GRID, level)
            draw(make, file, options, progress)
        case ".npz":
            from .tables import write_npz

            write_npz(film, file, progress)
        case _:
            from .tables import write_csv, write_losses_csv

            write_losses_csv(exhibit, files[1])
            write_csv(film, file, progress)
    return None


def _no_progress(done: int, total: int) -> None:
    """Tell nobody."""


def draw(
    make: Callable[[tuple[int, int]], Figure],
    file: Path,
    options: Options,
    progress: Progress = _no_progress,
) -> None:
    """Draw the figure that ``make`` makes for a size: .png, or .svg."""
    from .theme import theme_of

    kind = FORMATS[file.suffix.lower()]
    size = options.size or kind.size or (1280, 800)
    figure, theme = make(size), theme_of(options.light, options.transparent)
    if file.suffix.lower() == ".svg":
        from .vector import svg

        file.write_text(svg(figure, size, theme, progress), "utf-8")
    else:
        from .sheet import paint

        paint(figure, size, theme, progress).save(file, format="PNG", optimize=True)


def export_figure(
    make: Callable[[tuple[int, int]], Figure],
    file: Path,
    options: Options = AS_USUAL,
    progress: Progress = _no_progress,
) -> list[Path]:
    """Write a figure of one's own, made for a size, whole or not at all. Raises `ExportError`."""
    files = check(file, options)
    if not _format(file).views:
        raise ExportError(f"{shown(file)}: no picture; allowed: {_having('views')}")
    write_whole(files, options.force, lambda places: draw(make, places[0], options, progress))
    return files


def _film(exhibit: Exhibit) -> Film:
    from .exhibit import Film

    if exhibit.trajectory is None:
        raise ExportError("there is no denoising yet; allowed without one: .py")
    return Film(exhibit, exhibit.trajectory)


# --- what is allowed -----------------------------------------------------------------------------


def _format(file: Path) -> Format:
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        what = f"suffix {shown(file.suffix)!r} is not known" if suffix else "has no suffix"
        raise ExportError(f"{shown(file)}: {what}; allowed: {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _check_options(file: Path, kind: Format, options: Options) -> None:
    suffix = file.suffix.lower()
    if options.size is not None:
        if not kind.sized:
            raise ExportError(f"--size does not go with {suffix}; allowed with: {_having('size')}")
        _check_size(kind, options.size)
    for name, value, default, low, high in (
        ("fps", options.fps, kind.fps, 1.0, kind.most_fps),
        ("seconds", options.seconds, kind.seconds, LEAST_SECONDS, MOST_SECONDS),
    ):
        if value is None:
            continue
        if default is None:
            raise ExportError(
                f"--{name} does not go with {suffix}; allowed with: {_having('films')}"
            )
        if not low <= value <= high:
            raise ExportError(
                f"--{name}: {value:g} is not allowed; allowed: a number from {low:g} to {high:g}"
            )
    _check_ground(suffix, kind, options)
    if options.view is not None:
        view = named(options.view)
        if not kind.views and not (suffix == ".csv" and view in TABLE_VIEWS):
            tables = ", ".join(map(dashed, TABLE_VIEWS))
            raise ExportError(
                f"--view {shown(dashed(view))} does not go with {suffix}; allowed with: "
                f"{_having('views')}, and .csv with {tables}"
            )
    if options.level is not None and not (kind.views and has_level(named(options.view or GRID))):
        what = f"--view {dashed(named(options.view or GRID))}" if kind.views else suffix
        raise ExportError(
            f"--level does not go with {shown(what)}; allowed with: {_having('views')} "
            "and a --view of one level, such as scatter or histogram"
        )
    if suffix == ".gif":
        width, height = options.size or kind.size or (0, 0)
        frames = (options.fps or kind.fps or 0) * (options.seconds or kind.seconds or 0)
        if width * height * frames > _MOST_GIF_PIXELS:
            raise ExportError(
                f"{frames:,.0f} frames of {width}x{height} are too much for a GIF; allowed: "
                f"{_MOST_GIF_PIXELS:,} pixels in all, or an .mp4"
            )


def _having(what: str) -> str:
    having = {"size": "sized", "films": "fps", "views": "views"}[what]
    return ", ".join(suffix for suffix, kind in FORMATS.items() if getattr(kind, having))


def _check_ground(suffix: str, kind: Format, options: Options) -> None:
    if options.light and not kind.sized:
        raise ExportError(f"--light does not go with {suffix}; allowed with: {_having('size')}")
    if options.transparent and not kind.views:
        raise ExportError(
            f"--transparent does not go with {suffix}; allowed with: {_having('views')}"
        )


def check_view(experiment: Experiment, options: Options) -> None:
    """Raise `ExportError` where an experiment has no such view, or no such level."""
    if options.view is None:
        return
    view, levels = named(options.view), experiment.sampling_levels
    allowed = pictures_of(experiment.dim)
    if view not in allowed:
        raise ExportError(
            f"--view: {shown(options.view)[:60]!r} is not allowed; allowed: "
            f"{', '.join(map(dashed, allowed))}"
        )
    if options.level is not None and not 0 <= options.level <= levels:
        raise ExportError(
            f"--level: {options.level:g} is not allowed; allowed: 0 (noise) to {levels} (clean)"
        )


def needs_points(view: str | None) -> bool:
    """Whether a view shows points, and not the training alone."""
    return view is None or named(view) not in TRAINING_VIEWS


def _check_size(kind: Format, size: tuple[int, int]) -> None:
    inside = all(low <= n <= high for n, low, high in zip(size, LEAST_SIZE, MOST_SIZE, strict=True))
    odd = kind.even and (size[0] % 2 or size[1] % 2)
    if not inside or odd:
        least, most = ("x".join(map(str, s)) for s in (LEAST_SIZE, MOST_SIZE))
        even = "even numbers " if kind.even else ""
        raise ExportError(
            f"--size: {size[0]}x{size[1]} is not allowed; allowed: {even}from {least} to {most}"
        )


def _check_place(file: Path, force: bool) -> None:
    name = shown(file)
    try:
        if "\0" in str(file):
            raise ValueError("a null character in its name")
        if file.is_dir():
            raise ExportError(f"{name}: is a folder; allowed: the name of a file")
        place = destination(file)
        if not place.absolute().parent.is_dir():
            raise ExportError(
                f"{name}: its folder does not exist; allowed: a file in a folder there is"
            )
        if os.path.lexists(file) and not force:
            raise ExportError(f"{name}: exists; allowed: a new file, or --force to replace it")
        probe = place.with_name(f".{uuid4().hex[:12]}.tmp")
        probe.touch(exist_ok=False)
        probe.unlink()
        if len(os.fsencode(file.name)) > 255:
            raise ExportError(f"{name[:80]}…: name too long; allowed: at most 255 bytes")
    except (OSError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(
            f"{name[:200]}: cannot be written ({shown(reason)}); "
            "allowed: a file in a folder you may write to"
        ) from None
