"""The screen of the runs on disk: open, resume, compare, rename or remove them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...core.config.errors import ConfigError
from ...core.runs.manifest import RunError
from ...core.runs.outside import forget
from ...core.runs.store import Summary, delete_run, in_store, rename_run
from ...core.text import shown
from ..formatting import number, took
from ..output.screens import ModalWindow
from ..reader import Reader
from ..widgets.text_input import TextInput
from .run_list import Found, RunChoice, RunList, find_runs

if TYPE_CHECKING:
    from ...core.config.experiment import Experiment
    from ...core.runs.run import Run
    from .compare.subjects import Candidate

MOST = 4
"""Maximum number of marked runs; a comparison can show no more."""

_POLL = 2.0
"""Seconds between two reads of the store."""

_PATIENCE = 0.5
"""Seconds that the screen waits for the runs before it opens without them."""

_READING = "reading the runs …"

_KEYS = (
    ("enter", "opens"), ("g", "goes on"), ("space", "marks"), ("d", "compares"), ("m", "renames"),
    ("x", "removes"), ("f", "filters"), ("a", "asks"), ("q", "closes"),
)  # fmt: skip


class RunsScreen(ModalWindow[RunChoice | None]):
    """The list of runs, a text field, and the keys.

    ``workspace`` is the training in the workspace, the default partner of a comparison;
    ``message`` is the first message.
    """

    DEFAULT_CSS = """
    RunsScreen Vertical {
        width: 124; max-width: 98%; height: 92%; max-height: 34; border: round $accent;
        background: $surface; border-title-color: $text;
    }
    RunsScreen RunList { height: 1fr; }
    RunsScreen Input { display: none; }
    RunsScreen Input.shown { display: block; }
    RunsScreen Static { height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
    RunsScreen #columns { padding: 0; color: $text-primary; height: 1; }
    RunsScreen #detail { min-height: 2; }
    RunsScreen #message { color: $text; }
    """
    BINDINGS = [
        Binding("escape,q,r", "leave", "close"),
        Binding("g", "resume", "go on"),
        Binding("space", "mark", "mark"),
        Binding("d", "compare", "compare"),
        Binding("m", "rename", "rename"),
        Binding("x,delete", "delete", "remove"),
        Binding("slash,f", "filter", "filter"),
        Binding("a", "ask", "ask"),
        Binding("home", "end(0)", "first"),
        Binding("end", "end(1)", "last"),
    ]

    def __init__(
        self, *, plain: bool, workspace: Candidate | None = None, message: str = ""
    ) -> None:
        super().__init__()
        self.plain = plain
        self.workspace = workspace
        self.message = message
        self._asking: Literal["", "rename", "delete", "filter", "steps"] = ""
        self._words = self._before = ""
        self._reader: Reader[Found] = Reader(self)
        self._text = self._counted = ""
        self._runs: Reader[Run] = Reader(self)
        self._experiment: Experiment | None = None

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Runs"
            yield Static("", id="columns", markup=False)
            yield RunList(plain=self.plain)
            yield Static("", id="detail", markup=False)
            yield TextInput(select_on_focus=False)
            yield Static("", id="message", markup=False)
            yield Static(self._keys(), id="what")

    def _keys(self) -> Text:
        keys = [Text.assemble((key, "bold"), f" {what}") for key, what in _KEYS]
        half = len(keys) // 2
        return Text("\n").join(Text("   ").join(row) for row in (keys[:half], keys[half:]))

    async def on_mount(self) -> None:
        self.query_one(RunList).focus()
        self._say(_READING)
        # The first keys act on the runs, so mounting waits for them.
        read, loop = asyncio.Event(), asyncio.get_running_loop()
        outcome = self._reader.start(find_runs, self._take)
        outcome.add_done_callback(lambda _: loop.call_soon_threadsafe(read.set))
        with suppress(TimeoutError):
            await asyncio.wait_for(read.wait(), _PATIENCE)
            self._reader.cancel()
            self._take(outcome)
        if self.message:
            self._say(self.message)
        self.set_interval(_POLL, self._poll)

    def on_resize(self) -> None:
        self.call_after_refresh(self._write_columns)

    def _write_columns(self) -> None:
        runs = self.query_one(RunList)
        width = runs.scrollable_content_region.width
        self.query_one("#columns", Static).update(runs.heading(width) if runs.all else "")

    def _load(self) -> None:
        """Read the store on another thread."""
        self._reader.start(find_runs, self._take)

    def _poll(self) -> None:
        """Read the store again, as other processes may have changed it."""
        if not self._asking and self.is_current and not self._reader.busy:
            self._load()

    def _take(self, outcome: Future[Found]) -> None:
        """Show the runs that were read, and their number unless another message shows."""
        try:
            self.query_one(RunList).take(outcome.result())
        except RunError as error:
            self._say(str(error))
            return
        if self._text in (_READING, self._counted):
            self._say_count()
        self._show()

    def _show(self) -> None:
        self.describe()
        self.call_after_refresh(self._write_columns)

    def _say_count(self) -> None:
        runs = self.query_one(RunList)
        count = f"{len(runs.rows)} of {len(runs.all)}" if self._words else str(len(runs.all))
        what = "run" if len(runs.all) == 1 else "runs"
        matching = f" with {self._words!r}; f and an empty text shows all" if self._words else ""
        marked = f", {len(runs.marked)} marked" if runs.marked else ""
        text = f"{count} {what}{matching}{marked}"
        self._counted = text if runs.all else "No runs yet: t in the lab makes one."
        self._say(self._counted)

    def on_run_list_moved(self) -> None:
        self.describe()

    def on_run_list_opened(self) -> None:
        self.action_open()

    def describe(self) -> None:
        """Write all details of the run under the cursor; the list cuts long names."""
        run = self.query_one(RunList).here
        text = ""
        if run is not None and run.about is None:
            text = f"{run.label}: {run.standing}, {run.reason}"
        elif run is not None and run.about is not None:
            about = run.about
            ratio = (about.quality or {}).get("in_mode_std_ratio")
            name = run.label if in_store(run.folder) else shown(str(run.folder))
            differing = self.query_one(RunList).what_differs(run)
            parts = [name, ", ".join(filter(None, (about.experiment, differing)))]
            parts += [] if "seed" in differing else [f"seed {about.seed}"]
            parts += [run.missing] if run.missing else []
            parts += [about.device]
            parts += [f"{about.step:,}/{about.steps:,} steps in {took(about.seconds)}"]
            parts += [f"std in a mode {number(ratio)}"] if ratio is not None else []
            parts += [f"{about.written.astimezone():%Y-%m-%d %H:%M}"]
            text = "  ".join(parts)
        self.query_one("#detail", Static).update(text)

    def _say(self, text: str) -> None:
        self._text = text
        self.query_one("#message", Static).update(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys of the screen while text is typed."""
        own = ("resume", "rename", "delete", "filter", "mark", "compare", "end", "ask")
        if self._asking and action in own:
            return False
        return super().check_action(action, parameters)

    # --- actions -----------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._asking:
            self._filter(self._before)
            self._done_asking()
        else:
            self.dismiss(None)

    def action_end(self, last: int) -> None:
        runs = self.query_one(RunList)
        if runs.rows:
            runs.move_to(last * (len(runs.rows) - 1))
            runs.moved()

    def action_ask(self) -> None:
        """Explain the numbers of the run under the cursor."""
        run = self._whole_run("explained")
        if run is None or run.about is None:
            return
        from ..readings import Reading
        from ..screens.numbers import AskScreen, of_metrics

        about = run.about
        readings = (
            Reading("step", f"{about.step:,}/{about.steps:,}"),
            Reading("time taken", took(about.seconds)),
            *of_metrics(about.quality or {}),
        )
        self.app.push_screen(AskScreen([(run.label, readings)], plain=self.plain))

    def action_open(self) -> None:
        run = self._whole_run("opened")
        if run is not None:
            self.dismiss(RunChoice(run, "open"))

    def action_resume(self) -> None:
        run = self._whole_run("opened")
        if run is None or run.about is None:
            return
        if run.standing == "training":
            self._say(f"{run.label} is already training; enter watches it.")
        elif run.standing == "diverged":
            self._say(f"{run.label} diverged; enter opens it. Train it again at a lower lr.")
        elif run.standing == "finished":
            self._experiment = None
            more = str(2 * run.about.step)
            self._ask("steps", more, self._question(run, more))
            self._read_run(run)
        else:
            self.dismiss(RunChoice(run, "resume"))

    def _read_run(self, run: Summary) -> None:
        """Read the experiment of a run, to show the effect of more steps on its learning rate."""
        from ...core.runs.run import open_run

        def done(outcome: Future[Run]) -> None:
            with suppress(RunError, ConfigError):  # resuming reports the error
                self._experiment = outcome.result().experiment
            if self._asking == "steps" and self.query_one(RunList).here == run:
                self._say(self._question(run, self.query_one(Input).value))

        self._runs.start(partial(open_run, str(run.folder.absolute())), done)

    def _question(self, run: Summary, steps: str) -> str:
        """Return the question for the number of steps, with its effect on the learning rate."""
        from ...core.runs.resume import RATE_ADVICE, rate_change

        assert run.about is not None
        done, before, change = run.about.step, self._experiment, ""
        if before is not None:
            with suppress(ConfigError):
                after = before.with_settings({"training.steps": steps.replace(",", "").strip()})
                change = rate_change(before, after, done) if after.training.steps > done else ""
        rate = f" Then {change}; in the form {RATE_ADVICE}." if change else ""
        return (
            f"{run.label} has finished its {done:,} steps. Go on to how many in all? "
            f"enter goes on, escape cancels.{rate}"
        )

    def _whole_run(self, what: str) -> Summary | None:
        """Return the run under the cursor if it is whole; otherwise say why not."""
        run = self.query_one(RunList).here
        if run is not None and not run.whole:
            self._say(f"{run.label} cannot be {what}: {run.reason}")
            return None
        return run

    def action_mark(self) -> None:
        runs, run = self.query_one(RunList), self._whole_run("compared")
        if run is None:
            return
        if run.folder in runs.marked:
            runs.marked.remove(run.folder)
        elif len(runs.marked) == MOST:
            self._say(f"{MOST} runs are marked already; allowed: up to {MOST}")
            return
        else:
            runs.marked.append(run.folder)
        runs.refresh()
        marked = len(runs.marked)
        what = "d compares them" if marked > 1 else "space marks another, d compares"
        self._say(f"{marked} marked: {what}" if marked else "None is marked.")
        runs.action_move(1)

    def action_compare(self) -> None:
        from .compare.subjects import Candidate

        runs = self.query_one(RunList)
        folders = list(runs.marked)
        if not folders:
            here = self._whole_run("compared")
            folders = [here.folder] if here is not None else []
        sources = [Candidate(folder.name, folder.absolute()) for folder in folders]
        if (
            len(sources) == 1
            and self.workspace is not None
            and self.workspace.name != sources[0].name
        ):
            sources.insert(0, self.workspace)
        if len(sources) == 1:
            self._say("Only one run: space marks more, d compares the marked ones.")
        elif sources:
            from .compare.screen import CompareScreen

            self.app.push_screen(CompareScreen(sources), lambda _: self._load())

    def action_rename(self) -> None:
        run = self.query_one(RunList).here
        if run is None:
            return
        if in_store(run.folder):
            self._ask("rename", run.name, f"New name for {run.label}; enter renames it.")
        else:
            self._say(f"{run.label} is outside the store; rename its folder yourself.")

    def action_delete(self) -> None:
        run = self.query_one(RunList).here
        if run is None:
            return
        question = f"Remove {run.label} for good? Type yes and press enter."
        if not in_store(run.folder):
            question = f"Take {run.label} off the list? Its folder stays. Type yes, press enter."
        self._ask("delete", "", question)

    def action_filter(self) -> None:
        self._ask(
            "filter",
            self._words,
            "Show runs with these words: name, experiment, state, changes; or lr=0.002, seed=3.",
        )

    def _ask(
        self, what: Literal["rename", "delete", "filter", "steps"], value: str, text: str
    ) -> None:
        self._asking, self._before = what, self._words
        field = self.query_one(Input)
        field.value = value
        field.cursor_position = len(value)
        field.add_class("shown")
        field.focus()
        self._say(text)

    def _filter(self, words: str) -> None:
        self._words = words
        self.query_one(RunList).filter(words)
        self._show()

    def _done_asking(self, message: str = "") -> None:
        self._asking = ""
        self.query_one(Input).remove_class("shown")
        self.query_one(RunList).focus()
        if message:
            self._say(message)
        else:
            self._say_count()
        self._load()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        run = self.query_one(RunList).here
        if self._asking == "filter":
            self._filter(event.value.strip())
        elif self._asking == "steps" and run is not None and run.about is not None:
            self._say(self._question(run, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        run, what, value = self.query_one(RunList).here, self._asking, event.value
        fault = ""
        try:
            if what == "rename" and run is not None:
                self._rename(run, value)
            elif what == "delete" and run is not None and value.strip().lower() == "yes":
                self._remove(run)
            elif what == "steps" and run is not None and run.about is not None:
                self._go_on(run, run.about.step, value)
                return
        except RunError as error:
            fault = str(error)
        self._done_asking(fault)

    def _rename(self, run: Summary, value: str) -> None:
        runs = self.query_one(RunList)
        folder = rename_run(run.name, value)
        runs.marked = [folder if marked == run.folder else marked for marked in runs.marked]

    def _remove(self, run: Summary) -> None:
        """Delete a run in the store; only remove a run outside it from the list."""
        if in_store(run.folder):
            delete_run(run.name)
        else:
            forget(run.folder)

    def _go_on(self, run: Summary, done: int, value: str) -> None:
        """Resume a run up to ``value`` steps, if that is a number above the steps ``done``."""
        text = value.strip().replace(",", "").replace("_", "")
        if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) > done):
            self._say(f"{value.strip()[:20]!r} steps: allowed: a whole number above {done:,}")
            return
        self.dismiss(RunChoice(run, "resume", int(text)))
