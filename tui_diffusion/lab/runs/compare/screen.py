"""The comparison: losses overlaid, denoising side by side at one level, settings in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from ....interface.keymap import COMPARE_ACTIONS, Action
from ...breakpoints import WIDE, too_small
from ...output.errors import line
from ...output.screens import PacedScreen
from ...panels.status_bars import tabs
from ...sampling.measured_trajectory import MeasuredTrajectory
from ...screens.help import HelpScreen
from ...screens.numbers import AskScreen
from ...views.loss_overlay import SERIES
from ...views.names import VIEWS_1D, VIEWS_2D, view_after, zoomed
from ...views.render import ViewState
from ...widgets.canvas import Canvas
from ...widgets.key_bar import bar, compare_bar
from ...widgets.level_player import LevelPlayer
from ...widgets.level_prompt import LevelPrompt
from ...widgets.level_slider import LevelSlider
from ...widgets.panel import Panel
from ...widgets.row_list import middle
from ...widgets.text_line import TextLine
from ...widgets.trajectory_canvas import TrajectoryCanvas
from .help import compare_page
from .losses_panel import LossesPanel
from .numbers import comparison_sections
from .subjects import LETTERS, Candidate, Subject, TrajectoryRequest
from .table import ComparisonTable
from .trajectory_pane import TrajectoryPane
from .workers import Failed, Read, SubjectSampled, Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.css.types import EdgeType

    from ...output.terminal_app import TerminalApp

_ALL_FROM = (WIDE, 30)
"""Minimum number of columns and lines at which all parts show at once."""

_PANE = 28
"""Minimum number of columns of a trajectory on a page of its own."""

PAGES = ("losses", "denoising", "table")
"""The pages of a small terminal, in the order of their keys 1, 2, 3."""


class CompareScreen(PacedScreen[bool], LevelPlayer):
    """A comparison of up to four trainings; its result is True if the user wants other runs."""

    CSS = """
    CompareScreen { layout: vertical; background: $background; }
    CompareScreen #names, CompareScreen #keys { background: $panel; }
    CompareScreen #pages { display: none; }
    CompareScreen #everything { height: 1fr; }
    CompareScreen #trajectories { height: 3fr; }
    CompareScreen #panes { height: 1fr; }
    CompareScreen #below { height: 2fr; }
    CompareScreen #losses { width: 1fr; height: 1fr; }
    CompareScreen #table { width: 1fr; height: 1fr; }
    CompareScreen.paged #pages { display: block; }
    CompareScreen.paged #below, CompareScreen.paged #trajectories { display: none; }
    CompareScreen.paged.denoising #trajectories { display: block; height: 1fr; }
    CompareScreen.paged.losses #below, CompareScreen.paged.table #below {
        display: block; height: 1fr;
    }
    CompareScreen.paged.losses #table, CompareScreen.paged.table #losses { display: none; }
    CompareScreen.asking LevelSlider { display: none; }
    CompareScreen #waiting { display: none; height: 1fr; content-align: center middle; }
    CompareScreen.waiting #waiting { display: block; }
    CompareScreen.small #names, CompareScreen.small #keys { display: none; }
    CompareScreen.waiting #everything, CompareScreen.waiting #pages { display: none; }
    """
    BINDINGS = [
        Binding(key, action.name, action.label, show=False)
        for action in COMPARE_ACTIONS
        for key in action.keys.split(",")
    ]
    AUTO_FOCUS = ""
    actions = COMPARE_ACTIONS

    def __init__(self, sources: Sequence[Candidate]) -> None:
        super().__init__()
        self.sources = tuple(sources)
        self.background = Workers(self._post)
        self.tab = "losses"
        self.first = 0
        self.truth, self.zoom = True, 0
        self._view = {1: VIEWS_1D[0], 2: VIEWS_2D[0]}

    @property
    def subjects(self) -> list[Subject]:
        """The trainings compared, once they are read."""
        return self.background.subjects

    @property
    def trajectories(self) -> dict[int, MeasuredTrajectory | str]:
        """The trajectory of each subject so far, or the reason why there is none."""
        return self.background.trajectories

    # --- composition -------------------------------------------------------------------------

    @property
    def terminal(self) -> TerminalApp:
        """The app, with its palette and its glyphs."""
        return cast("TerminalApp", self.app)

    def compose(self) -> ComposeResult:
        plain = self.terminal.glyphs == "ascii"
        yield TextLine(id="names")
        yield TextLine(id="pages")
        yield Static(id="waiting")
        with Container(id="everything"):
            with Vertical(id="trajectories"):
                with Horizontal(id="panes"):
                    for index in range(len(self.sources)):
                        yield TrajectoryPane(index)
                yield LevelSlider(self.terminal.palette, self.terminal.glyphs)
                yield LevelPrompt()
            with Horizontal(id="below"):
                yield LossesPanel()
                with Panel(id="table"):
                    yield ComparisonTable(plain=plain)
        yield TextLine(id="keys")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_later(self._recolour))
        self._lay_out()
        self.background.start(self.sources)

    def on_unmount(self) -> None:
        self.background.close()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self.redraw()

    def on_trajectory_canvas_drawn(self, event: TrajectoryCanvas.Drawn) -> None:
        event.stop()
        self.redraw()
        if event.error is not None:
            self.terminal.refuse("Not drawn", line(event.error))

    @property
    def all_shown(self) -> bool:
        """Whether all parts fit at once."""
        return self.size.width >= _ALL_FROM[0] and self.size.height >= _ALL_FROM[1]

    @property
    def room(self) -> int:
        """Number of trajectories that fit side by side."""
        count = len(self.subjects)
        return count if self.all_shown else max(1, min(count, self.size.width // _PANE))

    def _lay_out(self) -> None:
        """Show all parts, or one page if they do not fit."""
        small = too_small(self.size)
        self.set_class(bool(small), "small")
        self.set_class(bool(small or not self.subjects), "waiting")
        self.query_one("#waiting", Static).update(small or "reading the runs …")
        self.set_class(not self.all_shown, "paged")
        for tab in PAGES:
            self.set_class(tab == self.tab, tab)
        self.first = min(self.first, max(len(self.subjects) - self.room, 0))
        for pane in self.query(TrajectoryPane):
            pane.display = pane.index in self._visible_panes
        palette, glyphs, width = self.terminal.palette, self.terminal.glyphs, self.size.width
        more = [(f"{self._shown_of()} ", palette.style("axis"))]
        self.query_one("#pages", TextLine).write(tabs(self.tab, palette, PAGES), more)
        hints = compare_bar(self.offered)
        self.query_one("#keys", TextLine).write(*bar(*hints, width, palette, glyphs))
        self._write_names()
        share = min(max(self.query_one(ComparisonTable).full_width + 3, 0.4 * width), 0.62 * width)
        self.query_one("#table").styles.width = round(share) if self.all_shown else "1fr"
        self.call_after_refresh(self.redraw)

    @property
    def _visible_panes(self) -> range:
        """Indices of the visible trajectories."""
        return range(self.first, self.first + self.room)

    def _shown_of(self) -> str:
        """Return the letters of the visible trajectories if not all fit, else ''."""
        if not self._more:
            return ""
        letters = " ".join(LETTERS[k] for k in self._visible_panes)
        arrows = "up down" if self.terminal.glyphs == "ascii" else "↑ ↓"
        return f"{letters} of {len(self.subjects)}  {arrows}"

    @property
    def _more(self) -> bool:
        """Whether this is the page of trajectories and not all of them fit."""
        return self.tab == "denoising" and self.room < len(self.subjects)

    @property
    def offered(self) -> list[Action]:
        """The actions of the visible parts."""
        groups = {self.tab.capitalize(), "Comparison", *(["Table"] if self._more else [])}
        return [a for a in COMPARE_ACTIONS if self.all_shown or a.group in groups]

    def _write_names(self) -> None:
        """Write the letter, colour and marker of each training."""
        palette, text = self.terminal.palette, self.terminal.palette.style("text")
        names = [s.name for s in self.subjects] or [s.name for s in self.sources]
        samples = self.query_one(LossesPanel).samples(self.terminal.glyphs) or ["  "] * len(names)
        head = " compare " if self.size.width >= WIDE else " "
        indices = self._visible_panes if self._more else range(len(names))
        room = (self.size.width - len(head)) // max(len(indices), 1) - 7
        runs = [(head, palette.style("mark") + Style(bold=True))]
        for k in indices:
            role = palette.style(SERIES[k][0])
            runs += [(f"{samples[k]} {LETTERS[k]} ", role + Style(bold=True))]
            runs += [(f"{middle(names[k], room)}  ", text)]
        self.query_one("#names", TextLine).write(runs)

    # --- messages of the workers -------------------------------------------------------------

    def on_compare_screen_read(self, message: Read) -> None:
        for fault in message.faults:
            self.terminal.refuse("Not compared", fault)
        if not message.subjects:
            self.dismiss(False)
            return
        self.background.subjects = message.subjects
        self.query_one(LossesPanel).show(self.subjects)
        self.query_one(ComparisonTable).show(self.subjects)
        self.query_one("#table", Panel).entitle("Settings and results")
        self._colour_panes()
        self._lay_out()
        levels = max(subject.experiment.sampling_levels for subject in self.subjects)
        self.take(self.playback.hold().of(levels).go_to(levels))
        self.background.sample()

    def on_compare_screen_subject_sampled(self, message: SubjectSampled) -> None:
        self._take_trajectory(message.request, message.trajectory)

    def on_compare_screen_failed(self, message: Failed) -> None:
        self.terminal.refuse("Not compared", message.text)
        if isinstance(message.request, TrajectoryRequest):
            self._take_trajectory(message.request, message.text)
        else:
            self.dismiss(False)

    def on_compare_screen_measured(self) -> None:
        self.redraw()

    def _take_trajectory(
        self, request: TrajectoryRequest, trajectory: MeasuredTrajectory | str
    ) -> None:
        """Show a trajectory, or the message why there is none."""
        if self.background.take(request, trajectory):
            self.query(TrajectoryPane)[request.index].forget()
            self.redraw()

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    # --- drawing -----------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw the visible parts."""
        if not self.is_mounted or not self.subjects:
            return
        self.query_one(LevelSlider).point(self.playback.position, self.levels)
        palette, glyphs = self.terminal.palette, self.terminal.glyphs
        self.query_one(LossesPanel).redraw(palette, glyphs)
        unmeasured: tuple[MeasuredTrajectory, int] | None = None
        for pane in self.query(TrajectoryPane):
            trajectory = self.trajectories.get(pane.index, "sampling …")
            if not pane.is_on_screen:
                continue
            if isinstance(trajectory, str):
                pane.say(trajectory)
                continue
            playback = self.playback.in_step(trajectory.levels)
            view_state = ViewState(
                playback.position, self._view[trajectory.dim], self.truth, self.zoom
            )
            pane.draw(trajectory, playback, view_state, palette, glyphs)
            if trajectory.measured(playback.level) is None:
                unmeasured = unmeasured or (trajectory, playback.level)
        if unmeasured is not None:
            self.background.measure(*unmeasured)

    def _colour_panes(self) -> None:
        """Give each trajectory's frame the colour of its loss curve."""
        kind: EdgeType = "ascii" if self.terminal.glyphs == "ascii" else "round"
        for pane in self.query(TrajectoryPane):
            colour = self.terminal.palette.style(SERIES[pane.index][0]).color
            if colour is not None:
                pane.styles.border = (kind, Color.from_rich_color(colour))

    def _recolour(self) -> None:
        self.query_one(LevelSlider).palette = self.terminal.palette
        self._colour_panes()
        self._lay_out()

    # --- actions -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys of the comparison while a level is typed."""
        own = {a.name.partition("(")[0] for a in COMPARE_ACTIONS}
        if action in own and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_jump(self) -> None:
        if self.all_shown or self.tab == "denoising":
            super().action_jump()
        else:
            self.action_tab("denoising")
            self.call_after_refresh(super().action_jump)

    def action_view(self, by: int = 1) -> None:
        self._view = {dim: view_after(view, dim, by) for dim, view in self._view.items()}
        self.zoom = 0
        self.redraw()

    def action_truth(self) -> None:
        self.truth = not self.truth
        self.redraw()

    def action_zoom(self, change: int) -> None:
        self.zoom = zoomed(self.zoom, change)
        self.redraw()

    def action_noise(self) -> None:
        if self.subjects:
            self.background.noise += 1
            self.background.sample()

    def action_log_scale(self) -> None:
        losses = self.query_one(LossesPanel)
        losses.logarithmic = not losses.logarithmic
        self.redraw()

    def action_relative(self) -> None:
        losses = self.query_one(LossesPanel)
        losses.relative = not losses.relative
        if not losses.can_be_relative:
            self.notify("Not every run has a known floor; the losses are drawn as they are.")
        self.redraw()

    def action_scroll(self, change: int) -> None:
        if self.tab == "denoising" and not self.all_shown:
            self.first = min(max(self.first + change, 0), max(len(self.subjects) - self.room, 0))
            self._lay_out()
        else:
            self.query_one(ComparisonTable).scroll_relative(y=change, animate=False)

    def action_tab(self, tab: str) -> None:
        self.tab = tab
        self._lay_out()

    def action_runs(self) -> None:
        self.dismiss(True)

    def action_leave(self) -> None:
        self.dismiss(False)

    def action_export(self) -> None:
        """Open the export dialog for the comparison."""
        from ...screens.export import ExportScreen
        from ...screens.exports import of_comparison

        if not self.subjects:
            return
        losses = self.query_one(LossesPanel)
        trajectories = [
            (index, trajectory, self.playback.in_step(trajectory.levels).position)
            for index, trajectory in sorted(self.trajectories.items())
            if not isinstance(trajectory, str)
        ]
        choices = of_comparison(
            self.subjects,
            trajectories,
            self._view,
            self.query_one(ComparisonTable).rows,
            log=losses.logarithmic,
            relative=losses.relative and losses.can_be_relative,
            first="denoising" if self.all_shown else self.tab,
        )
        light = not self.terminal.current_theme.dark
        self.app.push_screen(
            ExportScreen(choices, light=light, plain=self.terminal.glyphs == "ascii")
        )

    def action_ask(self) -> None:
        if self.subjects:
            losses, table = self.query_one(LossesPanel), self.query_one(ComparisonTable)
            numbers = comparison_sections(self.subjects, self.query(TrajectoryPane), losses, table)
            self.app.push_screen(AskScreen(numbers, plain=self.terminal.glyphs == "ascii"))

    def action_help(self) -> None:
        dims = sorted({subject.experiment.dim for subject in self.subjects})
        here = "Denoising" if self.all_shown else self.tab.capitalize()
        page = compare_page([self._view[dim] for dim in dims], here)
        self.app.push_screen(HelpScreen(page))
