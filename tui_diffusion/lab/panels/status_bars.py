"""The lines above the panels: the status, and in a narrow terminal the tabs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style

from ...core.numbered_text import NamedNumber, NumberedText
from ...core.text import shortened, threads_text
from ...interface.keymap import TABS
from ..breakpoints import WIDE
from ..drawing.palette import Palette
from ..formatting import duration, rate_text, took
from ..readings import run_of
from ..session.records import SessionState, Training
from ..widgets.key_bar import StyledText, StyledTexts, pressing
from ..widgets.row_list import fit
from ..widgets.text_line import times_text

_BRANDED = 76
"""Minimum number of columns at which the name of the program is shown."""


def status(
    chosen: str,
    training: Training | None,
    waiting: str,
    width: int,
    palette: Palette,
    sampling: tuple[int, int] | None = None,
    reading: str = "",
) -> tuple[StyledTexts, StyledTexts]:
    """Return the left and right part of the status line, as styled texts.

    ``chosen``: name of the experiment; ``waiting``: text if there is no ``training``;
    ``sampling``: steps done and total of a long sampling; ``reading``: a file read now. Name,
    state, step and the reason of a failure always show, the reason cut to fit. The other parts show
    as far as they fit: first the time, then device and threads, the least important last.
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
    # Reserve cells for all digits of the step and the rate, so that no part comes and goes.
    room = width - _cells([name, *state, end])
    room -= len(f"{training.steps:,}") - len(f"{training.step:,}") if training.step else 0

    def fitting(*wordings: StyledTexts, cells: int = 0) -> StyledTexts:
        """Return the first wording that fits, reserving at least ``cells``; empty if none does."""
        nonlocal room
        for runs in wordings:
            needed = max(cells, _cells(runs))
            if needed <= room:
                room -= needed
                return runs
        return []

    reason = _reason(training)
    if training.state is SessionState.FAILED:
        reason = fit(reason, min(cell_len(reason), room))
    why = fitting([(reason, text)])
    devices = [[run_of(words, dim)] for words in _devices(training)]
    time = fitting([run_of(_time(training), dim)]) if training.step else []
    device = fitting(*devices[-1:])
    sampled = fitting(sampled)
    rated = [run_of(("  ", NamedNumber("steps a second", rate_text(training.rate))), dim)]
    rate = fitting(rated, cells=len("  9.9k/s")) if training.step else []
    branded = fitting([brand]) if width >= _BRANDED else []
    times = training.times_floor if width >= WIDE else None
    floor = fitting([run_of(_multiple(times), dim)]) if times is not None else []
    room += _cells(device)
    device = fitting(*devices)
    return [*branded, name, *sampled, *device], [*state, *why, *rate, *time, *floor, end]


def _cells(runs: StyledTexts) -> int:
    return sum(cell_len(text) for text, _ in runs)


def _multiple(times: float) -> NumberedText:
    return "  ", NamedNumber("times its floor", times_text(times).removesuffix("×")), "× floor"


def _devices(training: Training) -> list[NumberedText]:
    """Return wordings of device and threads, the longest first."""
    device, threads = training.device, training.threads
    if not device or not threads:
        return [f" {device} "] if device else []
    count = NamedNumber("threads", f"{threads}")
    return [
        (f" {device}, ", count, f"{threads_text(threads).removeprefix(count.value)} "),
        (f" {device} ×", count, " "),
        (f" {device.split()[0]} ×", count, " "),
    ]


def _state(training: Training, chosen: str, palette: Palette) -> StyledTexts:
    """Return state and step as styled texts."""
    text, dim = palette.style("text"), palette.style("axis")
    bad = training.state in (SessionState.DIVERGED, SessionState.FAILED)
    strong = palette.style("alert") if bad else text + Style(bold=True)
    runs: StyledTexts = [("watching  ", dim)] if training.watched else []
    runs.append((training.state.value, strong))
    if training.experiment.name != chosen:
        runs.append((f" {training.experiment.name}", dim))
    if training.step:
        step = NamedNumber("step", f"{training.step:,}/{training.steps:,}")
        runs.append(run_of(("  step ", step), text))
    return runs


def _reason(training: Training) -> str:
    """Return why the training failed or diverged, else ''."""
    if training.state is SessionState.FAILED:
        return f"  {training.error}"
    return "  not finite: lower lr" if training.state is SessionState.DIVERGED else ""


def _time(training: Training) -> NumberedText:
    """Return the time left, or the time taken."""
    if training.state in (SessionState.TRAINING, SessionState.PAUSED) and training.seconds_left:
        return "  ", NamedNumber("time left", duration(training.seconds_left)), " left"
    return "  in ", NamedNumber("time taken", took(training.seconds))


def tabs(current: str, palette: Palette, names: Sequence[str] = TABS) -> StyledTexts:
    """Return the tabs with their keys; a click on a tab presses its key."""
    plain, here = palette.style("axis"), palette.style("text") + Style(reverse=True)
    return [
        (f" {number} {tab} ", (here if tab == current else plain) + pressing(str(number)))
        for number, tab in enumerate(names, 1)
    ]
