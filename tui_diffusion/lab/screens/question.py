"""A question over the lab, in a box at the bottom."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..output.screens import ModalWindow

Answer = TypeVar("Answer")


class Question(ModalWindow[Answer], Generic[Answer]):
    """One question, a `Static` with keys in its text; the action ``answer`` closes it."""

    DEFAULT_CSS = """
    Question { align: center bottom; }
    Question Static {
        width: auto; max-width: 96%; height: auto; margin: 0 0 1 0; padding: 0 1;
        border: round $accent; background: $surface; border-title-color: $text;
    }
    """

    def action_answer(self, answer: Answer) -> None:
        self.dismiss(answer)
