"""Opening the lab within a script, which goes on afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from ...core.config.catalog import all_presets, get_preset
from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.text import shown
from ...core.training.speeds import use_speeds
from ...interface.capabilities import forget_size
from ...interface.settings import RestorePoint
from ..launch import (
    Choices,
    LabOptions,
    check_terminal,
    end,
    load_part_files,
    make_app,
    start_guard,
)
from ..workspace import Given
from .objects import given_objects
from .result import LabResult
from .surroundings import put_back

_PATIENCE = 60.0
"""Seconds that the last gradient steps have to end after the person has left."""


def open_live(experiment: Any, trajectory: Any, network: Any, mixture: Any) -> LabResult:
    """Open the lab on these objects until the person leaves; see `tui_diffusion.lab.open`."""
    chosen = Choices.read()
    last = chosen.settings.place.experiment

    def last_experiment() -> Experiment:
        return get_preset(last if last in all_presets() else RestorePoint.experiment).experiment

    faults = load_part_files(chosen, LabOptions())
    given = given_objects(experiment, trajectory, network, mixture, last_experiment)
    _check_place()
    with put_back():
        use_speeds(chosen.stored.speeds)
        bare = all(it is None for it in (experiment, trajectory, network, mixture))
        result, number = _show(given, chosen, faults, bare=bare)
    if number:
        # The lab has left on a signal; now whoever handled it before receives it.
        signal.raise_signal(number)
    return result


def _check_place() -> None:
    """Raise RuntimeError where the lab cannot open."""
    try:
        check_terminal(
            "train and denoise; a notebook shows what they return as tables and pictures"
        )
    except ConfigError as error:
        raise RuntimeError(str(error)) from None
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "the lab handles signals, which Python leaves to the main thread; allowed: to open it "
            "there"
        )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "an asyncio loop runs in this thread, and the lab needs one of its own; allowed: to open "
        "it outside of async code, as in a script or at the prompt of python and ipython"
    )


def _show(
    given: Given, chosen: Choices, faults: Sequence[str], *, bare: bool
) -> tuple[LabResult, int]:
    """Run the lab; return what it holds, and the number of the signal that ended it, or 0.

    ``bare``: nothing was given, so that the lab opens as the command does.
    """
    offered = tuple(all_presets()) if bare else ()
    forget_size(os.environ)
    guard = start_guard()
    try:
        objects = None if bare else given
        app = make_app(given.experiment, chosen, LabOptions(), offered, objects, faults)
        app.guard = guard
        code = 128 + signal.SIGHUP
        try:
            # A loop that is not set as the thread's leaves the caller's own in place.
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                code = runner.run(app.run_async()) or 0
        except OSError:  # the terminal is gone
            if app.failure is not None:
                raise
        finally:
            end(app)
            app.model.session.wait(_PATIENCE)
    finally:
        if guard is not None:
            guard.close()
    for text in filter(None, (chosen.save(app), app.farewell)):
        print(f"diffusion-tui: {text}", file=sys.stderr)
    if app.failure is not None:
        what = shown(" ".join(f"{type(app.failure).__name__}: {app.failure}".split()))
        raise RuntimeError(f"the lab failed ({what})") from app.failure
    return LabResult.of(app), code - 128 if code > 128 else 0
