"""The parts of installed packages, which are found by the entry point group of their metadata."""

from __future__ import annotations

from importlib import metadata
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ..config.errors import ConfigError
from ..text import shown
from .calls import words_of
from .loading import collected, register
from .registries import problems

GROUP = "diffusion_tui.parts"

_PROGRAM = str(Path(__file__).parents[2])
_LIBRARY = str(Path(metadata.__file__).parents[1])
"""The folders of this program and of ``importlib``, whose lines are not a package's."""


def load_installed() -> None:
    """Load every module that an installed package names, all of its parts or none.

    A package that fails is listed in `registries.problems`; the others are not affected.
    """
    for entry in sorted(entry_points(group=GROUP)):
        try:
            _load(entry)
        except ConfigError as error:
            problems.append(f"installed parts {shown(entry.name)!r}: {error}")


def _load(entry: EntryPoint) -> None:
    try:
        with collected(None) as found:
            entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        what = str(error) if isinstance(error, ConfigError) else words_of(error)
        raise ConfigError(f"{_place(error) or shown(entry.value)}: {what}") from None
    register(found)


def _place(error: BaseException) -> str:
    """Return the file and line of the package where an error arose, or ''."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(Path(error.filename).name)}, line {error.lineno}"
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(("<", _PROGRAM, _LIBRARY)):
            place = f"{shown(Path(file).name)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
