"""The list of experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from ...core.config.presets import Preset
from ..widgets.row_list import Piece, RowList


class ExperimentList(RowList):
    """The experiments, one per row, with the user's own below a heading.

    Moving the cursor chooses an experiment at once. From 56 columns on, a row also shows the
    experiment's id and the script of the post.
    """

    DEFAULT_CSS = """
    ExperimentList {
        height: auto;
        & > .lines--cursor { text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,delete", "remove", "Remove own experiment", show=False),
    ]

    marks: reactive[Mapping[str, str]] = reactive(dict)
    """A short state to show behind a row, by id, such as ``● training``.

    Assign another mapping to change it. Where there is no room only its first word shows.
    """

    class Chosen(Message):
        """An experiment was chosen; ``confirmed``: Enter or a click chose the current one again."""

        def __init__(self, id: str, *, confirmed: bool = False) -> None:  # noqa: A002
            super().__init__()
            self.id = id
            self.confirmed = confirmed

    class Unwanted(Message):
        """The user asked to remove the chosen experiment, which is their own."""

    def __init__(
        self,
        presets: Sequence[Preset],
        chosen: str | None = None,
        *,
        plain: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``chosen``: id to start with, by default the first; raise ValueError if it is unknown."""
        super().__init__(plain=plain, id=id)
        self._put(presets)
        self.cursor = self._row_of(chosen) if chosen is not None else 0

    def _put(self, presets: Sequence[Preset]) -> None:
        own = [preset for preset in presets if preset.own]
        self.presets = tuple(preset for preset in presets if not preset.own) + tuple(own)
        rows: list[Preset | None] = [*self.presets]
        if own:
            rows.insert(len(rows) - len(own), None)
        self._rows = rows

    def load(self, presets: Sequence[Preset], chosen: str) -> None:
        """Show other experiments; post no message."""
        self._put(presets)
        self.cursor = self._row_of(chosen)
        self.recount()

    @property
    def chosen(self) -> str:
        """The id of the chosen experiment; setting it posts no message."""
        return self._here.id

    @chosen.setter
    def chosen(self, id: str) -> None:  # noqa: A002
        self.move_to(self._row_of(id))

    @property
    def _here(self) -> Preset:
        preset = self._rows[self.cursor]
        assert preset is not None
        return preset

    def _row_of(self, id: str) -> int:  # noqa: A002
        return [preset.id if preset else None for preset in self._rows].index(id)

    def count(self) -> int:
        return len(self._rows)

    def selectable(self, row: int) -> bool:
        return self._rows[row] is not None

    def moved(self) -> None:
        self.post_message(self.Chosen(self.chosen))

    def action_open(self) -> None:
        self.post_message(self.Chosen(self.chosen, confirmed=True))

    def action_remove(self) -> None:
        """Ask to remove the chosen experiment if it is the user's own."""
        if self._here.own:
            self.post_message(self.Unwanted())

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        preset = self._rows[row]
        if preset is None:
            return self.section("Mine", width)
        chosen = row == self.cursor
        pointer = (">" if self.plain else "▸") if chosen else " "
        columns: list[Piece] = []
        # The user's own experiments go by their id, which a wide list shows in its own column.
        name = preset.id if preset.own and width < 56 else preset.title
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
            if cell_len(name) + 1 + cell_len(mark) > room:
                mark = mark.split()[0]
            mark = self.fit(f" {mark}", min(cell_len(mark) + 1, room))
            columns.append((mark, "changed"))
            room -= cell_len(mark)
        style = "title" if chosen else ""
        return [(f"{pointer} ", style), (self.fit(name, room), style), *columns, (" ", "")]
