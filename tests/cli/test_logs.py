"""Live logs of a training: ``train --log``."""

from __future__ import annotations

import csv
import os
import signal
import sys
import time
from collections import defaultdict
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tui_diffusion.cli.logs import open_logs, parse_logs
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs import event_log
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.event_log import COLUMNS, FINAL, CsvLog
from tui_diffusion.core.runs.manifest import RunError
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer

from ..command_line import LONG, SHORT, spawn
from ..fakes import wait_until
from ..trainings import go_on, short


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        table = csv.DictReader(opened)
        assert tuple(table.fieldnames or ()) == COLUMNS
        return list(table)


def test_a_log_lies_in_the_run_and_ends_with_its_quality(run_cli, home) -> None:
    report = run_cli.json("train", "edm-1d", *SHORT, "--log", "csv")
    folder = Path(report["run"])
    *_, last = rows_of(folder / "log.csv")
    assert int(last["step"]) == 30
    assert float(last["floor"]) == pytest.approx(report["loss"]["floor"])
    energy = report["sample"]["energy_distance"]
    assert float(last["energy_distance"]) == pytest.approx(energy)
    assert float(last["smoothed"]) == pytest.approx(report["loss"]["final"])
    assert [run.standing for run in list_runs()] == ["finished"]
    # More steps: the same file goes on, with every step once.
    run_cli.json("train", "--resume", "latest", "--set", "training.steps=60", "--log", "csv")
    steps = [int(row["step"]) for row in rows_of(folder / "log.csv")]
    assert steps == sorted(set(steps)) and {30, 60} <= set(steps)
    assert run_cli("evaluate", "latest") == 0


def test_the_losses_of_the_rows_are_means_over_their_steps(tmp_path: Path) -> None:
    now = 0.0
    trainer = Trainer(short("naive-1d", 100))
    log = CsvLog(trainer, tmp_path / "log.csv", clock=lambda: now)
    for progress in trainer.run(every=10):
        log.offer(progress)
        now += 0.06  # a row at most every 0.1 s
    log.close()
    rows, first = rows_of(tmp_path / "log.csv"), 0
    for row in rows:
        step = int(row["step"])
        mean = trainer.losses[first:step].mean(dtype=float)
        assert float(row["loss"]) == pytest.approx(mean, rel=1e-6)
        assert float(row["smoothed"]) == pytest.approx(trainer.losses[:step].mean(dtype=float))
        first = step
    assert first == 100 and len(rows) == 6


def test_a_resumed_log_drops_what_comes_after_its_step(tmp_path: Path) -> None:
    file, head = tmp_path / "log.csv", ",".join(COLUMNS)
    tail = "," * (len(COLUMNS) - 1)
    file.write_text(f"{head}\n10{tail}\n20{tail}\n30{tail}\n4")
    trainer = go_on(Trainer(short("naive-1d", 40)), 20)
    log = CsvLog(trainer, file)
    for progress in trainer.run():
        log.offer(progress)
    log.close()
    assert [row["step"] for row in rows_of(file)] == ["10", "20", "40"]
    other = tmp_path / "data.csv"
    other.write_text("x,y\n1,2\n")
    with pytest.raises(RunError, match="not a log of a training"):
        CsvLog(trainer, other)


def test_rows_wait_for_their_folder_and_survive_a_fault(tmp_path: Path, monkeypatch) -> None:
    trainer = Trainer(short("naive-1d", 30))
    log = CsvLog(trainer, tmp_path / "run" / "log.csv", clock=count().__next__)
    steps = trainer.run(every=10)
    log.offer(next(steps))
    assert not (tmp_path / "run").exists() and not log.fault
    (tmp_path / "run").mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(event_log, "write_whole", full)
        log.offer(next(steps))
        assert "No space left" in log.fault
    log.offer(next(steps))
    log.close()
    assert not log.fault
    assert [row["step"] for row in rows_of(tmp_path / "run" / "log.csv")] == ["10", "20", "30"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "tensorboard"])
def test_a_log_leaves_the_empty_folder_of_a_new_run_to_its_first_checkpoint(kind, tmp_path):
    if kind == "tensorboard":
        pytest.importorskip("tensorboard")
    folder = tmp_path / "run"
    folder.mkdir()
    trainer = Trainer(short("naive-1d", 60))
    (log,) = open_logs(parse_logs([kind], save=True), trainer, folder)
    for progress in trainer.run(every=30):
        log.offer(progress)
    assert [*folder.iterdir()] == []
    with Checkpointer(trainer, folder) as checkpointer:
        checkpointer.finish("finished")
    log.close()
    assert open_run(folder).step == 60
    assert any(file.name.startswith(("log.csv", "events.out")) for file in folder.iterdir())


@pytest.mark.slow
def test_a_killed_training_leaves_its_rows_and_goes_on_in_the_same_file(home) -> None:
    training = spawn("train", "naive-2d", *LONG, "--log", "csv", env=dict(os.environ))

    def rows() -> int:
        files = list(store().glob("*/log.csv"))
        return files[0].read_text().count("\n") if files else 0

    try:
        wait_until(lambda: rows() > 4, "rows of the log")
        assert [run.standing for run in list_runs()] == ["training"]
    finally:
        training.send_signal(signal.SIGKILL)
        training.communicate()
    run = open_run("latest")
    file = run.folder / "log.csv"
    before = int(rows_of(file)[-1]["step"])
    again = spawn("train", "--resume", "latest", "--log", "csv", env=dict(os.environ))
    try:
        wait_until(lambda: int(rows_of(file)[-1]["step"]) > before + 1000, "more rows")
    finally:
        again.send_signal(signal.SIGTERM)
        again.communicate()
    steps = np.array([int(row["step"]) for row in rows_of(file)])
    assert (np.diff(steps) > 0).all() and steps[-1] == open_run("latest").step


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--log", "wandb"), "--log 'wandb' is not allowed; allowed: csv, csv:FILE, tensorboard"),
        (("--log", "csv:"), "--log 'csv:' is not allowed"),
        (("--log", "csv", "--no-save"), "--log csv: --no-save leaves no run to put it into; al"),
        (("--log", "csv", "--log", "csv"), "--log: the same log twice"),
        (("--log", "csv:taken.csv"), "taken.csv: exists already; allowed: a new file"),
        (("--log", "csv:taken.csv/log.csv"), "cannot be written"),
        (("--log", "tensorboard"), "the package tensorboard is not installed; allowed: csv, or"),
    ],
)
def test_a_wrong_log_is_refused_in_one_line(
    run_cli, home, tmp_path, monkeypatch, arguments, message
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    Path("taken.csv").write_text("1,2\n")
    assert run_cli("train", "edm-1d", *SHORT, *arguments) == 2
    assert message in run_cli.err and run_cli.err.count("\n") == 1
    assert not store().exists() or not any(store().iterdir())


def test_tensorboard_reads_what_is_logged_for_it(run_cli, home, tmp_path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
        events, read = EventAccumulator(str(folder)), defaultdict(list)
        events.Reload()
        for tag in events.Tags()["scalars"]:
            read[tag] = [(event.step, event.value) for event in events.Scalars(tag)]
        assert "experiment/text_summary" in events.Tags()["tensors"]
        return read

    report = run_cli.json("train", "edm-1d", *SHORT, "--log", "tensorboard")
    folder = Path(report["run"])
    assert scalars(folder)["training/loss"][-1][0] == 30
    assert scalars(folder)["quality/energy_distance"][-1][1] == pytest.approx(
        report["sample"]["energy_distance"]
    )
    time.sleep(1.1)  # its files are told apart by the second
    run_cli.json(
        "train", "--resume", "latest", "--set", "training.steps=50", "--log", "tensorboard"
    )
    steps = [step for step, _ in scalars(folder)["training/loss"]]
    assert steps == sorted(set(steps)) and steps[-1] == 50
    assert set(scalars(folder)) <= {f"training/{name}" for name in COLUMNS} | {
        f"quality/{name}" for name in FINAL
    }
    elsewhere = tmp_path / "events"
    run_cli.json("train", "edm-1d", *SHORT, "--no-save", "--log", f"tensorboard:{elsewhere}")
    assert scalars(elsewhere)["training/loss"]
    assert run_cli("train", "edm-1d", *SHORT, "--log", f"tensorboard:{elsewhere}") == 2
    assert "holds a log already" in run_cli.err
