"""A line with each GPU's load and memory; it needs a GPU and nvidia-ml-py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.style import Style
from textual.message import Message

from ...core.numbered_text import NumberedText, joined
from ..readings import run_of
from .text_line import TextLine

if TYPE_CHECKING:
    from ...interface.gpus import Gpu

_EVERY = 1.0
"""Seconds between two readings during a training."""


class GpuLine(TextLine):
    """A line with as many GPUs as fit; hidden if none can be read."""

    DEFAULT_CSS = """
    GpuLine { display: none; }
    """

    class Found(Message):
        """The reader of the available GPUs."""

        def __init__(self, read: Callable[[], list[Gpu]]) -> None:
            super().__init__()
            self.read = read

    def __init__(self, busy: Callable[[], bool], style: Callable[[], Style]) -> None:
        """Read the GPUs while ``busy`` returns True, and once before and once after."""
        super().__init__(id="gpu")
        self._busy, self._style = busy, style
        self._texts: list[NumberedText] = []
        self._was_busy = False

    def search(self) -> None:
        """Search for GPUs in a thread, because a driver may respond slowly."""
        threading.Thread(target=self._find, name="gpu", daemon=True).start()

    def _find(self) -> None:
        from ...interface.gpus import find_gpus

        read = find_gpus()
        if read is not None and self.is_running:
            self.post_message(self.Found(read))

    def on_gpu_line_found(self, message: Found) -> None:
        message.stop()
        self._update(message.read)
        self.display = bool(self._texts)
        self.set_interval(_EVERY, lambda: self._look_again(message.read))

    def _look_again(self, read: Callable[[], list[Gpu]]) -> None:
        busy = self._busy()
        if busy or self._was_busy:
            self._update(read)
        self._was_busy = busy

    def _update(self, read: Callable[[], list[Gpu]]) -> None:
        texts = [joined([" ", gpu.numbered_text(), " "]) for gpu in read()]
        if texts != self._texts:
            self._texts = texts
            self.write([run_of(text, self._style()) for text in texts])
