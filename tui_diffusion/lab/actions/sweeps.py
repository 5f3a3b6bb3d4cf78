"""Actions of the sweep's tab: plan, start, stop, resume, open, compare and export a sweep."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from ...core.config.errors import ConfigError
from ...core.runs.manifest import RunError
from ...core.runs.store import summarise
from ...core.sweeps.results import Ranking, SweepResults, sweep_results
from ...core.sweeps.store import StoredSweep
from ..messages import CellReady, SweepUpdate
from ..output.errors import line
from ..panels.sweep import SweepPanel
from ..reader import Reader
from ..runs.run_list import RunChoice
from ..sampling.worker import Worker
from ..sweeps.details import CellDetails, CellRequest, read_cell
from ..sweeps.plan import Pace, Plan, make_plan
from ..sweeps.runner import SweepRunner
from ..sweeps.words import trainings_done

if TYPE_CHECKING:
    from ...core.sweeps.results import Sampled
    from ...core.sweeps.store import SweepSummary
    from ...core.sweeps.sweep import Sweep
    from ..main_screen import MainScreen
    from ..model import Model
    from ..output.terminal_app import TerminalApp
    from .windows import Windows

_KEPT = 64
"""Number of cells whose trainings stay in memory."""

Make = Callable[..., SweepRunner]


class SweepActions:
    """Carries out what the sweep's panel asks for; made when the tab is first opened.

    ``make`` makes a runner; tests replace it.
    """

    def __init__(
        self,
        app: TerminalApp,
        model: Model,
        main: MainScreen,
        windows: Windows,
        make: Make = SweepRunner,
    ) -> None:
        self._app = app
        self._model = model
        self._windows = windows
        self._make = make
        self.runner: SweepRunner | None = None
        self.panel = SweepPanel(main.palette, main.glyphs)
        self.panel.level = lambda: main.denoising.playback.position / max(main.denoising.levels, 1)
        self._plans: Reader[Plan] = Reader(app)
        self._planned: tuple[object, ...] = ()
        self._ranks: Reader[Ranking | None] = Reader(app)
        self._ranked: tuple[object, ...] = ()
        self._opens: Reader[SweepResults] = Reader(app)
        self._cells: Worker[CellRequest, CellDetails] = Worker(
            read_cell,
            lambda details: app.post_while_running(CellReady(details)),
            lambda request, error: None,
        )
        self._cells.start()
        self._known: dict[object, CellDetails] = {}

    def close(self, timeout: float = 2.0) -> bool:
        """Stop the sweep and close the threads; return whether they have ended."""
        ended = self._cells.close(0.1)
        return (self.runner is None or self.runner.close(timeout)) and ended

    # --- the plan ----------------------------------------------------------------------------

    def plan(self) -> None:
        """Plan the sweep that the form describes, on another thread."""
        workspace, pace = self._model.workspace, self._pace()
        key = (workspace.experiment, workspace.variation, pace)
        if not self._model.loaded or key == self._planned:
            return
        self._planned = key
        self._plans.start(partial(make_plan, *key), self._take_plan)

    def _take_plan(self, outcome: Future[Plan]) -> None:
        self.panel.propose(outcome.result())

    def _pace(self) -> Pace | None:
        """Return the measured pace of the experiment's last training, if a CPU took it."""
        training = self._model.workspace.training
        if training is None or training.state.active or not training.rate or training.watched:
            return None
        return Pace(training.experiment, 1 / training.rate) if training.device == "cpu" else None

    # --- carrying out ------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the sweep that the form describes."""
        plan = self.panel.plan
        if self._refuse_second("Not trained"):
            return
        if self._plans.busy or not self._model.loaded:
            self._windows.not_yet("the sweep is being planned")
        elif plan is None or plan.sweep is None:
            why = plan.fault if plan is not None else ""
            self._app.refuse("Not trained", why or "no field varies; allowed: * on a field")
        else:
            self._run(plan.sweep, None, None)

    def _run(self, sweep: Sweep, stored: StoredSweep | None, results: SweepResults | None) -> None:
        self.runner = self._make(sweep, stored, self._notify)
        self.panel.show(results, self.runner)
        self.runner.start()

    def resume(self) -> None:
        """Do what is missing of the sweep that shows."""
        results = self.panel.results
        if results is None or self._refuse_second("Not resumed"):
            return
        if trainings_done(results) == len(results.sweep.trainings()):
            self._app.notify("Every training of this sweep is done.", title="Sweep")
            return
        self._run(results.sweep, results.stored, results)

    def _refuse_second(self, title: str) -> bool:
        active = self.runner is not None and self.runner.active
        if active:
            self._app.refuse(title, "a sweep is training; allowed: one at a time, x stops it")
        return active

    def halt(self) -> None:
        """Stop the sweep; what is done stays."""
        if self.runner is not None and self.runner.active:
            self.runner.halt()
            self.panel.redraw()

    def _notify(self) -> None:
        self._app.post_while_running(SweepUpdate())

    def tick(self) -> None:
        """Show how far the sweep is, if it is the one that shows."""
        runner, panel = self.runner, self.panel
        if runner is not None and panel.runner is runner and self._app.is_running:
            panel.show(runner.results or panel.results, runner)
            self.refresh()

    def refresh(self) -> None:
        """Rank the cells and read the trainings of the cell under the cursor, if not yet done."""
        panel = self.panel
        if not panel.is_on_screen:
            return
        results, key = panel.results, (id(panel.results), panel.measure)
        if results is not None and key != self._ranked and not self._ranks.busy:
            self._ranked = key
            self._ranks.start(partial(results.ranking, panel.measure), self._take_rank)
        request = panel.request
        if request is None or not self._model.loaded:
            return
        if known := self._known.get(request.key):
            panel.explain(known)
        else:
            self._cells.ask(request)

    def _take_rank(self, outcome: Future[Ranking | None]) -> None:
        self.panel.rank(outcome.result())
        self.refresh()  # the results may have changed meanwhile

    def take_cell(self, details: CellDetails) -> None:
        """Show the trainings of a cell that were read."""
        self._known[details.request.key] = details
        while len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))
        self.panel.explain(details)

    # --- sweeps on disk ----------------------------------------------------------------------

    def list(self) -> None:
        """List the sweeps on disk and open one."""
        from ..sweeps.prompts import SweepsScreen

        self._app.push_screen(SweepsScreen(plain=self._app.plain), self._open)

    def _open(self, chosen: SweepSummary | None) -> None:
        if chosen is None or chosen.stored is None:
            return
        runner = self.runner
        if runner is not None and runner.active and runner.folder == chosen.stored.folder:
            self.panel.show(runner.results, runner)
            self.refresh()
            return
        stored: StoredSweep = chosen.stored
        self._opens.start(partial(sweep_results, stored), self._take_sweep)

    def _take_sweep(self, outcome: Future[SweepResults]) -> None:
        try:
            results = outcome.result()
        except (RunError, ConfigError) as error:
            self._app.refuse("Not opened", str(error))
        else:
            self.panel.show(results)
            self.refresh()

    # --- cells -------------------------------------------------------------------------------

    def _shown(self, cell: int) -> Sampled | None:
        """Return the training of a cell whose points show, or its first complete one."""
        assert self.panel.results is not None
        done = [one for one in self.panel.results.cells[cell].seeds if one.report is not None]
        return done[self.panel.seed % len(done)] if done else None

    def open_cell(self) -> None:
        """Open the run of the cell under the cursor as the lab's training."""
        results = self.panel.results
        if results is None:
            return
        one = self._shown(self.panel.cursor)
        run = summarise(results.stored.run_folder(one.training)) if one is not None else None
        if run is None or not self._model.loaded:
            self._windows.not_yet("no training of this cell is done")
            return
        self._windows.take_run(RunChoice(run, "open"))
        self._app.simulate_key("3")

    def compare(self) -> None:
        """Compare the runs of the marked cells, with the one under the cursor if there is one."""
        from ..runs.compare.screen import CompareScreen
        from ..runs.compare.subjects import Candidate
        from ..sweeps.grid import cell_text

        results, panel = self.panel.results, self.panel
        if results is None or not self._model.loaded:
            return
        cells = panel.marked if len(panel.marked) > 1 else [*panel.marked, panel.cursor]
        sources = [
            Candidate(
                cell_text(results.cells[cell].cell) or f"seed {one.seed}",
                results.stored.run_folder(one.training),
            )
            for cell in dict.fromkeys(cells)
            if (one := self._shown(cell)) is not None
        ]
        if len(sources) < 2:
            self._app.refuse("Not compared", "mark two to four cells that are done, with space")
            return
        self._app.push_screen(
            CompareScreen(sources),
            lambda other: self._windows.action_runs() if other else None,
        )

    def export(self) -> None:
        """Open the export dialog for the sweep."""
        from ..screens.export import ExportScreen
        from ..screens.exports import of_sweep

        results = self.panel.results
        if results is None:
            self._app.refuse("Not exported", "no sweep shows; allowed: t trains one, o opens one")
            return
        light = not self._app.current_theme.dark
        choices = of_sweep(results, self.panel.measure)
        self._app.push_screen(ExportScreen(choices, light=light, plain=self._app.plain))

    # --- leaving -----------------------------------------------------------------------------

    def leave(self, then: Callable[[str], None]) -> bool:
        """Ask what becomes of a sweep that goes on; return whether there is one.

        ``then`` receives a line for the shell once the lab may end.
        """
        from ..sweeps.detached import go_on_alone, how_to_resume
        from ..sweeps.prompts import Answer, LeavePrompt

        runner = self.runner
        if runner is None or not runner.active or runner.folder is None:
            return False
        folder = runner.folder

        def end(answer: Answer, _: Future[bool]) -> None:
            text = how_to_resume(folder)
            if answer == "detach":
                try:
                    text = go_on_alone(folder)
                except OSError as error:
                    text = f"{text} ({line(error)})"
            then(text)

        def take(answer: Answer | None) -> None:
            if answer in ("detach", "stop"):
                self.halt()
                self._app.notify("stopping the workers …", title="Sweep", markup=False)
                ends: Reader[bool] = Reader(self._app)
                ends.start(partial(runner.close, 30.0), partial(end, answer))

        progress = runner.progress
        done = f", {progress.done} of {progress.trainings} done" if progress is not None else ""
        self._app.push_screen(LeavePrompt(folder.name, done), take)
        return True
