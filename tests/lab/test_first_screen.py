"""The first screen of the lab, wide and narrow."""

from tui_diffusion.core.config.presets import PRESETS

from ..lab_driver import NARROW, SIZES, lab, make_lab, running, until


@SIZES
async def test_the_first_screen_shows_the_forward_process(size):
    async with lab(size=size) as driver:
        assert "level 10/10" in driver.title
        assert "gaussian-1d" in driver.title
        assert "true data" in driver.subtitle
        assert driver.status.split()[:2] == ["diffusion-tui", "naive-1d"]
        assert driver.status.split()[-1] == "idle"
        assert driver.title in driver.screen
        for key in ("t train", "q quit", "? help"):
            assert key in driver.screen.splitlines()[-1]
        assert len(driver.screen.splitlines()) == size[1]


async def test_wide_shows_setup_denoising_and_training_together():
    async with lab() as driver:
        for text in ("Experiment", "Hyperparameters", "Denoising", "Loss"):
            assert text in driver.screen
        seen, last = 0, list(PRESETS.values())[-1].title
        for preset in PRESETS.values():
            seen += preset.title[:20] in driver.screen
        assert seen >= 15 and last not in driver.screen
        driver.app.updates.choose(list(PRESETS)[-1])
        await until(lambda: last in driver.screen)


async def test_narrow_shows_one_of_three_tabs():
    titles = {"1": "Hyperparameters", "2": "Loss", "3": "Denoising"}
    async with lab(size=NARROW) as driver:
        for key in ("1", "2", "3", "1"):
            await driver.press(key)
            for other, title in titles.items():
                assert (f"{title} " in driver.screen) == (other == key), (key, title)
            assert driver.status in driver.screen, "the status line is on every tab"


async def test_before_the_first_film_it_is_loading():
    app = make_lab()
    start, app.model.sampling.start = app.model.sampling.start, lambda: None
    async with running(app) as driver:
        assert "loading" in driver.status
        assert not app.model.loaded
        start()
        await until(lambda: app.model.loaded)
        assert "idle" in driver.status
