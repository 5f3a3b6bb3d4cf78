"""The export dialog: write a picture, an animation, numbers or a script."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from ...core.text import expanded, shown
from ..output.errors import line
from ..output.screens import ModalWindow, lifted
from ..widgets.choice_field import ChoiceField
from ..widgets.text_input import TextInput
from .exports import SCREEN, ExportChoices, Write

if TYPE_CHECKING:
    from ...export import ExportOptions

_GROUNDS = {
    "dark": (False, False),
    "light": (True, False),
    "dark, no ground": (False, True),
    "light, no ground": (True, True),
}
"""The background of a picture: whether it is light, and whether it is transparent."""

_PROGRESS_INTERVAL = 0.1
"""Seconds between two updates of the progress."""


class _CancelledError(Exception):
    """The user has cancelled the export."""


class ExportScreen(ModalWindow[None]):
    """A dialog that asks for a file, writes it in a thread, and closes.

    The suffix of the file determines its kind.
    """

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
    ExportScreen ChoiceField { margin-right: 2; }
    ExportScreen #message { height: auto; min-height: 2; margin: 1 0 0 0; }
    """
    BINDINGS = [
        Binding("escape", "leave", "close"),
        Binding("enter", "write", "write"),
    ]

    class Progressed(Message):
        """The export has progressed to ``done`` of ``total`` units."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done = done
            self.total = total

    class Ended(Message):
        """The thread has ended; ``fault`` is the error if there are no ``files``."""

        def __init__(self, files: list[Path], fault: str = "") -> None:
            super().__init__()
            self.files = files
            self.fault = fault

    def __init__(self, choices: ExportChoices, *, light: bool, plain: bool) -> None:
        super().__init__()
        self.choices = choices
        self._light = light
        self._plain = plain
        self._cancelled = threading.Event()
        self._start = 0.0
        self._mark = ">" if plain else "▸"
        self._existing = ""
        """The file that a second Enter replaces."""
        self._busy = False

    def compose(self) -> ComposeResult:
        name = f"{self.choices.name}{next(iter(self.choices.kinds))}"
        with Vertical() as box:
            box.border_title = "Export"
            box.border_subtitle = "↑ ↓ kind · tab, ← → options · enter writes · escape closes"
            if self._plain:
                box.border_subtitle = "up, down kind - tab options - enter writes - escape closes"
            yield Static("", id="kinds", markup=False)
            with Horizontal(id="file-row"):
                yield Label("file")
                yield TextInput(name, id="file", select_on_focus=False, compact=True)
            with Horizontal():
                yield Label("show")
                yield ChoiceField(plain=self._plain, id="show")
                yield Label("on")
                yield ChoiceField(plain=self._plain, id="ground")
            with Horizontal():
                for option in ("size", "fps", "seconds"):
                    yield Label(option)
                    yield TextInput("", id=option, classes="option", compact=True)
            yield Static("", id="message", markup=False)

    def on_mount(self) -> None:
        self._file.focus()
        self._show_kind()

    def on_unmount(self) -> None:
        self._cancelled.set()  # the lab is left while a file is being written

    @property
    def _file(self) -> Input:
        return self.query_one("#file", Input)

    # --- options -----------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Change the suffix of the file to the previous or next kind on up and down."""
        if event.key not in ("up", "down"):
            return
        event.stop()
        kinds = list(self.choices.kinds)
        file = Path(self._file.value)
        here = kinds.index(file.suffix.lower()) if file.suffix.lower() in kinds else -1
        to = kinds[(here + (1 if event.key == "down" else -1)) % len(kinds)]
        stem = str(file.with_suffix("")) if here >= 0 else self._file.value
        self._file.value = f"{stem}{to}"
        self._file.cursor_position = len(self._file.value)
        self._show_kind()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input is self._file:
            self._show_kind()

    def _show_kind(self) -> None:
        """Mark the kind of the suffix, and show the defaults of its options."""
        from ...export.formats import FORMATS

        suffix = Path(self._file.value).suffix.lower()
        lines = [
            f"{self._mark if kind == suffix else ' '} {kind:<6}{about}"
            for kind, about in self.choices.kinds.items()
        ]
        self.query_one("#kinds", Static).update("\n".join(lines))
        kind = FORMATS.get(suffix)
        defaults: dict[str, object] = {}
        self.query_one("#show", ChoiceField).offer(self.choices.shown(suffix))
        grounds = list(_GROUNDS)[: 4 if kind and kind.views else 2 if kind and kind.sized else 0]
        if self._light:  # the background of the lab's theme is the default
            grounds.sort(key=lambda ground: not _GROUNDS[ground][0])
        self.query_one("#ground", ChoiceField).offer(grounds)
        if kind is not None:
            size = "x".join(map(str, kind.size)) if kind.size else "fits" if kind.sized else None
            defaults = {"size": size, "fps": kind.fps, "seconds": kind.seconds}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            option.disabled = defaults.get(name) is None
            option.placeholder = "-" if option.disabled else f"{defaults[name]}"

    def _options(self) -> ExportOptions:
        """Return the options as typed; raise `ExportError` if one is invalid."""
        from ...export.options import ExportOptions, read_number, read_size

        texts: dict[str, str | None] = {}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            text = option.value.strip()
            texts[name] = text if text and not option.disabled else None
        light, transparent = _GROUNDS.get(
            self.query_one("#ground", ChoiceField).value, (False, False)
        )
        return ExportOptions(
            read_size(texts["size"]),
            read_number("fps", texts["fps"]),
            read_number("seconds", texts["seconds"]),
            # A second Enter replaces a file that exists.
            force=self._existing == self._file.value.strip(),
            light=light,
            transparent=transparent,
        )

    # --- writing -----------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_write()

    def action_write(self) -> None:
        """Write the file, or show why it cannot be written."""
        name = self._file.value.strip()
        if self._busy or not name:
            return
        file = expanded(name)
        from ...export.formats import check
        from ...export.options import ExportError

        suffix, show = file.suffix.lower(), self.query_one("#show", ChoiceField).value
        try:
            options = self._options()
            if suffix != ".csv":  # only the writer knows which of its two files exist
                check(file, options)
            write = self.choices.shows.get(suffix, {}).get(show)
            if write is None and show != SCREEN:
                kinds = ", ".join(self.choices.kinds)
                raise ExportError(f"{shown(file)}: wrong suffix here; allowed: {kinds}")
        except ExportError as error:
            self._refuse(name, str(error))
            return
        self._busy, self._start = True, monotonic()
        self._cancelled.clear()
        self._tell(f"writing {shown(file)} …")
        if write is None:
            self._write_screen(file, options)
            return
        threading.Thread(
            target=self._write, args=(write, file, options), name="export", daemon=True
        ).start()

    def _refuse(self, name: str, fault: str) -> None:
        """Show an error; if the file exists, let a second Enter replace it."""
        text = fault.replace("or --force to replace it", "or enter again")
        self._existing = name if text != fault else ""
        self._tell(text.replace("--", ""))

    def _write_screen(self, file: Path, options: ExportOptions) -> None:
        from ...export.atomic import write_files
        from ...export.options import ExportError

        with lifted(self):
            source = self.app.export_screenshot()
        try:
            write_files([file], options.force, lambda files: _write_text(files[0], source))
        except ExportError as error:
            self.post_message(self.Ended([], str(error)))
        else:
            self.post_message(self.Ended([file]))

    def _write(self, write: Write, file: Path, options: ExportOptions) -> None:
        """Write the file and post the progress; runs in a thread."""
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if self._cancelled.is_set():
                raise _CancelledError
            if monotonic() - last > _PROGRESS_INTERVAL:
                last = monotonic()
                self.post_message(self.Progressed(done, total))

        try:
            files = write(file, options, progress)
        except _CancelledError:
            self.post_message(self.Ended([], "Cancelled: nothing is written."))
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            self.post_message(self.Ended([], line(error)))
        else:
            self.post_message(self.Ended(files))

    def on_export_screen_progressed(self, message: Progressed) -> None:
        if not self._busy:
            return
        done, total = message.done, max(message.total, 1)
        left = (monotonic() - self._start) * (total - done) / max(done, 1)
        blocks = ("#", "-") if self._plain else ("█", "░")
        full = round(24 * done / total)
        self._tell(
            f"{blocks[0] * full}{blocks[1] * (24 - full)} {done}/{total}  {left:.0f} s left\n"
            "escape cancels"
        )

    def on_export_screen_ended(self, message: Ended) -> None:
        self._busy = False
        if message.files:
            self.app.notify(_sizes(message.files), title="Exported", markup=False)
            self.dismiss()
        else:
            self._refuse(self._file.value.strip(), message.fault)

    def action_leave(self) -> None:
        """Close, or cancel the export while a file is being written."""
        if self._busy:
            self._cancelled.set()
            self._tell("cancelling …")
        else:
            self.dismiss()

    def _tell(self, text: str) -> None:
        self.query_one("#message", Static).update(text)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def _sizes(files: list[Path]) -> str:
    sizes = [f"{shown(path)}  {path.stat().st_size:,} bytes" for path in files]
    return "written: " + "\n".join(sizes)
