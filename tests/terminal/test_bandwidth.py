"""A terminal that takes little: the lab draws less, and answers all the same."""

import os
import re
import select
import sys
import time

import pytest

from tui_diffusion.lab.output.pace import FrameLimiter

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal"),
    pytest.mark.timeout(240),
]
if sys.platform != "win32":
    from ..pseudo_terminal import Terminal

LONG = ("naive-1d", "--set", "training.steps=50000000")


def colours(sent):
    """Every code of a colour among what was sent."""
    codes = {c for m in re.findall(rb"\x1b\[([0-9;]*)m", sent) for c in m.split(b";") if c}
    return codes - {b"0", b"1", b"2", b"3", b"4", b"7", b"9"}


class Driver:
    """As much of a driver as there is to see of one whose terminal is slow."""

    def __init__(self, waiting):
        self._writer_thread = self._queue = self
        self.waiting = waiting

    def qsize(self):
        return self.waiting


class App:
    def __init__(self, waiting=0):
        self._driver = Driver(waiting)


def test_nothing_is_drawn_while_something_waits():
    app = App(waiting=2)
    pace = FrameLimiter(app)
    assert pace.clogged
    assert not pace.ready()
    app._driver.waiting = 0
    assert pace.ready()
    assert pace.ready()
    app._driver = None
    assert pace.ready()


def test_no_more_drawings_than_allowed():
    pace = FrameLimiter(App(), least=30)
    assert pace.ready()
    assert not pace.ready()


def slowly(terminal, seconds, text=None, chunk=500):
    """Read so many bytes every tenth of a second; how many until this text was there."""
    taken, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.1)
        if select.select([terminal.master], [], [], 0)[0]:
            data = os.read(terminal.master, chunk)
            taken += len(data)
            terminal.take(data)
        if text is not None and text in terminal.text:
            return taken
    assert text is None, f"waited in vain for {text!r}:\n{terminal.text}"
    return taken


@pytest.mark.slow
def test_a_terminal_that_drains_slowly_still_answers_keys():
    with Terminal(*LONG, size=(120, 40)) as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until(lambda: re.search(r"training +step \d", terminal.text))
        slowly(terminal, 3, chunk=100)
        for key, level in (("\x1b[H", 0), ("llll", 4), ("h", 3)):
            os.write(terminal.master, key.encode())
            # What the kernel holds, a drawing under way, and the one that answers.
            assert slowly(terminal, 60, f"level {level}/10 ") < 20_000
        os.write(terminal.master, b"q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_low_bandwidth_draws_twice_a_second_in_256_colours():
    true = {"COLORTERM": "truecolor"}
    with Terminal(*LONG, "--low-bandwidth", size=(80, 24), env=true) as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until(lambda: re.search(r"training +step \d", terminal.text))
        first, began = len(terminal.sent), time.monotonic()
        while time.monotonic() < began + 2:
            terminal.read()
        # The cursor goes home after each drawing, and before one that begins in the corner.
        drawn = terminal.sent[first:].count(b"\x1b[1;1H") / 2
        assert drawn <= 2 * (time.monotonic() - began) + 2
        assert b"8;2;" not in terminal.sent
        terminal.press("q")
        terminal.ends_cleanly()


def check_steps(terminal, most):
    """Every step of twenty levels takes less than ``most`` bytes, and some."""
    terminal.go("home", "level 0/20")
    terminal.settle()
    for level in range(1, 21):
        before = len(terminal.sent)
        terminal.go("l", f"level {level}/20")
        terminal.settle()
        assert 0 < len(terminal.sent) - before < most, f"level {level}"


def test_a_step_of_2000_points_is_under_4000_bytes_and_idling_is_none():
    true = {"COLORTERM": "truecolor"}
    with Terminal("ddpm-multimodal", "--points", "2000", size=(80, 24), env=true) as terminal:
        terminal.until("idle")
        check_steps(terminal, 4000)
        assert not terminal.read(1.5), "nothing happens, and something is sent"
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_a_step_of_points_by_class_is_a_few_kilobytes():
    arguments = ("edm-multimodal", "--set", "network.labels=true", "--points", "2000")
    with Terminal(*arguments, size=(80, 24), env={"COLORTERM": "truecolor"}) as terminal:
        terminal.until("idle")
        terminal.go("3", "class 0 1 2 3")
        check_steps(terminal, 7000)
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "term"),
    [({"NO_COLOR": "1"}, "linux"), ({}, "vt220")],
    ids=["NO_COLOR", "vt220"],
)
def test_without_colour_no_colour_is_sent(env, term):
    with Terminal("naive-1d", "--set", "training.steps=50", env=env, term=term) as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until("finished")
        terminal.go("?", "Help")
        terminal.press("q")
        terminal.until(lambda: "escape closes" not in terminal.text)
        terminal.go("w", "Copied")
        terminal.press("q")
        terminal.ends_cleanly()
    assert colours(b"\x1b[1;38;5;3m\x1b[45;1H") == {b"38", b"5"}
    assert colours(terminal.sent) == set()
    if term == "vt220":
        assert terminal.sent.isascii()


@pytest.mark.slow
def test_a_broken_settings_file_is_a_line_and_the_lab_opens(home):
    home.mkdir()
    (home / "settings.toml").write_text("theme = [")
    with Terminal("naive-2d") as terminal:
        terminal.until("level 10/10 ")
        terminal.go("home", "level 0/10 ")
        terminal.go("l", "level 1/10 ")
        terminal.press("q")
        terminal.ends_cleanly()
        assert b"settings.toml" in terminal.sent
    assert (home / "settings.toml.bak").read_text() == "theme = ["
    with Terminal() as terminal:  # and back where one left off
        terminal.until("level 1/10 ")
        terminal.until(" naive-2d ")
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_a_level_and_an_experiment_are_clicked():
    with Terminal("naive-1d") as terminal:
        terminal.until("idle")
        for x, y, text in (
            (None, "noise ", "level 0/10 "),
            (10, "Four Gaussians, EDM", "edm-mult"),
        ):
            row = next(n for n, line in enumerate(terminal.screen.display, 1) if y in line)
            column = x or terminal.screen.display[row - 1].index(y) + len(y) + 1
            terminal.press(f"\x1b[<0;{column};{row}M", f"\x1b[<0;{column};{row}m")
            terminal.until(text)
        terminal.press("q")
        terminal.ends_cleanly()


def test_no_mouse_leaves_it_to_the_terminal():
    with Terminal("--no-mouse") as terminal:
        terminal.until("q quit")
        terminal.press("q")
        terminal.ends_cleanly()
    assert not re.search(rb"\x1b\[\?(1000|1002|1003|1006|1015)h", terminal.sent)


@pytest.mark.slow
def test_a_window_is_sent_and_taken_away_without_the_screen_around_it():
    with Terminal("ddpm-multimodal", size=(80, 24), env={"COLORTERM": "truecolor"}) as terminal:
        terminal.until("idle")
        terminal.settle(2)
        before = terminal.text
        for key, text, budget in (("?", "escape closes", 8_000), ("e", "Export", 5_000)):
            for press, there in ((key, True), ("\x1b", False)):
                began = len(terminal.sent)
                terminal.press(press)
                terminal.until(lambda text=text, there=there: (text in terminal.text) == there)
                terminal.settle(0.7)
                assert len(terminal.sent) - began < budget, (key, press)
            assert terminal.text == before
        terminal.press("\x1b[H", "f", "f", "f")
        terminal.settle(0.7)
        for step in range(1, 8):
            began = len(terminal.sent)
            terminal.go("l", f"level 0/20 + {step}/8 ")
            terminal.settle(0.3)
            assert len(terminal.sent) - began < 4_000
        terminal.press("q")
        terminal.ends_cleanly()
