"""The runs on disk: open one in the lab, go on with it, rename it, remove it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..core.manifest import RunError
from ..core.store import Summary, delete_run, list_runs, rename_run
from .lines import Lines, Piece
from .status import number


@dataclass(frozen=True)
class Choice:
    """What is to be done with a run: look at it, or go on with its training."""

    run: Summary
    what: Literal["open", "resume"]


def age_text(seconds: float) -> str:
    """now, 5 min, 3 h, 12 d."""
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return "now"


class RunList(Lines):
    """One row a run; what is not whole is shown with its reason, and cannot be opened."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__(plain=plain, id="runs")
        self.all: list[Summary] = []
        self.rows: list[Summary] = []

    def load(self, wanted: str = "") -> None:
        """Read the store anew; only names with ``wanted`` in them."""
        self.all = list_runs()
        self.rows = [run for run in self.all if wanted.lower() in run.label.lower()]
        self.cursor = min(self.cursor, max(len(self.rows) - 1, 0))
        self.recount()
        self.refresh()

    def count(self) -> int:
        return len(self.rows)

    def paint(self, row: int, width: int) -> Iterable[Piece]:
        run = self.rows[row]
        if run.about is None:
            text = f"{run.label}  {run.standing}: {run.reason}"
            return [(self.fit(f" {text}", width), "dim")]
        about = run.about
        energy = (about.quality or {}).get("energy_distance")
        quality = "" if energy is None else f"energy {number(energy)}"
        steps = f"{about.step:,}/{about.steps:,}"
        tail = f"  {run.standing:<12}{steps:>17}  {quality:<16}{age_text(run.age()):>7} "
        room = width - len(tail) - 1
        if room < 12:
            tail = f"  {run.standing:<12}{age_text(run.age()):>7} "
            room = width - len(tail) - 1
        style = "error" if run.standing in ("diverged", "damaged") else "dim"
        return [(" ", ""), (self.fit(run.label, room), ""), (tail, style)]

    @property
    def here(self) -> Summary | None:
        """The run under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def action_open(self) -> None:
        if isinstance(self.screen, RunsScreen):
            self.screen.action_open()


class RunsScreen(ModalScreen[Choice | None]):
    """The list, a line for names, and what can be done."""

    DEFAULT_CSS = """
    RunsScreen { align: center middle; }
    RunsScreen Vertical {
        width: 108; max-width: 96%; height: 80%; border: round $accent; background: $surface;
        border-title-color: $text;
    }
    RunsScreen RunList { height: 1fr; }
    RunsScreen Input { display: none; }
    RunsScreen Input.shown { display: block; }
    .ascii RunsScreen Vertical { border: ascii $accent; }
    RunsScreen Static { height: auto; padding: 0 1; color: $text-muted; }
    """
    BINDINGS = [
        Binding("escape,q,r", "leave", "close"),
        Binding("g", "resume", "go on"),
        Binding("m", "rename", "rename"),
        Binding("x,delete", "delete", "remove"),
        Binding("slash,f", "filter", "filter"),
    ]

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.plain = plain
        self._asking: Literal["", "rename", "delete", "filter"] = ""
        self._wanted = ""

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Runs"
            box.border_subtitle = "enter opens  g goes on  m renames  x removes  f filters"
            yield RunList(plain=self.plain)
            yield Input()
            yield Static("", markup=False)

    def on_mount(self) -> None:
        self._load()
        self.query_one(RunList).focus()

    def _load(self) -> None:
        runs = self.query_one(RunList)
        try:
            runs.load(self._wanted)
        except RunError as error:
            self._say(str(error))
            return
        count = f"{len(runs.rows)} of {len(runs.all)}" if self._wanted else str(len(runs.all))
        what = "run" if len(runs.all) == 1 else "runs"
        self._say(f"{count} {what}" if runs.all else "No runs yet: t in the lab makes one.")

    def _say(self, text: str) -> None:
        self.query_one(Static).update(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a name is typed its letters are letters."""
        mine = ("resume", "rename", "delete", "filter", "leave")
        if self._asking and action in mine and action != "leave":
            return False
        return super().check_action(action, parameters)

    # --- what can be done --------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._asking:
            self._done_asking()
        else:
            self.dismiss(None)

    def action_open(self) -> None:
        self._choose("open")

    def action_resume(self) -> None:
        self._choose("resume")

    def _choose(self, what: Literal["open", "resume"]) -> None:
        run = self.query_one(RunList).here
        if run is None:
            return
        if not run.whole:
            self._say(f"{run.label} cannot be opened: {run.reason}")
            return
        self.dismiss(Choice(run, what))

    def action_rename(self) -> None:
        run = self.query_one(RunList).here
        if run is not None:
            self._ask("rename", run.name, f"New name for {run.label}; enter takes it.")

    def action_delete(self) -> None:
        run = self.query_one(RunList).here
        if run is not None:
            self._ask("delete", "", f"Remove {run.label} for good? Type yes and enter.")

    def action_filter(self) -> None:
        self._ask("filter", self._wanted, "Show names that hold this text.")

    def _ask(self, what: Literal["rename", "delete", "filter"], value: str, text: str) -> None:
        self._asking = what
        field = self.query_one(Input)
        field.value = value
        field.add_class("shown")
        field.focus()
        self._say(text)

    def _done_asking(self) -> None:
        self._asking = ""
        self.query_one(Input).remove_class("shown")
        self.query_one(RunList).focus()
        self._load()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        run, what, value = self.query_one(RunList).here, self._asking, event.value
        fault = ""
        try:
            if what == "filter":
                self._wanted = value.strip()
            elif what == "rename" and run is not None:
                rename_run(run.name, value)
            elif what == "delete" and run is not None and value.strip().lower() == "yes":
                delete_run(run.name)
        except RunError as error:
            fault = str(error)
        self._done_asking()
        if fault:
            self._say(fault)
