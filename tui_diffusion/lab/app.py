"""The lab: puts the panels together and takes what they and the workers say to one another.

Data flows one way: experiment → session and sampling worker → records → panels. The workers post
`messages`; nothing below this file reaches up. What is open is the `model`'s, what stands where the
`main_screen`'s, what shows when the `live_updates`', and what an action does is in `actions`.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import events
from textual.actions import parse
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from ..core.config.experiment import Experiment
from ..core.config.presets import PRESETS
from ..core.config.user_presets import own_presets
from ..interface.glyphs import Glyphs
from ..interface.keymap import ACTIONS, Target
from ..interface.settings import Place
from .actions.points import PointActions
from .actions.training import TrainingActions
from .actions.windows import Windows
from .going_on import newly_possible
from .guide.guidance import Guidance
from .live_updates import FRAMES, LiveUpdates
from .main_screen import STYLES, MainScreen
from .messages import DiagnosisReady, RequestFailed, RunsCounted, SessionUpdate, TrajectoryReady
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
from .widgets.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from ..core.runs.store import Summary
    from ..interface.capabilities import Colours


_TARGETS = {action.name.partition("(")[0]: action.target for action in ACTIONS}
"""The part of the lab that each of its actions is for."""


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
        self.guide = guide
        own, self._damaged = own_presets()
        post = self.post_while_running
        self.model = model = Model(
            experiment,
            {**PRESETS, **own},
            session or Session(self._notify, keep=keep_in_store, measure=report),
            Worker(
                trajectory, lambda made: post(TrajectoryReady(made)), self._failed, self._notify
            ),
            Worker(diagnosis, lambda made: post(DiagnosisReady(made)), self._failed),
        )
        presets = list(model.presets.values())
        self.main = main = MainScreen(
            self.palette, glyphs, presets, lambda: model.session.state.active
        )
        was = place or Place()
        self.guidance = Guidance(
            model,
            main,
            lambda name: self.updates.choose(name),
            guided=was.guided,
            station=was.tour,
        )
        self.updates = LiveUpdates(self, model, main, self.guidance, fps)
        self.windows = Windows(self, model, main, self.updates)
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
    def place(self) -> Place:
        """Where the lab is, or was when it was left."""
        panel, guidance = self.main.denoising, self.guidance
        place = Place.of(self.model.chosen, self.main.tab, panel.views, panel.playback)
        return replace(place, tour=guidance.station, guided=guidance.guided, declined=self.declined)

    # --- begin and end -----------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        self.take_theme()  # it may have been chosen since the lab was made
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
        self.updates.show_bench()
        self._restore()
        session = self.model.session
        catch_signals(self, session.save, session.rest)
        if self._damaged:
            more = f" (and {len(self._damaged) - 1} more)" if len(self._damaged) > 1 else ""
            text = self._damaged[0] + more
            self.notify(text, title="Presets", severity="warning", markup=False)
        # Only after the first paint, so that nothing heavy stands before it.
        self.call_after_refresh(self.model.sampling.start)
        self.call_after_refresh(self.updates.count_runs)
        main.gpu.view_state()
        self.model.diagnoses.start()
        if self.offered:
            self.call_after_refresh(self.offer_to_go_on)
        elif self.guide:
            self.guidance.begin()

    def _restore(self) -> None:
        """Go back to where the lab was left."""
        place, panel = self._place, self.main.denoising
        if place is not None:
            here = place.experiment == self.model.chosen
            panel.restore(
                place.playback(panel.levels, here=here), {1: place.view_1d, 2: place.view_2d}
            )
            self.main.tab = place.tab

    def offer_to_go_on(self) -> None:
        """Ask whether to go on with what was left in mid-training by the last start.

        The guide waits for the answer: who goes on has no use for it now.
        """
        run = unfinished(self.offered, self.declined)

        def answered(yes: bool | None) -> None:
            if self.guide and not yes:
                self.guidance.begin()
            if yes and run is not None:
                self._go_on_with(run)
            elif yes is False and run is not None:
                self.declined = run.name

        if run is None:
            answered(None)
        else:
            self.push_screen(ResumePrompt(run), answered)

    def _go_on_with(self, run: Summary) -> None:
        """Go on with a run's training, as soon as torch is there."""
        self._resume = run
        if self.model.loaded:
            self.windows.take_run(RunChoice(run, "resume"))

    def on_unmount(self) -> None:
        last = self.model.session.training
        if last is not None and last.run is not None and not last.state.active:
            self.declined = last.run.name  # stopped by hand: no need to ask
        self.model.session.stop()

    def close_workers(self) -> bool:
        """End all threads; whether they have ended."""
        return self.model.close()

    # --- sizes and colours -------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.draw_anew()
        self.call_after_refresh(self.updates.write)  # only then the lab has its new size
        self.main.fit(event.size)

    def _recolour(self) -> None:
        """Take the colours of another theme."""
        self.take_theme()
        self.main.recolour(self.palette)
        self.main.loss.show(self.model.workspace.training)
        self.updates.write()
        self.updates.refresh()
        self.main.redraw()

    # --- what the workers say ----------------------------------------------------------------

    def _notify(self) -> None:
        # A message that nothing comes of would take time from the training all the same.
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
            if self._resume is not None:
                self._go_on_with(self._resume)
                return
        self.updates.filmed(message.trajectory)

    def _take_torch(self) -> None:
        """Torch is there, and with it all that the lab can do."""
        from .views.noise_levels import noise_levels

        self.model.loaded = True
        # What is loaded by now stays. To look through all of torch for garbage takes a sixth
        # of a second, in which keys and training wait.
        gc.freeze()
        self.updates.write_hints()
        self.main.form.picture = lambda now, preset, path, width, height: noise_levels(
            now, preset, width, height, self.palette, self.glyphs, sampled=path == "sampling.levels"
        )
        self.main.form.describe()

    def on_lab_diagnosis_ready(self, message: DiagnosisReady) -> None:
        self.updates.studied(message.diagnosis)

    def on_lab_runs_counted(self, message: RunsCounted) -> None:
        if self.is_running:
            self.updates.counts = message.counts
            self.updates.mark()

    def on_lab_request_failed(self, message: RequestFailed) -> None:
        if not self.is_running:
            return
        self.model.loaded = True
        why = line(message.error)
        self.main.denoising.hint(f"cannot be sampled: {why}")
        self.refuse("Sampling failed", why)

    # --- what the panels say -----------------------------------------------------------------

    def on_experiment_list_chosen(self, message: ExperimentList.Chosen) -> None:
        if message.id != self.model.chosen:
            self.updates.cancel_reading()
            self.model.chosen = message.id
            self.updates.show_bench()
        if message.kept:
            self.guidance.did("choose")

    def on_experiment_list_unwanted(self, message: ExperimentList.Unwanted) -> None:
        self.windows.action_keep(remove=True)

    def on_form_changed(self, message: Form.Changed) -> None:
        before, workspace = self.model.workspace.experiment, self.model.workspace
        now = workspace.experiment = message.experiment
        if (before.sampling_levels, before.data) != (now.sampling_levels, now.data):
            self.main.denoising.expect(now.sampling_levels)
        self.updates.write_hints()
        self.updates.ask()
        if told := newly_possible(workspace.training, before, now):
            self.notify(told, title="More steps")

    def on_form_read(self, message: Form.Read) -> None:
        self.training.form_read(message.taken)

    def on_form_tried(self) -> None:
        if self.main.loss.view == "schedule" and self.main.loss.is_on_screen:
            self.updates.ask_study()

    def on_denoising_panel_moved(self, message: DenoisingPanel.Moved) -> None:
        if self.screen_stack:  # none is left while the lab is being taken down
            self.main.loss.at(message.level)
            self.guidance.view_state()

    def on_denoising_panel_uncovered(self) -> None:
        self.updates.refresh()  # points that do not show are not sampled anew

    # --- keys --------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        self.main.write_keys()

    def on_descendant_blur(self) -> None:
        self.main.write_keys()

    def on_canvas_pressed(self, message: Canvas.Pressed) -> None:
        """A key was clicked where it is named; a letter there is no text for the field in use."""
        typing = isinstance(self.focused, Input) or self.main.form.editing
        if typing and len(message.key) == 1:
            self.screen.set_focus(None)
            self.main.form.focus()
        self.call_after_refresh(self.simulate_key, message.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A lab key is a letter again while text is typed or another screen is open."""
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
        """Run an action, one of the lab's by the part of it that is its target."""
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
        """The palette: every action of the lab, or of the screen over it, then Textual's own."""
        own = screen.actions if isinstance(screen, PacedScreen) else ()
        for action in own or ACTIONS:
            yield SystemCommand(
                f"{action.label} ({action.shown})".capitalize(),
                action.help,
                lambda name=action.name: self.run_action(name, screen if own else self),
            )
        about = "Choose, train, step, truth, ideal: five short stations."
        yield SystemCommand("Guided first run", about, self.guidance.begin)
        yield from super().get_system_commands(screen)

    # --- actions -----------------------------------------------------------------------------

    def action_hush(self) -> None:
        self.guidance.end()

    def action_tab(self, tab: str) -> None:
        self.updates.turn_to(tab)

    def action_suspend(self) -> None:
        if Suspension.has_shell():
            Suspension.ask()
        else:
            self.notify("No shell is here to bring the lab back with fg.", title="Not suspended")

    def action_repaint(self) -> None:
        self.draw_anew()

    async def action_quit(self) -> None:
        self.exit(0)
