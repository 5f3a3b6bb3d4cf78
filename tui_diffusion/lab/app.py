"""The application: composes the panels and handles the messages of panels and workers.

Data flows one way: experiment → session and sampling worker → records → panels. Workers post
`messages`; no module below this one imports it. `model` holds the open experiments, `main_screen`
the layout, `live_updates` refreshes the panels, and `actions` implements the actions.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.actions import parse
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from ..core.config.experiment import Experiment
from ..core.config.presets import PRESETS, unlisted
from ..core.config.user_presets import is_taken, own_presets
from ..interface.glyphs import Glyphs
from ..interface.keymap import ACTIONS, SWEEP_ACTIONS, Target
from ..interface.settings import RestorePoint
from .actions.points import PointActions
from .actions.training import TrainingActions
from .actions.windows import Windows
from .guide.guidance import Guidance
from .installed_parts import ask_for_parts
from .live_updates import FRAMES, LiveUpdates
from .main_screen import STYLES, MainScreen
from .messages import (
    CellReady,
    DiagnosisReady,
    PartsFound,
    RequestFailed,
    RunsCounted,
    SessionUpdate,
    TrajectoryReady,
)
from .model import Model
from .output.borders import STARK
from .output.errors import line
from .output.screens import PacedScreen
from .output.suspend import Suspension, catch_signals
from .output.terminal_app import TerminalApp
from .panels.denoising import DenoisingPanel
from .panels.experiments import ExperimentList
from .panels.form.form import Form
from .runs.resume_prompt import ResumePrompt, unfinished
from .runs.run_list import RunChoice
from .sampling.jobs import diagnosis, trajectory
from .sampling.request import SampleRequest
from .sampling.worker import Worker
from .session.evaluation import report
from .session.session import Session, keep_in_store
from .system_commands import actions, views
from .widgets.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from ..core.runs.store import Summary
    from ..interface.capabilities import Colours
    from .actions.sweeps import SweepActions
    from .panels.sweep import SweepPanel
    from .workspace import Given


_TARGETS = {action.name.partition("(")[0]: action.target for action in ACTIONS}
"""The part of the lab that implements each action, by the action's name."""


class Lab(TerminalApp):
    """The diffusion laboratory."""

    TITLE = "diffusion-tui"
    CSS = STARK + STYLES
    BINDINGS = [
        # Without priority, a key waits for those before it: after Enter on a field, a letter goes
        # to the field's editor. ctrl+c needs priority because the screen binds it too.
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
        restore: RestorePoint | None = None,
        resume: Summary | None = None,
        watch: Summary | None = None,
        guide: bool = False,
        offered: Sequence[str] = (),
        given: Given | None = None,
    ) -> None:
        super().__init__(glyphs, colours, slow)
        self.first_theme = self.theme
        self._restore_from = restore
        self._first = RunChoice(resume, "resume") if resume is not None else None
        self._first = RunChoice(watch, "watch") if watch is not None else self._first
        self.offered = offered
        self.farewell = ""
        """A line for the shell, once the lab has ended."""
        self.sweeps: SweepActions | None = None
        """The actions of the sweep's tab, once it has been opened."""
        self.declined = restore.declined if restore is not None else None
        self.guide = guide
        own, self._damaged = own_presets()
        if given is not None and experiment.name not in {**PRESETS, **own}:
            own |= {experiment.name: unlisted(experiment)}
        post = self.post_while_running
        self.model = model = Model(
            experiment,
            {**PRESETS, **own},
            session or Session(self._notify, keep=keep_in_store, measure=report),
            Worker(
                trajectory, lambda result: post(TrajectoryReady(result)), self._failed, self._notify
            ),
            Worker(diagnosis, lambda result: post(DiagnosisReady(result)), self._failed),
        )
        if given is not None:
            model.workspace.given, model.workspace.training = given, given.training
        presets = list(model.presets.values())
        self.main = main = MainScreen(
            self.palette, glyphs, presets, lambda: model.session.state.active
        )
        start = restore or RestorePoint()
        self.guidance = Guidance(
            model,
            main,
            lambda name: self.updates.choose(name),
            guided=start.guided,
            station=start.tour,
        )
        self.updates = LiveUpdates(self, model, main, self.guidance, fps)
        self.windows = Windows(self, model, main, self.updates, self._notify)
        self.training = TrainingActions(self, model, main, self.updates, self.guidance)
        self.targets: dict[Target, object] = {
            "app": self,
            "denoising": main.denoising,
            "loss": main.loss,
            "points": PointActions(self, model, main.form, main.denoising, self.updates),
            "training": self.training,
            "windows": self.windows,
            "guidance": self.guidance,
        }

    @property
    def restore_point(self) -> RestorePoint:
        """The current experiment, tab, views and playback position, for the next start."""
        panel, guidance = self.main.denoising, self.guidance
        tab = self.main.tab if self.main.tab != "sweep" else RestorePoint.tab
        known = self.model.chosen in PRESETS or is_taken(self.model.chosen)
        name = self.model.chosen if known else RestorePoint.experiment
        point = RestorePoint.of(name, tab, panel.views, panel.playback)
        return replace(point, tour=guidance.station, guided=guidance.guided, declined=self.declined)

    # --- begin and end -----------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        self.take_theme()  # the theme may have been set after the constructor ran
        self.main.recolour(self.palette)
        return self.main

    def compose(self) -> ComposeResult:
        return self.main.panels()

    def on_mount(self) -> None:
        main = self.main
        self.updates.start()
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        main.experiments.chosen = self.model.chosen
        main.experiments.focus()
        self.updates.show_workspace()
        self._restore_last()
        session = self.model.session
        catch_signals(self, session.save, session.rest)
        if self._damaged:
            more = f" (and {len(self._damaged) - 1} more)" if len(self._damaged) > 1 else ""
            text = self._damaged[0] + more
            self.notify(text, title="Presets", severity="warning", markup=False)
        # Only after the first paint, so that collections and heavy imports do not delay it.
        self.call_after_refresh(gc.enable)
        self.call_after_refresh(self.model.sampling.start)
        self.call_after_refresh(self.updates.count_runs)
        self.call_after_refresh(main.gpu.search)
        self.call_after_refresh(self.model.diagnoses.start)
        if self.offered:
            self.call_after_refresh(self.offer_to_go_on)
        elif self.guide:
            self.guidance.begin()

    def _restore_last(self) -> None:
        """Restore the tab, the views and the playback position of the last session."""
        point, panel = self._restore_from, self.main.denoising
        if point is not None:
            same = point.experiment == self.model.chosen
            panel.restore(
                point.playback(panel.levels, here=same), {1: point.view_1d, 2: point.view_2d}
            )
            self.main.tab = point.tab

    def offer_to_go_on(self) -> None:
        """Offer to resume the training that the last session left unfinished.

        The guide begins only after the answer, and not if the person resumes.
        """
        run = unfinished(self.offered, self.declined)

        def take_answer(yes: bool | None) -> None:
            if self.guide and not yes:
                self.guidance.begin()
            if yes and run is not None:
                self._go_on_with(RunChoice(run, "resume"))
            elif yes is False and run is not None:
                self.declined = run.name

        if run is None:
            take_answer(None)
        else:
            self.push_screen(ResumePrompt(run), take_answer)

    def _go_on_with(self, run: RunChoice) -> None:
        """Resume or watch a run's training as soon as torch has loaded."""
        self._first = run
        if self.model.loaded:
            self.windows.take_run(run)

    def on_unmount(self) -> None:
        last = self.model.session.training
        if last is not None and last.run is not None and not last.state.active:
            self.declined = last.run.name  # stopped by hand: the next start need not ask
        self.model.session.stop()

    def close_workers(self) -> bool:
        """Close all threads; return whether they have ended."""
        ended = self.sweeps is None or self.sweeps.close()
        return self.model.close() and ended

    # --- sizes and colours -------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.draw_anew()
        self.call_after_refresh(self.updates.write)  # the app has its new size only then
        self.main.fit(event.size)

    def _recolour(self) -> None:
        """Apply the colours of another theme."""
        self.take_theme()
        self.main.recolour(self.palette)
        self.main.loss.show(self.model.workspace.training)
        self.updates.write()
        self.updates.refresh()
        self.main.redraw()

    # --- messages of the workers -------------------------------------------------------------

    def _notify(self) -> None:
        # Even a message that changes nothing takes time from the training.
        if self.updates.awaited:
            self.post_while_running(SessionUpdate())

    def _failed(self, request: SampleRequest, error: Exception) -> None:
        self.post_while_running(RequestFailed(error))

    def on_lab_session_update(self) -> None:
        self.updates.tick()

    def on_lab_trajectory_ready(self, message: TrajectoryReady) -> None:
        if not self.is_running:
            return
        if not self.model.loaded:
            self._take_torch()
            if self._first is not None:
                self._go_on_with(self._first)
                return
        self.updates.show_trajectory(message.trajectory)

    def _take_torch(self) -> None:
        """Enable everything that needs torch, which has loaded."""
        from .level_picture import level_picture

        self.model.loaded = True
        self._plan_sweep()
        # Collecting garbage in all of torch takes a sixth of a second, in which keys and training
        # wait. Modules stay loaded anyway, so the collector may ignore them.
        gc.freeze()
        self.updates.write_hints()
        self.main.form.picture = level_picture(self, self.main.denoising)
        self.main.form.describe()
        ask_for_parts(self.post_while_running)

    def on_lab_parts_found(self, message: PartsFound) -> None:
        self.main.form.describe()
        if problems := message.problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.refuse("Parts not loaded", problems[0] + more)

    def on_lab_diagnosis_ready(self, message: DiagnosisReady) -> None:
        self.updates.show_diagnosis(message.diagnosis)

    def on_lab_runs_counted(self, message: RunsCounted) -> None:
        if self.is_running:
            self.updates.counts = message.counts
            self.updates.mark()

    def on_lab_request_failed(self, message: RequestFailed) -> None:
        if not self.is_running:
            return
        self.model.loaded = True
        why, denoising = line(message.error), self.main.denoising
        denoising.hint(f"cannot be sampled: {why}")
        experiment = self.model.workspace.experiment
        if denoising.trajectory and denoising.trajectory.request.experiment != experiment:
            denoising.expect(experiment.sampling_levels)  # these points are of other settings
        self.refuse("Sampling failed", why)

    # --- the sweep ---------------------------------------------------------------------------

    def _open_sweep(self) -> None:
        """Add the sweep's panel when its tab is first opened, as its imports take a while."""
        if self.sweeps is None:
            from .actions.sweeps import SweepActions

            self.sweeps = SweepActions(self, self.model, self.main, self.windows)
            self.main.add_sweep(self.sweeps.panel)
        self._plan_sweep()

    def _plan_sweep(self) -> None:
        if self.sweeps is not None:
            self.sweeps.plan()

    def on_lab_sweep_update(self) -> None:
        if self.sweeps is not None:
            self.sweeps.tick()

    def on_lab_cell_ready(self, message: CellReady) -> None:
        if self.sweeps is not None and self.is_running:
            self.sweeps.take_cell(message.details)

    def on_sweep_panel_chosen(self) -> None:
        if self.sweeps is not None:
            self.sweeps.refresh()

    def on_sweep_panel_requested(self, message: SweepPanel.Requested) -> None:
        getattr(self.sweeps, message.action)()

    def on_form_varied(self, message: Form.Varied) -> None:
        self.model.workspace.variation = message.variation
        self._plan_sweep()

    # --- messages of the panels --------------------------------------------------------------

    def on_experiment_list_chosen(self, message: ExperimentList.Chosen) -> None:
        if message.id != self.model.chosen:
            self.updates.cancel_reading()
            self.model.chosen = message.id
            self.updates.show_workspace()
            self._plan_sweep()
        if message.confirmed:
            self.guidance.did("choose")

    def on_experiment_list_unwanted(self, message: ExperimentList.Unwanted) -> None:
        self.windows.action_keep(remove=True)

    def on_form_changed(self, message: Form.Changed) -> None:
        before, workspace = self.model.workspace.experiment, self.model.workspace
        after = workspace.experiment = message.experiment
        if (before.sampling_levels, before.data) != (after.sampling_levels, after.data):
            self.main.denoising.expect(after.sampling_levels)
        self.updates.write_hints()
        self.updates.ask()
        self._plan_sweep()
        if advice := workspace.newly_possible(before):
            self.notify(advice, title="More steps")

    def on_form_read(self, message: Form.Read) -> None:
        self.training.form_read(message.taken)

    def on_form_tried(self) -> None:
        if self.main.loss.view == "schedule" and self.main.loss.is_on_screen:
            self.updates.ask_diagnosis()

    def on_denoising_panel_moved(self, message: DenoisingPanel.Moved) -> None:
        if self.screen_stack:  # empty while the lab shuts down
            self.main.loss.at(message.level)
            if self.main.sweep is not None:
                self.main.sweep.redraw()
            self.guidance.update()

    def on_denoising_panel_uncovered(self) -> None:
        self.updates.refresh()  # hidden points are not resampled, so they may be out of date

    # --- keys --------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        self.main.write_keys()

    def on_descendant_blur(self) -> None:
        self.main.write_keys()

    def on_canvas_pressed(self, message: Canvas.Pressed) -> None:
        """Press the key whose name was clicked; an open field does not take it as text."""
        typing = isinstance(self.focused, Input) or self.main.form.editing
        if typing and len(message.key) == 1:
            self.screen.set_focus(None)
            self.main.form.focus()
        self.call_after_refresh(self.simulate_key, message.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the lab's keys while text is typed or another screen is open."""
        names = _TARGETS.keys() - {"suspend", "repaint"}
        if action in names and self.is_running:
            elsewhere = len(self.screen_stack) > 1
            if elsewhere or isinstance(self.focused, Input) or self.main.form.editing:
                return False
        return super().check_action(action, parameters)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; an action of the lab runs on its target."""
        name, parameters = parse(action)[1:] if isinstance(action, str) else ("", ())
        target = _TARGETS.get(name, "app")
        if target == "app" or default_namespace not in (None, self):
            done = await super().run_action(action, default_namespace, namespaces)
        elif done := bool(self.check_action(name, parameters)):
            getattr(self.targets[target], f"action_{name}")(*parameters)
        if done and isinstance(action, str):
            self.guidance.did(action)
        return done

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List the palette: the actions of what shows, the lab's own lists, then Textual's own."""
        if isinstance(screen, PacedScreen) and screen.actions:
            yield from actions(screen.actions, partial(self.run_action, default_namespace=screen))
        else:
            yield from actions(ACTIONS, self.run_action)
            yield from views(self.main, self.model, self.training, self.updates)
            if self.sweeps is not None:
                run = partial(self.run_action, default_namespace=self.sweeps.panel)
                yield from actions(SWEEP_ACTIONS, run, "Sweep: ")
        about = "Choose, train, step, truth, ideal: five short stations."
        yield SystemCommand("Guided first run", about, self.guidance.begin)
        yield from super().get_system_commands(screen)

    # --- actions -----------------------------------------------------------------------------

    def action_hush(self) -> None:
        self.guidance.end()

    def action_tab(self, tab: str) -> None:
        if tab == "sweep":
            self._open_sweep()
        self.updates.turn_to(tab)

    def action_suspend(self) -> None:
        if Suspension.has_shell():
            Suspension.ask()
        else:
            self.notify("No shell could bring the lab back with fg.", title="Not suspended")

    def action_repaint(self) -> None:
        self.draw_anew()

    async def action_quit(self) -> None:
        if self.sweeps is None or not self.sweeps.leave(self._leave):
            self.exit(0)

    def _leave(self, farewell: str) -> None:
        """Leave the lab with a line for the shell."""
        self.farewell = farewell
        self.exit(0)
