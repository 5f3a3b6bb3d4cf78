"""Titles of panels have their parts whole, at every width; what matters least goes first."""

from tui_diffusion.core.numbered_text import text_of
from tui_diffusion.lab.widgets.panel import joined

from ..lab_driver import lab


def test_parts_of_a_title_go_whole_and_in_their_turn():
    parts = ["Denoising  level 0/20", "beta 0.999", "alpha_bar 0.0005", "data", "start off by 0.5"]
    kept = [text_of(joined(parts, room, "  ", [3, 1, 2])) for room in range(90, 0, -1)]
    assert list(dict.fromkeys(kept)) == [
        "  ".join(parts[k] for k in left)
        for left in ((0, 1, 2, 3, 4), (0, 1, 2, 4), (0, 2, 4), (0, 4), (0,))
    ]
    for room, text in zip(range(90, 0, -1), kept, strict=True):
        assert len(text) <= room or text == parts[0]


async def test_the_start_is_said_whole_in_a_narrow_panel_and_how_it_plays_too():
    async with lab("naive-2d", size=(80, 24)) as driver:
        await driver.press("i")
        await driver.trajectory("ideal")
        await driver.press("f", "m", "home", "v")
        for width in (80, 60):
            await driver.pilot.resize_terminal(width, 24)
            await driver.pilot.pause(0.1)
            assert "level 0/10" in driver.title and "  start off by " in driver.title
            assert f"─ {driver.title} ─" in driver.screen, "in the border as it is"
            assert f"─ {driver.subtitle} ─" in driver.screen
            assert driver.subtitle.startswith("ideal denoiser · ") and "loop" in driver.subtitle
