"""The losses of a training in progress, for other processes that watch it.

    progress.bin              the magic and the token of this writing, 8 bytes each; then records

A record is the first step, the number of losses, the seconds of training so far and a CRC-32 of
these and of the losses, which follow as float32. The file is append-only, belongs to the process
that holds the run's lock, and is removed when that process ends the run. It decides nothing: a run
is opened and resumed from its checkpoint alone, so a file that a killed process left is harmless.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from struct import Struct
from time import monotonic
from typing import NamedTuple, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .manifest import PROGRESS_FILE

SECONDS = 0.5
"""Minimum seconds between two records."""

SHARE = 0.005
"""Maximum share of the training's time for records."""

_MAGIC = b"dtuiprg1"
_HEAD = len(_MAGIC) + 8
_RECORD = Struct("<QId")
_CRC = Struct("<I")
_LONGEST = 2**20
"""Maximum number of losses in a record."""
_AT_ONCE = 2**26
"""Maximum number of bytes to read at once: more than any record has."""


class Losses(Protocol):
    """The part of `Trainer` that is logged."""

    step: int
    seconds: float
    losses: NDArray[np.float32]


class ProgressLog:
    """The writer: the training thread calls `offer` often, and most calls do nothing.

    A record that cannot be written is tried again later, over what there is of it: faults of the
    disk are for checkpoints to report.
    """

    def __init__(
        self, trainer: Losses, folder: Path, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self.cost = 0.0
        self._trainer = trainer
        self._file = folder / PROGRESS_FILE
        self._clock = clock
        self._due = clock()
        self._first = self._logged = trainer.step
        self._made = False
        self._end = 0

    def offer(self) -> None:
        """Append the losses since the last record if a record is due."""
        began = self._clock()
        if began < self._due or (self._end and self._trainer.step == self._logged):
            return
        try:
            self._append()
        except FileNotFoundError:  # somebody has removed it
            self._end, self._logged = 0, self._first
        except OSError:
            pass
        self.cost = self._clock() - began
        self._due = began + max(SECONDS, self.cost / SHARE)

    def close(self) -> None:
        """Remove the file. Call it while the run's lock is held."""
        if self._made:
            self._made, self._end = False, 0
            with suppress(OSError):  # the run has ended and is written
                self._file.unlink(missing_ok=True)

    def _append(self) -> None:
        first = self._logged
        last = min(self._trainer.step, first + _LONGEST)
        values = self._trainer.losses[first:last].astype("<f4").tobytes()
        record = _RECORD.pack(first, last - first, self._trainer.seconds)
        data = record + _CRC.pack(crc32(values, crc32(record))) + values
        flags = os.O_WRONLY | os.O_NOFOLLOW
        if not self._end:
            self._file.unlink(missing_ok=True)
            flags |= os.O_CREAT | os.O_EXCL
            data = _MAGIC + os.urandom(_HEAD - len(_MAGIC)) + data
        # Other machines see what was written to a shared file system once the file is closed.
        handle = os.open(self._file, flags, 0o644)
        try:
            self._made = True
            written = os.pwrite(handle, data, self._end)
        finally:
            os.close(handle)
        if written < len(data):
            return  # the disk is full: the next record replaces this one
        self._end += len(data)
        self._logged = last


class Part(NamedTuple):
    """A record: the losses from the step ``first`` on, ``seconds`` into the training."""

    first: int
    losses: NDArray[np.float32]
    seconds: float


class ProgressTail:
    """The reader: `read` returns the records that are new. It opens the file anew each time.

    A record that is not whole, as its writer is at it or was killed, is left for the next call.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / PROGRESS_FILE
        self._token = b""
        self._offset = _HEAD

    def read(self) -> list[Part]:
        """Return the new records, or none if there is no such file."""
        try:
            handle = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return []
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return []
            token = os.pread(handle, _HEAD, 0)
            if len(token) < _HEAD or not token.startswith(_MAGIC):
                return []
            if token != self._token:
                self._token, self._offset = token, _HEAD
            return self._parse(os.pread(handle, _AT_ONCE, self._offset))
        except OSError:  # such as a disk that does not answer: the next call may do better
            return []
        finally:
            os.close(handle)

    def _parse(self, data: bytes) -> list[Part]:
        parts, at, head = [], 0, _RECORD.size + _CRC.size
        while at + head <= len(data):
            first, count, seconds = _RECORD.unpack_from(data, at)
            (crc,) = _CRC.unpack_from(data, at + _RECORD.size)
            end = at + head + 4 * count
            values = data[at + head : end]
            if end > len(data) or crc32(values, crc32(data[at : at + _RECORD.size])) != crc:
                break
            parts.append(Part(first, np.frombuffer(values, "<f4").astype(np.float32), seconds))
            at = end
        self._offset += at
        return parts
