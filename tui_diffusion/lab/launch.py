"""Opening of the lab: read the settings, detect the terminal, then import Textual and run.

Textual reads its colours and animations from the environment when it is imported, so the
environment has to be set first.
"""

from __future__ import annotations

import gc
import locale
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from ..core.config.catalog import all_presets
from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment
from ..core.config.presets import PRESETS
from ..core.files import remove_unfinished
from ..core.nearest import did_you_mean, nearest
from ..core.paths import settings_file
from ..core.runs.store import Summary
from ..core.training.speeds import use_speeds
from ..interface.capabilities import CURSORLESS, TEXTUAL_NAMES, Terminal, detect, forget_size
from ..interface.settings import RestorePoint, Settings, from_environment, load, part_paths, save
from .output.guard import Guard

_SLOW = 0.5
"""Seconds between two drawings at low bandwidth."""

_PATIENCE = 0.4
"""Seconds that a cancelled export has to end when the user leaves the lab."""


@dataclass(frozen=True)
class LabOptions:
    """The command line's options for the lab itself; None where an option is not given.

    ``changed``: whether the command line sets hyperparameters. ``parts`` are its part files.
    """

    theme: str | None = None
    ascii_only: bool = False
    mouse: bool = True
    low_bandwidth: bool = False
    resume: Summary | None = None
    watch: Summary | None = None
    changed: bool = False
    parts: tuple[str, ...] = ()


def open_lab(
    name: str | None, make: Callable[[str, str | None], Experiment], options: LabOptions
) -> NoReturn:
    """Open the lab until the person leaves, then end the process.

    ``make`` returns the experiment of a preset's name and a default number of points. Without a
    ``name``, the lab opens the experiment of the last session. Raise `ConfigError` if the
    experiment, the theme or the terminal does not allow it.
    """
    file = settings_file()
    stored, problem = load(file)
    use_speeds(stored.speeds)
    settings = from_environment(stored, os.environ)
    last = settings.place
    points = str(settings.points) if settings.points else None
    faults = _load_parts([*part_paths(stored, file), *map(Path, options.parts)])
    try:
        experiment = make(name or last.experiment, points)
    except ConfigError as error:
        if faults:  # the cause
            raise ConfigError(faults[0]) from None
        if name is not None or last.experiment in PRESETS:
            raise
        # A damaged preset of the user must not keep the lab from opening.
        problem = problem or str(error)
        experiment = make(RestorePoint.experiment, points)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("the lab needs a terminal; allowed without one: every other command")
    if (term := os.environ.get("TERM")) in CURSORLESS:
        raise ConfigError(
            f"TERM={term} has no cursor to move, which the lab needs; allowed: a TERM that fits "
            "your terminal, such as xterm-256color, or every other command"
        )
    forget_size(os.environ)
    if problem:
        print(f"diffusion-tui: {problem}", file=sys.stderr, flush=True)
    terminal = detect(
        os.environ,
        # In the C locale, getpreferredencoding reports Python's UTF-8 mode, not the terminal's.
        locale.getencoding(),
        ascii_only=options.ascii_only,
        glyphs=settings.glyphs,
        low_bandwidth=options.low_bandwidth,
    )
    _configure_textual(terminal, options)
    offered = (name,) if name else tuple(all_presets())
    if options.resume or options.watch or options.changed:
        offered = ()
    _run(experiment, terminal, settings, options, problem, stored, offered, faults)


def _load_parts(files: Sequence[Path]) -> list[str]:
    """Load part files before the lab opens; return one line for each that cannot be loaded."""
    if not files:
        return []
    from ..core.parts.loading import load_parts

    faults = []
    for file in files:
        try:
            load_parts(file)
        except ConfigError as error:
            faults.append(str(error))
    return faults


def _configure_textual(terminal: Terminal, options: LabOptions) -> None:
    os.environ["TEXTUAL_COLOR_SYSTEM"] = TEXTUAL_NAMES[terminal.colours]
    if options.low_bandwidth:
        os.environ["TEXTUAL_ANIMATIONS"] = "none"


def _run(
    experiment: Experiment,
    terminal: Terminal,
    settings: Settings,
    options: LabOptions,
    problem: str,
    stored: Settings,
    offered: tuple[str, ...],
    faults: Sequence[str],
) -> NoReturn:
    gc.disable()  # as while the program loads; the app enables it after its first paint
    guard = Guard.start()
    from .app import Lab

    app = Lab(
        experiment,
        glyphs=terminal.glyphs,
        colours=terminal.colours,
        fps=min(settings.fps, 1 / _SLOW) if options.low_bandwidth else settings.fps,
        slow=_SLOW if options.low_bandwidth else 0.0,
        restore=settings.place,
        resume=options.resume,
        watch=options.watch,
        guide=not settings.place.guided,
        offered=offered,
    )
    app.guard = guard
    theme = options.theme or settings.theme
    if theme in app.available_themes:
        app.theme = theme
    elif options.theme is not None:
        known = sorted(app.available_themes)
        hint = did_you_mean(nearest(theme, known))
        raise ConfigError(f"--theme {theme!r} is unknown; {hint}allowed: {', '.join(known)}")
    else:
        problem = problem or f"theme {theme!r} is unknown; textual-dark is used"
    first_theme = app.theme
    if problem:
        app.call_later(app.notify, problem, title="Settings", severity="warning", markup=False)
    for fault in faults:
        app.call_later(app.refuse, "Parts not loaded", fault)
    try:
        app.run(mouse=options.mouse)
    except OSError:
        # The terminal is gone, so no message can be shown; the training has been saved.
        app.close_workers()
        remove_unfinished(_PATIENCE)
        save(settings_file(), replace(stored, place=app.restore_point), stored)
        os._exit(128 + signal.SIGHUP)
    finally:
        app.close_workers()
        remove_unfinished(_PATIENCE)
    theme = app.theme if app.theme != first_theme else stored.theme
    problem = save(settings_file(), replace(stored, theme=theme, place=app.restore_point), stored)
    for text in filter(None, (problem, app.farewell)):
        print(f"diffusion-tui: {text}", file=sys.stderr)
    # sys.exit would wait for threads inside torch, which cannot be interrupted, and for torch's
    # shutdown, which takes most of a second. The terminal is restored and all files are written.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(app.return_code or app.return_value or 0)
