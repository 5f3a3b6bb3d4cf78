"""What is drawn with in which terminal: colours and glyphs from the environment alone."""

import re

import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Size

from tui_diffusion.interface.capabilities import detect
from tui_diffusion.lab.drawing.ascii import to_ascii, to_console
from tui_diffusion.lab.drawing.palette import Palette, contrast
from tui_diffusion.lab.output.colour_filters import NoColour, SixteenColours, nearest_of_256

from ..cases import for_each
from ..lab_driver import lab, make_lab, running, until

TRUE = {"COLORTERM": "truecolor"}
UTF8 = {"LANG": "en_US.UTF-8"}

LADDER = [
    # TERM, colours without COLORTERM, colours with it, glyphs
    ("xterm-256color", "256", "truecolour", "braille"),
    ("xterm", "16", "truecolour", "braille"),
    ("screen", "256", "truecolour", "braille"),
    ("screen.xterm-256color", "256", "truecolour", "braille"),
    ("screen-256color", "256", "truecolour", "braille"),
    ("tmux", "256", "truecolour", "braille"),
    ("tmux-256color", "256", "truecolour", "braille"),
    ("linux", "16", "16", "blocks"),
    ("xterm-kitty", "truecolour", "truecolour", "braille"),
    ("alacritty", "truecolour", "truecolour", "braille"),
    ("foot-extra", "truecolour", "truecolour", "braille"),
    ("wezterm", "truecolour", "truecolour", "braille"),
    ("xterm-direct", "truecolour", "truecolour", "braille"),
    ("rxvt-unicode", "256", "truecolour", "braille"),
    ("vt100", "none", "none", "ascii"),
    ("dumb", "none", "none", "ascii"),
    ("", "16", "truecolour", "braille"),
]


@pytest.mark.parametrize(("term", "plain", "true", "glyphs"), LADDER, ids=[r[0] for r in LADDER])
def test_the_ladder(term, plain, true, glyphs):
    for more, colours in (({}, plain), (TRUE, true)):
        found = detect({"TERM": term, **UTF8, **more}, "UTF-8")
        assert (found.colours, found.glyphs) == (colours, glyphs)
        assert found.colours_why and found.glyphs_why
        assert detect({"TERM": term, **more, "NO_COLOR": "1"}, "UTF-8").colours == "none"
        assert detect({"TERM": term, **more, "NO_COLOR": ""}, "UTF-8").colours == colours
        assert detect({"TERM": term, "LC_ALL": "C", **more}, "ANSI_X3.4-1968").glyphs == "ascii"


@for_each(
    "named, encoding, glyphs",
    [
        ({}, "UTF-8", "braille"),  # a container, where nothing is said
        ({"LC_CTYPE": "C.UTF-8"}, "UTF-8", "braille"),
        ({"LANG": "C.UTF-8"}, "UTF-8", "braille"),
        ({"LANG": "C"}, "UTF-8", "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "UTF-8", "ascii"),  # as Python leaves it
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, "UTF-8", "braille"),
        ({"LC_ALL": "POSIX"}, "UTF-8", "ascii"),
        ({"LANG": "de_DE"}, "ISO-8859-1", "ascii"),
        ({"LANG": "x"}, "no such encoding", "ascii"),
    ],
)
def test_locales(named, encoding, glyphs):
    assert detect({"TERM": "xterm", **named}, encoding).glyphs == glyphs


def test_what_is_asked_for_goes_first():
    here = {"TERM": "linux", **UTF8}
    assert detect(here, "UTF-8", glyphs="braille").glyphs == "braille"
    assert detect(here, "UTF-8", glyphs="braille", ascii_only=True).glyphs == "ascii"
    assert detect(here, "ISO-8859-1", glyphs="braille").glyphs == "ascii"
    assert detect({**here, "TEXTUAL_COLOR_SYSTEM": "256"}, "UTF-8").colours == "256"
    kitty = {"TERM": "xterm-kitty"}
    assert detect(kitty, "UTF-8", low_bandwidth=True).colours == "256"
    assert detect({"TERM": "xterm"}, "UTF-8", low_bandwidth=True).colours == "16"


def test_multiplexers():
    assert detect({"TERM": "screen", "TMUX": "x"}, "UTF-8").multiplexer == "tmux"
    assert detect({"TERM": "screen", "STY": "1.pts"}, "UTF-8").multiplexer == "screen"
    assert detect({"TERM": "xterm"}, "UTF-8").multiplexer == ""
    # GNU screen hands COLORTERM down, and does not know what it promises.
    assert detect({"TERM": "screen", "STY": "1.pts", **TRUE}, "UTF-8").colours == "256"
    assert detect({"TERM": "tmux", "TMUX": "x", "WT_SESSION": "1"}, "UTF-8").colours == "256"
    assert detect({"TERM": "xterm", "SSH_TTY": "/dev/pts/1"}, "UTF-8").remote


# --- colours ---------------------------------------------------------------------------------


def test_no_colour_leaves_weight_and_reverse():
    ground = Color.parse("#121212")
    styles = [Style.parse(s) for s in ("bold red", "#ffffff on #0178d4", "grey50 on #151515")]
    out = NoColour(ground).apply([Segment("x", style) for style in styles], ground)
    assert all(s.style.color is None and s.style.bgcolor is None for s in out)
    assert out[0].style.bold
    assert [bool(s.style.reverse) for s in out] == [False, True, False]


@for_each(
    "hue, number",
    [("#ffa62b", 11), ("#121212", 0), ("#56b4e9", 14), ("#ffffff", 15), ("#444444", 8),
     ("#880000", 1)],
)  # fmt: skip
def test_the_nearest_of_sixteen(hue, number):
    (out,) = SixteenColours(Color.parse("#000000")).apply(
        [Segment("x", Style.parse(hue))], Color.parse("#000000")
    )
    assert out.style.color.number == number


def test_among_sixteen_text_never_vanishes_in_its_ground():
    greys = [f"#{v:02x}{v:02x}{v:02x}" for v in range(0, 256, 15)]
    for ink in greys:
        for ground in greys:
            style = Style.parse(f"{ink} on {ground}")
            (out,) = SixteenColours(Color.parse("#000")).apply(
                [Segment("x", style)], Color.parse("#000")
            )
            assert out.style.color.number != out.style.bgcolor.number


def test_among_256_a_dark_grey_stays_grey():
    assert nearest_of_256(RichColor.parse("#24292f")).number in range(232, 256)
    assert nearest_of_256(RichColor.parse("#ff0000")).number == 196


@pytest.mark.parametrize("colours", ["truecolour", "256", "16", "none"])
def test_every_palette_has_every_role(colours):
    best = Palette.default()
    found = Palette.from_theme({"background": "#121212"}, colours)
    assert found.styles.keys() == best.styles.keys()
    assert found.colourless == (colours == "none")
    assert all((style.color is None) == (colours == "none") for style in found.styles.values())
    assert found.style("no such role") == found.style("axis")


async def test_a_theme_set_before_the_start_colours_the_pictures():
    app = make_lab()
    app.theme = "solarized-light"
    async with running(app):
        await until(lambda: app.main.denoising.trajectory is not None)
        text = Color.from_rich_color(app.main.denoising.palette.style("text").color)
        assert contrast(text, Color.parse(app.theme_variables["background"])) > 3


# --- characters ------------------------------------------------------------------------------


def test_the_console_has_only_its_own_characters():
    text = "╭─╮ ▘▝▖▞█ ▁▅▇ ●○◆▸✓✗… αβᾱσ √²·– → ⣿"
    shown = to_console(text)
    assert len(shown) == len(text)
    assert all(c.isascii() or c in "─│┌┐└┘▀▄█▌▐•♦►√·→²αßσ" or c.encode("cp437") for c in shown)
    assert to_ascii(text).isascii()


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
async def test_series_differ_without_hue(name):
    for colours in ("truecolour", "none"):
        async with lab(name) as driver:
            driver.app.colours = colours
            driver.app._recolour()
            await driver.press("home")
            if name == "naive-multimodal":
                trajectory = "".join(
                    line.text for line in driver.panel.query_one("#trajectory").lines
                )
                assert ("+" in trajectory) == (colours == "none")
            await driver.press("t")
            await driver.state("finished")
            assert ("▀▀ smoothed" in driver.screen) == (colours == "none")
            assert re.search("raw", driver.screen)


async def test_of_two_sizes_at_once_the_terminals_own_is_taken(monkeypatch):
    """Textual's handler of SIGWINCH can be interrupted by the next one, and tell its size last."""
    async with running(make_lab(), (120, 40)) as driver:
        app = driver.app
        monkeypatch.setattr(type(app), "is_headless", False)
        monkeypatch.setattr(
            "tui_diffusion.lab.output.terminal_app.get_terminal_size", lambda: (80, 24)
        )
        app.post_message(events.Resize(Size(100, 30), Size(100, 30)))
        await until(lambda: app.size == Size(80, 24))
        assert app.has_class("narrow") or app.screen.has_class("narrow")
        monkeypatch.undo()
