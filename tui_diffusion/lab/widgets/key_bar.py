"""The bar of keys: for each panel those that are of use there; a click on a key presses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style

from ..drawing.palette import Palette
from ..keymap import ACTIONS, Action
from ..terminal.glyphs import Glyphs

Run = tuple[str, Style]
Runs = list[Run]


@dataclass(frozen=True)
class Hint:
    """Keys as Textual names them, as a person reads them, and what they do.

    ``spelt`` is how they are written where arrows cannot be.
    """

    keys: tuple[str, ...]
    shown: tuple[str, ...]
    label: str
    spelt: tuple[str, ...] = ()


def hint_of(action: Action, label: str = "") -> Hint:
    """The first key of an action."""
    first, _, other = action.shown.partition(" ")
    key = action.keys.split(",")[0]
    return Hint((key,), (first,), label or action.label, (other,) if other else ())


def _hints(names: str) -> tuple[Hint, ...]:
    """Those of actions by name, with another label behind a colon, or of `_KEYS`."""
    actions = {action.name: action for action in ACTIONS}
    hints = []
    for word in names.split():
        name, _, label = word.partition(":")
        hints.append(_KEYS[name] if name in _KEYS else hint_of(actions[name], label))
    return tuple(hints)


_UP_DOWN = (("up", "down"), ("↑", "↓"))
_KEYS = {
    "levels": Hint(("left", "right"), ("←", "→"), "step", ("h", "l")),
    "rows": Hint(*_UP_DOWN, "choose", ("up", "down")),
    "values": Hint(*_UP_DOWN, "value", ("up", "down")),
    "fields": Hint(("tab",), ("tab",), "fields"),
    "list": Hint(("tab",), ("tab",), "list"),
    "next": Hint(("tab",), ("tab",), "next panel"),
    "edit": Hint(("enter",), ("enter",), "edit"),
    "nudge": Hint(("comma", "full_stop"), (",", "."), "nudge"),
    "undo": Hint(("backspace",), ("backspace",), "undo"),
    "take": Hint(("enter",), ("enter",), "takes it"),
    "leave": Hint(("escape",), ("escape",), "leaves it"),
}
"""Keys that belong to widgets, and pairs of keys."""

_LAB = "train pause stop levels play noise view truth ideal"
_TRAINING = "train pause stop study:views log_scale"

WIDE_BARS = {
    "experiments": _hints(f"{_LAB} next runs compare export ask tour"),
    "fields": _hints(f"edit nudge undo keep {_LAB} next"),
    "denoising": _hints(f"{_LAB} next runs compare export ask track copy"),
    "training": _hints(f"{_TRAINING} levels play view ideal next runs compare export ask"),
}
"""By the panel in focus, where all panels show and every key of the lab does something."""

NARROW_BARS = {
    "experiments": _hints("rows fields train tour keep:save code copy"),
    "fields": _hints("edit nudge list train keep:save code undo copy"),
    "training": _hints(f"{_TRAINING} code copy"),
    "denoising": _hints("train levels play view truth ideal noise copy track"),
}
"""By the panel that shows; what opens over every one of them stands behind the tabs."""

FIELD_BAR = _hints("take values leave")
LEVEL_BAR = _hints("take leave")
"""While a value is edited, or a level is asked for: letters are text there."""

WINDOWS = _hints("runs compare export ask")
ENDS = _hints("help quit")


def compare_bar(actions: Sequence[Action]) -> tuple[list[Hint], list[Hint]]:
    """Hints of these actions of the comparison in the order of their ``footer``, and its ends."""
    listed = sorted((a for a in actions if a.footer), key=lambda a: a.footer)
    ends = [action for action in listed if action.name in ("help", "leave")]
    return [hint_of(a) for a in listed if a not in ends], [hint_of(a) for a in ends]


def pressing(key: str) -> Style:
    """What a cell needs for a click on it to press a key."""
    return Style(meta={"key": key})


def bar(
    hints: Sequence[Hint], ends: Sequence[Hint], width: int, palette: Palette, glyphs: Glyphs
) -> tuple[Runs, Runs]:
    """Keys and what they do: as many as fit, and ``ends`` at the right always."""
    right = [run for hint in ends for run in _runs(hint, palette, glyphs)]
    room = width - _cells(right)
    left: Runs = []
    for hint in hints:
        runs = _runs(hint, palette, glyphs)
        if _cells(left) + _cells(runs) > room:
            break
        left += runs
    return left, right


def _runs(hint: Hint, palette: Palette, glyphs: Glyphs) -> Runs:
    strong, label = palette.style("truth") + Style(bold=True), palette.style("axis")
    plain = glyphs == "ascii" and hint.spelt
    runs: Runs = []
    for key, shown in zip(hint.keys, hint.spelt if plain else hint.shown, strict=True):
        runs.append((f" {shown}", strong + pressing(key)))
    return [*runs, (f" {hint.label} ", label + pressing(hint.keys[-1]))]


def _cells(runs: Runs) -> int:
    return sum(cell_len(text) for text, _ in runs)
