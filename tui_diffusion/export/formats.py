"""The formats of exported files, and the options that each accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.config.experiment import Experiment
from ..core.text import shortened, shown
from .atomic import check_place
from .options import AS_USUAL, ExportError, ExportOptions
from .views import GRID, TABLE_VIEWS, TRAINING_VIEWS, has_level, named, option_name, pictures_of

"""Callback with the work done and the total; an exception that it raises ends the export."""


@dataclass(frozen=True)
class ExportFormat:
    """A file format: its content, its defaults and its limits. None means "does not apply"."""

    about: str
    size: tuple[int, int] | None = None
    sized: bool = False
    fps: float | None = None
    seconds: float | None = None
    most_fps: float = 60.0
    even: bool = False
    samples: bool = True
    views: bool = False


FORMATS: Mapping[str, ExportFormat] = {
    ".gif": ExportFormat("the denoising, out and back", (640, 480), True, 15, 6, most_fps=50),
    ".mp4": ExportFormat("the denoising as a video", (1280, 720), True, 30, 8, even=True),
    ".png": ExportFormat("a picture: a grid of levels, or a view", (1280, 800), True, views=True),
    ".svg": ExportFormat("the same to any scale", (1280, 800), True, views=True),
    ".csv": ExportFormat("the trajectory, with the losses in a second file"),
    ".npz": ExportFormat("the trajectory and the losses for numpy"),
    ".py": ExportFormat("a script of its own that trains and samples the same", samples=False),
}
"""Every format by its suffix."""

LEAST_SIZE, MOST_SIZE = (320, 240), (7680, 4320)
"""Bounds of a picture's size, in pixels. Text in a smaller picture would be illegible."""

LEAST_SECONDS, MOST_SECONDS = 0.5, 120.0
_MOST_GIF_PIXELS = 500_000_000
"""Limit on the pixels of all frames of a GIF together, because they are held in memory."""


def samples(file: Path) -> bool:
    """Return whether a format needs a denoising. Raise `ExportError` for an unknown suffix."""
    return format_of(file).samples


def check(file: Path, options: ExportOptions = AS_USUAL) -> list[Path]:
    """Return the files that an export would write; raise `ExportError` if it cannot.

    The check is cheap and precedes the sampling, so that a missing folder is reported at once.
    """
    kind = format_of(file)
    _check_options(file, kind, options)
    files = [file]
    if file.suffix.lower() == ".csv" and options.view is None:
        files.append(file.with_name(f"{file.stem}-losses{file.suffix}"))
    for path in files:
        check_place(path, options.force)
    return files


# --- allowed options -----------------------------------------------------------------------------


def format_of(file: Path) -> ExportFormat:
    """Return the format of a file's suffix. Raise `ExportError` for an unknown suffix."""
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        what = f"suffix {shortened(file.suffix)!r} is not known" if suffix else "has no suffix"
        raise ExportError(f"{shortened(str(file), 200)}: {what}; allowed: {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _check_options(file: Path, kind: ExportFormat, options: ExportOptions) -> None:
    suffix = file.suffix.lower()
    if options.size is not None:
        if not kind.sized:
            raise ExportError(
                f"--size does not go with {suffix}; allowed with: {formats_with('size')}"
            )
        _check_size(kind, options.size)
    for name, value, default, low, high in (
        ("fps", options.fps, kind.fps, 1.0, kind.most_fps),
        ("seconds", options.seconds, kind.seconds, LEAST_SECONDS, MOST_SECONDS),
    ):
        if value is None:
            continue
        if default is None:
            raise ExportError(
                f"--{name} does not go with {suffix}; allowed with: {formats_with('animations')}"
            )
        if not low <= value <= high:
            raise ExportError(
                f"--{name}: {value:g} is not allowed; allowed: a number from {low:g} to {high:g}"
            )
    _check_ground(suffix, kind, options)
    if options.view is not None:
        view = named(options.view)
        if not kind.views and not (suffix == ".csv" and view in TABLE_VIEWS):
            tables = ", ".join(map(option_name, TABLE_VIEWS))
            raise ExportError(
                f"--view {shortened(option_name(view))} does not go with {suffix}; allowed with: "
                f"{formats_with('views')}, and .csv with {tables}"
            )
    if options.level is not None and not (kind.views and has_level(named(options.view or GRID))):
        what = f"--view {option_name(named(options.view or GRID))}" if kind.views else suffix
        raise ExportError(
            f"--level does not go with {shown(what)}; allowed with: {formats_with('views')} "
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


def formats_with(what: str) -> str:
    """Return the suffixes of the formats with ``what``: "size", "animations" or "views"."""
    having = {"size": "sized", "animations": "fps", "views": "views"}[what]
    return ", ".join(suffix for suffix, kind in FORMATS.items() if getattr(kind, having))


def _check_ground(suffix: str, kind: ExportFormat, options: ExportOptions) -> None:
    if options.light and not kind.sized:
        raise ExportError(
            f"--light does not go with {suffix}; allowed with: {formats_with('size')}"
        )
    if options.transparent and not kind.views:
        raise ExportError(
            f"--transparent does not go with {suffix}; allowed with: {formats_with('views')}"
        )


def check_view(experiment: Experiment, options: ExportOptions) -> None:
    """Raise `ExportError` if the experiment does not have the view or the level."""
    if options.view is None:
        return
    view, levels = named(options.view), experiment.sampling_levels
    allowed = pictures_of(experiment.dim)
    if view not in allowed:
        raise ExportError(
            f"--view: {shortened(options.view)!r} is not allowed; allowed: "
            f"{', '.join(map(option_name, allowed))}"
        )
    if options.level is not None and not 0 <= options.level <= levels:
        raise ExportError(
            f"--level: {options.level:g} is not allowed; allowed: 0 (noise) to {levels} (clean)"
        )


def needs_points(view: str | None) -> bool:
    """Return whether a view shows points, and not only the training."""
    return view is None or named(view) not in TRAINING_VIEWS


def _check_size(kind: ExportFormat, size: tuple[int, int]) -> None:
    inside = all(low <= n <= high for n, low, high in zip(size, LEAST_SIZE, MOST_SIZE, strict=True))
    odd = kind.even and (size[0] % 2 or size[1] % 2)
    if not inside or odd:
        least, most = ("x".join(map(str, s)) for s in (LEAST_SIZE, MOST_SIZE))
        even = "even numbers " if kind.even else ""
        raise ExportError(
            f"--size: {size[0]}x{size[1]} is not allowed; allowed: {even}from {least} to {most}"
        )
