"""Take a result away: what is shown, as a film, a picture, numbers or a script."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from .film import Film
    from .session import Training

KINDS = (
    (".gif", "the denoising, out and back"),
    (".mp4", "the denoising as a film"),
    (".png", "a grid of levels"),
    (".svg", "the levels as a vector picture"),
    (".csv", "points at every level, and the losses"),
    (".npz", "the same as arrays"),
    (".py", "a script of its own that trains and samples the same"),
)


class ExportScreen(ModalScreen[None]):
    """Asks for a file and writes it in a thread; its suffix says what it shall be."""

    DEFAULT_CSS = """
    ExportScreen { align: center middle; }
    ExportScreen Vertical {
        width: 76; max-width: 96%; height: auto; border: round $accent; background: $surface;
        padding: 0 2; border-title-color: $text;
    }
    ExportScreen Input { margin: 1 0 0 0; }
    .ascii ExportScreen Vertical { border: ascii $accent; }
    ExportScreen #told { height: auto; min-height: 2; }
    """
    BINDINGS = [Binding("escape", "dismiss", "close")]

    class Told(Message):
        """The thread has something to say."""

        def __init__(self, text: str, *, done: bool = False) -> None:
            super().__init__()
            self.text = text
            self.done = done

    def __init__(self, film: Film, training: Training | None) -> None:
        super().__init__()
        self.film = film
        self.training = training
        self._refused = ""
        self._busy = False

    def compose(self) -> ComposeResult:
        name = self.film.wish.experiment.name
        with Vertical() as box:
            box.border_title = "Export"
            box.border_subtitle = "enter writes, escape closes"
            lines = [f"{suffix:<6}{about}" for suffix, about in KINDS]
            yield Static("The suffix says what is written:\n" + "\n".join(lines), markup=False)
            yield Input(f"{name}.gif", placeholder="file", select_on_focus=False)
            yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._busy or not event.value.strip():
            return
        file = Path(event.value.strip()).expanduser()
        from ..export.formats import ExportError, Options, check

        # A second enter on the same file that is there replaces it.
        options = Options(force=self._refused == str(file))
        try:
            check(file, options)
        except ExportError as error:
            there = file.exists() and not options.force
            self._refused = str(file) if there else ""
            self._tell(f"{error}" + ("\nenter again replaces it" if there else ""))
            return
        self._busy = True
        self._tell(f"writing {file} …")
        threading.Thread(
            target=self._write, args=(file, options), name="export", daemon=True
        ).start()

    def _write(self, file: Path, options: object) -> None:
        """In a thread: write the file and say how far it is."""
        from ..export import Options, export
        from ..export.exhibit import Exhibit

        assert isinstance(options, Options)
        wish, training = self.film.wish, self.training
        makers = {"forward": "true data", "ideal": "ideal denoiser", "network": "network"}
        exhibit = Exhibit(wish.experiment, self.film.trajectory, maker=makers[wish.source])
        if training is not None and training.losses is not None and wish.source == "network":
            losses = training.losses[: training.step].copy()
            exhibit = Exhibit(wish.experiment, self.film.trajectory, losses)
        try:
            files = export(exhibit, file, options, self._progress)
        except (OSError, ValueError, RuntimeError) as error:
            self.post_message(self.Told(" ".join(str(error).split()), done=True))
        else:
            sizes = [f"{path}  {path.stat().st_size:,} bytes" for path in files]
            self.post_message(self.Told("written: " + "\n".join(sizes), done=True))

    def _progress(self, done: int, total: int) -> None:
        self.post_message(self.Told(f"writing … {done}/{total}"))

    def on_export_screen_told(self, message: Told) -> None:
        if message.done:
            self._busy, self._refused = False, ""
        self._tell(message.text)

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(text)
