"""Atomic writing of exported files: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from ..core.faults import fault_of
from ..core.files import destination, replacing
from ..core.text import shortened, shown
from .options import ExportError


def write_files(files: list[Path], force: bool, write: Callable[[list[Path]], None]) -> None:
    """Write ``files`` through ``write`` and move them into place once all are complete.

    ``write`` receives temporary paths, one for each file. Raise `ExportError` with a one-line
    message.
    """

    def check() -> None:
        for path in files:
            check_place(path, force)

    try:
        with replacing(files, check) as temporary:
            write(temporary)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and fault_of(error) is not None:
            raise  # other code reports it
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ExportError(
            f"{shown(files[0])}: cannot be written ({shown(reason)[:160]}); "
            "allowed: a file in a folder you may write to, on a disk with room"
        ) from None


def check_place(file: Path, force: bool) -> None:
    """Raise `ExportError` unless a file can be written there; only ``force`` replaces one."""
    name = shortened(str(file), 200)
    try:
        if "\0" in str(file):
            raise ValueError("a null character in its name")
        if file.is_dir():
            raise ExportError(f"{name}: is a folder; allowed: the name of a file")
        target = destination(file)
        if not target.absolute().parent.is_dir():
            raise ExportError(
                f"{name}: its folder does not exist; allowed: a file in a folder there is"
            )
        if os.path.lexists(file) and not force:
            raise ExportError(f"{name}: exists; allowed: a new file, or --force to replace it")
        probe = target.with_name(f".{uuid4().hex[:12]}.tmp")
        probe.touch(exist_ok=False)
        probe.unlink()
        if len(os.fsencode(file.name)) > 255:
            raise ExportError(f"{name}: name too long; allowed: at most 255 bytes")
    except (OSError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(
            f"{name}: cannot be written ({shown(reason)}); "
            "allowed: a file in a folder you may write to"
        ) from None
