"""Settings of the lab: the user's choices, and the state to restore at the next start.

They are stored in a commented TOML file. The command line overrides ``DIFFUSION_TUI_*`` variables,
and these override the file. Pydantic checks every value; an invalid one causes a one-line warning
and is replaced by its default. Writing changes only values that the lab changed.
"""

# ruff: noqa: RUF009  _setting returns a dataclasses.field
from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from ..core.config.errors import ConfigError
from ..core.config.presets import PRESETS
from ..core.config.user_presets import is_taken
from ..core.files import UNREADABLE, destination, read_plain, reason_of, write_whole
from ..core.runs.manifest import LARGEST_SETTINGS
from ..core.text import expanded, shortened
from ..core.training.speeds import Speeds
from ..export.views import VIEWS_1D, VIEWS_2D
from .glyphs import GLYPHS
from .keymap import TABS
from .playback import FINE, PLAY_MODES, SPEEDS, Playback

# --- the fields ----------------------------------------------------------------------------------


def _where(holds: Any) -> AfterValidator:
    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError
        return value

    return AfterValidator(check)


def _setting(default: Any, allowed: str, about: str = "") -> Any:
    """Declare a field: its default, the allowed values, and the comment in a new file."""
    return field(default=default, metadata={"allowed": allowed, "about": about})


def _choice(default: Any, choices: Sequence[Any], about: str = "") -> Any:
    return _setting(default, ", ".join(map(str, choices)), about)


_KEPT = TABS[:3]
"""The tabs that the next start restores; a sweep is opened by hand, because it takes longer."""

Printable = Annotated[StrictStr, _where(str.isprintable)]
Number = Annotated[float, Field(strict=True)]
"""A float or an integer; booleans and text are rejected."""


@dataclass(frozen=True)
class RestorePoint:
    """The state of the lab that the next start restores.

    ``level`` is None at the clean end, however many levels there are. ``tour`` is the index of the
    tour's next station. ``guided`` is True once the guided first run has ended. ``declined`` is the
    run that the next start does not offer to resume.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    experiment: Annotated[StrictStr, _where(lambda v: v in PRESETS or is_taken(v))] = _setting(
        next(iter(PRESETS)), "the name of an experiment"
    )
    level: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = _setting(
        None, "a whole number from 0"
    )
    tab: Annotated[StrictStr, _where(_KEPT.__contains__)] = _choice("denoising", _KEPT)
    view_1d: Annotated[StrictStr, _where(VIEWS_1D.__contains__)] = _choice(VIEWS_1D[0], VIEWS_1D)
    view_2d: Annotated[StrictStr, _where(VIEWS_2D.__contains__)] = _choice(VIEWS_2D[0], VIEWS_2D)
    tour: Annotated[StrictInt, Field(ge=0, le=10)] = _setting(0, "a whole number from 0 to 10")
    guided: StrictBool = _choice(False, ("true", "false"))
    declined: Printable | None = _setting(None, "the name of a run")
    play_mode: Annotated[StrictStr, _where(PLAY_MODES.__contains__)] = _choice(
        PLAY_MODES[0], PLAY_MODES
    )
    speed: Annotated[Number, _where(SPEEDS.__contains__)] = _choice(SPEEDS[2], SPEEDS)
    sub_steps: Annotated[StrictInt, _where(FINE.__contains__)] = _choice(FINE[0], FINE)

    @classmethod
    def of(
        cls, experiment: str, tab: str, views: Mapping[int, str], playback: Playback
    ) -> RestorePoint:
        """Return the restore point for this experiment, tab, views by dimension, and playback."""
        level = None if playback.at_end else playback.level
        mode, speed, fine = playback.mode, SPEEDS[playback.speed], playback.fine
        return cls(
            experiment, level, tab, views[1], views[2], play_mode=mode, speed=speed, sub_steps=fine
        )

    def playback(self, levels: int, *, here: bool) -> Playback:
        """Restore the playback for ``levels`` levels, and with ``here`` its level, clamped."""
        speed = SPEEDS.index(self.speed)
        playback = Playback(levels, fine=self.sub_steps, mode=self.play_mode, speed=speed)
        return playback.go_to(levels if self.level is None or not here else self.level)


@dataclass(frozen=True)
class Settings:
    """The user's choices, the restore point, and the measured speeds of devices by their name."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    theme: Printable = _setting(
        "textual-dark",
        "the name of a theme",
        "Colours: textual-dark, textual-light, high-contrast, nord, ... (ctrl+p lists them).",
    )
    fps: Annotated[Number, Field(ge=1, le=30)] = _setting(
        8.0, "a number from 1 to 30", "Maximum number of loss plots drawn per second, 1 to 30."
    )
    points: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = _setting(
        0,
        "0, or a whole number up to 1000000",
        "Points that are denoised together; 0: the number in the experiment.",
    )
    glyphs: Annotated[StrictStr, _where(("auto", *GLYPHS).__contains__)] = _choice(
        "auto",
        ("auto", *GLYPHS),
        "Characters of the pictures: auto, braille, blocks or ascii.",
    )
    place: RestorePoint = RestorePoint()
    speeds: Mapping[Printable, Speeds] = field(default_factory=dict)
    parts: tuple[Printable, ...] = _setting(
        (),
        'a list of files, such as ["my_parts.py"]',
        "Files with parts of your own, which every command loads; from this file's folder.",
    )


_ADAPTER = TypeAdapter(Settings)
WRITTEN_TABLES = ("place", "speeds")
"""The settings that the program writes itself."""
_CHOICES = {each.name: each for each in fields(Settings) if each.name not in WRITTEN_TABLES}
_PLACE = {each.name: each for each in fields(RestorePoint)}

KeyPath = tuple[str, ...]
"""The path of a setting in the TOML file: ("fps",) or ("place", "tab")."""

# --- reading -------------------------------------------------------------------------------------


def load(file: Path) -> tuple[Settings, str]:
    """Return the settings in a file, and a one-line warning, or ''.

    Invalid values are replaced by their defaults. A missing file and /dev/null give the defaults
    without a warning.
    """
    if os.path.realpath(file) == os.devnull:
        return Settings(), ""
    try:
        settings, wrong = _parse(_read(file))
    except FileNotFoundError:
        return Settings(), ""
    except UNREADABLE as error:
        return Settings(), f"{file}: {reason_of(error)}; the defaults are used"
    if not wrong:
        return settings, ""
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return settings, f"{file}: {next(iter(wrong.values()))}{more}; the default is used"


def load_speeds(file: Path) -> tuple[Mapping[str, Speeds], str]:
    """Return the measured speeds of a file, and one line on what is wrong with them, or ''.

    A file that cannot be read has none; what else is wrong with it is for `load` to say.
    """
    try:
        settings, wrong = _parse(_read(file))
    except UNREADABLE:
        return {}, ""
    problem = next((text for path, text in wrong.items() if path[0] == "speeds"), "")
    return settings.speeds, f"{file}: {problem}; the default is used" if problem else ""


def load_part_names(file: Path) -> tuple[Path, ...]:
    """Return the paths of the part files that the settings name; none of a file that is wrong."""
    try:
        settings, _ = _parse(_read(file))
    except UNREADABLE:
        return ()
    return part_paths(settings, file)


def part_paths(settings: Settings, file: Path) -> tuple[Path, ...]:
    """Return the paths of the part files in settings, which are relative to their own file's."""
    return tuple(file.parent / expanded(name) for name in settings.parts)


def _read(file: Path) -> str:
    """Read the text of the file, which may be a symbolic link."""
    return read_plain(file, LARGEST_SETTINGS, follow=True).decode("utf-8")


def _parse(text: str) -> tuple[Settings, dict[KeyPath, str]]:
    """Return the settings in TOML text, and the error at each invalid path; raise `UNREADABLE`."""
    values = tomllib.loads(text)
    try:
        return _ADAPTER.validate_python(values), {}
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
    wrong = {}
    for each in sorted(errors, key=lambda each: len(each["loc"])):
        path = tuple(map(str, each["loc"]))
        if path[0] == "speeds" and len(path) > 1:
            # The figures of a device hold only together.
            device = values["speeds"].pop(path[1], None)
            if device is not None:
                wrong[path[:2]] = _speeds_complaint(path, device)
            continue
        if path[0] == "parts":
            path = path[:1]  # the list, whichever entry is wrong
            if path in wrong:
                continue
        *outer, name = path
        table = values[outer[0]] if outer else values
        wrong[path] = _complaint(path, table.pop(name), known=each["type"] != _UNKNOWN)
    return _ADAPTER.validate_python(values), wrong


_UNKNOWN = "unexpected_keyword_argument"
"""Pydantic's type of the error for a key that is not a field."""


_SPEEDS = {
    "step": "a number above 0",
    "rate": "a number above 0",
    "start": "a number from 0 to 3600",
    "measured": "a date such as 2026-11-28",
}
"""What is allowed for each figure of a device."""


def _speeds_complaint(path: KeyPath, device: Any) -> str:
    """Return what is wrong at ``path``, in the figures of a device."""
    name, key = ".".join(map(shortened, path[:3])), path[-1]
    if not isinstance(device, dict):
        return (
            f"{name} = {shortened(repr(device))} is wrong; allowed: a table of {', '.join(_SPEEDS)}"
        )
    if key == "[key]":
        return f"{name[: -len('.[key]')]} is no name of a device"
    if key not in _SPEEDS:
        return f"{name} is unknown; allowed: {', '.join(_SPEEDS)}"
    if key not in device:
        return f"{name} is missing; allowed: {_SPEEDS[key]}"
    return f"{name} = {shortened(repr(device[key]))} is wrong; allowed: {_SPEEDS[key]}"


def _complaint(path: KeyPath, value: Any, *, known: bool) -> str:
    declared = _PLACE if len(path) > 1 else _CHOICES
    name = ".".join(map(shortened, path))
    if not known:
        return f"{name} is unknown; allowed: {', '.join(declared)}"
    if path == ("place",):
        return "place is not a table"
    if path == ("speeds",):
        return f"speeds = {shortened(repr(value))} is wrong; allowed: a table for each device"
    allowed = declared[path[-1]].metadata["allowed"]
    return f"{name} = {shortened(repr(value))} is wrong; allowed: {allowed}"


def from_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return ``settings`` with the values of variables such as ``DIFFUSION_TUI_THEME``.

    Raise `ConfigError` for an invalid value.
    """
    values: dict[str, Any] = {}
    for name in _CHOICES.keys() - {"parts"}:
        if text := environ.get(f"DIFFUSION_TUI_{name.upper()}", ""):
            values[name] = text
            if convert := {"fps": float, "points": int}.get(name):
                with suppress(ValueError):
                    values[name] = convert(text)
    try:
        checked = _ADAPTER.validate_python(values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        variable = f"DIFFUSION_TUI_{name.upper()}"
        allowed = _CHOICES[name].metadata["allowed"]
        message = f"{variable}={environ[variable]!r} is wrong; allowed: {allowed}"
        raise ConfigError(message) from None
    return replace(settings, **{name: getattr(checked, name) for name in values})


# --- writing -------------------------------------------------------------------------------------

_HEAD = """\
# Settings of diffusion-tui. The command line goes before the variables DIFFUSION_TUI_THEME,
# DIFFUSION_TUI_FPS, DIFFUSION_TUI_POINTS and DIFFUSION_TUI_GLYPHS, and these before this file.
"""
_PLACE_HEAD = """
# The state to restore at the next start; the lab writes these values itself.
[place]
"""
_SPEEDS_HEAD = """
# Measured by 'diffusion-tui doctor --measure', by device: seconds per step, operations per second,
# and seconds until the first step. Without them the built-in figures are used.
[speeds]
"""


def written(settings: Settings, text: str = "", before: Settings | None = None) -> str:
    """Return ``text``, the TOML text of the file, with the values of ``settings`` that changed.

    A choice that equals that of ``before``, the settings that the lab read, keeps its text, even if
    it is invalid or another program has changed it since. Raise `ValueError` if the text cannot be
    edited.
    """
    from ..core.toml_edit import edited

    text = text if text.strip() else _new_file()
    if not isinstance(tomllib.loads(text).get("place"), dict):
        text = edited(text, {("place",): None}).rstrip("\n") + "\n" + _PLACE_HEAD
    values: dict[KeyPath, Any] = {("place", name): getattr(settings.place, name) for name in _PLACE}
    for name in _CHOICES:
        value = getattr(settings, name)
        if before is None or value != getattr(before, name):
            values[name,] = value
    found, wrong = _parse(text)
    changes = {
        path: [*v] if isinstance(v, tuple) else v  # TOML has lists
        for path, v in values.items()
        if path in wrong or v != _at(found, path)
    }
    text = edited(text, changes) if changes else text
    known = {} if before is None else before.speeds
    return _with_speeds(
        text,
        {
            device: speeds
            for device, speeds in settings.speeds.items()
            if speeds not in (known.get(device), found.speeds.get(device))
        },
    )


def _with_speeds(text: str, speeds: Mapping[str, Speeds]) -> str:
    """Return TOML text with the figures of these devices in place of those that it has."""
    from ..core.toml_edit import edited

    if not speeds:
        return text
    if not isinstance(tomllib.loads(text).get("speeds"), dict):
        text = edited(text, {("speeds",): None}).rstrip("\n") + "\n" + _SPEEDS_HEAD
    text = edited(text, {("speeds", device): None for device in speeds})
    return edited(
        text,
        {
            ("speeds", device, name): value
            for device, each in speeds.items()
            for name, value in asdict(each).items()
        },
    )


def _at(settings: Settings, path: KeyPath) -> Any:
    return getattr(settings.place if len(path) > 1 else settings, path[-1])


def _new_file() -> str:
    """Return the text of a new file: the defaults, with comments."""
    from ..core.toml_edit import toml_line

    choices = [
        f"\n# {each.metadata['about']}\n{toml_line(name, each.default)}"
        for name, each in _CHOICES.items()
    ]
    place = [
        toml_line(name, each.default) for name, each in _PLACE.items() if each.default is not None
    ]
    return "".join([_HEAD, *choices, _PLACE_HEAD, *place])


def save(file: Path, settings: Settings, before: Settings | None = None) -> str:
    """Write settings atomically; return a one-line error if that fails, or ''.

    ``before`` is as in `written`. A file that cannot be read or edited is renamed to ``….bak``; the
    text is copied there if an invalid value in it is replaced. A device, such as /dev/null, is not
    written.
    """
    if file.is_char_device():
        return ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")  # never rename a folder
        _write(destination(file), settings, before)
    except OSError as error:
        return f"{file}: cannot be written ({error.strerror})"
    return ""


def _write(file: Path, settings: Settings, before: Settings | None) -> None:
    from ..core.toml_edit import LARGEST_EDIT

    aside, text = file.with_name(f"{file.name}.bak"), ""
    with suppress(FileNotFoundError):
        try:
            text = _read(file)
        except ValueError:  # too large, or not UTF-8
            file.replace(aside)
    if len(text) > LARGEST_EDIT:
        raise OSError(errno.EFBIG, f"it is longer than {LARGEST_EDIT:,} characters")
    try:
        new = written(settings, text, before)
    except UNREADABLE:
        file.replace(aside)
        new = written(settings)
    else:
        if _parse(text)[1].keys() - _parse(new)[1].keys():
            write_whole(aside, text)
    if new != text:
        write_whole(file, new)
