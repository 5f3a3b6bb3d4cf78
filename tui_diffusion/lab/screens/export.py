"""The dialog that exports: what is shown as a picture, a film, numbers or a script."""

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
"""Light and transparent, of each ground."""

_TOLD_EVERY = 0.1
"""Seconds between two words on how far an export is."""


class _CancelledError(Exception):
    """The person does not want the file any more."""


class ExportScreen(ModalWindow[None]):
    """Ask for a file, whose suffix says its kind, write it in a thread, and close."""

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
    ExportScreen #told { height: auto; min-height: 2; margin: 1 0 0 0; }
    """
    BINDINGS = [
        Binding("escape", "leave", "close"),
        Binding("enter", "write", "write"),
    ]

    class Progressed(Message):
        """So much of the file is written."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done = done
            self.total = total

    class Ended(Message):
        """The thread has ended: these files are written, or why there are none."""

        def __init__(self, files: list[Path], fault: str = "") -> None:
            super().__init__()
            self.files = files
            self.fault = fault

    def __init__(self, offer: ExportChoices, *, light: bool, plain: bool) -> None:
        super().__init__()
        self.offered = offer
        self._light = light
        self._plain = plain
        self._cancelled = threading.Event()
        self._began = 0.0
        self._mark = ">" if plain else "▸"
        self._refused = ""
        self._busy = False

    def compose(self) -> ComposeResult:
        name = f"{self.offered.name}{next(iter(self.offered.kinds))}"
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
            yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self._file.focus()
        self._show_kind()

    def on_unmount(self) -> None:
        self._cancelled.set()  # the lab is left while a file is being written

    @property
    def _file(self) -> Input:
        return self.query_one("#file", Input)

    # --- what it shall be --------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Up and down go through the kinds, and change the file's suffix."""
        if event.key not in ("up", "down"):
            return
        event.stop()
        kinds = list(self.offered.kinds)
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
        """Mark what the suffix stands for, and say what its options are by themselves."""
        from ...export.formats import FORMATS

        suffix = Path(self._file.value).suffix.lower()
        lines = [
            f"{self._mark if kind == suffix else ' '} {kind:<6}{about}"
            for kind, about in self.offered.kinds.items()
        ]
        self.query_one("#kinds", Static).update("\n".join(lines))
        kind = FORMATS.get(suffix)
        usual: dict[str, object] = {}
        self.query_one("#show", ChoiceField).offer(self.offered.shown(suffix))
        grounds = list(_GROUNDS)[: 4 if kind and kind.views else 2 if kind and kind.sized else 0]
        if self._light:  # the lab's own ground is what is there at first
            grounds.sort(key=lambda ground: not _GROUNDS[ground][0])
        self.query_one("#ground", ChoiceField).offer(grounds)
        if kind is not None:
            size = "x".join(map(str, kind.size)) if kind.size else "fits" if kind.sized else None
            usual = {"size": size, "fps": kind.fps, "seconds": kind.seconds}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            option.disabled = usual.get(name) is None
            option.placeholder = "-" if option.disabled else f"{usual[name]}"

    def _options(self) -> ExportOptions:
        """What has been typed; raises `ExportError`."""
        from ...export.options import ExportOptions, read_number, read_size

        typed: dict[str, str | None] = {}
        for name in ("size", "fps", "seconds"):
            option = self.query_one(f"#{name}", Input)
            text = option.value.strip()
            typed[name] = text if text and not option.disabled else None
        light, transparent = _GROUNDS.get(
            self.query_one("#ground", ChoiceField).value, (False, False)
        )
        return ExportOptions(
            read_size(typed["size"]),
            read_number("fps", typed["fps"]),
            read_number("seconds", typed["seconds"]),
            # A second enter on the same file that is there replaces it.
            force=self._refused == self._file.value.strip(),
            light=light,
            transparent=transparent,
        )

    # --- writing it --------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_write()

    def action_write(self) -> None:
        """Write the file, if it can be."""
        typed = self._file.value.strip()
        if self._busy or not typed:
            return
        file = expanded(typed)
        from ...export.formats import check
        from ...export.options import ExportError

        suffix, show = file.suffix.lower(), self.query_one("#show", ChoiceField).value
        try:
            options = self._options()
            if suffix != ".csv":  # which of two files a table needs is known where it is written
                check(file, options)
            write = self.offered.shows.get(suffix, {}).get(show)
            if write is None and show != SCREEN:
                kinds = ", ".join(self.offered.kinds)
                raise ExportError(f"{shown(file)}: not from here; allowed: {kinds}")
        except ExportError as error:
            self._refuse(typed, str(error))
            return
        self._busy, self._began = True, monotonic()
        self._cancelled.clear()
        self._tell(f"writing {shown(file)} …")
        if write is None:
            self._write_screen(file, options)
            return
        threading.Thread(
            target=self._write, args=(write, file, options), name="export", daemon=True
        ).start()

    def _refuse(self, typed: str, fault: str) -> None:
        """Say why not; a second enter replaces a file that is there."""
        text = fault.replace("or --force to replace it", "or enter again")
        self._refused = typed if text != fault else ""
        self._tell(text.replace("--", ""))

    def _write_screen(self, file: Path, options: ExportOptions) -> None:
        from ...export.atomic import write_whole
        from ...export.options import ExportError

        with lifted(self):
            source = self.app.export_screenshot()
        try:
            write_whole([file], options.force, lambda places: _write_text(places[0], source))
        except ExportError as error:
            self.post_message(self.Ended([], str(error)))
        else:
            self.post_message(self.Ended([file]))

    def _write(self, write: Write, file: Path, options: ExportOptions) -> None:
        """In a thread: write the file and say how far it is."""
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if self._cancelled.is_set():
                raise _CancelledError
            if monotonic() - last > _TOLD_EVERY:
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
        left = (monotonic() - self._began) * (total - done) / max(done, 1)
        blocks = ("#", "-") if self._plain else ("█", "░")
        full = round(24 * done / total)
        self._tell(
            f"{blocks[0] * full}{blocks[1] * (24 - full)} {done}/{total}  {left:.0f} s left\n"
            "escape cancels"
        )

    def on_export_screen_ended(self, message: Ended) -> None:
        self._busy = False
        if message.files:
            self.app.notify(_written(message.files), title="Exported", markup=False)
            self.dismiss()
        else:
            self._refuse(self._file.value.strip(), message.fault)

    def action_leave(self) -> None:
        """Close; while a file is being written, give that up instead."""
        if self._busy:
            self._cancelled.set()
            self._tell("cancelling …")
        else:
            self.dismiss()

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(text)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def _written(files: list[Path]) -> str:
    sizes = [f"{shown(path)}  {path.stat().st_size:,} bytes" for path in files]
    return "written: " + "\n".join(sizes)
