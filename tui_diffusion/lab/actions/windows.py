"""Actions that open a window over the lab, and the handling of the window's result."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from ...core.config.errors import ConfigError
from ...core.config.experiment import field_table
from ...core.runs.manifest import MissingPartError, RunError
from ..reader import Reader

if TYPE_CHECKING:
    from ...core.config.experiment import Experiment
    from ..live_updates import LiveUpdates
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..runs.compare.subjects import Candidate
    from ..runs.load import LoadedRun
    from ..runs.run_list import RunChoice
    from ..screens.save_preset import PresetChange
    from ..session.records import Training

P = ParamSpec("P")
Act = Callable[Concatenate["Windows", P], None]


def _with_torch(act: Act[P]) -> Act[P]:
    """Refuse an action until torch has loaded; its import would block the event loop."""

    @wraps(act)
    def once_loaded(windows: Windows, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if windows.model.loaded:
            act(windows, *args, **kwargs)
        else:
            windows.not_yet("torch is loading")

    return once_loaded


class Windows:
    """Opens windows and applies their results to the model.

    Watching a run calls ``notify`` after each look at it.
    """

    def __init__(
        self,
        app: TerminalApp,
        model: Model,
        main: MainScreen,
        updates: LiveUpdates,
        notify: Callable[[], None],
    ) -> None:
        self._app = app
        self.model = model
        self._main = main
        self._updates = updates
        self._notify = notify
        self._beside: Reader[list[Candidate]] = Reader(app)

    def not_yet(self, what: str) -> None:
        """Tell the user to try again once ``what`` is over, such as "torch is loading"."""
        self._app.notify(f"{what}: try again in a moment", title="Not yet", timeout=2, markup=False)

    @_with_torch
    def action_export(self) -> None:
        """Open the export dialog for the current view."""
        from ..screens.export import ExportScreen
        from ..screens.exports import of_lab

        panel, loss = self._main.denoising, self._main.loss
        if panel.trajectory is None:
            self.not_yet("the points are being sampled")
            return
        training_first = loss.has_focus or not panel.is_on_screen
        training = self.model.workspace.trained()
        choices = of_lab(
            panel.trajectory, panel.view, panel.playback.position, training, loss, training_first
        )
        light = not self._app.current_theme.dark
        self._app.push_screen(ExportScreen(choices, light=light, plain=self._app.plain))

    def action_keep(self, *, remove: bool = False) -> None:
        """Save the experiment as a preset of the user, or rename or remove one."""
        from ..screens.save_preset import SavePresetScreen

        model = self.model
        changes = sum(map(self._main.form.changed, field_table()))
        screen = SavePresetScreen(
            model.workspace.experiment, model.preset, changes, remove=remove, plain=self._app.plain
        )
        self._app.push_screen(screen, self._apply_preset_change)

    def _apply_preset_change(self, change: PresetChange | None) -> None:
        """Update the model and the list after a change of the user's presets."""
        if change is None:
            return
        model = self.model
        model.change_preset(change.old, change.new)
        self._main.experiments.load(list(model.presets.values()), model.chosen)
        self._updates.show_workspace()
        self._updates.mark()

    @_with_torch
    def action_runs(self, message: str = "") -> None:
        """List the runs on disk; ``message`` is shown below the list at first."""
        from ..runs.compare.subjects import of_workspace
        from ..runs.screen import RunsScreen

        workspace = of_workspace(self.model.workspace.training)

        def close(choice: RunChoice | None) -> None:
            if choice is not None:
                self.take_run(choice)
            self._updates.count_runs()  # some may have been removed

        self._app.push_screen(
            RunsScreen(plain=self._app.plain, workspace=workspace, message=message), close
        )

    def take_run(self, choice: RunChoice) -> None:
        """Open a run in the workspace of its experiment, or resume its training there.

        Another thread reads it: the loss floor alone of 10,000 points takes seconds.
        """
        from ..runs.load import load_run

        if own := self.model.own(choice.run.folder):
            self._show(own.experiment, own)
            return
        what = f"opening {choice.run.label} …"
        self._updates.read(what, partial(load_run, choice), partial(self._take_read, choice))

    def _offer_parts(self, choice: RunChoice, error: MissingPartError) -> None:
        """Ask whether to load the run's own copy of a part file, and open the run then."""
        from ...core.parts.loading import Loaded, run, take
        from ..runs.parts_prompt import PartsPrompt

        def take_copy(outcome: Future[Loaded]) -> None:
            try:
                take(outcome.result())
            except ConfigError as error:
                self._app.refuse("Parts not loaded", str(error))
            else:
                self.take_run(choice)

        def answer(yes: bool | None) -> None:
            if yes:
                what = f"loading {error.kept.name} …"
                self._updates.read(what, lambda: run(error.checked_copy()), take_copy)

        self._app.push_screen(PartsPrompt(error), answer)

    def _take_read(self, choice: RunChoice, outcome: Future[LoadedRun]) -> None:
        try:
            run = outcome.result()
        except MissingPartError as error:
            self._offer_parts(choice, error)
            return
        except (ConfigError, RunError) as error:
            self._app.refuse("Not opened", str(error))
            return
        for change in run.changed_parts:
            self._app.notify(change, title="Parts", severity="warning", markup=False)
        training = run.training
        if training is None:
            training = self.model.session.start(run.experiment, resume=run.folder)
        self._show(run.experiment, training)
        if run.watch is not None:
            self.model.workspace.watch = run.watch
            run.watch.start(self._notify)

    def _show(self, experiment: Experiment, training: Training) -> None:
        """Show a training in the workspace of its experiment."""
        self._updates.choose(self.model.put(experiment, training))
        self._updates.mark()

    @_with_torch
    def action_compare(self) -> None:
        """Compare the training with the experiment's latest other run, or let the user choose."""
        from ..runs.compare.subjects import beside_workspace

        training, chosen = self.model.workspace.training, self.model.chosen
        self._beside.start(partial(beside_workspace, training, chosen), self._compare)

    def _compare(self, outcome: Future[list[Candidate]]) -> None:
        try:
            sources = outcome.result()
        except RunError as error:
            self._app.refuse("Not compared", str(error))
            return
        if len(self._app.screen_stack) > 1:
            return  # another window was opened meanwhile
        if len(sources) > 1:
            from ..runs.compare.screen import CompareScreen

            self._app.push_screen(
                CompareScreen(sources), lambda other: self.action_runs() if other else None
            )
        else:
            self.action_runs("Choose runs to compare: space marks them, d compares the marked.")

    @_with_torch
    def action_code(self) -> None:
        """Show the source of the core's functions that the experiment uses."""
        from ..screens.code import CodeScreen

        self._app.push_screen(CodeScreen(self.model.workspace.experiment))

    def action_ask(self) -> None:
        """List the numbers on the screen with their explanations."""
        from ..screens.numbers import AskScreen, lab_sections

        main = self._main
        numbers = lab_sections(main.denoising, main.loss, main.status, main.gpu)
        self._app.push_screen(AskScreen(numbers, plain=self._app.plain))

    def action_help(self) -> None:
        """Open the help, with the keys of the focused panel or of the tab first."""
        from ..screens.help import HelpScreen, lab_page

        main = self._main
        groups = {main.loss: "Training", main.denoising: "Denoising"}
        default = "Setup" if main.form.is_on_screen else main.tab.capitalize()
        default = "Sweep" if main.sweep is not None and main.sweep.has_focus else default
        group = next((g for panel, g in groups.items() if panel.has_focus), default)
        page = lab_page(self.model.workspace, main.denoising, main.loss.view, group)
        self._app.push_screen(HelpScreen(page))
