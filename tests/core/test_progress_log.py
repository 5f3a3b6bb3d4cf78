"""The losses that a training records for those who watch it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.lock import writer_of
from tui_diffusion.core.runs.manifest import PROGRESS_FILE
from tui_diffusion.core.runs.progress_log import SECONDS, SHARE, ProgressLog, ProgressTail
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.runs.store import list_runs

from ..trainings import short, trained


@dataclass
class Ticking:
    """A training whose clock goes as it is told."""

    now: float = 0.0
    step: int = 0
    seconds: float = 0.0
    losses: np.ndarray = field(default_factory=lambda: np.arange(1000, dtype=np.float32))

    def __call__(self) -> float:
        return self.now

    def go(self, log: ProgressLog, steps: int) -> None:
        self.step += steps
        self.now = log._due
        self.seconds += 1
        log.offer()


def read(tail: ProgressTail) -> list[tuple[int, list[float], float]]:
    return [(part.first, part.losses.tolist(), part.seconds) for part in tail.read()]


def test_what_is_recorded_is_read_once_and_in_order(tmp_path):
    training, tail = Ticking(), ProgressTail(tmp_path)
    assert read(tail) == [], "there is no file yet"
    log = ProgressLog(training, tmp_path, clock=training)
    training.go(log, 3)
    assert read(tail) == [(0, [0, 1, 2], 1)]
    assert read(tail) == []
    training.go(log, 2)
    training.go(log, 1)
    assert read(tail) == [(3, [3, 4], 2), (5, [5], 3)]
    assert read(ProgressTail(tmp_path)) == [(0, [0, 1, 2], 1), (3, [3, 4], 2), (5, [5], 3)]
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_records_come_no_closer_than_they_may(tmp_path):
    training = Ticking()
    log = ProgressLog(training, tmp_path, clock=training)
    training.go(log, 1)
    training.step, training.now = 2, SECONDS / 2
    log.offer()
    assert len(ProgressTail(tmp_path).read()) == 1, "too early"
    append = log._append

    def slowly() -> None:
        append()
        training.now += 1

    log._append = slowly
    training.now = began = 10.0
    log.offer()
    assert log._due == began + 1 / SHARE, "a slow disk takes no more than its share"


def test_a_file_cut_anywhere_gives_whole_records_only(tmp_path):
    training = Ticking()
    log = ProgressLog(training, tmp_path, clock=training)
    for steps in (3, 2, 4):
        training.go(log, steps)
    data, whole = (tmp_path / PROGRESS_FILE).read_bytes(), read(ProgressTail(tmp_path))
    copy = tmp_path / "copy"
    copy.mkdir()
    for size in range(len(data)):
        (copy / PROGRESS_FILE).write_bytes(data[:size])
        tail = ProgressTail(copy)
        before = read(tail)
        assert before == whole[: len(before)] != whole
        (copy / PROGRESS_FILE).write_bytes(data)
        assert before + read(tail) == whole, "the rest follows once it is there"
    for at in range(16, len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        (copy / PROGRESS_FILE).write_bytes(changed)
        before = read(ProgressTail(copy))
        assert before == whole[: len(before)] != whole


def test_a_full_disk_leaves_no_half_record_behind(tmp_path, monkeypatch):
    training, tail, write = Ticking(), ProgressTail(tmp_path), os.pwrite
    log = ProgressLog(training, tmp_path, clock=training)
    training.go(log, 2)
    monkeypatch.setattr(os, "pwrite", lambda handle, data, at: write(handle, data[:9], at))
    training.go(log, 2)
    assert read(tail) == [(0, [0, 1], 1)]
    monkeypatch.setattr(os, "pwrite", write)
    training.go(log, 1)
    assert read(tail) == [(2, [2, 3, 4], 3)]


def test_a_file_that_was_removed_is_written_anew(tmp_path):
    training, tail = Ticking(), ProgressTail(tmp_path)
    log = ProgressLog(training, tmp_path, clock=training)
    training.go(log, 2)
    assert len(tail.read()) == 1
    (tmp_path / PROGRESS_FILE).unlink()
    training.go(log, 1)
    training.go(log, 1)
    assert read(tail) == [(0, [0, 1, 2, 3], 3)]


def test_a_file_that_cannot_be_removed_hinders_no_end(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    training = Ticking()
    log = ProgressLog(training, tmp_path, clock=training)
    training.go(log, 2)
    monkeypatch.setattr(Path, "unlink", refuse)
    log.close()
    assert read(ProgressTail(tmp_path)) == [(0, [0, 1], 1)]


def test_another_writer_begins_anew(tmp_path):
    training, tail = Ticking(), ProgressTail(tmp_path)
    training.go(ProgressLog(training, tmp_path, clock=training), 9)
    assert read(tail)[0][0] == 0
    training.step = 4
    training.go(ProgressLog(training, tmp_path, clock=training), 1)
    assert read(tail) == [(4, [4], 2)]


def test_files_that_are_none_are_left_alone(tmp_path):
    file = tmp_path / PROGRESS_FILE
    for content in (b"", b"short", bytes(100)):
        file.write_bytes(content)
        assert read(ProgressTail(tmp_path)) == []
    file.unlink()
    os.mkfifo(file)
    assert read(ProgressTail(tmp_path)) == []
    file.unlink()
    file.symlink_to("/dev/zero")
    assert read(ProgressTail(tmp_path)) == []


def test_a_training_records_its_losses_and_ends_without_the_file():
    trainer, folder = trained(short("naive-1d", 40), 2), store() / "run"
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        keeper._due = 0
        keeper.offer()
        keeper._join()
        trainer.step, trainer.losses[2:5] = 5, (1, 2, 3)
        keeper.offer()
        assert [part.losses.tolist() for part in ProgressTail(folder).read()] == [[1, 2, 3]]
        assert open_run("run").step == 2, "the checkpoint decides"
        keeper.finish("stopped")
    assert not (folder / PROGRESS_FILE).exists()


def test_a_training_elsewhere_is_seen_without_its_lock():
    trainer, folder = trained(short("naive-1d", 40), 2), store() / "run"
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        keeper._due = 0
        keeper.offer()
        keeper._join()
        keeper._log.offer()
        (log := folder / PROGRESS_FILE).rename(folder / "kept")
    (folder / "kept").rename(log)
    assert writer_of(folder) is None, "it was at this machine, where locks show"
    (folder / "lock").write_text("process 7 on another.example\n")
    assert writer_of(folder) == "process 7 on another.example"
    assert [run.standing for run in list_runs()] == ["training"]
    os.utime(log, (0, 0))
    assert writer_of(folder) is None
    assert [run.standing for run in list_runs()] == ["interrupted"]
