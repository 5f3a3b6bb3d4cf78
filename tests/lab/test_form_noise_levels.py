"""The form draws the noise levels of what is typed."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from tui_diffusion.core.config.experiment import field_table

from ..lab_driver import lab
from ..lab_driver import until as lab_until
from .form_host import Host, about, press, shown


@pytest.mark.parametrize("name", ["naive-1d", "ddpm-1d", "ddpm-multimodal", "flow-moons"])
async def test_the_noise_levels_follow_what_is_typed(name: str) -> None:
    from tui_diffusion.lab.drawing.palette import Palette
    from tui_diffusion.lab.views.noise_levels import noise_levels

    palette, drawn = Palette.default(), []

    def picture(experiment, preset, path, width, height):
        drawn.append(experiment)
        return noise_levels(experiment, preset, width, height, palette, "braille")

    async with Host(name).run_test(size=(46, 40)) as pilot:
        app, form = pilot.app, pilot.app.form
        form.picture = picture
        path = "schedule.betas" if name == "ddpm-1d" else "schedule.levels"
        values = ("0.1 0.2 0.3", "0.1 0.2 0.3, 7") if name == "ddpm-1d" else ("4", "4x")
        form.select(path)
        await pilot.pause()
        before = about(app)
        assert ("sigma" if name == "naive-1d" else "alpha_bar") in before and "level" in before
        await press(pilot, "enter", *values[0])
        assert drawn[-1] == form.model.experiment.with_settings({path: values[0]}) == form.trial
        now = about(app)
        assert now != before
        await press(pilot, *values[1].removeprefix(values[0]))
        # Of the last value that can be, below the reason why this one cannot.
        assert drawn[-1] == form.model.experiment.with_settings({path: values[0]})
        assert "not allowed" in about(app) and "level" in about(app)
        await press(pilot, "escape")
        assert drawn[-1] == form.model.experiment and about(app) == before
        form.select("training.lr")
        await pilot.pause()
        assert field_table()["training.lr"].help in about(app)


async def test_a_list_of_schedules_shows_each_as_the_cursor_passes() -> None:
    async with Host("ddpm-multimodal").run_test(size=(60, 40)) as pilot:
        form, drawn = pilot.app.form, []
        form.picture = lambda *what: drawn.append(what[0].schedule.kind) or []
        form.select("schedule.kind")
        await press(pilot, "enter", "down", "down")
        assert drawn[-1] == "cosine" and form.model.experiment.schedule.kind == "karras-beta"
        await press(pilot, "escape")
        assert drawn[-1] == "karras-beta"


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)])
async def test_the_noise_levels_show_at_every_size_while_a_schedule_is_typed(size) -> None:
    async with lab("ddpm-multimodal", size=size) as driver:
        form = driver.form
        await driver.press("1")
        form.select("schedule.levels")
        form.focus()
        pictures = []
        await driver.press("enter", "8")
        pictures.append(shown(form.help))
        await driver.press("0")
        pictures.append(shown(form.help))
        assert all("alpha_bar" in "".join(lines) for lines in pictures)
        assert pictures[0] != pictures[1]
        await driver.press("x")
        assert "not allowed" in " ".join(" ".join(shown(form.help)).split())
        assert form.fields.scrollable_content_region.height >= 3
        form.close_editor()
        form.select("schedule.kind")
        await driver.press("enter")
        for _ in range(2):
            await driver.press("down")
            field = form.query_one(OptionList).region
            assert not field.overlaps(form.help.region) and "─" in "".join(shown(form.help))


async def test_the_view_of_the_schedule_follows_what_is_typed() -> None:
    async with lab("ddpm-multimodal") as driver:
        await driver.press("o", "o", "o")
        levels = lambda: len(driver.loss.diagnosis.amplification) if driver.loss.diagnosis else 0  # noqa: E731
        await lab_until(lambda: levels() == 20)
        driver.form.select("schedule.levels")
        driver.form.focus()
        await driver.press("enter", "7")
        await lab_until(lambda: levels() == 7)
        await driver.press("x")  # what cannot be changes nothing
        assert driver.form.model.fault("schedule.levels") and levels() == 7
        await driver.press("escape")
        await lab_until(lambda: levels() == 20)
        assert driver.app.model.workspace.experiment.levels == 20
