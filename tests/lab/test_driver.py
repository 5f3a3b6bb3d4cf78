"""What the terminal sends, and what of it reaches the lab."""

import os
import threading

import pytest
from textual import events
from textual.app import App

from tui_diffusion.lab.output.driver import LabDriver, Parser
from tui_diffusion.lab.output.terminal_app import TerminalApp

from ..cases import for_each
from ..lab_driver import until


class Reader(LabDriver):
    """A driver that reads a pipe and keeps what it would have sent."""

    def __init__(self, fileno: int, app: App) -> None:
        self.fileno, self._app = fileno, app
        self.exit_event = threading.Event()
        self._in_band_window_resize = False
        self.messages: list[object] = []

    def process_message(self, message) -> None:
        self.messages.append(message)
        if isinstance(message, events.Key) and message.key == "q":
            self.exit_event.set()

    @property
    def keys(self) -> list[str]:
        return [m.key for m in self.messages if isinstance(m, events.Key)]


def read(*chunks: bytes) -> Reader:
    """What a driver makes of these, one read after another, and of ``q`` at the end."""
    source, sink = os.pipe()
    reader = Reader(source, App())
    thread = threading.Thread(target=reader.run_input_thread)
    thread.start()
    for chunk in (*chunks, b"q"):
        os.write(sink, chunk)
        if chunk != b"q" and chunk.endswith(b"\x1b["):
            thread.join(0.25)  # as long as a sequence may take
    thread.join(60)
    assert not thread.is_alive()
    os.close(source)
    os.close(sink)
    return reader


@for_each(
    "sent, keys",
    [
        (b"\xe9t", ["t"]),  # an e with an accent from a Latin-1 terminal
        (b"\xff\xfe\xc3(", ["left_parenthesis"]),
        ("é".encode(), ["é"]),
        (b"\x1b[99999999999;5ut", ["t"]),  # no character has this number
        (b"\x1b[1114112;5ut", ["t"]),
        (b"\x1b]11;rgb:0000/1111/2222/3333/4444/5555/6666\x07t", ["t"]),
        (b"\x1bP1$r0m\x1b\\t\x1b[?62;4c\x1b[1;2;3;4yt", ["t", "t"]),
        (b"\x1b[48;0;0;0;0tt", ["t"]),  # a size that no terminal has
        (b"\x1bt", ["escape", "t"]),
        (b"\x1bf\x1bO\x1b[A", ["escape", "f", "escape", "O", "up"]),
        (b"\x1b\r", ["escape", "enter"]),
        (b"\x1b[", ["escape", "left_square_bracket"]),
        (b"\x1b[\x1b[C", ["escape", "left_square_bracket", "right"]),
    ],
)
def test_what_is_no_key_is_ignored_and_escape_is_one(sent, keys):
    reader = read(sent)
    assert reader.keys == [*keys, "q"]
    assert not any(isinstance(m, events.Resize) for m in reader.messages)


def test_in_a_text_field_alt_and_an_arrow_stay_one_key():
    for typing, keys in ((True, ["ctrl+left"]), (False, ["escape", "b"])):
        parser = Parser(lambda typing=typing: typing)
        assert [event.key for event in parser.feed("\x1bb")] == keys


def test_pasted_text_and_the_mouse_pass():
    reader = read(b"\x1b[200~caf\xc3\xa9 \x1b[201~", b"\x1b[<0;3;4M\x1b[<0;3;4m")
    kinds = [type(m) for m in reader.messages if not isinstance(m, events.Key)]
    assert kinds == [events.Paste, events.MouseDown, events.MouseUp]


async def test_a_defect_of_the_reader_ends_the_lab_with_its_cause_and_code_1(monkeypatch, capsys):
    def fail(_: LabDriver) -> None:
        raise LookupError("no such key")

    monkeypatch.setattr(LabDriver, "run_input_thread", fail)
    app = TerminalApp("ascii", "none", 0.0)
    with pytest.raises(LookupError, match="no such key"):
        async with app.run_test():
            threading.Thread(target=Reader(0, app)._run_input_thread).start()
            await until(lambda: not app.is_running)
    assert app.return_code == 1
    assert "the lab failed (LookupError: no such key)" in capsys.readouterr().err
