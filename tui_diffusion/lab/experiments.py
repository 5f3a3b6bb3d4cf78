"""The list of experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len
from textual.message import Message
from textual.reactive import reactive

from ..core.presets import Preset
from .lines import Lines, Piece


class ExperimentList(Lines):
    """The experiments, one a row; the row under the cursor is the chosen one.

    Moving the cursor chooses at once. Where there is room (from 56 columns) a row also shows the
    experiment's id and the script it comes from.
    """

    DEFAULT_CSS = """
    ExperimentList {
        height: auto;
        & > .lines--cursor { text-style: bold; }
    }
    """

    marks: reactive[Mapping[str, str]] = reactive(dict)
    """A short state to show behind a row, by id, such as ``● training``.

    Assign another mapping to change it. Where there is no room only its first word shows.
    """

    class Chosen(Message):
        """An experiment was chosen, perhaps the one that already was."""

        def __init__(self, id: str) -> None:  # noqa: A002
            super().__init__()
            self.id = id

    def __init__(
        self,
        presets: Sequence[Preset],
        chosen: str | None = None,
        *,
        plain: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``chosen``: the id to begin with, else the first; raises ValueError if not among them."""
        super().__init__(plain=plain, id=id)
        self.presets = tuple(presets)
        self.cursor = self._row_of(chosen) if chosen is not None else 0

    @property
    def chosen(self) -> str:
        """The id of the chosen experiment; setting it posts nothing."""
        return self.presets[self.cursor].id

    @chosen.setter
    def chosen(self, id: str) -> None:  # noqa: A002
        self.move_to(self._row_of(id))

    def _row_of(self, id: str) -> int:  # noqa: A002
        return [preset.id for preset in self.presets].index(id)

    def count(self) -> int:
        return len(self.presets)

    def moved(self) -> None:
        self.post_message(self.Chosen(self.chosen))

    def action_open(self) -> None:
        self.post_message(self.Chosen(self.chosen))

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        preset = self.presets[row]
        chosen = row == self.cursor
        pointer = (">" if self.plain else "▸") if chosen else " "
        columns: list[Piece] = []
        if width >= 56:
            columns = [
                (f"  {self.fit(text, max(map(cell_len, texts)))}", "dim")
                for text, texts in (
                    (preset.id, [p.id for p in self.presets]),
                    (preset.script or "", [p.script or "" for p in self.presets]),
                )
            ]
        room = width - 3 - sum(cell_len(text) for text, _ in columns)
        mark = self.marks.get(preset.id, "")
        if columns:
            marks = max(map(cell_len, self.marks.values()), default=0)
            columns.append((f"  {self.fit(mark, marks)}" if marks else "", "changed"))
            room -= marks + 2 * bool(marks)
        elif mark:
            if cell_len(preset.title) + 2 + cell_len(mark) > room:
                mark = mark.split()[0]
            mark = self.fit(f" {mark}", min(cell_len(mark) + 1, room))
            columns.append((mark, "changed"))
            room -= cell_len(mark)
        style = "title" if chosen else ""
        return [(f"{pointer} ", style), (self.fit(preset.title, room), style), *columns, (" ", "")]
