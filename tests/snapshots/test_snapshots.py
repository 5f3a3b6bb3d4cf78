"""How the lab looks. After a change that is meant, write them anew and look at them:

    pytest tests/snapshots/test_snapshots.py --snapshot-update

Nothing in them depends on a clock or on the last digits of a machine: trainings are fake, and what
is measured of a sample is put in its place.
"""

import math
import time
from pathlib import Path

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import save_preset
from tui_diffusion.core.runs import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.runs.compare.screen import CompareScreen
from tui_diffusion.lab.runs.compare.subjects import Candidate
from tui_diffusion.lab.sampling.measured_trajectory import LevelMeasurements, MeasuredTrajectory
from tui_diffusion.lab.screens import save_preset as keeping

from .. import stored_runs as stored
from ..fakes import FakeTrainers
from ..lab_driver import NARROW, WIDE, Driver, make_lab, until
from ..sweeps import results_of

TABS = {"setup": "1", "training": "2", "denoising": "3"}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(autouse=True)
def steady_numbers(monkeypatch):
    """Sums over many points differ in their last digits from one processor to another."""

    def moments(trajectory, level):
        one, two = [0.25] * trajectory.dim, [0.5] * trajectory.dim
        return [one, two, one, two]

    def measure(trajectory, level):
        return LevelMeasurements(*moments(trajectory, level), 0.02, 0.01, 0.003, 0.002, 0.001)

    monkeypatch.setattr(MeasuredTrajectory, "moments_at", moments)
    monkeypatch.setattr(MeasuredTrajectory, "_measure", measure)


@pytest.fixture
def view_state(snap_compare):
    """Compare the lab with its snapshot, after ``act`` has been done in it."""

    def compare(act=None, *, name="naive-multimodal", size=WIDE, **options):
        quick = FakeTrainers(chunk=100)
        app = make_lab(name, points="400", **{"trainers": quick, **options})

        async def before(pilot):
            driver = Driver(app, pilot)
            await driver.trajectory()
            if act is not None:
                await act(driver)
            await pilot.pause(0.1)

        try:
            return snap_compare(app, terminal_size=size, run_before=before)
        finally:
            app.close_workers()

    return compare


def pressing(*keys):
    async def act(driver):
        await driver.press(*keys)

    return act


async def trained(driver):
    """Train to the end and look at the eighth level."""
    await driver.press("t")
    await driver.state("finished")
    await driver.trajectory("network")
    await driver.press("home", *["l"] * 8)


# --- before any training ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
def test_first_screen_wide(view_state, name):
    assert view_state(pressing("home", "l", "l", "l"), name=name)


@pytest.mark.parametrize("tab", TABS)
def test_first_screen_narrow(view_state, tab):
    assert view_state(pressing("home", "l", "l", "l", TABS[tab]), size=NARROW)


def test_pdf_and_cdf(view_state):
    async def act(driver):
        while driver.panel.view != "pdf and cdf":
            await driver.press("v")
        await driver.press("home")

    assert view_state(act, name="ddpm-1d-detailed", size=NARROW)


def test_mean_and_std(view_state):
    async def act(driver):
        while driver.panel.view != "mean and std":
            await driver.press("v")

    assert view_state(act, size=NARROW)


# --- a sweep ---------------------------------------------------------------------------------


def sweeping(*axes, values=(), cursor=0):
    """Show a sweep that was never trained, in its tab."""

    async def act(driver):
        await driver.press("4")
        panel = driver.app.sweeps.panel
        await until(lambda: panel.has_focus)
        panel.propose(None)
        if values:
            found = results_of(*axes, values=values)
            panel.show(found)
            panel.rank(found.ranking())
            panel.go_to(cursor)
            panel.action_mark()

    return act


def spread(value):
    return [value * factor for factor in (0.8, 0.9, 1.0, 1.1, 1.2)]


_BAD = [math.inf] * 5
_OF_A_CURVE = [spread(2.0), spread(0.4), spread(0.41), [*spread(3.0)[:3], math.inf, math.inf]]
_OF_A_MAP = [*_OF_A_CURVE, spread(0.9), _BAD, [None] * 5, spread(30.0)]
_RATES, _WIDTHS = "training.lr=1e-4,1e-3,1e-2,0.1", "network.width=8,16"


@SIZES
def test_no_sweep(view_state, size):
    assert view_state(sweeping(), size=size)


@SIZES
def test_sweep_curve(view_state, size):
    assert view_state(sweeping(_RATES, values=_OF_A_CURVE, cursor=1), size=size)


@SIZES
def test_sweep_map(view_state, size):
    assert view_state(sweeping(_WIDTHS, _RATES, values=_OF_A_MAP, cursor=4), size=size)


@pytest.mark.parametrize(("colours", "glyphs"), [("none", "braille"), ("16", "ascii")])
def test_sweep_in_a_plain_terminal(view_state, colours, glyphs):
    act = sweeping(_WIDTHS, _RATES, values=_OF_A_MAP, cursor=4)
    assert view_state(act, size=NARROW, colours=colours, glyphs=glyphs)


# --- trainings -------------------------------------------------------------------------------


def test_trained_wide(view_state):
    assert view_state(trained)


@pytest.mark.parametrize("tab", ["training", "denoising"])
def test_trained_narrow(view_state, tab):
    async def act(driver):
        await trained(driver)
        await driver.press(TABS[tab])

    assert view_state(act, size=NARROW)


@SIZES
def test_paused(view_state, size):
    async def act(driver):
        await driver.press("t")
        await driver.state("training")
        await driver.press("p")
        await driver.state("paused")
        await driver.trajectory("network")

    assert view_state(act, size=size, trainers=FakeTrainers(limit=0))


@SIZES
def test_diverged(view_state, size):
    async def act(driver):
        await driver.press("t")
        await driver.state("diverged")
        await driver.trajectory("network")
        await driver.press("2")

    assert view_state(act, size=size, trainers=FakeTrainers(ends="diverged", at=700))


def test_failed(view_state):
    async def act(driver):
        await driver.press("t")
        await driver.state("failed")
        await driver.press("2")

    trainers = FakeTrainers(ends=RuntimeError("no memory [left]"), at=1)
    assert view_state(act, size=NARROW, trainers=trainers)


# --- the main screen wherever it may run -----------------------------------------------------


@pytest.mark.parametrize("size", [(60, 18), (100, 30), (200, 60)], ids="{0[0]}x{0[1]}".format)
def test_every_size(view_state, size):
    assert view_state(trained, size=size)


@pytest.mark.parametrize(
    ("colours", "glyphs"),
    [("256", "braille"), ("16", "blocks"), ("none", "braille"), ("none", "ascii")],
)
def test_every_colour_level(view_state, colours, glyphs):
    assert view_state(trained, colours=colours, glyphs=glyphs)


# --- windows over it -------------------------------------------------------------------------


async def offer(driver):
    trainer = Trainer(driver.app.model.workspace.experiment)
    next(trainer.run(every=20))
    save_run(store.store() / "left", trainer, "training")
    driver.app.offered = (driver.app.model.chosen,)
    driver.app.offer_to_go_on()


async def palette(driver):
    await driver.press("ctrl+p", *"play")
    found = driver.app.screen.query_one("CommandList")
    await until(lambda: found.option_count == 2 and "Play mode" in driver.screen)


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
def test_windows(view_state, monkeypatch, window, size):
    monkeypatch.setattr(store.Summary, "age", lambda run: 7_300.0)
    monkeypatch.setattr(keeping, "presets_folder", lambda: Path("~/.config/diffusion-tui/presets"))
    assert view_state(WINDOWS[window], size=size)


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
    return [Candidate(name, store.store() / name) for name in _RUNS]


_RUNS = {
    "first": {},
    "a-faster-rate": {"training__lr": "0.01"},
    "the-one-with-[few]-levels-and-a-name-that-goes-on-and-on-and-on": {"schedule__levels": "12"},
}


@SIZES
def test_runs(view_state, made_runs, size):
    assert view_state(pressing("r", "space", "space", "down"), size=size)


def test_runs_filtered(view_state, made_runs):
    assert view_state(pressing("r", "f", *"rate"), size=NARROW)


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
def test_comparison_wide(view_state, made_runs, glyphs):
    assert view_state(comparing(made_runs, "left"), glyphs=glyphs)


@pytest.mark.parametrize("page", ["1", "2", "3"])
def test_comparison_narrow(view_state, made_runs, page):
    assert view_state(comparing(made_runs, page, "left"), size=NARROW)


@SIZES
@pytest.mark.parametrize("keys", [("a",), ("j",)], ids=["asking", "jump"])
def test_comparison_prompts(view_state, made_runs, keys, size):
    assert view_state(comparing(made_runs, "2", "left", "m", "f", "left", *keys), size=size)


def comparing(sources, *keys):
    async def act(driver):
        screen = CompareScreen(sources)
        driver.app.push_screen(screen)
        await until(lambda: len(screen.trajectories) == len(sources))
        await driver.press(*keys)

    return act


# --- setup, help, small, ascii ---------------------------------------------------------------


@SIZES
def test_a_wrong_value(view_state, size):
    async def act(driver):
        await driver.press("1")
        await driver.edit("training.lr", "abc")

    assert view_state(act, size=size)


@SIZES
def test_noise_levels_while_typing(view_state, size):
    async def act(driver):
        await driver.press("1")
        driver.form.select("schedule.sigma_max")
        driver.form.focus()
        await driver.press("enter", "up", "up")

    assert view_state(act, size=size)


def test_noise_levels_without_colour_or_braille(view_state):
    async def act(driver):
        await driver.press("1")
        driver.form.select("schedule.beta_min")
        driver.form.focus()
        await driver.press("full_stop", "full_stop")

    assert view_state(act, name="ddpm-multimodal", size=NARROW, glyphs="ascii")


@SIZES
def test_presets_of_ones_own(view_state, size):
    own = get_preset("edm-moons").experiment.with_settings({"training.steps": 2000})
    save_preset("short-moons", own)

    async def act(driver):
        await driver.press("1", "end", *["pagedown"] * 2, "z", "down", "down", "enter")

    assert view_state(act, size=size)


@SIZES
def test_help(view_state, size):
    assert view_state(pressing("question_mark"), size=size)


@SIZES
@pytest.mark.parametrize("key", ["a", "u"], ids=["asking", "tour"])
def test_learning(view_state, key, size):
    assert view_state(pressing("home", key), size=size)


@SIZES
def test_the_guided_first_run(view_state, size):
    async def act(driver):
        driver.app.guidance.begin()

    assert view_state(act, size=size)


def test_too_small(view_state):
    assert view_state(size=(50, 12))


@pytest.mark.parametrize("name", ["naive-1d", "naive-multimodal"])
def test_ascii(view_state, name):
    assert view_state(trained, name=name, glyphs="ascii")


def test_light(view_state):
    async def act(driver):
        driver.app.theme = "textual-light"
        await driver.press("home", "l", "l", "l")

    assert view_state(act)
