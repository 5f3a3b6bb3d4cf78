"""Take a result away: what is shown, as a film, a picture, numbers or a script."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from ..core.values import expanded, shown
from .entry import Entry
from .fault import line
from .screens import Modal

if TYPE_CHECKING:
    from ..export import Options
    from .film import Film
    from .session import Training

KINDS = {
    ".gif": "the denoising, out and back",
    ".mp4": "the denoising as a film",
    ".png": "a grid of levels",
    ".svg": "the screen as it is",
    ".csv": "points at every level, and the losses",
    ".npz": "the same as arrays",
    ".py": "a script of its own that does the same",
}


class ExportScreen(Modal[None]):
    """Asks for a file and writes it in a thread; its suffix says what it shall be."""

    DEFAULT_CSS = """
    ExportScreen Vertical {
        width: 72; max-width: 96%; height: auto; border: round $accent; background: $surface;
        padding: 0 2; border-title-color: $text;
    }
    ExportScreen Horizontal { height: 1; }
    ExportScreen Label { width: auto; margin-right: 1; color: $text-muted; }
    ExportScreen Input { width: 1fr; }
    ExportScreen .option { width: 10; margin-right: 2; }
    ExportScreen #file-row { margin: 1 0 0 0; }
    ExportScreen #told { height: auto; min-height: 2; margin: 1 0 0 0; }
    """
    BINDINGS = [Binding("escape", "dismiss", "close")]

    class Told(Message):
        """The thread has something to say."""

        def __init__(self, text: str, *, done: bool = False) -> None:
            super().__init__()
            self.text = text
            self.done = done

    def __init__(self, film: Film, training: Training | None, *, plain: bool) -> None:
        super().__init__()
        self.film = film
        self.training = training
        self._mark = ">" if plain else "▸"
        self._refused = ""
        self._busy = False

    def compose(self) -> ComposeResult:
        name = self.film.wish.experiment.name
        with Vertical() as box:
            box.border_title = "Export"
            box.border_subtitle = "↑ ↓ what · tab size · enter writes · escape closes"
            if self._mark == ">":
                box.border_subtitle = "up, down what - tab size - enter writes - escape closes"
            yield Static("", id="kinds", markup=False)
            with Horizontal(id="file-row"):
                yield Label("file")
                yield Entry(f"{name}.gif", id="file", select_on_focus=False, compact=True)
            with Horizontal():
                for option in ("size", "fps", "seconds"):
                    yield Label(option)
                    yield Entry("", id=option, classes="option", compact=True)
            yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self._file.focus()
        self._show_kind()

    @property
    def _file(self) -> Input:
        return self.query_one("#file", Input)

    # --- what it shall be --------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Up and down go through the kinds, and change the file's suffix."""
        if event.key not in ("up", "down"):
            return
        event.stop()
        kinds = list(KINDS)
        file = Path(self._file.value)
        here = kinds.index(file.suffix.lower()) if file.suffix.lower() in KINDS else -1
        to = kinds[(here + (1 if event.key == "down" else -1)) % len(kinds)]
        stem = str(file.with_suffix("")) if here >= 0 else self._file.value
        self._file.value = f"{stem}{to}"
        self._file.cursor_position = len(self._file.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input is self._file:
            self._show_kind()

    def _show_kind(self) -> None:
        """Mark what the suffix stands for, and say what its options are by themselves."""
        from ..export.formats import FORMATS

        suffix = Path(self._file.value).suffix.lower()
        lines = [
            f"{self._mark if kind == suffix else ' '} {kind:<6}{about}"
            for kind, about in KINDS.items()
        ]
        self.query_one("#kinds", Static).update("\n".join(lines))
        kind = FORMATS.get(suffix)
        usual: dict[str, object] = {}
        if kind is not None and suffix != ".svg":
            size = "x".join(map(str, kind.size)) if kind.size else "fits" if kind.sized else None
            usual = {"size": size, "fps": kind.fps, "seconds": kind.seconds}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            option.disabled = usual.get(name) is None
            option.placeholder = "-" if option.disabled else f"{usual[name]}"

    def _options(self) -> Options:
        """What has been typed; raises `ExportError`."""
        from ..export.formats import Options, read_number, read_size

        typed: dict[str, str | None] = {}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            text = option.value.strip()
            typed[name] = text if text and not option.disabled else None
        return Options(
            read_size(typed["size"]),
            read_number("fps", typed["fps"]),
            read_number("seconds", typed["seconds"]),
            # A second enter on the same file that is there replaces it.
            force=self._refused == self._file.value.strip(),
        )

    # --- writing it --------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        typed = self._file.value.strip()
        if self._busy or not typed:
            return
        file = expanded(typed)
        from ..export.formats import ExportError, check

        try:
            options = self._options()
            check(file, options)
        except ExportError as error:
            text = str(error).replace("or --force to replace it", "or enter again")
            self._refused = typed if text != str(error) else ""
            self._tell(text.replace("--", ""))
            return
        self._busy = True
        self._tell(f"writing {shown(file)} …")
        if file.suffix.lower() == ".svg":
            self._write_screen(file, options)
        else:
            threading.Thread(
                target=self._write, args=(file, options), name="export", daemon=True
            ).start()

    def _write_screen(self, file: Path, options: Options) -> None:
        from ..export.formats import ExportError, write_whole

        stack = self.app._screen_stack
        stack.remove(self)  # for as long as the picture of what is below it takes
        try:
            source = self.app.export_screenshot()
        finally:
            stack.append(self)
        try:
            write_whole([file], options.force, lambda places: _write_text(places[0], source))
        except ExportError as error:
            self._told(str(error))
        else:
            self._told(_written([file]))

    def _write(self, file: Path, options: Options) -> None:
        """In a thread: write the file and say how far it is."""
        from ..export import export
        from ..export.exhibit import Exhibit

        wish, training = self.film.wish, self.training
        makers = {"forward": "true data", "ideal": "ideal denoiser", "network": "network"}
        exhibit = Exhibit(wish.experiment, self.film.trajectory, maker=makers[wish.source])
        if training is not None and training.losses is not None and wish.source == "network":
            losses = training.losses[: training.step].copy()
            exhibit = Exhibit(wish.experiment, self.film.trajectory, losses)
        try:
            files = export(exhibit, file, options, self._progress)
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            self.post_message(self.Told(line(error), done=True))
        else:
            self.post_message(self.Told(_written(files), done=True))

    def _progress(self, done: int, total: int) -> None:
        self.post_message(self.Told(f"writing … {done}/{total}"))

    def on_export_screen_told(self, message: Told) -> None:
        if message.done:
            self._told(message.text)
        else:
            self._tell(message.text)

    def _told(self, text: str) -> None:
        self._busy, self._refused = False, ""
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(text)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def _written(files: list[Path]) -> str:
    sizes = [f"{shown(path)}  {path.stat().st_size:,} bytes" for path in files]
    return "written: " + "\n".join(sizes)
