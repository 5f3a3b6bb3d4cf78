"""What opens over the lab: each window, with what it is to show and who takes its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from ...core.config.errors import ConfigError
from ...core.config.experiment import field_table
from ...core.config.presets import base_of
from ...core.runs.manifest import RunError
from ...core.runs.resume import continued
from ...core.runs.run import open_run
from ..panels.experiments import ExperimentList
from ..runs.compare.screen import CompareScreen
from ..runs.compare.subjects import beside_bench
from ..runs.load import opened
from ..runs.resume_prompt import OfferScreen, unfinished
from ..screens.save_preset import Kept
from ..session.records import State
from ..workspace import Bench

if TYPE_CHECKING:
    from ..app import Lab
    from ..runs.run_list import Choice

P = ParamSpec("P")
Act = Callable[Concatenate["Lab", P], None]


def _not_yet(lab: Lab, what: str) -> None:
    lab.notify(f"{what}: again in a moment", title="Not yet", timeout=2, markup=False)


def _with_torch(act: Act[P]) -> Act[P]:
    """An action that waits until torch is there, as it would not answer while it loads it."""

    @wraps(act)
    def once_loaded(lab: Lab, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if lab.loaded:
            act(lab, *args, **kwargs)
        else:
            _not_yet(lab, "torch is being loaded")

    return once_loaded


@_with_torch
def export(lab: Lab) -> None:
    """Write what is shown to a file."""
    from ..screens.export import ExportScreen
    from ..screens.exports import of_lab

    film = lab.denoising.film
    if film is None:
        _not_yet(lab, "the denoising is being made")
        return
    panel = lab.denoising
    training_first = lab.loss.has_focus or not panel.is_on_screen
    offer = of_lab(
        film, panel.view, panel.play.place, lab.bench.trained(), lab.loss, training_first
    )
    light = not lab.current_theme.dark
    lab.push_screen(ExportScreen(offer, light=light, plain=lab.plain))


def keep(lab: Lab, *, remove: bool = False) -> None:
    """Keep the experiment as a preset of one's own; or rename or remove one."""
    from ..screens.save_preset import KeepScreen

    changes = sum(map(lab.form.changed, field_table()))
    screen = KeepScreen(lab.bench.experiment, lab.preset, changes, remove=remove, plain=lab.plain)
    lab.push_screen(screen, lambda kept: take_kept(lab, kept))


@_with_torch
def runs(lab: Lab, told: str = "") -> None:
    """The runs on disk; ``told`` is said there at first."""
    from ..runs.compare.subjects import of_bench
    from ..runs.screen import RunsScreen

    screen = RunsScreen(plain=lab.plain, bench=of_bench(lab.bench.training), told=told)

    def closed(choice: Choice | None) -> None:
        take_run(lab, choice)
        lab.count_runs()  # some may have been removed there

    lab.push_screen(screen, closed)


@_with_torch
def compare(lab: Lab) -> None:
    """The bench beside another run."""

    compare_bench(lab)


@_with_torch
def code(lab: Lab) -> None:
    """The code that runs."""
    from ..screens.code import CodeScreen

    lab.push_screen(CodeScreen(lab.bench.experiment))


def show_help(lab: Lab) -> None:
    """What is shown, and first the keys of the panel in focus, or of the tab."""
    from ..screens.help import HelpScreen, lab_page

    groups = {lab.loss: "Training", lab.denoising: "Denoising"}
    seen = "Setup" if lab.form.is_on_screen else lab.tab.capitalize()
    group = next((g for panel, g in groups.items() if panel.has_focus), seen)
    lab.push_screen(HelpScreen(lab_page(lab.bench, lab.denoising, lab.loss.view, group)))


if TYPE_CHECKING:
    from ..app import Lab
    from ..runs.run_list import Choice


def compare_bench(lab: Lab) -> None:
    """Put the bench beside the latest other run of its experiment, or let runs be chosen."""
    try:
        sources = beside_bench(lab.bench.training, lab.chosen)
    except RunError as error:
        lab.refuse("Not compared", str(error))
        return
    if len(sources) > 1:
        lab.push_screen(CompareScreen(sources), lambda other: lab.action_runs() if other else None)
    else:
        lab.action_runs("Choose what to compare: space marks runs, d compares the marked.")


def take_kept(lab: Lab, kept: Kept | None) -> None:
    """Follow in a lab what became of the presets of one's own."""
    if kept is None:
        return
    bench = lab.bench
    if kept.was is not None:
        del lab.presets[kept.was], lab.benches[kept.was]
    if kept.now is not None:
        lab.chosen = kept.now.id
        lab.presets[lab.chosen] = kept.now
        named = bench.experiment.model_copy(update={"name": lab.chosen})
        lab.benches[lab.chosen] = replace(bench, experiment=named)
    else:
        lab.chosen = base_of(bench.experiment).id
    lab.query_one(ExperimentList).load(list(lab.presets.values()), lab.chosen)
    lab.show_bench()
    lab.following.mark()


def offer_to_go_on(lab: Lab) -> None:
    """Ask whether to go on with what was left in mid-training by the last start.

    The guide waits for the answer: who goes on has no use for it now.
    """
    run = unfinished(lab.offered, lab.declined)

    def answered(yes: bool | None) -> None:
        if lab.guide and not yes:
            lab.learning.begin()
        if yes and run is not None:
            lab.go_on_with(run)
        elif yes is False and run is not None:
            lab.declined = run.name

    if run is None:
        answered(None)
    else:
        lab.push_screen(OfferScreen(run), answered)


def take_run(lab: Lab, choice: Choice | None) -> None:
    """Open a run on the bench of its experiment, or go on with its training there."""
    if choice is None:
        return
    folder = str(choice.run.folder.absolute())
    more = {} if choice.steps is None else {"training.steps": choice.steps}
    try:
        experiment, training = opened(folder)
        if more or (choice.what == "resume" and training.state is State.STOPPED):
            experiment = continued(open_run(folder), more)
            training = lab.session.start(experiment, resume=folder)
    except (ConfigError, RunError) as error:
        lab.refuse("Not opened", str(error))
        return
    name = experiment.name if experiment.name in lab.benches else base_of(experiment).id
    lab.benches[name] = Bench(experiment, training)
    lab.choose(name)
    lab.following.mark()
