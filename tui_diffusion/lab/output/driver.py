"""Terminal input that survives arbitrary bytes.

Textual's own driver ends the app at the first byte that is not UTF-8 and at a malformed key report,
reads Esc and a letter as one key, and types out unexpected replies. This driver ignores bytes and
sequences without a meaning, and treats Esc as a key of its own.
"""

from __future__ import annotations

import codecs
import os
import re
import selectors
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual._parser import ParseError, Peek1, Read1, TokenCallback
from textual._xterm_parser import XTermParser
from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Resize
from textual.keys import Keys
from textual.widgets import Input

from .native_output import NativeOutput

if TYPE_CHECKING:
    from textual.message import Message

    from .guard import Guard

_ESCAPE = "\x1b"
_LONE = "lone_escape"
_STRING = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)")
"""A whole OSC, DCS, SOS, PM or APC string, such as a late reply about a colour."""
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""A whole control sequence (CSI)."""
_PARSED_LATER = re.compile(r"\x1b\[(?:M|<?[-\d;]+[mM]|\?\d+;\d\$y)")
"""Control sequences that the base class reads after the keys: the mouse, and modes."""
_WORD = ("\x1bb", "\x1bf")
"""Sequences of some terminals for alt+← and alt+→, which move by a word in a text field."""
_WAIT = 0.1
"""Seconds of silence after which the driver checks for a lone Esc and for the end of the lab."""


class Parser(XTermParser):
    """A parser of keys, mouse events and replies that ignores everything else.

    ``typing`` returns whether a text field has the focus.
    """

    def __init__(self, typing: Callable[[], bool] = lambda: False) -> None:
        self._typing = typing
        super().__init__()

    def close(self) -> None:
        """End the input, including an incomplete sequence."""
        with suppress(EOFError, ParseError):
            for _ in self.feed(""):
                pass

    def parse(self, token_callback: TokenCallback[Message]) -> Generator[Read1 | Peek1, str, None]:
        def pass_on(token: Message) -> None:
            lone = isinstance(token, Key) and token.key == _LONE
            token_callback(Key("escape", _ESCAPE) if lone else token)

        return super().parse(pass_on)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        if sequence == _ESCAPE:
            # An Esc within an invalid sequence, for which the base class would insert "^".
            yield Key(_LONE, _ESCAPE)
            return
        printable = len(sequence) == 2 and sequence[1].isprintable() and sequence[1] not in "[O"
        word = sequence in _WORD and self._typing()
        if alt or (sequence[0] == _ESCAPE and printable and not word):
            yield Key("escape", _ESCAPE)
            sequence = sequence[-1]
        keys = list(super()._sequence_to_key_events(sequence))
        yield from keys
        if not keys and _CONTROL.fullmatch(sequence) and not _PARSED_LATER.match(sequence):
            yield Key(Keys.Ignore, sequence)


class GuardedApp(App[int]):
    """An app with a guard process, which restores the terminal if the app itself cannot."""

    guard: Guard | None = None
    failure: BaseException | None = None
    """The error that has ended the app, if one has."""


class LabDriver(LinuxDriver):
    """A driver that tells the guard when the lab uses the terminal, and keeps others off it."""

    _app: GuardedApp
    _native: NativeOutput | None = None

    def start_application_mode(self) -> None:
        if self._app.guard is not None:
            self._app.guard.hold()
        self._native = self._native or NativeOutput()
        self._file = self._native.divert() or self._file
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        if self._app.guard is not None:
            self._app.guard.release()

    def close(self) -> None:
        super().close()  # only now all has been written
        if self._native is not None:
            self._native.restore()
            self._file = sys.__stderr__

    def _run_input_thread(self) -> None:
        """Read until the end; an error here ends the lab with its cause, like any other error."""
        try:
            self.run_input_thread()
        except OSError:  # the terminal has gone
            self._app.call_later(self._app.exit, 128 + signal.SIGHUP)
        except Exception as error:
            self._app.call_later(_fail, error)

    def run_input_thread(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")(errors="ignore").decode
        self._parser = self._new_parser()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = decode(os.read(self.fileno, 4096)) if selector.select(_WAIT) else ""
                for character in _STRING.sub("", text):
                    self._pass_on(self._parser.feed(character))
                self._pass_on(self._parser.tick())
        self._parser.close()

    def _pass_on(self, read: Iterable[Message]) -> None:
        """Send parsed messages to the lab."""
        try:
            messages = list(read)
        except Exception:  # such as a key report with an invalid code point
            self._parser = self._new_parser()
            return
        for message in messages:
            if isinstance(message, Resize) and not self._in_band_window_resize:
                # this parser would keep the size as the terminal's own
                self._parser = self._new_parser()
            else:
                self.process_message(message)

    def _new_parser(self) -> Parser:
        return Parser(self._is_typing)

    def _is_typing(self) -> bool:
        with suppress(ScreenStackError):  # there is no screen yet, or no longer
            return isinstance(self._app.focused, Input)
        return False


def _fail(error: Exception) -> None:
    raise error
