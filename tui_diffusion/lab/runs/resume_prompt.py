"""The offer to resume a training that the last session of the lab left unfinished."""

from __future__ import annotations

from collections.abc import Container

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from ...core.runs.manifest import RunError
from ...core.runs.store import Summary, age_text, latest_run
from ...core.text import shown
from ..screens.question import Question


def unfinished(experiments: Container[str], declined: str | None) -> Summary | None:
    """Return the run written last if the user may want to resume it, else None.

    The run must be resumable, belong to one of ``experiments``, and not be the run ``declined``.
    Read two small files and import no torch.
    """
    try:
        run = latest_run()
    except RunError:
        return None  # the runs screen shows the error
    if run is None or run.about is None or not run.resumable or not run.name.isprintable():
        return None
    return run if run.about.experiment in experiments and run.name != declined else None


class ResumePrompt(Question[bool | None]):
    """One question over the lab: enter resumes, escape declines.

    Any other key closes it without an answer (None) and goes on to the lab.
    """

    BINDINGS = [
        Binding("enter", "answer(True)", "go on"),
        Binding("escape", "answer(False)", "not now"),
    ]

    def __init__(self, run: Summary) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        about = self._run.about
        assert about is not None
        age = age_text(self._run.age())
        when = "just now" if age == "now" else f"{age} ago"
        question = Static(
            f"{shown(about.experiment)} was stopped at step {about.step:,}/{about.steps:,}, {when}",
            markup=False,
        )
        question.border_title = "Go on?"
        question.border_subtitle = "enter goes on, escape declines"
        yield question

    def on_click(self) -> None:
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        if event.key not in ("enter", "escape"):
            event.stop()
            self.dismiss(None)
            self.app.call_later(self.app.post_message, events.Key(event.key, event.character))
