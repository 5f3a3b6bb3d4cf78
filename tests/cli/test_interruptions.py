"""A training that diverges, is interrupted or stopped at the command line."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tui_diffusion.cli import training as headless
from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer, train

from ..faults import overflow


def test_an_overflow_at_an_interruption_is_told_and_offers_no_going_on(run_cli, monkeypatch):
    run = Trainer.run

    def overflowing(self, **_):
        for progress in run(self, every=1):
            if progress.step == 20:
                overflow(self)
                signal.raise_signal(signal.SIGTERM)
            yield progress

    monkeypatch.setattr(Trainer, "run", overflowing)
    assert run_cli("train", "naive-1d") == 128 + signal.SIGTERM
    assert "interrupted at step 20/1,000, where it has diverged" in run_cli.err
    assert "--resume" not in run_cli.err
    assert list_runs()[0].standing == "diverged"


# --- divergence and interruption ---------------------------------------------------------------


def test_a_divergence_is_exit_code_3_with_json_all_the_same(run_cli):
    report = run_cli.json("train", "naive-1d", "--set", "training.lr=1e9", code=3)
    assert report["loss"]["final"] is None
    assert report["steps"] < 1000
    run = open_run(report["run"])
    assert (run.state, run.step) == ("diverged", report["steps"])
    lines = run_cli.err.splitlines()
    assert len(lines) == 1
    assert f"step {report['steps']}" in lines[0]
    assert "diverged" in lines[0]


def test_an_interruption_saves_a_training_that_can_go_on(run_cli, monkeypatch):
    """A signal in the middle of a block: every step counted has its loss, and none is lost."""
    count_of = Trainer._count

    def count(self, block, stage, every):
        if self.step == 300:
            signal.raise_signal(signal.SIGINT)
            return 1
        return min(count_of(self, block, stage, every), 300 - self.step)

    monkeypatch.setattr(headless, "_REPORT", 1e-9)
    monkeypatch.setattr(Trainer, "_count", count)
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run_cli("train", "naive-1d", "--json") == Exit.INTERRUPTED == 130
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert run_cli.out == ""
    assert "interrupted at step 301/1,000" in run_cli.err
    run = open_run(run_cli.err.strip().rpartition("run: ")[2])
    assert (run.state, run.step) == ("stopped", 301)
    experiment = get_preset("naive-1d").experiment
    whole = np.concatenate([p.losses for p in train(experiment)])
    assert run.losses().tobytes() == whole[:301].tobytes()
    rest = np.concatenate([p.losses for p in train(experiment, state=run.training_state())])
    assert rest.tobytes() == whole[301:].tobytes()


@pytest.fixture
def signals() -> Iterator[None]:
    """Ctrl-C as a shell in the foreground leaves it; one in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("signalled", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_before_anything_is_done_is_one_line(
    run_cli, monkeypatch, signals, signalled, code
):
    def wait(*_: object, **__: object) -> None:
        signal.raise_signal(signalled)

    monkeypatch.setattr(headless, "begin", wait)
    assert run_cli("train", "naive-1d", "--json") == code
    assert (run_cli.out, run_cli.err) == ("", "diffusion-tui: interrupted\n")


def test_an_export_that_is_ended_leaves_nothing_behind(run_cli, saved, tmp_path, monkeypatch):
    def write(_: object, file: Path, *__: object) -> None:
        file.write_bytes(b"half of it")
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("tui_diffusion.export.pictures.video.write_gif", write)
    before = sorted(tmp_path.iterdir())
    assert run_cli("export", str(saved), str(tmp_path / "film.gif"), "--json") == 143
    assert (run_cli.out, run_cli.err) == ("", "diffusion-tui: interrupted\n")
    assert sorted(tmp_path.iterdir()) == before
