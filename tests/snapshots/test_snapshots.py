"""How the lab looks. After a change that is meant, write them anew and look at them:

    pytest tests/test_snapshots.py --snapshot-update

Nothing in them depends on a clock or on the last digits of a machine: trainings are fake, and what
is measured of a sample is put in its place.
"""

import time
from pathlib import Path

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import save_preset
from tui_diffusion.core.runs import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Source
from tui_diffusion.lab.sampling.measured_trajectory import Film, Numbers
from tui_diffusion.lab.screens import save_preset as keeping

from .. import stored_runs as stored
from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, Bench, make_lab, until

TABS = {"setup": "1", "training": "2", "denoising": "3"}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(autouse=True)
def steady_numbers(monkeypatch):
    """Sums over many points differ in their last digits from one processor to another."""

    def moments(film, level):
        one, two = [0.25] * film.dim, [0.5] * film.dim
        return [one, two, one, two]

    def measure(film, level):
        return Numbers(*moments(film, level), 0.02, 0.01, 0.003, 0.002, 0.001)

    monkeypatch.setattr(Film, "moments_at", moments)
    monkeypatch.setattr(Film, "_measure", measure)


@pytest.fixture
def look(snap_compare):
    """Compare the lab with its snapshot, after ``act`` has been done in it."""

    def compare(act=None, *, name="naive-multimodal", size=WIDE, **options):
        quick = FakeTrainers(chunk=100)
        app = make_lab(name, points="400", **{"trainers": quick, **options})

        async def before(pilot):
            bench = Bench(app, pilot)
            await bench.film()
            if act is not None:
                await act(bench)
            await pilot.pause(0.1)

        try:
            return snap_compare(app, terminal_size=size, run_before=before)
        finally:
            app.close_workers()

    return compare


def pressing(*keys):
    async def act(bench):
        await bench.press(*keys)

    return act


async def trained(bench):
    """Train to the end and look at the eighth level."""
    await bench.press("t")
    await bench.state("finished")
    await bench.film("network")
    await bench.press("home", *["l"] * 8)


# --- before any training ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
def test_first_screen_wide(look, name):
    assert look(pressing("home", "l", "l", "l"), name=name)


@pytest.mark.parametrize("tab", TABS)
def test_first_screen_narrow(look, tab):
    assert look(pressing("home", "l", "l", "l", TABS[tab]), size=NARROW)


def test_pdf_and_cdf(look):
    async def act(bench):
        while bench.panel.view != "pdf and cdf":
            await bench.press("v")
        await bench.press("home")

    assert look(act, name="ddpm-1d-detailed", size=NARROW)


def test_mean_and_std(look):
    async def act(bench):
        while bench.panel.view != "mean and std":
            await bench.press("v")

    assert look(act, size=NARROW)


# --- trainings -------------------------------------------------------------------------------


def test_trained_wide(look):
    assert look(trained)


@pytest.mark.parametrize("tab", ["training", "denoising"])
def test_trained_narrow(look, tab):
    async def act(bench):
        await trained(bench)
        await bench.press(TABS[tab])

    assert look(act, size=NARROW)


@SIZES
def test_paused(look, size):
    async def act(bench):
        await bench.press("t")
        await bench.state("training")
        await bench.press("p")
        await bench.state("paused")
        await bench.film("network")

    assert look(act, size=size, trainers=FakeTrainers(limit=0))


@SIZES
def test_diverged(look, size):
    async def act(bench):
        await bench.press("t")
        await bench.state("diverged")
        await bench.film("network")
        await bench.press("2")

    assert look(act, size=size, trainers=FakeTrainers(ends="diverged", at=700))


def test_failed(look):
    async def act(bench):
        await bench.press("t")
        await bench.state("failed")
        await bench.press("2")

    trainers = FakeTrainers(ends=RuntimeError("no memory [left]"), at=1)
    assert look(act, size=NARROW, trainers=trainers)


# --- the main screen wherever it may run -----------------------------------------------------


@pytest.mark.parametrize("size", [(60, 18), (100, 30), (200, 60)], ids="{0[0]}x{0[1]}".format)
def test_every_size(look, size):
    assert look(trained, size=size)


@pytest.mark.parametrize(
    ("colours", "glyphs"),
    [("256", "braille"), ("16", "blocks"), ("none", "braille"), ("none", "ascii")],
)
def test_every_colour_level(look, colours, glyphs):
    assert look(trained, colours=colours, glyphs=glyphs)


# --- windows over it -------------------------------------------------------------------------


async def offer(bench):
    trainer = Trainer(bench.app.model.bench.experiment)
    next(trainer.run(every=20))
    save_run(store.store() / "left", trainer, "training")
    bench.app.offered = (bench.app.model.chosen,)
    bench.app.offer_to_go_on()


async def palette(bench):
    await bench.press("ctrl+p", *"play")
    found = bench.app.screen.query_one("CommandList")
    await until(lambda: found.option_count == 2 and "Play mode" in bench.screen)


WINDOWS = {
    "code": pressing("c"),
    "export": pressing("e"),
    "jump": pressing("j", "9", "9", "enter"),
    "preset": pressing("z", *"my own", "down", "up"),
    "offer": offer,
    "palette": palette,
}


@SIZES
@pytest.mark.parametrize("window", WINDOWS)
def test_windows(look, monkeypatch, window, size):
    monkeypatch.setattr(store.Summary, "age", lambda run: 7_300.0)
    monkeypatch.setattr(keeping, "presets_folder", lambda: Path("~/.config/diffusion-tui/presets"))
    assert look(WINDOWS[window], size=size)


# --- runs and their comparison ---------------------------------------------------------------


@pytest.fixture
def made_runs(tmp_path, monkeypatch):
    """Three runs and what is none, whose numbers and times are the same on every machine."""
    monkeypatch.setenv("DIFFUSION_TUI_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(store.Summary, "age", lambda run: 7_300.0)
    for k, (name, settings) in enumerate(_RUNS.items()):
        stored.invented(name, "naive-multimodal", 40 * (k + 1), **settings)
    (store.store() / "notes").mkdir()
    return [Source(name, store.store() / name) for name in _RUNS]


_RUNS = {
    "first": {},
    "a-faster-rate": {"training__lr": "0.01"},
    "the-one-with-[few]-levels-and-a-name-that-goes-on-and-on-and-on": {"schedule__levels": "12"},
}


@SIZES
def test_runs(look, made_runs, size):
    assert look(pressing("r", "space", "space", "down"), size=size)


def test_runs_filtered(look, made_runs):
    assert look(pressing("r", "f", *"rate"), size=NARROW)


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
def test_comparison_wide(look, made_runs, glyphs):
    assert look(comparing(made_runs, "left"), glyphs=glyphs)


@pytest.mark.parametrize("page", ["1", "2", "3"])
def test_comparison_narrow(look, made_runs, page):
    assert look(comparing(made_runs, page, "left"), size=NARROW)


@SIZES
@pytest.mark.parametrize("keys", [("a",), ("j",)], ids=["asking", "jump"])
def test_comparison_prompts(look, made_runs, keys, size):
    assert look(comparing(made_runs, "2", "left", "m", "f", "left", *keys), size=size)


def comparing(sources, *keys):
    async def act(bench):
        screen = CompareScreen(sources)
        bench.app.push_screen(screen)
        await until(lambda: len(screen.films) == len(sources))
        await bench.press(*keys)

    return act


# --- setup, help, small, ascii ---------------------------------------------------------------


@SIZES
def test_a_wrong_value(look, size):
    async def act(bench):
        await bench.press("1")
        await bench.edit("training.lr", "abc")

    assert look(act, size=size)


@SIZES
def test_noise_levels_while_typing(look, size):
    async def act(bench):
        await bench.press("1")
        bench.form.select("schedule.sigma_max")
        bench.form.focus()
        await bench.press("enter", "up", "up")

    assert look(act, size=size)


def test_noise_levels_without_colour_or_braille(look):
    async def act(bench):
        await bench.press("1")
        bench.form.select("schedule.beta_min")
        bench.form.focus()
        await bench.press("full_stop", "full_stop")

    assert look(act, name="ddpm-multimodal", size=NARROW, glyphs="ascii")


@SIZES
def test_presets_of_ones_own(look, size):
    own = get_preset("edm-moons").experiment.with_settings({"training.steps": 2000})
    save_preset("short-moons", own)

    async def act(bench):
        await bench.press("1", "end", *["pagedown"] * 2, "z", "down", "down", "enter")

    assert look(act, size=size)


@SIZES
def test_help(look, size):
    assert look(pressing("question_mark"), size=size)


@SIZES
@pytest.mark.parametrize("key", ["a", "u"], ids=["asking", "tour"])
def test_learning(look, key, size):
    assert look(pressing("home", key), size=size)


@SIZES
def test_the_guided_first_run(look, size):
    async def act(bench):
        bench.app.guidance.begin()

    assert look(act, size=size)


def test_too_small(look):
    assert look(size=(50, 12))


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
def test_ascii(look, name):
    assert look(trained, name=name, glyphs="ascii")


def test_light(look):
    async def act(bench):
        bench.app.theme = "textual-light"
        await bench.press("home", "l", "l", "l")

    assert look(act)
