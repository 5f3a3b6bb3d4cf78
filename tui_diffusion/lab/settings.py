"""What is kept from one start of the lab to the next: a person's choices, and the place they left.

They stand in a commented TOML file. The command line goes before ``DIFFUSION_TUI_*`` variables,
and these before the file. A file that cannot be read costs one line of warning and nothing else;
before it is written over it is kept beside itself as ``.bak``.
"""

from __future__ import annotations

import errno
import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..core.config.errors import ConfigError
from ..core.config.presets import PRESETS
from ..core.config.user_presets import is_taken
from ..core.files import UNREADABLE, destination, read_plain, reason_of, write_whole
from ..core.runs.manifest import LARGEST_SETTINGS
from ..core.text import shortened
from .breakpoints import TABS
from .terminal.glyphs import GLYPHS
from .views.names import VIEWS_1D, VIEWS_2D
from .widgets.playback import FINE, MODES, SPEEDS, Playback


@dataclass(frozen=True)
class Place:
    """Where the lab was left. ``level`` is None at the clean end, wherever that is.

    ``tour`` is the station of the tour, ``guided`` whether the first run has been guided.
    ``declined`` is a run that the next start is not to offer to go on with.
    """

    experiment: str = next(iter(PRESETS))
    level: int | None = None
    tab: str = "denoising"
    view_1d: str = VIEWS_1D[0]
    view_2d: str = VIEWS_2D[0]
    tour: int = 0
    guided: bool = False
    declined: str | None = None
    play_mode: str = MODES[0]
    speed: float = SPEEDS[2]
    sub_steps: int = FINE[0]

    @classmethod
    def of(cls, experiment: str, tab: str, views: Mapping[int, str], playback: Playback) -> Place:
        """The place of a lab that shows this."""
        level = None if playback.at_end else playback.level
        mode, speed, fine = playback.mode, SPEEDS[playback.speed], playback.fine
        return cls(
            experiment, level, tab, views[1], views[2], play_mode=mode, speed=speed, sub_steps=fine
        )

    def playback(self, levels: int, *, here: bool) -> Playback:
        """Its level, in an experiment with so many, where this is the one it was ``here``."""
        speed = SPEEDS.index(self.speed)
        playback = Playback(levels, fine=self.sub_steps, mode=self.play_mode, speed=speed)
        return playback.go_to(levels if self.level is None or not here else self.level)


@dataclass(frozen=True)
class Settings:
    """A person's choices, and the place."""

    theme: str = "textual-dark"
    fps: float = 8.0
    points: int = 0
    glyphs: str = "auto"
    place: Place = Place()


@dataclass(frozen=True)
class _Field:
    about: str
    allowed: str
    fits: Any


def _number(low: float, high: float, *, whole: bool) -> Any:
    kinds = (int,) if whole else (int, float)
    return lambda v: isinstance(v, kinds) and not isinstance(v, bool) and low <= v <= high


def _among(*choices: str | float) -> _Field:
    allowed = ", ".join(map(str, choices))
    return _Field("", allowed, lambda v: v in choices and not isinstance(v, bool))


_FIELDS: dict[str, _Field] = {
    "theme": _Field(
        "Colours: textual-dark, textual-light, high-contrast, nord, ... (ctrl+p lists them).",
        "the name of a theme",
        lambda value: isinstance(value, str) and value.isprintable() and '"' not in value,
    ),
    "fps": _Field(
        "Most drawings of the loss in a second, 1 to 30.",
        "a number from 1 to 30",
        _number(1, 30, whole=False),
    ),
    "points": _Field(
        "Points that are denoised together; 0: as many as the experiment says.",
        "0, or a whole number up to 1000000",
        _number(0, 1_000_000, whole=True),
    ),
    "glyphs": replace(
        _among("auto", *GLYPHS), about="Characters of the pictures: auto, braille, blocks or ascii."
    ),
}
_PLACE: dict[str, _Field] = {
    "experiment": _Field(
        "",
        "the name of an experiment",
        lambda value: isinstance(value, str) and (value in PRESETS or is_taken(value)),
    ),
    "level": _Field("", "a whole number from 0", _number(0, 1_000_000, whole=True)),
    "tab": _among(*TABS),
    "view_1d": _among(*VIEWS_1D),
    "view_2d": _among(*VIEWS_2D),
    "tour": _Field("", "a whole number from 0 to 8", _number(0, 8, whole=True)),
    "guided": _Field("", "true, false", lambda value: isinstance(value, bool)),
    "declined": _Field(
        "", "the name of a run", lambda value: isinstance(value, str) and value.isprintable()
    ),
    "play_mode": _among(*MODES),
    "speed": _among(*SPEEDS),
    "sub_steps": _among(*FINE),
}

_HEAD = """\
# Settings of diffusion-tui. The command line goes before the variables DIFFUSION_TUI_THEME,
# DIFFUSION_TUI_FPS, DIFFUSION_TUI_POINTS and DIFFUSION_TUI_GLYPHS, and these before this file.
"""
_PLACE_HEAD = """
# Where the lab was left; written anew each time. Without it the lab starts at the beginning.
[place]
"""


def load(file: Path) -> tuple[Settings, str]:
    """The settings of a file, and one line on what is wrong with it, or ''.

    What is wrong is left at its default; a file that is not there is not wrong, nor is /dev/null.
    """
    if os.path.realpath(file) == os.devnull:
        return Settings(), ""
    try:
        settings, wrong = _parse(_read(file))
    except FileNotFoundError:
        return Settings(), ""
    except UNREADABLE as error:
        return Settings(), f"{file}: {reason_of(error)}; the defaults are used"
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return settings, f"{file}: {wrong[0]}{more}; the default is used" if wrong else ""


def _read(file: Path) -> str:
    """Read the text of the file, which may be a link to where a person keeps such files."""
    return read_plain(file, LARGEST_SETTINGS, follow=True).decode("utf-8")


def _parse(text: str) -> tuple[Settings, list[str]]:
    """Return the settings in TOML, and what is wrong in it; raise one of `UNREADABLE`."""
    found = tomllib.loads(text)
    wrong: list[str] = []
    place = found.pop("place", {})
    if not isinstance(place, dict):
        wrong.append("place is not a table")
        place = {}
    kept = _kept(found, _FIELDS, wrong)
    where = Place(**_kept(place, _PLACE, wrong, "place."))
    return Settings(**kept, place=where), wrong


def _kept(
    found: Mapping[str, Any], fields: Mapping[str, _Field], wrong: list[str], where: str = ""
) -> dict[str, Any]:
    kept = {}
    for name, value in found.items():
        field = fields.get(name)
        if field is None:
            wrong.append(f"{where}{shortened(name)} is unknown; allowed: {', '.join(fields)}")
        elif not field.fits(value):
            said = shortened(repr(value))
            wrong.append(f"{where}{name} = {said} is wrong; allowed: {field.allowed}")
        else:
            kept[name] = value
    return kept


def from_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """``settings`` with what variables such as ``DIFFUSION_TUI_THEME`` say in its place.

    Raises `ConfigError` for a value that cannot be.
    """
    changes: dict[str, Any] = {}
    for name, field in _FIELDS.items():
        variable = f"DIFFUSION_TUI_{name.upper()}"
        text = environ.get(variable, "")
        if not text:
            continue
        value: Any = text
        if name in ("fps", "points"):
            with suppress(ValueError):
                value = int(text) if name == "points" else float(text)
        if not field.fits(value):
            raise ConfigError(f"{variable}={text!r} is wrong; allowed: {field.allowed}")
        changes[name] = value
    return replace(settings, **changes)


def written(settings: Settings, text: str = "") -> str:
    """``settings`` as TOML; comments and the order of ``text``, the file so far, stay."""
    values = {name: getattr(settings, name) for name in _FIELDS}
    place = {name: value for name in _PLACE if (value := getattr(settings.place, name)) is not None}
    if not text.strip():
        fields = "".join(
            f"\n# {_FIELDS[name].about}\n{name} = {_toml(value)}\n"
            for name, value in values.items()
        )
        return _HEAD + fields + _PLACE_HEAD + _lines(place)
    head, table, _ = text.partition("[place]")
    for name, value in values.items():
        line = f"{name} = {_toml(value)}"
        pattern = re.compile(rf'^{name}\s*=\s*(?:"[^"\n]*"|[^#\n]*?)(\s*(?:#.*)?)$', re.MULTILINE)
        if said := pattern.search(head):
            head = f"{head[: said.start()]}{line}{said[1]}{head[said.end() :]}"
        elif value != getattr(Settings(), name):
            head = f"{line}\n{head}"
    if not table:
        head = head.rstrip("\n") + "\n" + _PLACE_HEAD.removesuffix("[place]\n")
    return f"{head}[place]\n{_lines(place)}"


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())


def _toml(value: Any) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _says(text: str, settings: Settings) -> bool:
    try:
        return _parse(text) == (settings, [])
    except UNREADABLE:
        return False


def save(file: Path, settings: Settings) -> str:
    """Write settings, whole or not at all; one line on why that could not be, or ''.

    A file that could not be read whole is kept as ``.bak``. Where the file is a device, such as
    /dev/null, there is nothing to keep settings in, and that is no fault.
    """
    if file.is_char_device():
        return ""
    before, problem = load(file)
    if before == settings and not problem and file.exists():
        return ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")  # which is not put aside
        place, text = destination(file), ""
        if problem:
            place.replace(place.with_name(f"{place.name}.bak"))
        elif place.exists():
            text = _read(file)
        new = written(settings, text)
        if text and not _says(new, settings):
            # Written by hand in a way that changing single lines does not reach.
            place.replace(place.with_name(f"{place.name}.bak"))
            new = written(settings)
        write_whole(place, new)
    except OSError as error:
        return f"{file}: cannot be written ({error.strerror})"
    return ""
