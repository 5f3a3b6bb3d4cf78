"""The question whether to load the part file that a run keeps."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from ...core.runs.manifest import MissingPartError
from ...core.text import shown
from ..screens.question import Question


class PartsPrompt(Question[bool]):
    """One question over the lab, with what would be loaded: y loads it, escape does not."""

    DEFAULT_CSS = """
    PartsPrompt Static { border: round $warning; }
    """
    BINDINGS = [
        Binding("y", "answer(True)", "load it"),
        Binding("escape,n,q", "answer(False)", "not now"),
    ]

    def __init__(self, error: MissingPartError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        kept = self._error.kept
        question = Static(
            f"The run uses {shown(kept.settings)}, not loaded here. It keeps the code in a file:\n"
            f"{shown(str(self._error.copy))}\n{kept.size:,} bytes, SHA-256 {kept.checksum}\n"
            "Code of a part file can do anything that you can. Load it only if you trust the run.",
            markup=False,
        )
        question.border_title = "Load the code of this run?"
        question.border_subtitle = "y loads it, escape does not"
        yield question
