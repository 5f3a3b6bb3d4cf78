"""The lab: puts the panels together and takes what they and the workers say to one another.

Data flows one way: experiment → session and sampling worker → records → panels. The workers post
`news`; nothing below this file reaches up. What stands where is the `layout`'s, what shows when the
`following`'s, and what an action does is in `acts`.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from ..core.config.experiment import Experiment
from ..core.config.presets import PRESETS, Preset
from ..core.config.user_presets import own_presets
from .actions import points, training, windows
from .going_on import newly_possible
from .guide.guidance import Learning
from .keymap import ACTIONS
from .layout import STYLES, Layout
from .live_updates import FRAMES, Following
from .main_screen import MainScreen
from .messages import Counted, Failed, Filmed, Studied, Tick
from .output.errors import line
from .output.screens import Paced
from .output.suspend import Suspension, catch_signals
from .output.terminal_app import TerminalApp
from .output.themes import STARK
from .panels.denoising import DenoisingPanel
from .panels.experiments import ExperimentList
from .panels.form.form import Form
from .panels.training import LossPanel
from .runs.stored import ask_for_counts
from .sampling.jobs import film, study
from .sampling.request import Wish
from .sampling.worker import Worker
from .session.evaluation import report
from .session.session import Session, keep_in_store
from .settings import Place
from .terminal.glyphs import Glyphs
from .widgets.canvas import Canvas
from .widgets.gpu_line import GpuLine
from .widgets.hint_bar import Note
from .widgets.level_slider import Ruler
from .widgets.text_line import Line
from .workspace import Bench

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from ..core.runs.store import Summary
    from .terminal.capabilities import Colours


class Lab(TerminalApp):
    """The diffusion laboratory."""

    TITLE = "diffusion-tui"
    CSS = STARK + STYLES
    BINDINGS = [
        # In its turn behind the keys before it: after Enter on a field a letter belongs to the
        # field. But the screen has another use for ctrl+c, and ctrl+z is no letter.
        Binding(key, action.name, action.label, show=False, priority=key.startswith("ctrl+"))
        for action in ACTIONS
        for key in action.keys.split(",")
    ]
    BINDINGS.append(Binding("escape", "hush", show=False))

    def __init__(
        self,
        experiment: Experiment,
        *,
        glyphs: Glyphs = "braille",
        colours: Colours = "truecolour",
        session: Session | None = None,
        fps: float = FRAMES,
        slow: float = 0.0,
        place: Place | None = None,
        resume: Summary | None = None,
        guide: bool = False,
        offered: Sequence[str] = (),
    ) -> None:
        super().__init__(glyphs, colours, slow)
        self._place = place
        self._resume = resume
        self.offered = offered
        self.declined = place.declined if place is not None else None
        own, self._damaged = own_presets()
        self.presets = {**PRESETS, **own}
        self.benches = {key: Bench(preset.experiment) for key, preset in self.presets.items()}
        self.chosen = experiment.name
        self.bench.experiment = experiment
        self.session = session or Session(self._notify, keep=keep_in_store, measure=report)
        self.sampling = Worker(
            film, lambda made: self._post(Filmed(made)), self._failed, self._notify
        )
        self.studies = Worker(study, lambda made: self._post(Studied(made)), self._failed)
        self.loaded = False
        self.layout = Layout(self)
        self.following = Following(self, fps)
        was = place or Place()
        self.learning = Learning(self, guided=was.guided, station=was.tour)
        self.guide = guide

    # --- what it holds -----------------------------------------------------------------------

    @property
    def bench(self) -> Bench:
        """The experiment that is chosen."""
        return self.benches[self.chosen]

    @property
    def preset(self) -> Preset:
        """What the chosen experiment began as."""
        return self.presets[self.chosen]

    @property
    def tab(self) -> str:
        """The panel that shows where there is room for one."""
        return self.layout.tab

    @property
    def place(self) -> Place:
        """Where the lab is, or was when it was left."""
        panel, learning = self.denoising, self.learning
        place = Place.of(self.chosen, self.tab, panel.views, panel.play)
        return replace(place, tour=learning.station, guided=learning.guided, declined=self.declined)

    # --- composition -------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        return MainScreen()

    def compose(self) -> ComposeResult:
        self.take_theme()  # it may have been chosen since the lab was made
        yield Line(id="status")
        yield Line(id="tabs")
        with Container(id="body"):
            with Vertical(id="left"):
                presets = list(self.presets.values())
                experiments = ExperimentList(presets, plain=self.plain, id="experiments")
                experiments.border_title = "Experiment"
                experiments.border_subtitle = "tab to the fields"
                yield experiments
                self.form = Form(plain=self.plain, id="form")
                self.form.border_title = "Hyperparameters"
                yield self.form
            with Vertical(id="right"):
                self.denoising = DenoisingPanel(self.palette, self.glyphs, id="denoising")
                yield self.denoising
                self.loss = LossPanel(self.palette, self.glyphs, id="training")
                yield self.loss
                yield GpuLine(lambda: self.session.state.active, lambda: self.palette.style("axis"))
        yield Static(id="too-small")
        yield Note(self.palette, self.glyphs, id="note")
        yield Line(id="footer")

    def on_mount(self) -> None:
        self.following.start()
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self.query_one(ExperimentList).chosen = self.chosen
        self.query_one(ExperimentList).focus()
        self.show_bench()
        self._restore()
        catch_signals(self, lambda: self.session.save(), lambda: self.session.rest())
        if self._damaged:
            more = f" (and {len(self._damaged) - 1} more)" if len(self._damaged) > 1 else ""
            text = self._damaged[0] + more
            self.notify(text, title="Presets", severity="warning", markup=False)
        # Only after the first paint, so that nothing heavy stands before it.
        self.call_after_refresh(self.sampling.start)
        self.call_after_refresh(self.count_runs)
        self.query_one(GpuLine).look()
        self.studies.start()
        if self.offered:
            self.call_after_refresh(self._offer)
        elif self.guide:
            self.learning.begin()

    def _restore(self) -> None:
        """Go back to where the lab was left."""
        place = self._place
        if place is not None:
            here = place.experiment == self.chosen
            play = place.play(self.denoising.levels, here=here)
            self.denoising.restore(play, {1: place.view_1d, 2: place.view_2d})
            self.layout.tab = place.tab

    def _offer(self) -> None:
        from .actions.windows import offer_to_go_on

        offer_to_go_on(self)

    def on_unmount(self) -> None:
        last = self.session.training
        if last is not None and last.run is not None and not last.state.active:
            self.declined = last.run.name  # stopped by hand: no need to ask
        self.session.stop()

    def close_workers(self) -> bool:
        """End all threads; whether they have ended."""
        ended = self.session.close(0.6)
        return self.sampling.close(0.2) and self.studies.close(0.1) and ended

    def on_resize(self, event: events.Resize) -> None:
        self.draw_anew()
        self.layout.fit(event.size)

    def redraw(self) -> None:
        """Draw what differs in the panels that can be seen."""
        self.denoising.redraw()
        self.loss.redraw()

    def _recolour(self) -> None:
        """Take the colours of another theme."""
        self.take_theme()
        for panel in (self.denoising, self.loss, self.query_one(Ruler), self.query_one(Note)):
            panel.palette = self.palette
        self.loss.show(self.bench.training)
        self.layout.write()
        self.following.refresh()
        self.redraw()

    # --- the bench ---------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Put another experiment on the bench."""
        self.query_one(ExperimentList).chosen = self.chosen = name
        self.show_bench()

    def show_bench(self) -> None:
        """Put the chosen experiment into every panel."""
        bench = self.bench
        self.form.show(bench.experiment, self.preset.experiment)
        self.denoising.expect(bench.experiment.sampling_levels)
        self.loss.show(bench.training)
        self.loss.tell(None)
        self._hints()
        self.following.ask()
        self.following.refresh()
        self.learning.write()

    def _hints(self) -> None:
        self.denoising.hint("sampling …" if self.loaded else "loading torch …")
        plan = self.bench.experiment.training
        self.loss.hint(
            f"{self.preset.about}\n\nt trains it: {plan.steps:,} steps of {plan.batch:,} points"
        )

    def count_runs(self) -> None:
        """Have the experiments marked that have runs on disk."""
        ask_for_counts(self._post)

    def go_on_with(self, run: Summary) -> None:
        """Go on with a run's training, as soon as torch is there."""
        self._resume = run
        if self.loaded:
            from .actions.windows import take_run
            from .runs.run_list import Choice

            take_run(self, Choice(run, "resume"))

    # --- what the workers say ----------------------------------------------------------------

    def _notify(self) -> None:
        # A message that nothing comes of would take time from the training all the same.
        if self.following.awaited:
            self._post(Tick())

    def _failed(self, wish: Wish, error: Exception) -> None:
        self._post(Failed(error))

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def on_lab_tick(self) -> None:
        self.following.tick()

    def on_lab_filmed(self, message: Filmed) -> None:
        if not self.is_running:
            return
        if not self.loaded:
            self._take_torch()
            if self._resume is not None:
                self.go_on_with(self._resume)
                return
        self.following.filmed(message.film)

    def _take_torch(self) -> None:
        """Torch is there, and with it all that the lab can do."""
        from .views.noise_levels import noise_levels

        self.loaded = True
        # What is loaded by now stays. To look through all of torch for garbage takes a sixth
        # of a second, in which keys and training wait.
        gc.freeze()
        self._hints()
        self.form.picture = lambda now, preset, path, width, height: noise_levels(
            now, preset, width, height, self.palette, self.glyphs, sampled=path == "sampling.levels"
        )
        self.form.describe()

    def on_lab_studied(self, message: Studied) -> None:
        self.following.studied(message.study)

    def on_lab_counted(self, message: Counted) -> None:
        if self.is_running:
            self.following.counts = message.counts
            self.following.mark()

    def on_lab_failed(self, message: Failed) -> None:
        if not self.is_running:
            return
        self.loaded = True
        why = line(message.error)
        self.denoising.hint(f"cannot be sampled: {why}")
        self.refuse("Sampling failed", why)

    # --- what the panels say -----------------------------------------------------------------

    def on_experiment_list_chosen(self, message: ExperimentList.Chosen) -> None:
        if message.id != self.chosen:
            self.chosen = message.id
            self.show_bench()
        if message.kept:
            self.learning.did("choose")

    def on_experiment_list_unwanted(self, message: ExperimentList.Unwanted) -> None:
        self.action_keep(remove=True)

    def on_form_changed(self, message: Form.Changed) -> None:
        before, bench = self.bench.experiment, self.bench
        now = bench.experiment = message.experiment
        if (before.sampling_levels, before.data) != (now.sampling_levels, now.data):
            self.denoising.expect(now.sampling_levels)
        self._hints()
        self.following.ask()
        if told := newly_possible(bench.training, before, now):
            self.notify(told, title="More steps")

    def on_form_tried(self) -> None:
        if self.loss.view == "schedule" and self.loss.is_on_screen:
            self.following.ask_study()

    def on_denoising_panel_moved(self, message: DenoisingPanel.Moved) -> None:
        if self.screen_stack:  # none is left while the lab is being taken down
            self.loss.at(message.level)
            self.learning.look()

    def on_denoising_panel_uncovered(self) -> None:
        self.following.refresh()  # points that do not show are not sampled anew

    # --- keys --------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        self.layout.write_keys()

    def on_descendant_blur(self) -> None:
        self.layout.write_keys()

    def on_canvas_pressed(self, message: Canvas.Pressed) -> None:
        """A key was clicked where it is named; a letter there is no text for the field in use."""
        typing = isinstance(self.focused, Input) or self.form.editing
        if typing and len(message.key) == 1:
            self.screen.set_focus(None)
            self.form.focus()
        self.call_after_refresh(self.simulate_key, message.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A lab key is a letter again while text is typed or another screen is open."""
        names = {a.name.partition("(")[0] for a in ACTIONS} - {"suspend", "repaint"}
        if action in names and self.is_running:
            elsewhere = len(self.screen_stack) > 1
            if elsewhere or isinstance(self.focused, Input) or self.form.editing:
                return False
        return super().check_action(action, parameters)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        done = await super().run_action(action, default_namespace, namespaces)
        if done and isinstance(action, str):
            self.learning.did(action)
        return done

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every action of the lab, or of the screen over it, then Textual's own."""
        own = screen.actions if isinstance(screen, Paced) else ()
        for action in own or ACTIONS:
            yield SystemCommand(
                f"{action.label} ({action.shown})".capitalize(),
                action.help,
                lambda name=action.name: self.run_action(name, screen if own else self),
            )
        about = "Choose, train, step, truth, ideal: five short stations."
        yield SystemCommand("Guided first run", about, self.learning.begin)
        yield from super().get_system_commands(screen)

    # --- actions -----------------------------------------------------------------------------

    action_train = training.train
    action_pause = training.pause
    action_stop = training.stop
    action_study = training.study
    action_log_scale = training.log_scale

    action_noise = points.noise
    action_ideal = points.ideal
    action_start = points.start
    action_step = points.step
    action_level = points.level
    action_jump = points.jump
    action_play = points.play
    action_speed = points.speed
    action_play_mode = points.play_mode
    action_finer = points.finer
    action_view = points.view
    action_truth = points.truth
    action_forward = points.forward
    action_track = points.track
    action_zoom = points.zoom
    action_copy = points.copy

    action_export = windows.export
    action_keep = windows.keep
    action_runs = windows.runs
    action_compare = windows.compare
    action_code = windows.code
    action_help = windows.show_help

    def action_hush(self) -> None:
        self.learning.end()

    def action_ask(self) -> None:
        self.learning.ask()

    def action_tour(self) -> None:
        self.learning.tour()

    def action_tab(self, tab: str) -> None:
        self.layout.show(tab)
        focus = {"setup": self.screen.query_one(ExperimentList), "training": self.loss}
        # At once, and not by `focus`, so that a key right behind goes there.
        self.screen.set_focus(focus.get(tab, self.denoising))
        self.call_after_refresh(self.redraw)

    def action_suspend(self) -> None:
        if Suspension.has_shell():
            Suspension.ask()
        else:
            self.notify("No shell is here to bring the lab back with fg.", title="Not suspended")

    def action_repaint(self) -> None:
        self.draw_anew()

    async def action_quit(self) -> None:
        self.exit(0)
