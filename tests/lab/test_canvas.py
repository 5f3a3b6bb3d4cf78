"""The canvas repaints what changed and nothing else."""

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip

from tui_diffusion.lab.drawing.strip_changes import changed_spans
from tui_diffusion.lab.output.differ import TerminalContent
from tui_diffusion.lab.widgets.canvas import Canvas

RED, BLUE = Style(color="red"), Style(color="blue")


def strip(*parts):
    return Strip([Segment(*part) if isinstance(part, tuple) else Segment(part) for part in parts])


class Narrow(Screen):
    def compose(self) -> ComposeResult:
        yield Canvas()


class Lab(App):
    CSS = "Canvas { border: round white; width: 22; height: 7; }"

    def __init__(self):
        super().__init__()
        self.heard = []
        self.shown = TerminalContent()

    def get_default_screen(self):
        return Narrow()

    @property
    def canvas(self):
        return self.screen.query_one(Canvas)

    def on_canvas_resized(self, message):
        self.heard.append(("resized", message.width, message.height))

    def on_canvas_clicked(self, message):
        self.heard.append(("clicked", message.x, message.y))


@pytest.fixture
async def lab():
    app = Lab()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        app.pilot = pilot
        yield app


@pytest.fixture
def refreshed(monkeypatch):
    """The regions of every refresh of a canvas."""
    calls = []
    original = Canvas.refresh

    def refresh(self, *regions, **options):
        calls.append([tuple(region) for region in regions])
        return original(self, *regions, **options)

    monkeypatch.setattr(Canvas, "refresh", refresh)
    return calls


def shown(app):
    canvas = app.canvas
    return [canvas.render_line(y).text for y in range(canvas.size.height)]


async def test_an_empty_canvas_is_blank_and_takes_no_focus(lab):
    assert shown(lab) == [" " * 20] * 5
    assert not lab.canvas.focusable


async def test_only_the_changed_stretch_is_repainted(lab, refreshed):
    canvas = lab.canvas
    canvas.show([strip("abcdef"), strip("second"), strip(("third", RED))])
    assert refreshed.pop() == [(0, 0, 6, 1), (0, 1, 6, 1), (0, 2, 5, 1)]
    canvas.show([strip("abcdef"), strip("sXcoYd"), strip(("third", RED))])
    assert refreshed.pop() == [(1, 1, 4, 1)]
    canvas.show([strip("abc", "def"), strip("sXcoYd"), strip(("th", RED), ("ird", BLUE))])
    assert refreshed.pop() == [(2, 2, 3, 1)]
    canvas.show([strip("abcdef"), strip("sXcoYd"), strip(("th", RED), ("ird", BLUE))])
    assert refreshed == []
    canvas.show([strip("abcdef")])
    assert refreshed.pop() == [(0, 1, 6, 1), (0, 2, 5, 1)]
    assert shown(lab) == ["abcdef".ljust(20), *[" " * 20] * 4]


async def test_lines_are_cropped_to_the_widget(lab, refreshed):
    lab.canvas.show([strip("x" * 50)] * 9)
    assert refreshed == [[(0, y, 20, 1) for y in range(5)]]
    assert shown(lab) == ["x" * 20] * 5


async def test_the_owner_hears_of_sizes_and_clicks(lab):
    assert lab.heard == [("resized", 20, 5)]
    await lab.pilot.click(Canvas, offset=(4, 2))
    await lab.pilot.click(Canvas, offset=(0, 0))  # the border is not content
    assert lab.heard[1:] == [("clicked", 3, 1)]
    lab.canvas.styles.width = 30
    await lab.pilot.pause()
    assert lab.heard[-1] == ("resized", 28, 5)


def test_a_blank_in_another_ink_is_no_change_but_on_another_ground_it_is():
    assert changed_spans(strip(("a b", RED)), strip(("a", RED), (" ", BLUE), ("b", RED)), 9) == []
    ground = Style(bgcolor="red")
    assert changed_spans(strip("a b"), strip("a", (" ", ground), "b"), 9) == [(1, 2)]
    assert changed_spans(strip("ab"), strip("ab", "  "), 9) == []
    assert changed_spans(strip("漢"), strip("字"), 9) == [(0, 9)]
    near, far = "a" + 4 * "." + "a", "a" + 20 * "." + "a"
    assert changed_spans(strip(near), strip(near.replace("a", "b")), 30) == [(0, 6)]
    assert changed_spans(strip(far), strip(far.replace("a", "b")), 30) == [(0, 1), (21, 22)]


@given(st.lists(st.text("ab ", max_size=20), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_spans_hold_all_that_differs(texts):
    old, new = strip(texts[0], (texts[1], RED)), strip((texts[2], RED), texts[3])
    spans = changed_spans(old, new, 60)
    before, after = ([(s.text, s.style) for s in line for _ in s.text] for line in (old, new))
    same = [not any(first <= x < end for first, end in spans) for x in range(60)]
    for x, unchanged in enumerate(same):
        if unchanged:
            assert old.text.ljust(60)[x] == new.text.ljust(60)[x]
    if spans:
        assert before != after


def sent_for(app, picture, console):
    """What goes to the terminal when the canvas is to show `picture`."""
    canvas, compositor = app.canvas, app.screen._compositor
    canvas.show([strip(line) for line in picture])
    for region in canvas._exchange_repaint_regions():
        compositor._dirty_regions.add(region.translate(canvas.region.offset))
    return app.shown.least(compositor.render_partial_update()).render_segments(console)


async def test_a_partial_update_leaves_the_screen_as_a_full_one_would(lab):
    """Through a terminal emulator: the stretches alone add up to the whole picture."""
    console = Console(width=40, height=12, color_system="truecolor", force_terminal=True)
    screen, compositor = pyte.Screen(40, 12), lab.screen._compositor
    terminal = pyte.Stream(screen)

    def whole():
        return lab.shown.least(compositor.render_full_update()).render_segments(console)

    terminal.feed(whole())
    pictures = (
        ["0123456789" * 2] * 5,
        ["0123456789" * 2, "01234xx789" * 2, "y" + "0123456789" * 2, "", "012345678901234567zz"],
        ["A" + "123456789" + "0123456789"] * 3,
    )
    for picture in pictures:
        with lab.batch_update():
            terminal.feed(sent_for(lab, picture, console))
        expected = [line.text for line in compositor.render_strips()]
        assert [row.rstrip() for row in screen.display] == [row.rstrip() for row in expected]
        assert whole() == "", "the whole screen is there already"
    lab.shown.forget()
    assert len(whole()) > 40 * 12


async def test_one_changed_cell_is_all_that_is_sent(lab):
    console = Console(width=40, height=12, color_system=None, force_terminal=True)
    with lab.batch_update():
        sent_for(lab, ["0123456789" * 2], console)
        sent = sent_for(lab, ["0123456789" + "01X3456789"], console)
    assert sent.startswith("\x1b[2;14H")
    assert re.sub(r"\x1b\[[0-9;]*[mH]", "", sent) == "X"
