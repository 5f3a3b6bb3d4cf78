"""The lines of text of the sweep's panel, as pairs of text and role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.sweeps.measures import MEASURES
from ...core.text import shown
from ..formatting import duration, number, rate_text
from .grid import cell_text

if TYPE_CHECKING:
    from ...core.sweeps.results import SweepResults
    from ..views.sweep_map import SweepView
    from .plan import Plan
    from .runner import SweepRunner

Line = tuple[str, str]

_FIRST = (
    "A sweep trains an experiment with many values of its fields, each with several seeds,\n"
    "and shows which values differ by more than their seeds do.\n\n"
    "In the setup, * on a field gives it values: 16,32,64 or 1e-4..1e-1:log7.\n"
    "* on the seed sets the number of seeds. Up to two fields can vary.\n\n"
    "o lists the sweeps on disk."
)


def hint_text(plan: Plan | None, runner: SweepRunner | None) -> str:
    """Return the text that shows while there is no sweep: how to ask for one, or its plan."""
    if runner is not None and runner.active:
        return "starting …"
    if plan is None or (plan.sweep is None and not plan.fault):
        return _FIRST
    if plan.sweep is None:
        return f"This sweep cannot be:\n{plan.fault}"
    lines = [*plan.values, "", plan.cost]
    if plan.left_out:
        lines.append(plan.left_out)
    return "\n".join([*lines, "", "4, then t, trains all"])


def progress_line(results: SweepResults | None, runner: SweepRunner | None) -> list[Line]:
    """Return how far the sweep is, or why it stopped."""
    if runner is not None and runner.fault:
        return [(f" {shown(runner.fault)}", "alert")]
    progress = runner.progress if runner is not None else None
    if runner is None or progress is None:
        return _stored(results) if runner is None else []
    state = "training" if runner.active else "finished"
    if runner.active and runner.halting:
        state = "stopping"
    elif not runner.active and progress.done + progress.failed < progress.trainings:
        state = "stopped: p goes on"
    words = [
        f"{progress.done:,}/{progress.trainings:,} trainings",
        f"{progress.cells_done:,}/{progress.cells:,} cells",
    ]
    if progress.diverged:
        words.append(f"{progress.diverged} diverged")
    if runner.active and progress.rate is not None and progress.left is not None:
        words += [rate_text(progress.rate).replace("/s", " steps/s"),
                  f"{duration(progress.left)} left"]  # fmt: skip
    line = [(f" {state}  ", "text"), ("  ".join(words), "axis")]
    if progress.failed:
        line.append((f"  {progress.failed} failed: {shown(runner.news)}", "alert"))
    return line


def _stored(results: SweepResults | None) -> list[Line]:
    """Return what is done of a sweep from disk."""
    if results is None:
        return []
    total, done = len(results.sweep.trainings()), trainings_done(results)
    state = "interrupted: p goes on" if done < total else "finished"
    return [(f" {state}  ", "text"), (f"{done:,}/{total:,} trainings", "axis")]


def trainings_done(results: SweepResults) -> int:
    """Return the number of trainings that are complete."""
    every = (one for result in results.cells for one in result.seeds)
    return len({one.training.name for one in every if one.report is not None})


def cell_line(view: SweepView) -> list[Line]:
    """Return the settings of the cell under the cursor, its measure, and its place."""
    result = view.results.cells[view.cursor]
    measure = MEASURES[view.measure]
    settings = cell_text(result.cell)
    line = [(f" {settings}  " if settings else " ", "text")]
    spread = result.spread(view.measure)
    if spread is not None:
        words = f"{measure.name} {number(spread.median)}"
        if spread.low < spread.high:
            words += f" ({number(spread.low)} to {number(spread.high)})"
        real = result.real(view.measure)
        words += f", real {number(real)}" if real is not None else ""
        line.append((words, "axis"))
    if result.diverged:
        line.append((f"  {result.diverged}/{len(result.seeds)} diverged", "alert"))
    if view.ranking is not None and view.cursor in view.best:
        alike = "best" if view.cursor == view.ranking.best else "not beaten by the best"
        line.append((f"  {alike}", "goal"))
    if not result.done:
        line.append(("not done yet", "axis"))
    return line


def plan_line(plan: Plan | None) -> list[Line]:
    """Return what the sweep of the form would cost."""
    if plan is None or plan.sweep is None:
        fault = plan.fault if plan is not None else ""
        return [(f" {shown(fault)}", "alert")] if fault else []
    name = plan.axes or "seeds alone"
    line = [(" t ", "mark"), (f"trains {name}: {plan.cost}", "axis")]
    if plan.left_out:
        line.append((f"; {plan.left_out}", "axis"))
    return line
