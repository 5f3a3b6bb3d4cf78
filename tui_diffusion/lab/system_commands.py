"""Entries of the palette: actions of the lab or of a screen, and every view by its name."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand

from .panels.training import loss_views
from .views.names import PICTURES, views_of

if TYPE_CHECKING:
    from ..interface.keymap import Action
    from .actions.training import TrainingActions
    from .live_updates import LiveUpdates
    from .main_screen import MainScreen
    from .model import Model


def actions(
    listed: Iterable[Action], run: Callable[[str], Coroutine[Any, Any, bool]], prefix: str = ""
) -> Iterator[SystemCommand]:
    """Yield an entry for each action, with its key; ``run`` carries it out by its name."""
    for action in listed:
        label = f"{prefix}{action.label}" if prefix else action.label.capitalize()
        yield SystemCommand(f"{label} ({action.shown})", action.help, partial(run, action.name))


def views(
    main: MainScreen, model: Model, training: TrainingActions, updates: LiveUpdates
) -> Iterator[SystemCommand]:
    """Yield an entry for each view of the points and of the training, in the tab that holds it."""

    def show(choose: Callable[[str], None], name: str, tab: str) -> None:
        updates.show_tab(tab)
        choose(name)

    for name in views_of(model.workspace.experiment.dim):
        choose = partial(show, main.denoising.choose, name, "denoising")
        yield SystemCommand(f"View: {name}", PICTURES[name], choose)
    for name in loss_views(model.workspace.experiment):
        choose = partial(show, training.choose_loss_view, name, "training")
        yield SystemCommand(f"View of the training: {name}", PICTURES[name], choose)
