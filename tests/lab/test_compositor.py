"""What is sent for a line: any order leaves the same screen, and the shorter one is taken."""

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style

from tui_diffusion.lab.output.differ import CellRun, OutputCursor, draw_line

STYLES = [
    Style(),
    Style(color="#f92672", bgcolor="#121212"),
    Style(color="#a5a5a5", bgcolor="#121212"),
    Style(color="#a5a5a5", bgcolor="#384868", bold=True),
]


@st.composite
def lines(draw):
    """Runs of one line from left to right, some of them apart."""
    runs, x = [], 0
    for _ in range(draw(st.integers(1, 12))):
        x += draw(st.sampled_from([0, 0, 1, 2, 12]))
        text = draw(st.text("ab⣿ ", min_size=1, max_size=4))
        if x + len(text) > 40:
            break
        runs.append(CellRun(x, x + len(text), text, draw(st.sampled_from(STYLES))))
        x += len(text)
    return runs


def shown(sent):
    """The cells of a terminal that was sent this, with their colours."""
    screen = pyte.Screen(40, 4)
    pyte.Stream(screen).feed(sent)
    return [[screen.buffer[y][x] for x in range(40)] for y in range(4)]


@given(st.lists(lines(), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_line_drawn_by_style_looks_like_one_drawn_from_left_to_right(rows):
    plain = chosen = OutputCursor(ColorSystem.TRUECOLOR)
    for y, runs in enumerate(rows):
        before = chosen
        plain, chosen = plain.drawing(y, runs), draw_line(chosen, y, runs)
        assert len(chosen.sent) <= len(before.drawing(y, runs).sent)
    assert shown(chosen.finished) == shown(plain.finished)


def test_where_colours_take_turns_each_is_named_once():
    runs = [CellRun(x, x + 1, "x", STYLES[1 + x % 2]) for x in range(20)]
    sent = draw_line(OutputCursor(ColorSystem.TRUECOLOR), 0, runs).sent
    assert sent.count("38;2;") == 2
    without = draw_line(OutputCursor(None), 0, runs).sent
    assert without == "\x1b[1;1H" + 20 * "x"


def test_nothing_is_sent_after_the_last_column_but_a_whole_move():
    pen = OutputCursor(None).drawing(0, [CellRun(39, 40, "x", Style())])
    assert pen.drawing(0, [CellRun(10, 11, "y", Style())]).sent.endswith("\x1b[1;11Hy")
