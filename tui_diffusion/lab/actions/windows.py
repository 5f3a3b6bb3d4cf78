"""What opens over the lab: each window, with what it is to show and who takes its answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from ...core.config.errors import ConfigError
from ...core.config.experiment import field_table
from ...core.runs.manifest import RunError
from ..reader import Reader
from ..runs.compare.screen import CompareScreen
from ..runs.compare.subjects import Candidate, beside_workspace
from ..runs.load import ToOpen, read
from ..screens.save_preset import PresetChange

if TYPE_CHECKING:
    from ..live_updates import LiveUpdates
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from ..runs.run_list import RunChoice

P = ParamSpec("P")
Act = Callable[Concatenate["Windows", P], None]


def _with_torch(act: Act[P]) -> Act[P]:
    """An action that waits until torch is there, as it would not answer while it loads it."""

    @wraps(act)
    def once_loaded(windows: Windows, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if windows.model.loaded:
            act(windows, *args, **kwargs)
        else:
            windows.not_yet("torch is being loaded")

    return once_loaded


class Windows:
    """Opens them, and takes their answers into the model."""

    def __init__(
        self, app: TerminalApp, model: Model, main: MainScreen, updates: LiveUpdates
    ) -> None:
        self._app = app
        self.model = model
        self._main = main
        self._updates = updates
        self._beside: Reader[list[Candidate]] = Reader(app)

    def not_yet(self, what: str) -> None:
        """Say what has to be awaited."""
        self._app.notify(f"{what}: again in a moment", title="Not yet", timeout=2, markup=False)

    @_with_torch
    def action_export(self) -> None:
        """Write what is shown to a file."""
        from ..screens.export import ExportScreen
        from ..screens.exports import of_lab

        panel, loss = self._main.denoising, self._main.loss
        if panel.trajectory is None:
            self.not_yet("the denoising is being made")
            return
        training_first = loss.has_focus or not panel.is_on_screen
        trained = self.model.workspace.trained()
        offer = of_lab(
            panel.trajectory, panel.view, panel.playback.position, trained, loss, training_first
        )
        light = not self._app.current_theme.dark
        self._app.push_screen(ExportScreen(offer, light=light, plain=self._app.plain))

    def action_keep(self, *, remove: bool = False) -> None:
        """Keep the experiment as a preset of one's own; or rename or remove one."""
        from ..screens.save_preset import SavePresetScreen

        model = self.model
        changes = sum(map(self._main.form.changed, field_table()))
        screen = SavePresetScreen(
            model.workspace.experiment, model.preset, changes, remove=remove, plain=self._app.plain
        )
        self._app.push_screen(screen, self._take_kept)

    def _take_kept(self, kept: PresetChange | None) -> None:
        """Follow what became of the presets of one's own."""
        if kept is None:
            return
        model = self.model
        model.change_preset(kept.was, kept.now)
        self._main.experiments.load(list(model.presets.values()), model.chosen)
        self._updates.show_bench()
        self._updates.mark()

    @_with_torch
    def action_runs(self, told: str = "") -> None:
        """The runs on disk; ``told`` is said there at first."""
        from ..runs.compare.subjects import of_workspace
        from ..runs.screen import RunsScreen

        workspace = of_workspace(self.model.workspace.training)

        def closed(choice: RunChoice | None) -> None:
            if choice is not None:
                self.take_run(choice)
            self._updates.count_runs()  # some may have been removed there

        self._app.push_screen(
            RunsScreen(plain=self._app.plain, workspace=workspace, told=told), closed
        )

    def take_run(self, choice: RunChoice) -> None:
        """Open a run on the bench of its experiment, or go on with its training there.

        It is read on another thread: the loss floor alone of 10,000 points takes seconds.
        """
        what = f"opening {choice.run.label} …"
        self._updates.read(what, partial(read, choice), self._take_read)

    def _take_read(self, outcome: Future[ToOpen]) -> None:
        try:
            run = outcome.result()
        except (ConfigError, RunError) as error:
            self._app.refuse("Not opened", str(error))
            return
        training = run.training
        if training is None:
            training = self.model.session.start(run.experiment, resume=run.folder)
        self._updates.choose(self.model.put(run.experiment, training))
        self._updates.mark()

    @_with_torch
    def action_compare(self) -> None:
        """The bench beside the latest other run of its experiment, or let runs be chosen."""
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
            self._app.push_screen(
                CompareScreen(sources), lambda other: self.action_runs() if other else None
            )
        else:
            self.action_runs("Choose what to compare: space marks runs, d compares the marked.")

    @_with_torch
    def action_code(self) -> None:
        """The code that runs."""
        from ..screens.code import CodeScreen

        self._app.push_screen(CodeScreen(self.model.workspace.experiment))

    def action_ask(self) -> None:
        """The list of the numbers on the screen."""
        from ..screens.numbers import AskScreen, places

        main = self._main
        numbers = places(main.denoising, main.loss, main.status, main.gpu)
        self._app.push_screen(AskScreen(numbers, plain=self._app.plain))

    def action_help(self) -> None:
        """What is shown, and first the keys of the panel in focus, or of the tab."""
        from ..screens.help import HelpScreen, lab_page

        main = self._main
        groups = {main.loss: "Training", main.denoising: "Denoising"}
        seen = "Setup" if main.form.is_on_screen else main.tab.capitalize()
        group = next((g for panel, g in groups.items() if panel.has_focus), seen)
        page = lab_page(self.model.workspace, main.denoising, main.loss.view, group)
        self._app.push_screen(HelpScreen(page))
