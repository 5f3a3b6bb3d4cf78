"""The explanation of every number on the screen: the key ``a``.

The numbers are read from the text of the panels: patterns find each number and the name beside it,
and the glossary explains the name. A test holds that every number on those lines has an entry.
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
    """Return a name and the pattern of its value right behind it."""
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
    *map(_after, ("Loss", "floor", "lr")),
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
"""Name and pattern of every number in a part of the screen; the first group is the value."""


@dataclass(frozen=True)
class Reading:
    """A number on the screen: its name and its value.

    ``below``: the exact or ideal value below it, if any. ``about``: an entry in place of the
    glossary's. ``cause``: why the number is off, if that is known.
    """

    name: str
    value: str
    below: str = ""
    about: GlossaryEntry | None = None
    cause: str = ""

    @property
    def entry(self) -> GlossaryEntry:
        """The explanation of the number; raise KeyError if it has none."""
        return self.about or meaning(self.name)


Place = tuple[str, tuple[Reading, ...]]
"""A part of the screen, and the numbers on it."""

Patterns = Sequence[tuple[str, str]]


def read(text: str, patterns: Patterns, below: str = "") -> tuple[Reading, ...]:
    """Return the numbers in a line from left to right; ``below``: the line with exact values."""
    positions: list[tuple[int, Reading]] = []
    word = below.split()[0] if below.strip() else ""
    for name, pattern in patterns:
        for match in re.finditer(pattern, text):
            if all(start != match.start(1) for start, _ in positions):
                exact = _under(match, below, word)
                positions.append((match.start(1), Reading(name, match[1], exact)))
    return tuple(reading for _, reading in sorted(positions, key=lambda pair: pair[0]))


def _under(match: re.Match[str], below: str, word: str) -> str:
    """Return the number in the same cells of the line below, if its name is the same or "real"."""
    start, value = match.start(), re.match(_VALUE, below[match.start(1) :])
    name = below[start : match.start(1)].strip()
    if value is None or name not in ("real", match.string[start : match.start(1)].strip()):
        return ""
    return f"{'real' if name == 'real' else word} {value[0]}"


def places(panel: DenoisingPanel, loss: LossPanel, status: TextLine, gpu: TextLine) -> list[Place]:
    """Return the numbers on the screen, the focused panel's first."""
    parts = [
        ("Denoising", panel, _with_causes(panel, _of_panel(panel, DENOISING))),
        ("Training", loss, _of_panel(loss, LOSS)),
        ("Status line", status, read(_text(status), STATUS)),
        ("GPU", gpu, read(_text(gpu), GPU)),
    ]
    parts.sort(key=lambda part: not part[1].has_focus)
    return [(name, readings) for name, widget, readings in parts if widget.is_on_screen]


def _with_causes(panel: DenoisingPanel, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the numbers of a sample with the known causes of their errors."""
    request = panel.trajectory.request if panel.trajectory is not None else None
    if request is None or request.source == "forward":
        return readings
    return tuple(
        replace(reading, cause=cause(request.experiment, reading.name)) for reading in readings
    )


def of_metrics(metrics: Mapping[str, Any]) -> tuple[Reading, ...]:
    """Return the numbers of a run's ``metrics.json``, with statistical error and true score."""
    readings = []
    for key, value in metrics.items():
        if value is not None and not key.endswith(("_real", "_chance")):
            beside = (("±", metrics.get(f"{key}_chance")), ("real", metrics.get(f"{key}_real")))
            below = "  ".join(
                f"{name} {_text_of(other)}" for name, other in beside if other is not None
            )
            readings.append(Reading(of_key(key).name, _text_of(value), below))
    return tuple(readings)


def _text_of(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_text_of, value))})"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else number(value)


def _of_panel(panel: DenoisingPanel | LossPanel, patterns: Patterns) -> tuple[Reading, ...]:
    """Return the numbers in the titles, the text of the picture and the two lines of numbers."""
    titles = read(f"{panel.border_title}  {panel.border_subtitle}", patterns)
    if not panel.has_class("drawn"):
        return titles
    if isinstance(panel, LossPanel):
        if panel.view == "loss":
            return titles
        lines = [line.text for line in panel.query_one(Canvas).lines]
        return _once([*titles, *(r for line in lines for r in read(line, patterns))])
    return of_trajectory(
        titles,
        *(panel.query_one(f"#{name}", Canvas) for name in ("numbers", "goals", "trajectory")),
    )


def of_trajectory(
    titles: Iterable[Reading], numbers: Canvas, goals: Canvas, trajectory: Canvas
) -> tuple[Reading, ...]:
    """Return the numbers in the titles, lines of numbers and picture of a trajectory."""
    measured = read(_text(numbers), DENOISING, _text(goals))
    pictured = [r for line in trajectory.lines for r in read(line.text, PICTURE)]
    return _once([*titles, *measured, *pictured])


def _once(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """Return each number once, at its first occurrence."""
    return tuple({reading.name: reading for reading in reversed([*readings])}.values())[::-1]


def _text(line: Canvas) -> str:
    return line.lines[0].text if line.lines else ""


class NumberList(RowList):
    """The numbers, one a row, by part of the screen; at the end, all others of the glossary."""

    DEFAULT_CSS = """
    NumberList { height: 1fr; }
    """

    def __init__(self, places: Sequence[Place], *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.rows: list[str | Reading] = []
        for part, readings in places:
            if readings:
                self.rows += [part, *readings]
        names = {row.entry.name for row in self.rows if isinstance(row, Reading)}
        rest = [Reading(name, "") for name in GLOSSARY if name not in names]
        self.rows += ["Not on the screen now", *rest]
        self.cursor = 1

    def count(self) -> int:
        return len(self.rows)

    def selectable(self, row: int) -> bool:
        return isinstance(self.rows[row], Reading)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        reading = self.rows[row]
        if isinstance(reading, str):
            return [(self.fit(f" {reading}", width), "heading")]
        if not reading.value:
            return [(self.fit(f"   {reading.entry.name}", width), "")]
        name, value = self.fit(f"   {reading.name}", 24), self.fit(reading.value, 18)
        return [(name, ""), (value, ""), (self.fit(f" {reading.below}", width - 42), "")]

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
    """The numbers on the screen, with the explanation of the one under the cursor below them."""

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
            yield NumberList(self.places, plain=self.plain)
            with VerticalScroll(can_focus=False):
                yield Static()

    def on_mount(self) -> None:
        readings = self.query_one(NumberList)
        readings.focus()
        self.explain(readings.here)

    def explain(self, reading: Reading) -> None:
        """Show the explanation of a number."""
        entry = reading.entry
        head = Text(entry.name, style="bold")
        if reading.value:
            head.append(f" = {reading.value}", style="bold").append(f"  {reading.below}", "dim")
        parts = [head, Text(entry.about)]
        for name, text in (("here", reading.cause), ("formula", entry.formula),
                           ("unit", entry.unit), ("good", entry.good),
                           ("source", entry.source)):  # fmt: skip
            if text:
                parts.append(Text.assemble((f"{name:<9}", "dim"), text))
        self.query_one(Static).update(Group(*parts))
        self.query_one(VerticalScroll).scroll_home(animate=False)
