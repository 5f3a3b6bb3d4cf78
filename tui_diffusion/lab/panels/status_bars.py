"""The lines above the panels: the status, and in a narrow terminal the tabs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style

from ...core.text import shortened, threads_text
from ...interface.keymap import TABS
from ..breakpoints import WIDE
from ..drawing.palette import Palette
from ..formatting import duration, rate_text, took
from ..session.records import SessionState, Training
from ..widgets.key_bar import StyledText, StyledTexts, pressing
from ..widgets.row_list import fit
from ..widgets.text_line import times_text

_BRANDED = 76
"""Columns from which the name of the program may stand beside the experiment's."""


def status(
    chosen: str,
    training: Training | None,
    waiting: str,
    width: int,
    palette: Palette,
    sampling: tuple[int, int] | None = None,
    reading: str = "",
) -> tuple[StyledTexts, StyledTexts]:
    """What is chosen, and how far its training is; ``waiting`` where there is none.

    ``sampling`` is how far a long one is, ``reading`` what is being read. Name, state and step
    always stand there, and behind them why a training failed, cut where there is no room for it;
    the others as there is room for them: the time first, then device and threads, and what matters
    least last.
    """
    text, dim = palette.style("text"), palette.style("axis")
    brand: StyledText = (" diffusion-tui ", palette.style("mark") + Style(bold=True))
    name: StyledText = (f" {chosen} ", text)
    sampled: StyledTexts = [(f" sampling {sampling[0]}/{sampling[1]} ", text)] if sampling else []
    if reading:
        sampled = [(f" {shortened(reading, 40)} ", text)]
    if training is None:
        return [*([brand] if width >= _BRANDED else []), name, *sampled], [(f"{waiting} ", text)]
    state, end = _state(training, chosen, palette), (" ", text)
    # Room for all of the step's digits, and of the rate's: nothing comes and goes with them.
    room = width - _cells([name, *state, end])
    room -= len(f"{training.steps:,}") - len(f"{training.step:,}") if training.step else 0

    def fitting(*wordings: StyledText, cells: int = 0) -> StyledTexts:
        """The first of these that there is room for, if any; it may need so many cells yet."""
        nonlocal room
        for run in wordings:
            needed = max(cells, _cells([run]))
            if needed <= room:
                room -= needed
                return [run]
        return []

    reason = _reason(training)
    if training.state is SessionState.FAILED:
        reason = fit(reason, min(cell_len(reason), room))
    why = fitting((reason, text))
    devices: StyledTexts = [(words, dim) for words in _devices(training)]
    time = fitting((_time(training), dim)) if training.step else []
    device = fitting(*devices[-1:])
    sampled = fitting(*sampled)
    rate_run = (f"  {rate_text(training.rate)}", dim)
    rate = fitting(rate_run, cells=len("  9.9k/s")) if training.step else []
    branded = fitting(brand) if width >= _BRANDED else []
    times = training.times_floor if width >= WIDE else None
    floor = fitting((f"  {times_text(times)} floor", dim)) if times is not None else []
    room += _cells(device)
    device = fitting(*devices)
    return [*branded, name, *sampled, *device], [*state, *why, *rate, *time, *floor, end]


def _cells(runs: StyledTexts) -> int:
    return sum(cell_len(text) for text, _ in runs)


def _devices(training: Training) -> list[str]:
    """Device and threads in fewer and fewer words."""
    device, threads = training.device, training.threads
    if not device or not threads:
        return [f" {device} "] if device else []
    return [
        f" {device}, {threads_text(threads)} ",
        f" {device} ×{threads} ",
        f" {device.split()[0]} ×{threads} ",
    ]


def _state(training: Training, chosen: str, palette: Palette) -> StyledTexts:
    """State and step."""
    text, dim = palette.style("text"), palette.style("axis")
    bad = training.state in (SessionState.DIVERGED, SessionState.FAILED)
    strong = palette.style("alert") if bad else text + Style(bold=True)
    runs: StyledTexts = [(training.state.value, strong)]
    if training.experiment.name != chosen:
        runs.append((f" {training.experiment.name}", dim))
    if training.step:
        runs.append((f"  step {training.step:,}/{training.steps:,}", text))
    return runs


def _reason(training: Training) -> str:
    """Why it failed or diverged; '' where it did not."""
    if training.state is SessionState.FAILED:
        return f"  {training.error}"
    return "  not finite: lower lr" if training.state is SessionState.DIVERGED else ""


def _time(training: Training) -> str:
    """The time left, or the time it took."""
    if training.state in (SessionState.TRAINING, SessionState.PAUSED) and training.seconds_left:
        return f"  {duration(training.seconds_left)} left"
    return f"  in {took(training.seconds)}"


def tabs(shown: str, palette: Palette, names: Sequence[str] = TABS) -> StyledTexts:
    """The tabs with their keys, which a click presses."""
    plain, here = palette.style("axis"), palette.style("text") + Style(reverse=True)
    runs: StyledTexts = [(" ", plain)]
    for number, tab in enumerate(names, 1):
        style = here if tab == shown else plain
        runs += [(f" {number} {tab} ", style + pressing(str(number))), (" ", plain)]
    return runs
