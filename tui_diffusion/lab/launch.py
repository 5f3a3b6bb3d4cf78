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
from typing import TYPE_CHECKING, NoReturn

from ..core.config.catalog import all_presets
from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment
from ..core.config.presets import PRESETS
from ..core.files import remove_unfinished
from ..core.nearest import did_you_mean, nearest
from ..core.paths import settings_file
from ..core.runs.store import Summary
from ..core.training.speeds import use_speeds
from ..interface.capabilities import CURSORLESS, TEXTUAL_NAMES, detect, forget_size
from ..interface.settings import RestorePoint, Settings, from_environment, load, part_paths, save
from .output.guard import Guard

if TYPE_CHECKING:
    from .app import Lab
    from .workspace import Given

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
    chosen = Choices.read()
    use_speeds(chosen.stored.speeds)
    last = chosen.settings.place
    points = str(chosen.settings.points) if chosen.settings.points else None
    faults = load_part_files(chosen, options)
    try:
        experiment = make(name or last.experiment, points)
    except ConfigError as error:
        if faults:  # the cause
            raise ConfigError(faults[0]) from None
        if name is not None or last.experiment in PRESETS:
            raise
        # A damaged preset of the user must not keep the lab from opening.
        chosen = replace(chosen, problem=chosen.problem or str(error))
        experiment = make(RestorePoint.experiment, points)
    check_terminal("every other command")
    forget_size(os.environ)
    if chosen.problem:
        print(f"diffusion-tui: {chosen.problem}", file=sys.stderr, flush=True)
    offered = (name,) if name else tuple(all_presets())
    if options.resume or options.watch or options.changed:
        offered = ()
    guard = start_guard()
    app = make_app(experiment, chosen, options, offered, faults=faults)
    app.guard = guard
    try:
        app.run(mouse=options.mouse)
    except OSError:
        # The terminal is gone, so no message can be shown; the training has been saved.
        end(app)
        chosen.save(app)
        os._exit(128 + signal.SIGHUP)
    finally:
        end(app)
    for text in filter(None, (chosen.save(app), app.farewell)):
        print(f"diffusion-tui: {text}", file=sys.stderr)
    # sys.exit would wait for threads inside torch, which cannot be interrupted, and for torch's
    # shutdown, which takes most of a second. The terminal is restored and all files are written.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(app.return_code or app.return_value or 0)


@dataclass(frozen=True)
class Choices:
    """The settings: those of the file, those that apply now, and what is wrong with the file."""

    stored: Settings
    settings: Settings
    problem: str

    @classmethod
    def read(cls) -> Choices:
        """Read the settings file and the environment."""
        stored, problem = load(settings_file())
        return cls(stored, from_environment(stored, os.environ), problem)

    def save(self, app: Lab) -> str:
        """Write the state of the lab for the next start; return what is wrong, or ''."""
        theme = self.stored.theme if app.theme == app.first_theme else app.theme
        now = replace(self.stored, theme=theme, place=app.restore_point)
        return save(settings_file(), now, self.stored)


def load_part_files(chosen: Choices, options: LabOptions) -> list[str]:
    """Load part files before the lab opens; return one line for each that cannot be loaded."""
    files = [*part_paths(chosen.stored, settings_file()), *map(Path, options.parts)]
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


def check_terminal(instead: str) -> None:
    """Raise `ConfigError` unless the lab can open here; ``instead`` names what works anywhere."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(f"the lab needs a terminal; allowed without one: {instead}")
    if (term := os.environ.get("TERM")) in CURSORLESS:
        raise ConfigError(
            f"TERM={term} has no cursor to move, which the lab needs; allowed: a TERM that fits "
            f"your terminal, such as xterm-256color, or {instead}"
        )


def start_guard() -> Guard | None:
    """Start the guard, before the lab's modules load."""
    gc.disable()  # as while the program loads; the app enables it after its first paint
    return Guard.start()


def make_app(
    experiment: Experiment,
    chosen: Choices,
    options: LabOptions,
    offered: tuple[str, ...] = (),
    given: Given | None = None,
    faults: Sequence[str] = (),
) -> Lab:
    """Return the lab for this terminal; raise `ConfigError` for an unknown theme.

    It shows the ``faults`` of part files.
    """
    settings, problem = chosen.settings, chosen.problem
    terminal = detect(
        os.environ,
        # In the C locale, getpreferredencoding reports Python's UTF-8 mode, not the terminal's.
        locale.getencoding(),
        ascii_only=options.ascii_only,
        glyphs=settings.glyphs,
        low_bandwidth=options.low_bandwidth,
    )
    os.environ["TEXTUAL_COLOR_SYSTEM"] = TEXTUAL_NAMES[terminal.colours]
    if options.low_bandwidth:
        os.environ["TEXTUAL_ANIMATIONS"] = "none"
    from .app import Lab

    app = Lab(
        experiment,
        glyphs=terminal.glyphs,
        colours=terminal.colours,
        fps=min(settings.fps, 1 / _SLOW) if options.low_bandwidth else settings.fps,
        slow=_SLOW if options.low_bandwidth else 0.0,
        restore=settings.place if given is None else replace(settings.place, level=None),
        resume=options.resume,
        watch=options.watch,
        guide=not settings.place.guided and given is None,
        offered=offered,
        given=given,
    )
    theme = options.theme or settings.theme
    if theme in app.available_themes:
        app.theme = theme
    elif options.theme is not None:
        known = sorted(app.available_themes)
        hint = did_you_mean(nearest(theme, known))
        raise ConfigError(f"--theme {theme!r} is unknown; {hint}allowed: {', '.join(known)}")
    else:
        problem = problem or f"theme {theme!r} is unknown; textual-dark is used"
    app.first_theme = app.theme
    if problem:
        app.call_later(app.notify, problem, title="Settings", severity="warning", markup=False)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        app.call_later(app.refuse, "Parts not loaded", faults[0] + more)
    return app


def end(app: Lab) -> None:
    """Close the lab's threads and remove what a cancelled export has left."""
    app.close_workers()
    remove_unfinished(_PATIENCE)
