"""Every number on the screen can be asked what it is: the key ``a``.

What is asked about is what is written: the lines of the panels are read as a person reads them, by
the patterns below, and each number is looked up in the glossary by the name beside it. A test holds
that no number on those lines is left without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from ...core.analysis.glossary import GLOSSARY, GlossaryEntry, meaning, of_key
from ..formatting import number
from ..output.screens import ModalWindow
from ..panels.denoising import DenoisingPanel
from ..panels.training import LossPanel
from ..widgets.canvas import Canvas
from ..widgets.row_list import Piece, RowList
from ..widgets.text_line import TextLine
from .explanations import cause

_NUMBER = r"[-−+]?(?:\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?|nan|inf|unbounded)"
_VALUE = rf"(\([^()]*\)|{_NUMBER})"


def _after(name: str) -> tuple[str, str]:
    """A name with its value right behind it."""
    return name, rf"(?<![\w²]){re.escape(name)}:? +{_VALUE}"


_COUNT = r"(\d[\d,]*/\d[\d,]*)"

STATUS = (
    ("step", rf"\bstep {_COUNT}"),
    ("steps a second", r"(\d[\d.]*k?/s)"),
    ("time left", r"(\d[\d:]+) left"),
    ("time taken", r"\bin (\d+\.\d+ s|\d[\d:]+)"),
    ("times its floor", r"(\d[\d,.]*)[×x] floor"),
    ("threads", r"(?:, | [×x])(\d+)\b"),
)
DENOISING = (
    ("level", r"\blevel (\d[\d,]*/\d[\d,]*(?: \+ \d/\d)?)"),
    ("level", r"^ at (\d+)"),
    *map(_after, ("beta", "alpha_bar", "sigma", "sigma/alpha")),
    ("start off by", rf"start off by {_VALUE} std"),
    ("step", r"network, step (\d[\d,]*)"),
    ("playing", r"playing (\d[\d.]*/s)"),
    ("sub-steps", r"(1/\d) level steps"),
    ("point", r"^ [◆*] (\d+)"),
    *map(_after, ("mean", "std", "to mode²", "mode²", "energy", "real")),
    ("±", rf"±{_VALUE}"),
    *map(_after, ("x0_hat", "eps_hat", "x", "moves", "noise")),
)
PICTURE = (
    *map(_after, ("integral", "mean", "std")),
    ("of truth", r"(\d+%) of truth"),
    ("points", r", (\d[\d,]*) points"),
)
LOSS = (
    *map(_after, ("Loss", "floor", "rate")),
    ("times its floor", r"\((\d[\d,.]*)[×x]\)"),
    _after("network of level"),
    ("level", r"\blevel (\d+):"),
    *map(_after, ("loss", "least of any network", "excess")),
    ("after its step", rf"[×x]{_VALUE} after its step"),
    ("in the sample", rf"[×x]{_VALUE} in the sample"),
    *map(_after, ("start", "network", "discretisation", "total")),
    ("true points score", rf"true points score [±~] {_VALUE}"),
    ("±", rf"[±~] {_VALUE}"),
    ("start off by", rf"start is (?:good: )?off by {_VALUE} std"),
    ("start", rf"costs the sample {_VALUE}"),
    ("total", rf"error is {_VALUE}"),
)
GPU = (
    ("GPU load", r"load +(\d+ %)"),
    ("GPU memory", r"memory (\d[\d.]*/\d+ GiB)"),
)
"""Name and pattern of every number that a place writes; the first group is the value."""


@dataclass(frozen=True)
class Reading:
    """A number as it stands on the screen; ``below`` is what is written below it, if anything.

    ``cause`` is why it is off, where that is known.
    """

    name: str
    value: str
    below: str = ""
    about: GlossaryEntry | None = None
    cause: str = ""

    @property
    def entry(self) -> GlossaryEntry:
        """What it is."""
        return self.about or meaning(self.name)


Place = tuple[str, tuple[Reading, ...]]
"""A place on the screen, and the numbers on it."""

Patterns = Sequence[tuple[str, str]]


def read(text: str, patterns: Patterns, below: str = "") -> tuple[Reading, ...]:
    """The numbers in a line, in its order; ``below`` is the line with the exact or ideal ones."""
    found: list[tuple[int, Reading]] = []
    word = below.split()[0] if below.strip() else ""
    for name, pattern in patterns:
        for match in re.finditer(pattern, text):
            if all(at != match.start(1) for at, _ in found):
                exact = _under(match, below, word)
                found.append((match.start(1), Reading(name, match[1], exact)))
    return tuple(reading for _, reading in sorted(found, key=lambda pair: pair[0]))


def _under(match: re.Match[str], below: str, word: str) -> str:
    """The number in the same cells of the line below, if of the same name or of real data."""
    start, value = match.start(), re.match(_VALUE, below[match.start(1) :])
    name = below[start : match.start(1)].strip()
    if value is None or name not in ("real", match.string[start : match.start(1)].strip()):
        return ""
    return f"{'real' if name == 'real' else word} {value[0]}"


def places(panel: DenoisingPanel, loss: LossPanel, status: TextLine, gpu: TextLine) -> list[Place]:
    """The numbers now on the screen, the panel in focus first."""
    shown = [
        ("Denoising", panel, _with_causes(panel, _of_panel(panel, DENOISING))),
        ("Training", loss, _of_panel(loss, LOSS)),
        ("Status line", status, read(_text(status), STATUS)),
        ("GPU", gpu, read(_text(gpu), GPU)),
    ]
    shown.sort(key=lambda position: not position[1].has_focus)
    return [(name, readings) for name, widget, readings in shown if widget.is_on_screen]


def _with_causes(panel: DenoisingPanel, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The numbers of a sample, with why they are off; those of true data are not."""
    request = panel.trajectory.request if panel.trajectory is not None else None
    if request is None or request.source == "forward":
        return readings
    return tuple(
        replace(reading, cause=cause(request.experiment, reading.name)) for reading in readings
    )


def of_metrics(metrics: Mapping[str, Any]) -> tuple[Reading, ...]:
    """The numbers of a run's ``metrics.json``, each with what chance does and true points score."""
    readings = []
    for key, value in metrics.items():
        if value is not None and not key.endswith(("_real", "_chance")):
            beside = (("±", metrics.get(f"{key}_chance")), ("real", metrics.get(f"{key}_real")))
            below = "  ".join(
                f"{name} {_said(other)}" for name, other in beside if other is not None
            )
            readings.append(Reading(of_key(key).name, _said(value), below))
    return tuple(readings)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_said, value))})"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else number(value)


def _of_panel(panel: DenoisingPanel | LossPanel, patterns: Patterns) -> tuple[Reading, ...]:
    """In the titles, in the picture's own lines of text, and in the two lines of numbers."""
    titles = read(f"{panel.border_title}  {panel.border_subtitle}", patterns)
    if not panel.has_class("drawn"):
        return titles
    if isinstance(panel, LossPanel):
        if panel.view == "loss":
            return titles
        lines = [line.text for line in panel.query_one(Canvas).lines]
        return _once([*titles, *(r for line in lines for r in read(line, patterns))])
    return of_trajectory(
        titles, *(panel.query_one(f"#{name}", Canvas) for name in ("numbers", "goals", "film"))
    )


def of_trajectory(
    titles: Iterable[Reading], numbers: Canvas, goals: Canvas, trajectory: Canvas
) -> tuple[Reading, ...]:
    """In the titles of a film, in its two lines of numbers, and in its picture's lines of text."""
    measured = read(_text(numbers), DENOISING, _text(goals))
    pictured = [r for line in trajectory.lines for r in read(line.text, PICTURE)]
    return _once([*titles, *measured, *pictured])


def _once(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """Each number once, the first time it is written."""
    return tuple({reading.name: reading for reading in reversed([*readings])}.values())[::-1]


def _text(line: Canvas) -> str:
    return line.lines[0].text if line.lines else ""


class Asked(RowList):
    """One row a number, under the place it stands in; at the end all others there are."""

    DEFAULT_CSS = """
    Asked { height: 1fr; }
    """

    def __init__(self, places: Sequence[Place], *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.rows: list[str | Reading] = []
        for position, readings in places:
            if readings:
                self.rows += [position, *readings]
        shown = {row.entry.name for row in self.rows if isinstance(row, Reading)}
        rest = [Reading(name, "") for name in GLOSSARY if name not in shown]
        self.rows += ["Not on the screen now", *rest]
        self.cursor = 1

    def count(self) -> int:
        return len(self.rows)

    def selectable(self, row: int) -> bool:
        return isinstance(self.rows[row], Reading)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        shown = self.rows[row]
        if isinstance(shown, str):
            return [(self.fit(f" {shown}", width), "heading")]
        if not shown.value:
            return [(self.fit(f"   {shown.entry.name}", width), "")]
        name, value = self.fit(f"   {shown.name}", 24), self.fit(shown.value, 18)
        return [(name, ""), (value, ""), (self.fit(f" {shown.below}", width - 42), "")]

    @property
    def here(self) -> Reading:
        """The number under the cursor."""
        row = self.rows[self.cursor]
        assert isinstance(row, Reading)
        return row

    def moved(self) -> None:
        if isinstance(self.screen, AskScreen):
            self.screen.explain(self.here)

    def action_open(self) -> None:
        self.screen.dismiss()


class AskScreen(ModalWindow[None]):
    """The numbers on the screen, and below them what the one under the cursor is."""

    DEFAULT_CSS = """
    AskScreen Vertical {
        width: 84; max-width: 96%; height: 94%; max-height: 36; border: round $accent;
        background: $surface; border-title-color: $text;
    }
    AskScreen VerticalScroll {
        height: 10; max-height: 60%; border-top: solid $foreground 20%; padding: 0 2;
    }
    """
    BINDINGS = [Binding("escape,q,a,enter", "dismiss", "close")]

    def __init__(self, places: Sequence[Place], *, plain: bool) -> None:
        super().__init__()
        self.places = places
        self.plain = plain

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "What is this number?"
            box.border_subtitle = "arrows choose, escape closes"
            yield Asked(self.places, plain=self.plain)
            with VerticalScroll(can_focus=False):
                yield Static()

    def on_mount(self) -> None:
        asked = self.query_one(Asked)
        asked.focus()
        self.explain(asked.here)

    def explain(self, reading: Reading) -> None:
        """Say what this number is."""
        entry = reading.entry
        head = Text(entry.name, style="bold")
        if reading.value:
            head.append(f" = {reading.value}", style="bold").append(f"  {reading.below}", "dim")
        parts = [head, Text(entry.about)]
        for name, text in (("here", reading.cause), ("formula", entry.formula),
                           ("good", entry.good), ("source", entry.source)):  # fmt: skip
            if text:
                parts.append(Text.assemble((f"{name:<9}", "dim"), text))
        self.query_one(Static).update(Group(*parts))
        self.query_one(VerticalScroll).scroll_home(animate=False)
