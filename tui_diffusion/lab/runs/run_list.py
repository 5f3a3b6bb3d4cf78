"""The list of runs, one per row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from rich.cells import cell_len
from textual.message import Message

from ...core.runs.changes import Changes, changes_of, matches
from ...core.runs.naming import all_runs
from ...core.runs.store import Summary, age_text
from ..formatting import number
from ..widgets.row_list import Piece, RowList, middle


@dataclass(frozen=True)
class RunChoice:
    """A choice in the list: open a run, or resume its training, optionally up to ``steps``.

    "watch" opens a run and keeps following it even if it has ended.
    """

    run: Summary
    what: Literal["open", "resume", "watch"]
    steps: int | None = None


class Found(NamedTuple):
    """The runs on disk, the latest written first, and the changed settings of each whole run."""

    runs: list[Summary]
    changes: dict[Path, Changes]


def find_runs() -> Found:
    """Read the store; raise `RunError`. It takes a fraction of a millisecond per run."""
    runs = all_runs()
    return Found(runs, changes_of(runs))


class RunList(RowList):
    """The runs, one per row; a damaged run shows the reason and cannot be opened."""

    class Moved(Message):
        """The cursor moved to another run."""

    class Opened(Message):
        """The user asked to open the run under the cursor."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__(plain=plain, id="runs")
        self.all: list[Summary] = []
        self.rows: list[Summary] = []
        self.changes: dict[Path, Changes] = {}
        self.marked: list[Path] = []
        self._words = ""

    def take(self, found: Found) -> None:
        """Show the runs of the store; the cursor stays on its run."""
        if found != (self.all, self.changes):
            self.all, self.changes = found
            self.filter(self._words)
        self.refresh()  # the ages

    def filter(self, text: str) -> None:
        """Show only runs that match every word of a text, see `matches`."""
        here, self._words = self.here, text
        words = text.split()
        self.rows = [run for run in self.all if matches(run, self.changes.get(run.folder), words)]
        folders = [run.folder for run in self.rows]
        if here is not None and here.folder in folders:
            self.cursor = folders.index(here.folder)
        self.cursor = min(self.cursor, max(len(self.rows) - 1, 0))
        present = {run.folder for run in self.all if run.whole}
        self.marked = [folder for folder in self.marked if folder in present]
        self.recount()
        self.refresh()

    def count(self) -> int:
        return len(self.rows)

    def heading(self, width: int) -> str:
        """Return the names of the columns as one line of ``width`` cells."""
        return self.fit("  run", self._room(width)) + "".join(
            self.fit(name if right else f"  {name}", cells, right=right)
            for name, cells, right in self._columns(width)
        )

    def _columns(self, width: int) -> list[tuple[str, int, bool]]:
        """Return the columns beside the name, see `_columns`."""
        return _columns(width, max((cell_len(run.label) for run in self.all), default=0))

    def _room(self, width: int) -> int:
        """Return the number of cells for the name."""
        return width - 1 - sum(cells for _, cells, _ in self._columns(width))

    def what_differs(self, run: Summary) -> str:
        """Return the settings that differ from the preset's, or ''."""
        changes = self.changes.get(run.folder)
        return changes.text if changes is not None else ""

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        run = self.rows[row]
        if run.about is None:
            text = self.fit(f"{middle(run.label, width // 2)}  {run.reason}", width - 16)
            return [("  ", ""), (text, "dim"), (self.fit(f"  {run.standing}", 14), "error")]
        about = run.about
        quality = about.quality or {}
        differing = self.what_differs(run)
        texts = {
            "experiment": ", ".join(filter(None, (about.experiment, run.missing, differing))),
            "changes": ", ".join(filter(None, (run.missing, differing))),
            "state": run.standing,
            "steps": f"{about.step:,}/{about.steps:,}",
            "energy": _number(quality.get("energy_distance")),
            "real": _number(quality.get("energy_distance_real")),
            "age": age_text(run.age()),
        }
        mark = "●" if run.folder in self.marked else " "
        name = middle(run.label, self._room(width) - 3)
        pieces = [
            ("*" if self.plain and mark != " " else mark, "changed"),
            (self.fit(f" {name}", self._room(width) - 1), ""),
        ]
        for column, cells, right in self._columns(width):
            bad = column == "state" and run.standing == "diverged"
            text = self.fit(
                f"  {texts[column]}" if not right else texts[column], cells, right=right
            )
            pieces.append((text, "error" if bad else "dim"))
        return pieces

    @property
    def here(self) -> Summary | None:
        """The run under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def moved(self) -> None:
        self.post_message(self.Moved())

    def action_open(self) -> None:
        self.post_message(self.Opened())


def _columns(width: int, longest: int) -> list[tuple[str, int, bool]]:
    """Return name, cells and whether to align right, of each column that fits.

    The run's name, of at most ``longest`` cells, and its changed settings share the rest.
    """
    state, steps, age = ("state", 13, False), ("steps", 16, True), ("age", 8, True)
    energy, real = ("energy", 9, True), ("real", 9, True)
    # In a narrow window, only the details below the list show the steps.
    columns = [state, steps, energy, real, age] if width >= 98 else [state, energy, age]
    if width < 68:
        return columns
    room = width - 1 - sum(cells for _, cells, _ in columns)
    differing = room - min(longest + 3, room // 2)
    return [("experiment" if width >= 98 else "changes", differing, False), *columns]


def _number(value: float | None) -> str:
    return "" if value is None else number(value)
