"""The lab: puts the panels together and takes what they say to one another.

Data flows one way: experiment → session and sampling worker → records → panels. The workers post
messages; nothing below this file reaches up.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from ..core.experiment import ConfigError, Experiment, field_table
from ..core.manifest import RunError
from ..core.own_presets import own_presets
from ..core.presets import PRESETS, Preset, base_of
from .actions import ACTIONS
from .ascii import AsciiFilter, ConsoleFilter
from .bench import Bench
from .chrome import WIDE, footer, status, tabs
from .colours import reducer
from .compositor import Shown
from .denoising import DenoisingPanel, Ruler
from .experiments import ExperimentList
from .form import Form
from .glyphs import Glyphs
from .going_on import can_go_on, newly_possible
from .gpu import GpuLine
from .learning import Learning
from .loss import LossPanel
from .measuring import report
from .note import Note
from .pace import Pace
from .palette import Palette
from .sampling import Wish, Worker, film, study
from .screens import Commands, MainScreen
from .session import Clock, Session, State, Training, keep_in_store
from .settings import Place
from .status import Line
from .suspending import Suspension
from .themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.filter import LineFilter
    from textual.strip import Strip
    from textual.widget import Widget

    from ..core.store import Summary
    from .film import Film
    from .keeping import Kept
    from .runs import Choice
    from .study import Study
    from .terminal import Colours

SMALLEST = (60, 18)
_FRAMES = 8.0
"""Most drawings of the loss in a second."""
_SLOWEST = 0.5
"""Longest wait, in seconds, from one drawing of the loss to the next."""
_FILMS = 1.0
"""Most denoisings from the latest weights in a second, while training."""
_STUDIES = 1.0
"""Most studies of the latest weights in a second, while training."""
_SHARE = 0.02
"""Most of the time that the screen, and each of these workers, may take from the training."""


class Lab(App[int]):
    """The diffusion laboratory."""

    TITLE = "diffusion-tui"
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    MainScreen { layout: vertical; background: $background; }
    #status { background: $panel; }
    #tabs { display: none; }
    #footer { background: $panel; }
    #too-small { display: none; width: 1fr; height: 1fr; content-align: center middle; }
    #body { layout: horizontal; height: 1fr; }
    #left { width: 34; height: 1fr; }
    #right { width: 1fr; height: 1fr; }
    #experiments { height: auto; max-height: 50%; }
    #form { height: 1fr; }
    #experiments, #form {
        border: round $foreground 30%; border-title-color: $text;
        border-subtitle-color: $text-muted;
    }
    #experiments:focus, #form:focus-within { border: round $accent; }
    .broad #left { width: 40; }
    .narrow #tabs { display: block; }
    .narrow #body { layout: vertical; }
    .narrow #left, .narrow #right { width: 1fr; height: 1fr; }
    .narrow #left { layout: horizontal; }
    .narrow #experiments { width: 34; height: 1fr; max-height: 100%; }
    .narrow #form { width: 1fr; }
    .narrow.setup #right, .narrow.training #left, .narrow.denoising #left { display: none; }
    .narrow.training #denoising, .narrow.denoising #training { display: none; }
    .narrow.denoising GpuLine { display: none; }
    .small #too-small { display: block; }
    .small #status, .small #tabs, .small #body, .small #footer { display: none; }
    .ascii #experiments, .ascii #form, .ascii LossPanel, .ascii DenoisingPanel {
        border: ascii $foreground 30%;
    }
    """
    BINDINGS = [
        # In its turn behind the keys before it: after Enter on a field a letter belongs to the
        # field. But the screen has another use for ctrl+c, and ctrl+z is no letter.
        Binding(key, action.name, action.label, show=False, priority=key in ("ctrl+c", "ctrl+z"))
        for action in ACTIONS
        for key in action.keys.split(",")
    ]
    BINDINGS.append(Binding("escape", "hush", show=False))

    class Tick(Message, namespace="lab"):
        """The session has something new; ticks not yet seen are one."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Lab.Tick)

    class Filmed(Message, namespace="lab"):
        """A film is ready."""

        def __init__(self, film: Film) -> None:
            super().__init__()
            self.film = film

    class Studied(Message, namespace="lab"):
        """A study is ready."""

        def __init__(self, study: Study) -> None:
            super().__init__()
            self.study = study

    class FilmFailed(Message, namespace="lab"):
        """A film could not be made."""

        def __init__(self, wish: Wish, error: Exception) -> None:
            super().__init__()
            self.wish = wish
            self.error = error

    def __init__(
        self,
        experiment: Experiment,
        *,
        glyphs: Glyphs = "braille",
        colours: Colours = "truecolour",
        session: Session | None = None,
        fps: float = _FRAMES,
        slow: float = 0.0,
        place: Place | None = None,
        resume: Summary | None = None,
        guide: bool = False,
        offered: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.colours = colours
        self._by_glyphs = {"ascii": AsciiFilter(), "blocks": ConsoleFilter()}
        for theme in THEMES:
            self.register_theme(theme)
        self._take_theme()
        self.pace = Pace(self, slow)
        self.shown = Shown()
        self._place = place
        self._resume = resume
        self._offered = offered
        self._declined = place.declined if place is not None else None
        own, self._damaged = own_presets()
        self.presets = {**PRESETS, **own}
        self.benches = {key: Bench(preset.experiment) for key, preset in self.presets.items()}
        self.chosen = experiment.name
        self.bench.experiment = experiment
        self.session = session or Session(self._notify, keep=keep_in_store, measure=report)
        self.sampling = Worker(
            film, lambda made: self._post(self.Filmed(made)), self._film_failed, self._notify
        )
        self.studies = Worker(
            study, lambda made: self._post(self.Studied(made)), self._study_failed
        )
        self.loaded = False
        self.tab = "denoising"
        self._frames = Clock(fps, _SHARE, _SLOWEST)
        self._drawn_at = thread_time()
        self._films = Clock(_FILMS, _SHARE)
        self._studied = Clock(_STUDIES, _SHARE)
        self._seen_state = State.IDLE
        self._told_unsaved = ""
        self._lost_focus: Widget | None = None
        was = place or Place()
        self.learning = Learning(self, guided=was.guided, station=was.tour)
        self._guide = guide

    @property
    def bench(self) -> Bench:
        """The experiment that is chosen."""
        return self.benches[self.chosen]

    @property
    def preset(self) -> Preset:
        """What the chosen experiment began as."""
        return self.presets[self.chosen]

    # --- composition -------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = [self._reducer] if self._reducer else list(super().get_line_filters())
        return [*filters, *([self._by_glyphs[g]] if (g := self.glyphs) in self._by_glyphs else [])]

    def get_default_screen(self) -> Screen[Any]:
        return MainScreen()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.shown.least(renderable))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Commands):
            self.push_screen(Commands(id="--command-palette"))

    def compose(self) -> ComposeResult:
        plain = self.glyphs == "ascii"
        self._take_theme()  # it may have been chosen since the lab was made
        yield Line(id="status")
        yield Line(id="tabs")
        with Container(id="body"):
            with Vertical(id="left"):
                experiments = ExperimentList(
                    list(self.presets.values()), plain=plain, id="experiments"
                )
                experiments.border_title = "Experiment"
                yield experiments
                form = Form(plain=plain, id="form")
                form.border_title = "Hyperparameters"
                yield form
            with Vertical(id="right"):
                self._shown = DenoisingPanel(self.palette, self.glyphs, id="denoising")
                yield self._shown
                yield LossPanel(self.palette, self.glyphs, id="training")
                yield GpuLine(lambda: self.session.state.active, lambda: self.palette.style("axis"))
        yield Static(id="too-small")
        yield Note(self.palette, self.glyphs, id="note")
        yield Line(id="footer")

    def on_mount(self) -> None:
        # Draws what came when no drawing was due, should nothing follow it.
        self._pulse = self.set_interval(_SLOWEST / 2, self.on_lab_tick, pause=True)
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self.screen.set_class(self.glyphs == "ascii", "ascii")
        self.query_one(ExperimentList).chosen = self.chosen
        self.query_one(ExperimentList).focus()
        self._show_bench()
        self._restore()
        self._catch_signals()
        if self._damaged:
            more = f" (and {len(self._damaged) - 1} more)" if len(self._damaged) > 1 else ""
            text = self._damaged[0] + more
            self.notify(text, title="Presets", severity="warning", markup=False)
        self.app_resume_signal.subscribe(self, lambda _: self._draw_anew())
        # Only after the first paint, so that nothing heavy stands before it.
        self.call_after_refresh(self.sampling.start)
        self.query_one(GpuLine).look()
        self.studies.start()
        if self._offered:
            self.call_after_refresh(self._offer)
        elif self._guide:
            self.learning.begin()

    def _offer(self) -> None:
        """Ask whether to go on with what was left in mid-training by the last start.

        The guide waits for the answer: who goes on has no use for it now.
        """
        from .offer import OfferScreen, unfinished
        from .runs import Choice

        run = unfinished(self._offered, self._declined)
        if run is None:
            if self._guide:
                self.learning.begin()
            return

        def answered(yes: bool | None) -> None:
            if self._guide and not yes:
                self.learning.begin()
            if yes and self.loaded:
                self._take_run(Choice(run, "resume"))
            elif yes:
                self._resume = run  # once torch is there
            elif yes is False:
                self._declined = run.name

        self.push_screen(OfferScreen(run), answered)

    def _restore(self) -> None:
        """Go back to where the lab was left."""
        place = self._place
        if place is not None:
            here = place.experiment == self.chosen
            play = place.play(self._denoising.levels, here=here)
            self._denoising.restore(play, {1: place.view_1d, 2: place.view_2d})
            self.tab = place.tab

    @property
    def place(self) -> Place:
        """Where the lab is, or was when it was left."""
        panel = self._shown
        learning = self.learning
        place = Place.of(self.chosen, self.tab, panel.views, panel.play)
        return replace(
            place, tour=learning.station, guided=learning.guided, declined=self._declined
        )

    def _catch_signals(self) -> None:
        """On a signal leave as on `q`, so that the terminal is as it was found."""
        loop = asyncio.get_running_loop()
        try:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self.exit, 128 + number)
            Suspension(self).catch_signals()
        except (NotImplementedError, RuntimeError, ValueError):
            return  # not the main thread, as in tests, or no signals on this system

    def on_unmount(self) -> None:
        training = self.session.training
        if training is not None and training.run is not None and not training.state.active:
            self._declined = training.run.name  # stopped by hand: no need to ask
        self.session.stop()

    def close_workers(self) -> bool:
        """End both threads; whether they have ended."""
        ended = self.session.close(0.6)
        return self.sampling.close(0.2) and self.studies.close(0.1) and ended

    def _draw_anew(self) -> None:
        """Send all that is on the screen, whatever it was that wrote on the terminal."""
        self.shown.forget()
        self.screen.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._draw_anew()
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        screen = self.screen_stack[0]
        focused = screen.focused or self._lost_focus
        screen.set_class(small, "small")
        screen.set_class(width < WIDE, "narrow")
        screen.set_class(width >= 140, "broad")
        if small:
            needed = f"{SMALLEST[0]}×{SMALLEST[1]}"
            screen.query_one("#too-small", Static).update(
                f"diffusion-tui needs {needed}; this is {width}×{height}"
            )
        self.call_after_refresh(self._show_tab)  # only then the app has its new size
        self.call_after_refresh(self._keep_focus, focused)
        self.call_after_refresh(self._redraw)

    def _keep_focus(self, focused: Widget | None) -> None:
        """Give the focus back to what had it before another size hid it, once that shows again."""
        if focused is None:
            return  # nothing had it, or what is to have it first is only about to get it
        screen = self.screen_stack[0]
        shown = all(node.display for node in focused.ancestors_with_self)
        screen.set_focus(focused if shown else None)
        self._lost_focus = None if shown else focused

    def _show_tab(self) -> None:
        screen = self.screen_stack[0]
        for tab in ("setup", "training", "denoising"):
            screen.set_class(tab == self.tab, tab)
        screen.query_one("#tabs", Line).write(tabs(self.tab, self.palette))
        keys, ends = footer(self.size.width, self.palette, self.glyphs)
        screen.query_one("#footer", Line).write(keys, ends)
        self.learning.write()

    # --- panels ------------------------------------------------------------------------------

    @property
    def _denoising(self) -> DenoisingPanel:
        return self.screen_stack[0].query_one("#denoising", DenoisingPanel)

    @property
    def _loss(self) -> LossPanel:
        return self.screen_stack[0].query_one("#training", LossPanel)

    @property
    def _form(self) -> Form:
        return self.screen_stack[0].query_one(Form)

    def _show_bench(self) -> None:
        """Put the chosen experiment into every panel."""
        bench = self.bench
        self._form.show(bench.experiment, self.preset.experiment)
        self._denoising.expect(bench.experiment.sampling_levels)
        self._loss.show(bench.training, self._stages(bench.training))
        self._loss.tell(None)
        self._hints()
        self._ask()
        self._refresh()

    def _hints(self) -> None:
        waiting = "loading torch …" if not self.loaded else "sampling …"
        self._denoising.hint(waiting)
        training = self.bench.experiment.training
        self._loss.hint(
            f"{self.preset.about}\n\nt trains it: {training.steps:,} steps of "
            f"{training.batch:,} points"
        )

    def _stages(self, training: Training | None) -> tuple[int, ...]:
        """Steps at which another network's turn begins."""
        if training is None or not training.experiment.network.per_level:
            return ()
        from ..core.training import stages

        return tuple(stage.start for stage in stages(training.experiment))[1:]

    def _ask(self) -> None:
        """Ask for the film that should be seen."""
        active = self.bench.training is not None and self.bench.training.state.active
        wish = self.bench.wish(live=active, level=self._denoising.level)
        self.sampling.ask(wish)
        self._ask_study(wish)

    def _ask_study(self, wish: Wish) -> None:
        """Ask for the study that goes with a film, if it is to be seen."""
        if self._loss.view == "loss":
            return
        if not wish.live or self._studied.due():
            self.studies.ask(wish)

    def _noise_levels(
        self, experiment: Experiment, preset: Experiment, path: str, width: int, height: int
    ) -> list[Strip]:
        """What the form shows of a schedule."""
        from .pictures.noising import noise_levels

        sampled, look = path == "sampling.levels", (self.palette, self.glyphs)
        return noise_levels(experiment, preset, width, height, *look, sampled=sampled)

    def _redraw(self) -> None:
        self._denoising.redraw()
        self._loss.redraw()

    def _take_theme(self) -> None:
        """The palette of the theme, for the colours there are."""
        variables = self.get_css_variables()
        self.palette = Palette.from_theme(variables, self.colours)
        self._reducer = reducer(self.colours, variables)

    def _recolour(self) -> None:
        """Take the colours of another theme."""
        self._take_theme()
        screen = self.screen_stack[0]
        for panel in (self._denoising, self._loss, screen.query_one(Ruler), screen.query_one(Note)):
            panel.palette = self.palette
        self._loss.show(self.bench.training, self._loss.stages)
        self._show_tab()
        self._refresh()
        self._redraw()

    # --- what the workers say ----------------------------------------------------------------

    def _notify(self) -> None:
        # A message that nothing comes of would take time from the training all the same.
        if self.session.state is not self._seen_state or self._frames.near:
            self._post(self.Tick())

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def on_lab_tick(self) -> None:
        # All that this thread has done since the last drawing counts: while it runs Python, the
        # training stands still.
        self._frames.took(thread_time() - self._drawn_at)
        due = self._frames.due() and not self.pace.clogged
        if self.session.state is not self._seen_state or due:
            self._drawn_at = thread_time()
            self._refresh()

    def on_lab_filmed(self, message: Filmed) -> None:
        if not self.is_running:
            return
        if not self.loaded:
            self.loaded = True
            # What is loaded by now stays. To look through all of torch for garbage takes a sixth
            # of a second, in which keys and training wait.
            gc.freeze()
            self._hints()
            self._form.picture = self._noise_levels
            self._form.describe()
            if self._resume is not None:
                from .runs import Choice

                self._take_run(Choice(self._resume, "resume"))
                return
        film = message.film
        began = thread_time()
        if film.wish.experiment == self.bench.experiment:
            self._denoising.show(film)
        self._films.took(film.seconds + thread_time() - began)
        if self.session.state is not State.TRAINING:
            self._refresh()  # else the next tick does

    def _film_failed(self, wish: Wish, error: Exception) -> None:
        self._post(self.FilmFailed(wish, error))

    def _study_failed(self, wish: Wish, error: Exception) -> None:
        self._post(self.FilmFailed(wish, error))

    def on_lab_studied(self, message: Studied) -> None:
        study = message.study
        self._studied.took(study.seconds)
        if study.wish.experiment == self.bench.experiment:
            self._loss.tell(study)

    def on_denoising_panel_moved(self, message: DenoisingPanel.Moved) -> None:
        if self.screen_stack:  # none is left while the lab is being taken down
            self._loss.at(message.level)

    def on_denoising_panel_uncovered(self) -> None:
        self._refresh()  # points that do not show are not sampled anew

    def on_lab_film_failed(self, message: FilmFailed) -> None:
        if not self.is_running:
            return
        self.loaded = True
        text = " ".join(str(message.error).split()) or type(message.error).__name__
        self._denoising.hint(f"cannot be sampled: {text}")
        self.notify(text, title="Sampling failed", severity="error", markup=False)

    def _refresh(self) -> None:
        """Pull what the session has reached and show it."""
        if not self.is_running:
            return  # the widgets are being taken down
        state = self.session.state
        changed = state is not self._seen_state
        self._seen_state = state
        if changed:
            (self._pulse.resume if state is State.TRAINING else self._pulse.pause)()
        training = self.bench.training
        if training is not None:
            if training.unsaved and training.unsaved != self._told_unsaved:
                self.notify(training.unsaved, title="Not saved", severity="error", markup=False)
            self._told_unsaved = training.unsaved
            if training is not self._loss.training or (changed and training.losses is not None):
                self._loss.show(training, self._stages(training))
            else:
                self._loss.redraw()
            self._follow(training, changed)
        if changed:
            self._mark_experiments()
        self._write_status()

    def _follow(self, training: Training, changed: bool) -> None:
        """Keep the film close to the latest weights."""
        film = self._denoising.film
        snapshot = training.snapshot
        if snapshot is not None and self.bench.trained() is training:
            wish = film.wish if film is not None else None
            newer = wish is None or wish.denoiser is not snapshot[1]
            complete = wish is not None and (wish.live and not training.state.active)
            seen = self._denoising.is_on_screen
            wanted = seen and (newer or complete) and not self.bench.source_ideal
            now = changed or not training.state.active
            if wanted and not self.sampling.busy and (now or self._films.due()):
                self._ask()
        if training.state is State.TRAINING:
            training.wanted.set()

    def _mark_experiments(self) -> None:
        marks = {
            key: bench.training.state.mark
            for key, bench in self.benches.items()
            if bench.training is not None
        }
        self.screen_stack[0].query_one(ExperimentList).marks = marks

    def _write_status(self) -> None:
        training = self.bench.training
        if training is None and self.session.state.active:
            training = self.session.training
        waiting = "idle" if self.loaded else "loading"
        left, right = status(
            self.chosen, training, waiting, self.size.width, self.palette, self.sampling.reached
        )
        self.screen_stack[0].query_one("#status", Line).write(left, right)

    # --- what the panels say -----------------------------------------------------------------

    def on_experiment_list_chosen(self, message: ExperimentList.Chosen) -> None:
        if message.id != self.chosen:
            self.chosen = message.id
            self._show_bench()
        self.learning.did("choose")

    def choose(self, name: str) -> None:
        """Put another experiment on the bench."""
        self.query_one(ExperimentList).chosen = self.chosen = name
        self._show_bench()

    def on_form_changed(self, message: Form.Changed) -> None:
        before, bench = self.bench.experiment, self.bench
        bench.experiment = message.experiment
        if (before.sampling_levels, before.data) != (
            bench.experiment.sampling_levels,
            bench.experiment.data,
        ):
            self._denoising.expect(bench.experiment.sampling_levels)
        self._hints()
        self._ask()
        if told := newly_possible(bench.training, before, bench.experiment):
            self.notify(told, title="More steps")

    def on_ruler_picked(self, message: Ruler.Picked) -> None:
        self._denoising.go_to(message.level)

    # --- actions -----------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """What was typed before the field that has the focus had it belongs to that field."""
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A lab key is a letter again while text is typed or another screen is open."""
        names = {a.name.partition("(")[0] for a in ACTIONS} - {"suspend"}
        if action in names and self.is_running:
            elsewhere = len(self.screen_stack) > 1
            if elsewhere or isinstance(self.focused, Input) or self._form.editing:
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

    def action_hush(self) -> None:
        self.learning.end()

    def action_ask(self) -> None:
        self.learning.ask()

    def action_tour(self) -> None:
        self.learning.tour()

    def action_train(self) -> None:
        problems = self._form.problems
        if problems:
            path, error = next(iter(problems.items()))
            self._form.select(path)
            self.tab = "setup"
            self._show_tab()
            self.notify(str(error), title="Not trained", severity="error", markup=False)
            return
        self._train()

    def _train(self, run: Path | None = None) -> None:
        """Train what is set: anew, or on from where a run ended."""
        bench = self.bench
        bench.training = self.session.start(bench.experiment, resume=str(run) if run else None)
        bench.source_ideal = False
        if self.tab == "setup":
            self.tab = "training"
            self._show_tab()
        self._refresh()

    def action_pause(self) -> None:
        training = self.bench.training
        if training is not None and can_go_on(training, self.bench.experiment):
            self._train(training.run)
        else:
            self.session.pause()

    def action_stop(self) -> None:
        if self.session.state.active:
            self.session.stop()

    def action_study(self) -> None:
        self._loss.next_view()
        self._loss.at(self._denoising.level)
        if self._loss.view != "loss":
            self._studied.took(0.0)
            active = self.bench.training is not None and self.bench.training.state.active
            self.studies.ask(self.bench.wish(live=active))

    def action_start(self) -> None:
        bench, field = self.bench, "sampling.start"
        usual = self.preset.experiment.sampling.start
        if usual == "exact":
            usual = "data-mean"
        start = usual if bench.experiment.sampling.start == "exact" else "exact"
        bench.experiment = bench.experiment.with_settings({field: start})
        self._form.show(bench.experiment, self.preset.experiment)
        self._ask()

    def action_log_scale(self) -> None:
        self._loss.logarithmic = not self._loss.logarithmic
        self._loss.redraw()

    def action_step(self, change: int) -> None:
        panel = self._denoising
        panel.take(panel.play.hold().step(change))

    def action_level(self, place: str) -> None:
        panel = self._denoising
        panel.take(panel.play.hold().go_to(0 if place == "first" else panel.levels))

    def action_play(self) -> None:
        panel = self._denoising
        panel.take(panel.play.hold() if panel.play.playing else panel.play.start())

    def action_speed(self, change: int) -> None:
        self._denoising.take(self._denoising.play.faster(change))

    def action_play_mode(self) -> None:
        self._denoising.take(self._denoising.play.next_mode())

    def action_finer(self) -> None:
        self._denoising.take(self._denoising.play.finer())

    def action_jump(self) -> None:
        if self._denoising.is_on_screen:
            self._denoising.ask_level()
        else:
            self.action_tab("denoising")
            self.call_after_refresh(self._denoising.ask_level)

    def action_noise(self) -> None:
        self.bench.noise += 1
        self._ask()

    def action_view(self) -> None:
        self._denoising.next_view()

    def action_truth(self) -> None:
        self._denoising.flip_truth()

    def action_forward(self) -> None:
        self._denoising.flip_forward()

    def action_ideal(self) -> None:
        self.bench.source_ideal = not self.bench.source_ideal
        self._ask()

    def action_track(self) -> None:
        self._denoising.track()

    def action_copy(self) -> None:
        from .copying import command_line, keep, level_text

        film, panel = self._denoising.film, self._denoising
        experiment = self.bench.experiment
        text = level_text(film, panel.level) if film is not None else command_line(experiment)
        self.copy_to_clipboard(text)
        try:
            where = f"also in {keep(text)}"
        except OSError as error:
            where = f"but to no file ({error.strerror})"
        self.notify(f"Copied, where the terminal allows it; {where}", markup=False)

    def action_zoom(self, change: int) -> None:
        self._denoising.zoom_by(change)

    def action_tab(self, tab: str) -> None:
        self.tab = tab
        self._show_tab()
        focus = {
            "setup": self.screen.query_one(ExperimentList),
            "training": self._loss,
            "denoising": self._denoising,
        }
        focus[tab].focus()
        self.call_after_refresh(self._redraw)

    def action_export(self) -> None:
        film = self._denoising.film
        if film is None:
            self._not_yet()
            return
        from .exporting import ExportScreen

        plain = self.glyphs == "ascii"
        self.push_screen(ExportScreen(film, self.bench.trained(), plain=plain))

    def action_keep(self, *, remove: bool = False) -> None:
        from .keeping import KeepScreen

        experiment, preset = self.bench.experiment, self.preset
        changes = sum(map(self._form.changed, field_table()))
        plain = self.glyphs == "ascii"
        screen = KeepScreen(experiment, preset, changes, remove=remove, plain=plain)
        self.push_screen(screen, self._take_kept)

    def on_experiment_list_unwanted(self, message: ExperimentList.Unwanted) -> None:
        self.action_keep(remove=True)

    def _take_kept(self, kept: Kept | None) -> None:
        """Follow what became of the presets of one's own."""
        if kept is None:
            return
        bench = self.bench
        if kept.was is not None:
            del self.presets[kept.was], self.benches[kept.was]
        if kept.now is not None:
            self.chosen = kept.now.id
            self.presets[self.chosen] = kept.now
            named = bench.experiment.model_copy(update={"name": self.chosen})
            self.benches[self.chosen] = replace(bench, experiment=named)
        else:
            self.chosen = base_of(bench.experiment).id
        self.query_one(ExperimentList).load(list(self.presets.values()), self.chosen)
        self._show_bench()
        self._mark_experiments()

    def action_runs(self, told: str = "") -> None:
        if not self.loaded:
            self._not_yet()
            return
        from .comparison import of_bench
        from .runs import RunsScreen

        bench = of_bench(self.bench.training)
        screen = RunsScreen(plain=self.glyphs == "ascii", bench=bench, told=told)
        self.push_screen(screen, self._take_run)

    def action_compare(self) -> None:
        if not self.loaded:
            self._not_yet()
            return
        from .compare import compare_bench

        compare_bench(self)

    def _take_run(self, choice: Choice | None) -> None:
        """Open a run on the bench of its experiment, or go on with its training there."""
        if choice is None:
            return
        from .opening import going_on, opened

        try:
            folder = str(choice.run.folder.absolute())
            experiment, training = opened(folder)
            if choice.steps or (choice.what == "resume" and training.state is State.STOPPED):
                experiment = going_on(folder, choice.steps)
                training = self.session.start(experiment, resume=folder)
        except (ConfigError, RunError) as error:
            self.notify(str(error), title="Not opened", severity="error", markup=False)
            return
        name = experiment.name
        self.chosen = name if name in self.benches else base_of(experiment).id
        self.benches[self.chosen] = Bench(experiment, training)
        self.screen_stack[0].query_one(ExperimentList).chosen = self.chosen
        self._show_bench()
        self._mark_experiments()

    def action_code(self) -> None:
        if not self.loaded:
            self._not_yet()
            return
        from .code import CodeScreen

        self.push_screen(CodeScreen(self.bench.experiment))

    def _not_yet(self) -> None:
        what = "the denoising is being made" if self.loaded else "torch is being loaded"
        self.notify(f"{what}: again in a moment", title="Not yet", timeout=2, markup=False)

    def notify(self, message: str, *, title: str = "", **options: Any) -> None:
        """Say it in the place of what was said under this title, so that notices never pile up."""
        for told in [told for told in self._notifications if told.title == title]:
            self._unnotify(told, refresh=False)
        super().notify(message, title=title, **options)

    def action_help(self) -> None:
        from .help import HelpScreen

        groups = {self._loss: "Training", self._denoising: "Denoising"}
        group = next((g for panel, g in groups.items() if panel.has_focus), "Setup")
        self.push_screen(HelpScreen(self.bench, self._denoising, self._loss.view, group))

    def action_suspend(self) -> None:
        if Suspension.has_shell():
            Suspension.ask()
        else:
            self.notify("No shell is here to bring the lab back with fg.", title="Not suspended")

    async def action_quit(self) -> None:
        self.exit(0)

    def _print_error_renderables(self) -> None:
        """A fault of the lab is one line for the person, and a file for whoever mends it."""
        if not self._exit_renderables:
            return
        from rich.console import Console

        file = Path(tempfile.gettempdir()) / f"diffusion-tui-{os.getpid()}.log"
        with file.open("w", encoding="utf-8") as log:
            console = Console(file=log, width=120)
            for renderable in self._exit_renderables:
                console.print(renderable)
        self._exit_renderables.clear()
        fault = f"{type(self._exception).__name__}: {self._exception}"
        line = " ".join(fault.split())[:200]
        print(f"diffusion-tui: the lab failed ({line}); details: {file}", file=sys.stderr)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every action of the lab, then what Textual offers."""
        for action in ACTIONS:
            yield SystemCommand(
                f"{action.label} ({action.shown})".capitalize(),
                action.help,
                lambda name=action.name: self.run_action(name),
            )
        about = "Choose, train, step, truth, ideal: five short stations."
        yield SystemCommand("Guided first run", about, self.learning.begin)
        yield from super().get_system_commands(screen)
