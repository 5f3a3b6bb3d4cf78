"""The key bar: the useful keys of the focused panel; a click on a key presses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style

from ...interface.glyphs import Glyphs
from ...interface.keymap import ACTIONS, SWEEP_ACTIONS, Action
from ..drawing.palette import Palette

StyledText = tuple[str, Style]
StyledTexts = list[StyledText]


@dataclass(frozen=True)
class Hint:
    """A hint in the key bar: keys with their effect.

    ``keys``: as Textual names them; ``shown``: as a person reads them; ``label``: the effect;
    ``spelt``: in place of ``shown`` for terminals without arrow characters.
    """

    keys: tuple[str, ...]
    shown: tuple[str, ...]
    label: str
    spelt: tuple[str, ...] = ()


def hint_of(action: Action, label: str = "") -> Hint:
    """Return the hint of an action's first key."""
    first, _, other = action.shown.partition(" ")
    key = action.keys.split(",")[0]
    return Hint((key,), (first,), label or action.label, (other,) if other else ())


def _hints(names: str) -> tuple[Hint, ...]:
    """Return hints by the names of actions or of entries of `_KEYS`; ``name:label`` relabels."""
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
    "vary": Hint(("asterisk",), ("*",), "vary"),
    "nudge": Hint(("comma", "full_stop"), (",", "."), "nudge"),
    "undo": Hint(("backspace",), ("backspace",), "undo"),
    "take": Hint(("enter",), ("enter",), "takes it"),
    "leave": Hint(("escape",), ("escape",), "leaves it"),
}
"""Keys that belong to widgets, and pairs of keys."""

_LAB = "train pause stop levels play noise view truth ideal"
_TRAINING = "train pause stop loss_view:views log_scale"

WIDE_BARS = {
    "experiments": _hints(f"{_LAB} next runs compare export ask tour"),
    "fields": _hints(f"edit nudge vary undo keep {_LAB} next"),
    "denoising": _hints(f"{_LAB} next runs compare export ask track copy"),
    "training": _hints(f"{_TRAINING} levels play view ideal next runs compare export ask"),
}
"""Hints by the focused panel, for the wide layout, in which every panel is visible."""

NARROW_BARS = {
    "experiments": _hints("rows fields train tour keep:save code copy"),
    "fields": _hints("edit nudge vary list train keep:save code undo copy"),
    "training": _hints(f"{_TRAINING} code copy"),
    "denoising": _hints("train levels play view truth ideal noise copy track"),
}
"""Hints by the visible panel, for the narrow layout; keys for all panels are beside the tabs."""

SWEEP_BAR = tuple(
    hint_of(action)
    for action in sorted((a for a in SWEEP_ACTIONS if a.footer), key=lambda a: a.footer)
)
"""Hints of the sweep's panel, for both layouts."""

FIELD_BAR = _hints("take values leave")
LEVEL_BAR = _hints("take leave")
"""Hints during text input, for a value or a level: letters are text then."""

WINDOWS = _hints("runs compare export ask")
ENDS = _hints("help quit")


def compare_bar(actions: Sequence[Action]) -> tuple[list[Hint], list[Hint]]:
    """Return the comparison's hints in the order of their ``footer``, and the right-aligned
    ones.
    """
    listed = sorted((a for a in actions if a.footer), key=lambda a: a.footer)
    ends = [action for action in listed if action.name in ("help", "leave")]
    return [hint_of(a) for a in listed if a not in ends], [hint_of(a) for a in ends]


def pressing(key: str) -> Style:
    """Return a style whose cells press a key on a click."""
    return Style(meta={"key": key})


def bar(
    hints: Sequence[Hint], ends: Sequence[Hint], width: int, palette: Palette, glyphs: Glyphs
) -> tuple[StyledTexts, StyledTexts]:
    """Draw as many keys with their effects as fit, and always ``ends`` at the right."""
    right = [run for hint in ends for run in _runs(hint, palette, glyphs)]
    room = width - _cells(right)
    left: StyledTexts = []
    for hint in hints:
        runs = _runs(hint, palette, glyphs)
        if _cells(left) + _cells(runs) > room:
            break
        left += runs
    return left, right


def _runs(hint: Hint, palette: Palette, glyphs: Glyphs) -> StyledTexts:
    strong, label = palette.style("truth") + Style(bold=True), palette.style("axis")
    plain = glyphs == "ascii" and hint.spelt
    runs: StyledTexts = []
    for key, shown in zip(hint.keys, hint.spelt if plain else hint.shown, strict=True):
        runs.append((f" {shown}", strong + pressing(key)))
    return [*runs, (f" {hint.label} ", label + pressing(hint.keys[-1]))]


def _cells(runs: StyledTexts) -> int:
    return sum(cell_len(text) for text, _ in runs)
