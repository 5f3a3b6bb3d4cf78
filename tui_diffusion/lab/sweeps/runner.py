"""A sweep beside the lab: worker processes train, and a thread of the lab keeps the results."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing, redirect_stderr, suppress
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ...core.files import UNREADABLE, reason_of
from ...core.parts.registries import part_files
from ...core.runs.manifest import RunError
from ...core.sweeps.engines import EngineOptions
from ...core.sweeps.results import SweepResults, sweep_results
from ...core.sweeps.run import SweepProgress, run_sweep
from ...core.sweeps.store import StoredSweep
from ...core.sweeps.sweep import Sweep
from ...core.training import speeds as known_speeds
from ...core.training.speeds import Speeds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from ...core.sweeps.engines.protocol import Engine

ENGINE = "processes"
"""Processes leave the lab's own interpreter free to draw."""

_NICENESS = 5
"""How far the workers step back behind the lab, as `nice` counts it."""


def prepare_worker(parts: Sequence[Path], speeds: Mapping[str, Speeds]) -> None:
    """Set a worker process up as the lab is: its part files and the measured speeds.

    What the worker writes would stand on the lab's screen, so nothing shows it.
    """
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.nice(_NICENESS)
    known_speeds.use_speeds(speeds)
    if parts:
        from ...core.parts.loading import load_parts

        for path in parts:
            load_parts(path)


class SweepRunner:
    """Carry out a sweep on a thread of its own, which calls ``notify`` after every change.

    ``progress`` and ``results`` are replaced as a whole. ``fault`` is one line if the sweep could
    not go on, and ``news`` the last line on a training that failed or starts again.
    """

    def __init__(
        self,
        sweep: Sweep,
        stored: StoredSweep | None,
        notify: Callable[[], None],
        engine: str | Engine | Executor = ENGINE,
    ) -> None:
        self.sweep = sweep
        self.progress: SweepProgress | None = None
        self.results: SweepResults | None = None
        self.fault = ""
        self.news = ""
        self._stored = stored
        self._notify = notify
        self._engine = engine
        self._halting = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="sweep", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether the sweep goes on; also while it stops."""
        return not self._ended

    @property
    def halting(self) -> bool:
        """Whether the sweep was asked to stop."""
        return self._halting.is_set()

    @property
    def folder(self) -> Path | None:
        """The folder of the sweep, once it is written."""
        if self.progress is not None:
            return self.progress.stored.folder
        return self._stored.folder if self._stored is not None else None

    def halt(self) -> None:
        """Ask the sweep to stop; its trainings are written as checkpoints."""
        self._halting.set()

    def close(self, timeout: float) -> bool:
        """Stop the sweep; return whether it ended within ``timeout`` seconds."""
        self.halt()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._pull()
        except (ConfigError, RunError) as error:
            self.fault = str(error)
        except UNREADABLE as error:
            self.fault = reason_of(error)
        except Exception as error:  # reported to the user; the lab continues
            self.fault = f"{type(error).__name__}: {reason_of(error)}"
        finally:
            self._ended = True
            self._notify()

    def _pull(self) -> None:
        # It passes the file of sys.stderr on, which is none while Textual has its own there.
        with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
            resource_tracker.ensure_running()
        prepare = partial(prepare_worker, tuple(part_files), dict(known_speeds.measured_speeds()))
        steps = run_sweep(
            self._stored or self.sweep, self._engine, options=EngineOptions(prepare=prepare)
        )
        with closing(steps):
            for progress in steps:
                self._take(progress)
                if self._halting.is_set():
                    break

    def _take(self, progress: SweepProgress) -> None:
        if self.results is None:
            self.results = sweep_results(progress.stored, self.sweep)
        elif progress.ended is not None:
            self.results = self.results.with_training(progress.ended)
        self.progress = progress
        self.news = progress.news or self.news
        self._notify()
