"""The explanation of every number on the screen: the key ``a``.

Each panel returns its numbers with their names, and the glossary explains a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from ...core.analysis.glossary import GLOSSARY, of_key
from ..formatting import number
from ..output.screens import ModalWindow
from ..panels.denoising import DenoisingPanel
from ..panels.training import LossPanel
from ..readings import Reading, Section, once
from ..widgets.row_list import Piece, RowList
from ..widgets.text_line import TextLine
from .explanations import cause


def lab_sections(
    panel: DenoisingPanel, loss: LossPanel, status: TextLine, gpu: TextLine
) -> list[Section]:
    """Return the numbers on the screen by panel, the focused one first."""
    parts = [
        ("Denoising", panel, _with_causes(panel)),
        ("Training", loss, once(loss.readings())),
        ("Status line", status, tuple(status.readings())),
        ("GPU", gpu, tuple(gpu.readings())),
    ]
    parts.sort(key=lambda part: not part[1].has_focus)
    return [(name, readings) for name, widget, readings in parts if widget.is_on_screen]


def _with_causes(panel: DenoisingPanel) -> tuple[Reading, ...]:
    """Return the numbers of a sample with the known causes of their errors."""
    readings = once(panel.readings())
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


class NumberList(RowList):
    """The numbers, one a row, by part of the screen; at the end, all others of the glossary."""

    DEFAULT_CSS = """
    NumberList { height: 1fr; }
    """

    def __init__(self, sections: Sequence[Section], *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.rows: list[str | Reading] = []
        for heading, readings in sections:
            if readings:
                self.rows += [heading, *readings]
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

    def __init__(self, sections: Sequence[Section], *, plain: bool) -> None:
        super().__init__()
        self.sections = sections
        self.plain = plain

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "What is this number?"
            box.border_subtitle = "arrows choose, escape closes"
            yield NumberList(self.sections, plain=self.plain)
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
