"""A bar where a person watches something long, and else not a byte."""

import io
import time

import pytest

from tui_diffusion.bar import with_bar


class Screen(io.StringIO):
    def isatty(self):
        return True


def work(seconds):
    def steps(tell):
        for done in range(1, 5):
            time.sleep(seconds)
            tell(done, 4)
        return "made"

    return steps


@pytest.mark.parametrize(
    ("seconds", "stream", "shows"),
    [(0.15, Screen, True), (0.0, Screen, False), (0.15, io.StringIO, False)],
)
def test_a_bar_shows_for_long_work_in_a_terminal_alone(monkeypatch, seconds, stream, shows):
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert with_bar("sampling", work(seconds)) == "made"
    assert ("sampling" in written.getvalue() and "4/4" in written.getvalue()) == shows
    if not shows:
        assert not written.getvalue().strip()


def test_what_the_work_raises_comes_through(monkeypatch):
    monkeypatch.setattr("sys.stderr", Screen())
    with pytest.raises(ValueError, match="no"):
        with_bar("sampling", lambda tell: int("no"))
