"""What the lab says about itself: the guided first run, and the tour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..breakpoints import WIDE
from ..session.records import SessionState
from ..widgets.hint_bar import LEAST_HEIGHT, HintBar
from .stations import Guide, Outcome, VisibleState

if TYPE_CHECKING:
    from ..main_screen import MainScreen
    from ..model import Model
    from ..screens.tour import TourStation

_ROWS = {80: 2, 0: 3}
"""Lines that the guide's text takes, by the width from which it does."""


class Guidance:
    """Follows what a person does in a lab, and writes the note above its footer.

    ``choose`` puts another experiment on the bench; ``guided``: the guide has been seen;
    ``station``: the one that the tour opens with next.
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
        """Begin the guided first run, or begin it again."""
        self.guided, self._here = True, None
        self._guide.at = 0
        self.write()

    def end(self) -> None:
        """Say no more; after a tour go back to the experiment that it began at."""
        model = self._model
        here = self._here.experiment if self._here is not None else ""
        self._guide.at, self._here = None, None
        if here == model.chosen != self._home and self._home in model.workspaces:
            self._choose(self._home)
        else:
            self.write()

    def did(self, action: str) -> None:
        """Take what the person has done: an action of the lab, or "choose"."""
        if self._guide.did(action.partition("(")[0]):
            self.write()
        self.view_state()

    def view_state(self) -> None:
        """See what has come of it by now."""
        if self._guide.at is not None and self._guide.see(self._sight()):
            self.write()

    def _sight(self) -> VisibleState:
        main = self._main
        panel = main.denoising
        showing = main.app.size.width >= WIDE or main.tab == "denoising"
        source = (
            panel.trajectory.request.source if panel.trajectory is not None and showing else None
        )
        return VisibleState(self._outcome(), source, panel.level, panel.truth)

    def _outcome(self) -> Outcome:
        training = self._model.workspace.training
        if training is None:
            return "none"
        if training.state.active:
            return "under way"
        if training.state in (SessionState.FAILED, SessionState.DIVERGED):
            return "broken"
        return "done" if training.step and self._model.workspace.trained() is not None else "none"

    def write(self) -> None:
        """The note as it should be now, in this size."""
        main, guide, note = self._main, self._guide, self._main.note
        width, height = main.app.size
        if height < LEAST_HEIGHT:
            note.hush()
        elif guide.station is not None:
            end = "`escape` skips" if guide.station.deed else "`escape` closes"
            text = guide.text(None if width >= WIDE else main.tab)
            rows = next(rows for least, rows in _ROWS.items() if width >= least)
            note.say(guide.head(), text, end, width, rows)
        elif self._here is not None and self._here.experiment == self._model.chosen:
            self._remind(note, width, self._here)
        else:
            note.hush()

    def _remind(self, note: HintBar, width: int, here: TourStation) -> None:
        """Where the tour stands, while its experiment is on the bench."""
        from ..screens.tour import TOUR

        number = TOUR.index(here) + 1
        head = f"Tour {number} of {len(TOUR)}"
        end = "`u` goes on" if number < len(TOUR) else "`u` opens it again"
        end += "  `escape` ends" if self._home == here.experiment else "  `escape` goes back"
        room = width + 4 - len(f" {head}  {end} ")
        texts = (f"{here.script}: {here.reminder}", here.reminder)
        text = next((text for text in texts if len(text.replace("`", "")) <= room), here.reminder)
        note.say(head, text, end, width, int(len(text.replace("`", "")) > room))

    def action_tour(self) -> None:
        """Open the tour where it was left: after a station that was tried at the next one."""
        from ..screens.tour import TOUR, TourScreen

        screen = TourScreen(self.station)

        def closed(station: int | None) -> None:
            self.station = self.station if station is None else station
            if screen.tried:
                self._home = self._model.chosen if self._here is None else self._home
                self._here = here = TOUR[self.station]
                self.station = min(self.station + 1, len(TOUR) - 1)
                self._guide.at = None
                self._choose(here.experiment)
            self.write()

        self._main.app.push_screen(screen, closed)
