"""The parts of installed packages, which are found by the entry point group of their metadata."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from ..config.errors import ConfigError
from ..text import shown
from .calls import words_of
from .loading import collected, register
from .registries import problems

GROUP = "diffusion_tui.parts"


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
        raise ConfigError(f"{shown(entry.value)}: {what}") from None
    register(found)
