"""A real pseudo-terminal with a program in it: keys go in, a screen comes out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from .program import PROGRAM

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    "ctrl+c": "\x03",
}
"""What a terminal sends for a key; any other key sends itself."""

MODES = {
    "the other screen": (1049, 47, 1047),
    "mouse clicks": (1000,),
    "mouse drags": (1002,),
    "mouse motion": (1003,),
    "mouse coordinates": (1006, 1015, 1016),
    "focus reports": (1004,),
    "bracketed paste": (2004,),
    "in-band resizing": (2048,),
    "synchronised output": (2026,),
}
"""Private modes that a program has to switch off again."""


def _begin() -> None:
    """The program's terminal, and signals as a shell leaves them, whoever runs the tests."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """``diffusion-tui``, or another program, in a pseudo-terminal of ``size`` (columns, lines)."""

    def __init__(
        self,
        *args: str,
        program: Path | None = None,
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str] | None = None,
        term: str = "xterm-256color",
    ) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""  # by the program, so far
        self.master, self._slave = pty.openpty()
        self._set_size(size)
        self.flags = termios.tcgetattr(self._slave)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "TEXTUAL"))}
        for name in ("COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM"):
            inherited.pop(name, None)
        environment = {**inherited, "LANG": "C.UTF-8", "TERM": term, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [*([str(program)] if program else PROGRAM), *args],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**environment, **(env or {})},
            start_new_session=True,
            preexec_fn=_begin,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self._slave)

    # --- keys and sizes ----------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Send these keys, each as one write."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())
            self.read(0.02)

    def resize(self, columns: int, lines: int) -> None:
        """Another size, and the signal that tells of it."""
        self._set_size((columns, lines))
        self.screen.resize(lines, columns)
        self.process.send_signal(signal.SIGWINCH)

    def _set_size(self, size: tuple[int, int]) -> None:
        packed = struct.pack("HHHH", size[1], size[0], 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, packed)

    # --- the screen --------------------------------------------------------------------------

    def read(self, seconds: float = 0.05) -> bool:
        """Take what comes within this time; whether anything did."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return False
        self.take(data)
        return bool(data)

    def take(self, data: bytes) -> None:
        """Show what the program has sent."""
        self.sent += data
        # pyte takes private CSI sequences such as a query for a mode as text to be drawn.
        self._stream.feed(re.sub(rb"\x1b\[[<>=?]?[0-9;]*(?:\$p|[uc])|\x1b\[>[0-9;]*m", b"", data))

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.display)

    def until(self, condition: Callable[[], object] | str, seconds: float = 120) -> None:
        """Read until this text, or whatever else, is on the screen."""
        holds = (lambda: condition in self.text) if isinstance(condition, str) else condition
        end = time.monotonic() + seconds
        while not holds():
            gone = self.process.poll()
            came = self.read()
            if holds():
                return
            assert came or gone is None, f"the lab ended with {gone}:\n{self.text}"
            assert time.monotonic() < end, f"waited in vain for {condition!r}:\n{self.text}"

    def settle(self, silence: float = 0.2) -> None:
        """Read until nothing more comes."""
        while self.read(silence):
            pass

    def go(self, key: str, text: str) -> None:
        """Press a key and wait for what it brings."""
        self.press(key)
        self.until(text)

    # --- the end -----------------------------------------------------------------------------

    def wait(self, seconds: float = 120) -> int:
        """Read until the program has ended; its exit code, as a shell would say it."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
        while self.read(0):
            pass
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def left_on(self) -> list[str]:
        """What the program has switched on and not off again; empty where all is as before."""
        left = []
        for name, modes in MODES.items():
            for mode in modes:
                switches = re.findall(rb"\x1b\[\?(?:\d+;)*%d(?:;\d+)*([hl])" % mode, self.sent)
                if switches and switches[-1] == b"h":
                    left.append(f"{name} ({mode})")
        cursor = re.findall(rb"\x1b\[\?25([hl])", self.sent)
        if cursor and cursor[-1] == b"l":
            left.append("cursor hidden")
        wrap = re.findall(rb"\x1b\[\?7([hl])", self.sent)
        if wrap and wrap[-1] == b"l":
            left.append("no wrapping")
        if len(re.findall(rb"\x1b\[>\d*u", self.sent)) > self.sent.count(b"\x1b[<u"):
            left.append("keyboard protocol")
        flags = termios.tcgetattr(self._slave)
        for index, name in enumerate(("iflag", "oflag", "cflag", "lflag")):
            if flags[index] != self.flags[index]:
                left.append(f"termios {name}")
        return left

    def ends_cleanly(self, code: int = 0) -> None:
        """It ends with this code, and leaves the terminal as it found it."""
        assert self.wait() == code, self.text
        assert b"\x1b[?1049h" in self.sent, "it never had the screen"
        assert self.left_on() == []
        assert b"Traceback" not in self.sent
