"""Live logs of a training: rows of a CSV file, or events that TensorBoard reads.

A row holds the steps since the row before. Rows come at most ten a second, at least one a second,
and are flushed at once, for TensorBoard within a second. The last row also holds the quality of the
final sample. A log within a run's folder begins with the first checkpoint, which creates the
folder; until then rows wait.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from time import monotonic, time
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.loss_curve import averaged_losses
from ..config.experiment_json import to_json
from ..files import UNREADABLE, reason_of, write_whole
from ..text import shown
from ..training.trainer import Progress, Trainer
from .manifest import RunError

CSV_FILE = "log.csv"
"""The log in a run's folder; TensorBoard's own files are beside it."""

TRAINING = ("step", "seconds", "loss", "smoothed", "lr", "steps_per_second", "level")
FINAL = ("floor", "excess", "energy_distance", "energy_distance_real", "nearest_mode_distance",
         "mode_tv", "off_mode", "in_mode_std_ratio")  # fmt: skip
"""Columns of the last row alone: those of the report's ``loss`` and ``sample``."""

COLUMNS = (*TRAINING, *FINAL)

_LEAST, _MOST, _OF_TIME = 0.1, 1.0, 0.02
"""Seconds between two rows: a share of the time so far, within these."""

_SHARE = 0.005
"""Maximum share of the training's time for rows, as long as they come once a second."""

Row = dict[str, float]


class EventLog:
    """A log of one training; a subclass writes the rows.

    The training thread calls `offer` with every `Progress`, then `finish` with the report, and at
    last `close`. ``fault`` says why the last rows could not be written: they are tried again, and
    the training goes on. ``cost`` is the time in seconds that the log has taken. ``folder`` must
    exist before anything is written, and be a run if the log is ``within`` one.
    """

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        *,
        within: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.fault = ""
        self.cost = 0.0
        self._trainer = trainer
        self._folder = folder
        # The folder of a new run must stay empty until the first checkpoint is renamed to it.
        self._awaited = folder / "run.json" if within else folder
        self._clock = clock
        self._began = self._due = clock()
        self._first = trainer.step
        self._since: list[NDArray[np.float32]] = []
        self._rows: list[Row] = []
        self._before = (trainer.step, trainer.seconds)
        self._progress: Progress | None = None
        self._closed = False

    def offer(self, progress: Progress) -> None:
        """Take the steps since the last report, and write a row if one is due."""
        now = self._clock()
        self._since.append(progress.losses)
        self._progress = progress
        # The last row waits for the report.
        if progress.status == "training" and now >= self._due:
            self._add()
            self._flush()
            pace = max(_LEAST, _OF_TIME * (now - self._began), (self._clock() - now) / _SHARE)
            self._due = now + min(pace, _MOST)
        self.cost += self._clock() - now

    def finish(self, report: Mapping[str, Any]) -> None:
        """Write the last row, with the loss and the quality of a training's report."""
        values = {**report["loss"], **report["sample"]}
        self._add({name: values[name] for name in FINAL if values.get(name) is not None})
        self._flush()

    def close(self) -> None:
        """Write what is left, and close the files."""
        if self._closed:
            return
        self._closed = True
        if self._since:
            self._add()
        self._flush()
        self._end()

    def _add(self, more: Mapping[str, float] | None = None) -> None:
        progress = self._progress
        if progress is None:
            return
        losses = np.concatenate(self._since) if self._since else progress.losses
        self._since.clear()
        trainer = self._trainer
        step, seconds = self._before
        steps, took = progress.step - step, progress.seconds - seconds
        self._before = (progress.step, progress.seconds)
        begun = max((s.start for s in trainer.stages if s.start < progress.step), default=0)
        last = max(begun, progress.step - averaged_losses(trainer.steps))
        row = {
            "step": progress.step,
            "seconds": progress.seconds,
            "loss": float(losses.mean(dtype=float)) if len(losses) else math.nan,
            "smoothed": float(trainer.losses[last : progress.step].mean(dtype=float)),
            "lr": progress.lr,
            "steps_per_second": steps / took if took > 0 else math.nan,
        }
        if progress.level is not None:
            row["level"] = progress.level
        self._rows.append({**row, **(more or {})})

    def _flush(self) -> None:
        """Write the rows that wait, once their folder exists."""
        if not self._rows or not self._awaited.exists():
            return
        try:
            self._write(self._rows)
        except OSError as error:
            self.fault = f"{shown(str(self._folder))}: {reason_of(error)}"
        else:
            self.fault = ""
            self._rows.clear()

    def _write(self, rows: Sequence[Row]) -> None:
        """Write and flush rows; raise OSError if that fails."""
        raise NotImplementedError

    def _end(self) -> None:
        """Close the files."""


class CsvLog(EventLog):
    """A log as a CSV file; a resumed training continues the file after the step it goes on from.

    Raise `RunError` if another file is there.
    """

    def __init__(self, trainer: Trainer, file: Path, **how: Any) -> None:
        super().__init__(trainer, file.parent, **how)
        self._file = file
        self._out: IO[str] | None = None
        if trainer.step:
            _rows_before(file, trainer.step)
        elif file.exists():
            raise RunError(f"{shown(str(file))}: exists already; allowed: a new file")

    def _write(self, rows: Sequence[Row]) -> None:
        text = StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        for row in rows:
            table.writerow({name: _number(value) for name, value in row.items()})
        try:
            if self._out is None:
                write_whole(self._file, _rows_before(self._file, self._first))
                self._out = self._file.open("a", encoding="utf-8", newline="")
            self._out.write(text.getvalue())
            self._out.flush()
        except OSError:
            # A part of the rows may be in the file; the next call removes it.
            self._end()
            raise
        self._first = int(rows[-1]["step"])

    def _end(self) -> None:
        if self._out is not None:
            with suppress(OSError):  # a full disk again
                self._out.close()
            self._out = None


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _rows_before(file: Path, step: int) -> str:
    """Return the text of a log up to a step; the heading alone without a file; raise `RunError`."""
    heading = ",".join(COLUMNS)
    try:
        lines = file.read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return heading + "\n"
    except UNREADABLE as error:
        raise RunError(f"{shown(str(file))}: cannot be read ({reason_of(error)})") from None
    if not lines or lines[0].rstrip("\n") != heading:
        raise RunError(f"{shown(str(file))}: not a log of a training; allowed: one, or a new file")

    def counts(line: str) -> bool:
        number = line.partition(",")[0]
        whole = line.endswith("\n") and line.count(",") == len(COLUMNS) - 1
        return whole and number.isdecimal() and int(number) <= step

    return "".join([lines[0], *filter(counts, lines[1:])])


class TensorBoardLog(EventLog):
    """A log that TensorBoard reads, by its own writer; a resumed training purges later steps.

    Raise ImportError without the package tensorboard, `RunError` if another log is there.
    """

    def __init__(self, trainer: Trainer, folder: Path, *, within: bool, **how: Any) -> None:
        """``within`` the folder of a run: into it, and elsewhere into a folder made here."""
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        super().__init__(trainer, folder if within else folder.parent, within=within, **how)
        if not trainer.step and next(folder.glob("events.out.tfevents.*"), None) is not None:
            raise RunError(f"{shown(str(folder))}: holds a log already; allowed: a new folder")
        self._into = folder
        self._writer = EventFileWriter
        self._out: Any = None

    def _write(self, rows: Sequence[Row]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._out is None:
            self._begin()
        for row in rows:
            # One event for all values: each event costs its checksum, in Python.
            values = [
                Summary.Value(
                    tag=f"{'quality' if name in FINAL else 'training'}/{name}", simple_value=value
                )
                for name, value in row.items()
                if name != "step"
            ]
            event = Event(wall_time=time(), step=int(row["step"]), summary=Summary(value=values))
            self._out.add_event(event)

    def _begin(self) -> None:
        """Begin the file: where it goes on from, and the settings as text."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from torch.utils.tensorboard.summary import text

        # Its thread flushes; to wait for it would take milliseconds a row.
        self._out = self._writer(str(self._into), flush_secs=1)
        if self._first:
            start = SessionLog(status=SessionLog.START)
            self._out.add_event(Event(wall_time=time(), step=self._first + 1, session_log=start))
        experiment = self._trainer.experiment
        if experiment.data.given is None:
            settings = "    " + to_json(experiment).replace("\n", "\n    ")
            summary = text("experiment", settings)  # type: ignore[no-untyped-call]
            event = Event(wall_time=time(), step=self._first, summary=summary)
            self._out.add_event(event)

    def _end(self) -> None:
        if self._out is not None:
            self._out.close()
