"""What opens over the lab: each window, with what it is to show and who takes its answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from ...core.experiment import field_table

if TYPE_CHECKING:
    from ..app import Lab
    from ..runs import Choice

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
    from ..exporting import ExportScreen
    from ..exports import of_lab

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
    from ..keeping import KeepScreen, take_kept

    changes = sum(map(lab.form.changed, field_table()))
    screen = KeepScreen(lab.bench.experiment, lab.preset, changes, remove=remove, plain=lab.plain)
    lab.push_screen(screen, lambda kept: take_kept(lab, kept))


@_with_torch
def runs(lab: Lab, told: str = "") -> None:
    """The runs on disk; ``told`` is said there at first."""
    from ..comparison import of_bench
    from ..opening import take_run
    from ..runs import RunsScreen

    screen = RunsScreen(plain=lab.plain, bench=of_bench(lab.bench.training), told=told)

    def closed(choice: Choice | None) -> None:
        take_run(lab, choice)
        lab.count_runs()  # some may have been removed there

    lab.push_screen(screen, closed)


@_with_torch
def compare(lab: Lab) -> None:
    """The bench beside another run."""
    from ..compare import compare_bench

    compare_bench(lab)


@_with_torch
def code(lab: Lab) -> None:
    """The code that runs."""
    from ..code import CodeScreen

    lab.push_screen(CodeScreen(lab.bench.experiment))


def show_help(lab: Lab) -> None:
    """What is shown, and first the keys of the panel in focus, or of the tab."""
    from ..help import HelpScreen, lab_page

    groups = {lab.loss: "Training", lab.denoising: "Denoising"}
    seen = "Setup" if lab.form.is_on_screen else lab.tab.capitalize()
    group = next((g for panel, g in groups.items() if panel.has_focus), seen)
    lab.push_screen(HelpScreen(lab_page(lab.bench, lab.denoising, lab.loss.view, group)))
