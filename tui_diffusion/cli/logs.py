"""The option ``--log`` of ``train``: live logs of a training, as CSV or for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.config.errors import ConfigError
from ..core.files import reason_of
from ..core.text import expanded, shown

if TYPE_CHECKING:
    from ..core.runs.event_log import EventLog
    from ..core.training.trainer import Trainer

KINDS = ("csv", "tensorboard")


@dataclass(frozen=True)
class Wanted:
    """A log that the command line asks for; without a path it goes into the run's folder."""

    kind: str
    path: Path | None = None


def parse_logs(given: Sequence[str], *, save: bool) -> list[Wanted]:
    """Return the logs to write; raise `ConfigError`. ``save``: the training is written to a run."""
    wanted = []
    for text in given:
        kind, colon, path = text.partition(":")
        if kind not in KINDS or (colon and not path):
            raise ConfigError(
                f"--log {shown(text)!r} is not allowed; allowed: csv, csv:FILE, tensorboard or "
                "tensorboard:FOLDER"
            )
        if not path and not save:
            place = "FILE" if kind == "csv" else "FOLDER"
            raise ConfigError(
                f"--log {kind}: --no-save leaves no run to put it into; allowed: {kind}:{place}"
            )
        wanted.append(Wanted(kind, expanded(path).absolute() if path else None))
    if len({(log.kind, log.path) for log in wanted}) < len(wanted):
        raise ConfigError("--log: the same log twice; allowed: each once")
    return wanted


def open_logs(wanted: Sequence[Wanted], trainer: Trainer, run: Path) -> list[EventLog]:
    """Return the logs of a training whose run is in ``run``; raise `ConfigError` or `RunError`."""
    try:
        return [_open(log, trainer, run) for log in wanted]
    except ValueError:
        if wanted:
            from ..core.runs.writer import temporary_of

            with suppress(OSError):  # the name of a new run, which was reserved
                temporary_of(run).rmdir()
        raise


def _open(log: Wanted, trainer: Trainer, run: Path) -> EventLog:
    from ..core.runs.event_log import CSV_FILE, CsvLog, TensorBoardLog

    if log.path is not None:
        try:
            log.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"--log {log.kind}:{shown(str(log.path))}: cannot be written ({reason_of(error)}); "
                "allowed: a place you may write to"
            ) from None
    if log.kind == "csv":
        return CsvLog(trainer, log.path or run / CSV_FILE, within=log.path is None)
    try:
        return TensorBoardLog(trainer, log.path or run, within=log.path is None)
    except ImportError:
        raise ConfigError(
            "--log tensorboard: the package tensorboard is not installed; allowed: csv, or "
            "pip install 'diffusion-tui[tensorboard]'"
        ) from None
