"""Opens the lab: settings, what the terminal can show, and then, only then, Textual.

Textual takes its colours and its animations from the environment when it is imported.
"""

from __future__ import annotations

import locale
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from ..interface.settings import Place, Settings, from_environment, load, save
from .output.guard import Guard

_SLOW = 0.5
"""Seconds between two drawings where bandwidth is low."""

_PATIENCE = 0.4
"""Seconds that an export has to end, once it is given up because the lab is left."""


@dataclass(frozen=True)
class LabOptions:
    """What the command line says of the lab itself; None where it says nothing."""

    theme: str | None = None
    ascii_only: bool = False
    mouse: bool = True
    low_bandwidth: bool = False
    resume: Summary | None = None
    changed: bool = False
    """Whether it sets hyperparameters."""


def open_lab(
    name: str | None, make: Callable[[str, str | None], Experiment], options: LabOptions
) -> NoReturn:
    """Open the lab until the person leaves, then end the process.

    ``make`` gives the experiment of a preset's name, with a number of points where none is asked
    for; without a ``name`` it is the one that was left.
    """
    file = settings_file()
    kept, problem = load(file)
    use_speeds(kept.speeds)
    wanted = from_environment(kept, os.environ)
    place = wanted.place
    usual = str(wanted.points) if wanted.points else None
    try:
        experiment = make(name or place.experiment, usual)
    except ConfigError as error:
        if name is not None or place.experiment in PRESETS:
            raise
        # A preset of one's own that is damaged by now is no reason not to open.
        problem = problem or str(error)
        experiment = make(Place.experiment, usual)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("the lab needs a terminal; allowed without one: every other command")
    if (term := os.environ.get("TERM")) in CURSORLESS:
        raise ConfigError(
            f"TERM={term} has no cursor to move, which the lab needs; allowed: such as "
            "TERM=xterm-256color where that is what you have, or every other command"
        )
    forget_size(os.environ)
    if problem:
        print(f"diffusion-tui: {problem}", file=sys.stderr, flush=True)
    terminal = detect(
        os.environ,
        # Not getpreferredencoding: in the C locale that names Python's own UTF-8 mode.
        locale.getencoding(),
        ascii_only=options.ascii_only,
        glyphs=wanted.glyphs,
        low_bandwidth=options.low_bandwidth,
    )
    _tell_textual(terminal, options)
    offered = (name,) if name else tuple(all_presets())
    if options.resume is not None or options.changed:
        offered = ()
    _run(experiment, terminal, wanted, options, problem, kept, offered)


def _tell_textual(terminal: Terminal, options: LabOptions) -> None:
    os.environ["TEXTUAL_COLOR_SYSTEM"] = TEXTUAL_NAMES[terminal.colours]
    if options.low_bandwidth:
        os.environ["TEXTUAL_ANIMATIONS"] = "none"


def _run(
    experiment: Experiment,
    terminal: Terminal,
    wanted: Settings,
    options: LabOptions,
    problem: str,
    kept: Settings,
    offered: tuple[str, ...],
) -> NoReturn:
    guard = Guard.start()
    from .app import Lab

    app = Lab(
        experiment,
        glyphs=terminal.glyphs,
        colours=terminal.colours,
        fps=min(wanted.fps, 1 / _SLOW) if options.low_bandwidth else wanted.fps,
        slow=_SLOW if options.low_bandwidth else 0.0,
        place=wanted.place,
        resume=options.resume,
        guide=not wanted.place.guided,
        offered=offered,
    )
    app.guard = guard
    theme = options.theme or wanted.theme
    if theme in app.available_themes:
        app.theme = theme
    elif options.theme is not None:
        known = sorted(app.available_themes)
        hint = did_you_mean(nearest(theme, known))
        raise ConfigError(f"--theme {theme!r} is unknown; {hint}allowed: {', '.join(known)}")
    else:
        problem = problem or f"theme {theme!r} is unknown; textual-dark is used"
    began = app.theme
    if problem:
        app.call_later(app.notify, problem, title="Settings", severity="warning", markup=False)
    try:
        app.run(mouse=options.mouse)
    except OSError:
        # The terminal is gone, and with it all that could be said; the training is written down.
        app.close_workers()
        remove_unfinished(_PATIENCE)
        save(settings_file(), replace(kept, place=app.place), kept)
        os._exit(128 + signal.SIGHUP)
    finally:
        app.close_workers()
        remove_unfinished(_PATIENCE)
    chosen = app.theme if app.theme != began else kept.theme
    trouble = save(settings_file(), replace(kept, theme=chosen, place=app.place), kept)
    if trouble:
        print(f"diffusion-tui: {trouble}", file=sys.stderr)
    # Not sys.exit: a thread deep in torch cannot be interrupted, and taking torch down takes most
    # of a second. The terminal is restored by now, and nothing is left to be written.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(app.return_code or app.return_value or 0)
