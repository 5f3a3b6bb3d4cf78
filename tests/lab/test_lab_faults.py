"""Faults as the person at the lab meets them: a line that says what is wrong, and the lab lives."""

import gc
import json
import re
import resource
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from textual._styles_cache import StylesCache

from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.lab.output.errors import print_error
from tui_diffusion.lab.runs.run_list import RunList
from tui_diffusion.lab.runs.screen import RunsScreen
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..fakes import FakeTrainers
from ..hostile_files import MAKERS
from ..lab_driver import lab, make_lab, running, until
from ..stored_runs import of_an_earlier_version
from .test_offer import left

if sys.platform != "win32":
    from ..pseudo_terminal import Terminal

HOSTILE = ("[red]x", "[@click=app.quit]x", "a\x1b[31mb\x07", "tab\tnewline\n", "-rf", "ü")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_a_full_disk_in_mid_training_is_told_and_passes():
    """A limit on the size of files fails every writing in its middle, as a full disk does."""
    with Terminal("naive-1d", "--set", "training.steps=60000000") as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until(lambda: list_runs())
        process = terminal.process.pid
        free = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (300, free[1]))
        # The line is broken where the notice is too narrow for it.
        terminal.until(
            lambda: all(w in terminal.text for w in ("Not saved", "cannot", "too large"))
        )
        (full,) = list_runs()
        assert full.whole
        assert len(open_run(full.name).losses()) == full.about.step
        terminal.go("home", "level 0/10 ")
        assert re.search(r"training +step \d", terminal.text)
        resource.prlimit(process, resource.RLIMIT_FSIZE, free)
        terminal.until(lambda: list_runs()[0].about.step > full.about.step)
        terminal.press("x")
        terminal.until("stopped")
        terminal.press("q")
        terminal.ends_cleanly()
    (run,) = list_runs()
    assert run.standing == "stopped"
    assert run.about.step > full.about.step


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\n2 GiB"), "GPU"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device failed"),
        (RuntimeError("CUDA error: unspecified launch failure\n[red]x"), "device cpu"),
    ],
)
async def test_a_device_that_fails_is_a_line_and_the_lab_trains_again(error, words):
    trainers = FakeTrainers(ends=error, at=20)
    async with lab(trainers=trainers) as driver:
        await driver.press("t")
        await driver.state("failed")
        assert words in driver.app.model.workspace.training.error
        assert driver.app.model.workspace.training.error[:20] in driver.banner
        trainers.options.clear()
        await driver.press("t")
        await driver.state("finished")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\n2 GiB"), "less of"),
        (RuntimeError("CUDA error: device unavailable\n\x1b[31m[red]x"), "device cpu"),
        (OSError(5, "the disk has gone"), "the disk has gone"),
    ],
)
async def test_a_device_that_goes_while_points_are_sampled_is_a_line(error, words, monkeypatch):
    async with lab() as driver:

        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("tui_diffusion.lab.sampling.measured_trajectory.forward_process", fail)
        await driver.press("n")
        await until(lambda: words in " ".join(driver.screen.split()))
        assert "\x1b" not in driver.screen
        monkeypatch.undo()
        await driver.press("n")
        await driver.trajectory()
        await driver.press("home")
        await driver.level(0, 10)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
async def test_a_gpu_that_is_not_here_is_a_line_and_another_device_trains():
    app = make_lab(device="cuda")
    app.model.session = Session(app._notify, keep=keep_in_store)
    async with running(app) as driver:
        await driver.trajectory()
        await driver.press("t")
        await driver.state("failed")
        assert "allowed: auto, cpu" in app.model.workspace.training.error
        assert "device" in driver.banner
        await driver.edit("device", "cpu")
        await driver.edit("training.steps", "20")
        await driver.press("t")
        await driver.state("finished")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["a file", "below a file", "gone in between"])
async def test_a_store_that_cannot_be_is_a_line_and_the_lab_trains(where, home, monkeypatch):
    home.mkdir()
    (home / "file").touch()
    if where == "a file":
        store().write_text("mine")
    elif where == "below a file":
        monkeypatch.setenv("DIFFUSION_TUI_HOME", str(home / "file"))
    app = make_lab(training__steps="20", device="cpu")
    app.model.session = Session(app._notify, keep=keep_in_store)
    async with running(app) as driver:
        await driver.trajectory()
        await driver.press("t")
        await driver.state("finished")
        if where == "gone in between":
            shutil.rmtree(store())
            await driver.edit("training.steps", "40")
            await driver.press("p")
            await driver.state("failed")
            assert "does not exist" in app.model.workspace.training.error
        else:
            await until(lambda: "Not saved" in driver.screen)
            assert "cannot be written" in app.model.workspace.training.unsaved
        await driver.press("r")
        await until(lambda: isinstance(app.screen, RunsScreen))
        words = "No runs" if where == "gone in between" else "cannot be read"
        await until(lambda: words in " ".join(driver.screen.split()))
        await driver.press("escape", "home")
        await driver.level(0, 10)


async def test_what_a_run_says_of_itself_is_shown_harmless():
    run = left(state="stopped")
    hostile = "a\x1b[31m\x07[red]x[/]"
    for file in {run / "experiment.json", run / "checkpoint-1" / "experiment.json"}:
        values = json.loads(file.read_text())
        file.write_text(json.dumps({**values, "name": "[red]y[/]"}))
    of_an_earlier_version(run, files={}, experiment=hostile, device=hostile)
    app = make_lab()
    async with running(app) as driver:
        await driver.trajectory()
        await driver.press("r")
        await until(lambda: isinstance(app.screen, RunsScreen))
        await until(lambda: "a?[31m?[red]x[/]" in driver.screen)
        assert not set(driver.screen) & set("\x1b\x07\x9b")
        await driver.press("m", "escape", "enter")
        await until(lambda: len(app.screen_stack) == 1)
        await driver.state("stopped")
        for keys in ("question_mark", "escape", "c", "escape", "e", "escape", "d", "escape"):
            await driver.press(keys)
            assert not set(driver.screen) & set("\x1b\x07\x9b"), keys
        assert "[red]y[/]" in driver.status
        await until(lambda: len(app.screen_stack) == 1)
        await driver.press("home")
        await driver.level(0, 10)


async def test_runs_with_hostile_names_are_shown_harmless_and_opened():
    for name in HOSTILE:
        left(folder=name)
    app = make_lab()
    async with running(app) as driver:
        await driver.trajectory()
        await driver.press("r")
        await until(lambda: isinstance(app.screen, RunsScreen))
        runs = app.screen.query_one(RunList)
        await until(lambda: {run.name for run in runs.rows} == set(HOSTILE))
        await until(lambda: "[@click=app.quit]x" in driver.screen)
        assert "[red]x" in driver.screen
        assert "a?[31mb?" in driver.screen
        assert "\x1b" not in driver.screen
        for key in ("x", "escape", "m", "escape"):
            await driver.press(key)
        await driver.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        await driver.state("stopped")
        assert app.model.workspace.training.step == 20
    assert len(list_runs()) == len(HOSTILE)


async def test_a_run_that_cannot_be_opened_is_a_line_and_the_lab_lives():
    run = left(state="stopped")
    weights = run / "checkpoint-1" / "weights.safetensors"
    data = weights.read_bytes()
    app = make_lab()
    async with running(app) as driver:
        await driver.trajectory()
        # As many bytes as before, so that the list cannot print_error.
        weights.write_bytes(data[:8] + b"\xff" * (len(data) - 8))
        await driver.press("r")
        await until(lambda: isinstance(app.screen, RunsScreen))
        await driver.press("enter")
        await until(lambda: "weights.safetensors" in driver.screen)
        await driver.press("home")
        await driver.level(0, 10)
        weights.write_bytes(data)
        np.save(run / "checkpoint-1" / "losses.npy", np.zeros(3, np.float32))
        await driver.press("r")
        await until(lambda: isinstance(app.screen, RunsScreen))
        await until(lambda: "damaged" in driver.screen)
        await driver.press("enter")
        await until(lambda: "cannot be opened" in driver.screen)
    assert store().is_dir()


# --- files of points ---------------------------------------------------------------------------


async def test_a_hostile_file_of_points_is_a_line_in_the_form_and_the_lab_lives(tmp_path):
    good = tmp_path / "good.csv"
    good.write_text("1\n2\n4\n")
    trainers = FakeTrainers()
    async with lab(data__name=f"file:{good}", trainers=trainers) as driver:
        driver.form.select("data.path")
        for what, make in MAKERS.items():
            file = make(tmp_path)
            driver.form.enter("data.path", str(file))
            await driver.press("t")
            await until(lambda: "data.path" in driver.form.problems)
            error = driver.form.problems["data.path"]
            assert str(error).isprintable(), what
            assert driver.app.model.workspace.training is None, what
            assert driver.app.model.workspace.experiment.data.path == str(good)
            await until(lambda: "allowed" in " ".join(driver.screen.split()))
            assert driver.form.model.fault("data.path") is error
            assert not set(driver.screen) & set("\x1b\x07\x9b"), what
        assert not (tmp_path / "boom").exists()
        driver.form.enter("data.path", str(good))
        driver.panel.focus()
        await driver.press("home")
        await driver.level(0, 10)
        await driver.press("t")
        await driver.state("finished")


def said_of_field(driver) -> str:
    """The form, at the left of a wide screen, as one line."""
    return " ".join(" ".join(line[1:33] for line in driver.screen.splitlines()).split())


async def test_a_hostile_path_is_typed_and_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_text("1\n2\n4\n")
    (tmp_path / "[red]x.csv").write_text("\x1b[31m[red]\n\x1b[2J[@click=app.quit]x\n")
    async with lab(data__name="file:p.csv") as driver:
        await driver.edit("data.path", "[red]x.csv")
        await until(lambda: "is not a number" in said_of_field(driver))
        text = said_of_field(driver)
        assert "is not a number" in text and "[red]x.csv" in text
        assert "\x1b" not in driver.screen
        await driver.edit("data.path", "~nobody-of-this-name/x.csv")
        await until(lambda: "no such file" in said_of_field(driver))
        await driver.edit("data.path", "p.csv")
        await until(lambda: not driver.form.reading and not driver.form.problems)


@pytest.mark.parametrize("how", ["gone", "another", "pipe"])
async def test_what_becomes_of_a_file_between_start_and_drawing(how, tmp_path):
    """The film's own points are drawn to the end; `t` takes those that stand there then."""
    file = tmp_path / "p.csv"
    whole = "".join(f"{k % 7},{k % 5}\n" for k in range(35))
    file.write_text(whole)
    trainers = FakeTrainers()
    async with lab(data__name=f"file:{file}", trainers=trainers) as driver:
        file.unlink()
        if how == "another":
            file.write_text("1\n2\n4\n")
        elif how == "pipe":
            MAKERS["pipe"](tmp_path).rename(file)
        for key in ("home", "end", "g", "f", *"vvvvv", "f", "w", *"wwww", "k", "plus", "s"):
            await driver.press(key)
        await driver.press("n")
        await driver.trajectory()
        await driver.press("i")
        await driver.trajectory("ideal")
        await driver.press(*"vvvvvv", "i")
        await driver.trajectory()
        assert driver.panel.trajectory.dim == 2
        await driver.edit("training.lr", "0.5")
        assert not driver.form.problems
        await driver.press("t")
        if how == "another":
            await driver.state("finished")
            assert trainers.last.experiment.dim == 1
            await until(
                lambda: driver.panel.trajectory is not None and driver.panel.trajectory.dim == 1
            )
        else:
            await until(lambda: "data.path" in driver.screen)
            assert not trainers.made
            file.unlink(missing_ok=True)
            file.write_text(whole)
            await driver.press("t")
            await driver.state("finished")


@pytest.mark.slow
async def test_screens_that_were_closed_leave_nothing_behind():
    async with lab() as driver:

        async def kept() -> int:
            for key in ("question_mark", "c") * 4:
                await driver.press(key)
                await until(lambda: len(driver.app.screen_stack) == 2)
                await driver.press("escape")
                await until(lambda: len(driver.app.screen_stack) == 1)
            await driver.pilot.pause(0.2)
            gc.collect()
            return sum(type(thing) is StylesCache for thing in gc.get_objects())

        first = await kept()
        assert await kept() <= first + 8


def test_the_details_of_a_failure_are_private_and_few(home, capsys, monkeypatch):
    logs = home / "logs"
    for number in range(8):
        monkeypatch.setattr("os.getpid", lambda number=number: number)
        print_error(ValueError("a\x1b[31m"), [f"details {number}"])
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("diffusion-tui: the lab failed (ValueError: a?[31m); details: ")
    file = Path(told.rpartition(" ")[2])
    assert (file.parent, file.read_text("utf-8")) == (logs, "details 7\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert logs.stat().st_mode & 0o777 == 0o700
    assert len(list(logs.iterdir())) == 5
    shutil.rmtree(logs)
    logs.symlink_to("/dev/null")
    print_error(ValueError("b"), ["details"])
    assert "details cannot be written" in capsys.readouterr().err
