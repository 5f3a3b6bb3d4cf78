"""The lines around the panels: status above, tabs in a narrow terminal, keys below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.geometry import Size

from .actions import ACTIONS, Action
from .glyphs import Glyphs
from .palette import Palette
from .session import State, Training
from .status import duration, rate_text, took
from .views import TABS

Runs = list[tuple[str, Style]]

WIDE = 100
"""Columns from which all panels are shown together."""

SMALLEST = (60, 18)
"""Columns and lines under which a screen only says what it needs."""

_BRANDED = 76
"""Columns from which the name of the program stands beside the experiment's."""


def too_small(size: Size) -> str:
    """What is needed, where there is no room for a screen; '' where there is."""
    if size.width >= SMALLEST[0] and size.height >= SMALLEST[1]:
        return ""
    needed = f"{SMALLEST[0]}×{SMALLEST[1]}"
    return f"diffusion-tui needs {needed}; this is {size.width}×{size.height}"


def status(
    chosen: str,
    training: Training | None,
    waiting: str,
    width: int,
    palette: Palette,
    sampling: tuple[int, int] | None = None,
) -> tuple[Runs, Runs]:
    """What is chosen, and how far its training is; ``waiting`` where there is none.

    ``sampling`` is how far a long one is. What there is no room for is left out from the end.
    """
    text, dim = palette.style("text"), palette.style("axis")
    left: Runs = [(f" {chosen} ", text)]
    if width >= _BRANDED:
        left.insert(0, (" diffusion-tui ", palette.style("mark") + Style(bold=True)))
    if sampling is not None:
        left.append((f" sampling {sampling[0]}/{sampling[1]} ", text))
    if training is None:
        return left, [(f"{waiting} ", text)]
    right = _progress(training, chosen, palette)
    if width >= WIDE and (above := training.above) is not None:
        right.insert(-1, (f"  {above:+z.0%} over floor", dim))
    room = width - _cells([*left, *right])
    for device in _devices(training):
        if len(device) < room:
            left.append((device, dim))
            break
    while _cells([*left, *right]) > width and right[-2][1] == dim:
        del right[-2]  # the time, then the rate
    return left, right


def _cells(runs: Runs) -> int:
    return sum(len(text) for text, _ in runs)


def _devices(training: Training) -> list[str]:
    """Device and threads in fewer and fewer words."""
    if not training.device:
        return []
    threads = f"{training.threads} thread{'s' if training.threads > 1 else ''}"
    with_threads = [f" {training.device}, {threads} "] if training.threads else []
    return [*with_threads, f" {training.device} "]


def _progress(training: Training, chosen: str, palette: Palette) -> Runs:
    """State, step, rate and time left."""
    text, dim = palette.style("text"), palette.style("axis")
    bad = training.state in (State.DIVERGED, State.FAILED)
    strong = palette.style("alert") if bad else text + Style(bold=True)
    runs: Runs = [(training.state.value, strong)]
    if training.experiment.name != chosen:
        runs.append((f" {training.experiment.name}", dim))
    if training.step:
        runs.append((f"  step {training.step:,}/{training.steps:,}", text))
        runs.append((f"  {rate_text(training.rate)}", dim))
        if training.state in (State.TRAINING, State.PAUSED) and training.seconds_left:
            runs.append((f"  {duration(training.seconds_left)} left", dim))
        else:
            runs.append((f"  in {took(training.seconds)}", dim))
    return [*runs, (" ", text)]


def tabs(shown: str, palette: Palette, names: Sequence[str] = TABS) -> Runs:
    """The tabs with their keys."""
    plain, here = palette.style("axis"), palette.style("text") + Style(reverse=True)
    runs: Runs = [(" ", plain)]
    for number, tab in enumerate(names, 1):
        runs += [(f" {number} {tab} ", here if tab == shown else plain), (" ", plain)]
    return runs


def footer(
    width: int, palette: Palette, glyphs: Glyphs, actions: Sequence[Action] = ACTIONS
) -> tuple[Runs, Runs]:
    """Keys and what they do: as many as fit, and at the right help and the way out always."""
    key, label = palette.style("truth") + Style(bold=True), palette.style("axis")
    shown = sorted((a for a in actions if a.footer), key=lambda a: a.footer)

    def runs(actions: list[Action]) -> Runs:
        cells: Runs = []
        for action in actions:
            cells.append((f" {_key(action.shown, glyphs)}", key))
            cells.append((f" {action.label} ", label))
        return cells

    ends = [a for a in shown if a.name in ("help", "quit", "leave")]
    rest = [a for a in shown if a not in ends]
    room = width - _cells(runs(ends))
    while rest and _cells(runs(rest)) > room:
        rest.pop()
    return runs(rest), runs(ends)


def _key(shown: str, glyphs: Glyphs) -> str:
    """The key in a character or a word; arrows have no place in ASCII."""
    first, _, other = shown.partition(" ")
    return other if glyphs == "ascii" and not first.isascii() else first
