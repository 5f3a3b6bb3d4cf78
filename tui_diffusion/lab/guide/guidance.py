"""The guidance above the key bar: the guided first run and the tour's reminders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..breakpoints import WIDE
from ..session.records import SessionState
from ..widgets.hint_bar import LEAST_HEIGHT, HintBar
from .stations import Guide, NetworkState, VisibleState

if TYPE_CHECKING:
    from ..main_screen import MainScreen
    from ..model import Model
    from ..screens.tour import TourStation

_ROWS = {80: 2, 0: 3}
"""Lines of the guide's text, by the least width in columns."""


class Guidance:
    """Follows the actions of the user and writes the note above the key bar.

    ``choose`` shows another experiment by its name. ``guided``: whether the guide has been shown.
    ``station``: the index of the station at which the tour opens next.
    """

    def __init__(
        self,
        model: Model,
        main: MainScreen,
        choose: Callable[[str], None],
        *,
        guided: bool,
        station: int,
    ) -> None:
        self._model = model
        self._main = main
        self._choose = choose
        self.guided = guided
        self.station = station
        self._guide = Guide()
        self._here: TourStation | None = None
        self._home = ""

    def begin(self) -> None:
        """Start or restart the guided first run."""
        self.guided, self._here = True, None
        self._guide.at = 0
        self.write()

    def end(self) -> None:
        """Hide the note; after a tour, return to the experiment that was chosen before it."""
        model = self._model
        toured = self._here.experiment if self._here is not None else ""
        self._guide.at, self._here = None, None
        if toured == model.chosen != self._home and self._home in model.workspaces:
            self._choose(self._home)
        else:
            self.write()

    def did(self, action: str) -> None:
        """Record an action of the user: an action of the lab, or "choose"."""
        if self._guide.did(action.partition("(")[0]):
            self.write()
        self.update()

    def update(self) -> None:
        """Pass the visible state to the guide; write the note if it changes."""
        if self._guide.at is not None and self._guide.see(self._visible_state()):
            self.write()

    def _visible_state(self) -> VisibleState:
        main = self._main
        panel = main.denoising
        showing = main.app.size.width >= WIDE or main.tab == "denoising"
        source = (
            panel.trajectory.request.source if panel.trajectory is not None and showing else None
        )
        return VisibleState(self._network_state(), source, panel.level, panel.truth)

    def _network_state(self) -> NetworkState:
        workspace = self._model.workspace
        training = workspace.training
        if training is None:
            return "none"
        if training.state.active:
            return "training"
        if training.state in (SessionState.FAILED, SessionState.DIVERGED):
            return "failed"
        return "trained" if training.step and workspace.trained() is not None else "none"

    def write(self) -> None:
        """Write the note for the current state and size."""
        main, guide, note = self._main, self._guide, self._main.note
        width, height = main.app.size
        if height < LEAST_HEIGHT:
            note.hush()
        elif guide.station is not None:
            end = "`escape` skips" if guide.station.task else "`escape` closes"
            text = guide.text(None if width >= WIDE else main.tab)
            rows = next(rows for least, rows in _ROWS.items() if width >= least)
            note.say(guide.head(), text, end, width, rows)
        elif self._here is not None and self._here.experiment == self._model.chosen:
            self._remind(note, width, self._here)
        else:
            note.hush()

    def _remind(self, note: HintBar, width: int, here: TourStation) -> None:
        """Write the tour's reminder while its experiment is chosen."""
        from ..screens.tour import TOUR

        number = TOUR.index(here) + 1
        head = f"Tour {number} of {len(TOUR)}"
        end = "`u` goes on" if number < len(TOUR) else "`u` opens it again"
        end += "  `escape` ends" if self._home == here.experiment else "  `escape` goes back"
        room = width + 4 - len(f" {head}  {end} ")
        name = here.script or here.experiment
        texts = (f"{name}: {here.reminder}", here.reminder)
        text = next((text for text in texts if len(text.replace("`", "")) <= room), here.reminder)
        note.say(head, text, end, width, int(len(text.replace("`", "")) > room))

    def action_tour(self) -> None:
        """Open the tour at the last station, or at the next one if that was tried."""
        from ..screens.tour import TOUR, TourScreen

        screen = TourScreen(self.station)

        def close(station: int | None) -> None:
            self.station = self.station if station is None else station
            if screen.tried:
                self._home = self._model.chosen if self._here is None else self._home
                self._here = here = TOUR[self.station]
                self.station = min(self.station + 1, len(TOUR) - 1)
                self._guide.at = None
                self._choose(here.experiment)
            self.write()

        self._main.app.push_screen(screen, close)
