"""Who may write a run: one at a time, and none that is another's."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.lock import Lock, writer_of
from tui_diffusion.core.runs.run import open_run, save_run, take_name
from tui_diffusion.core.runs.store import delete_run, rename_run

from ..faults import fault
from ..trainings import trained
from .stored import EXPERIMENT, listed, saved

pytestmark = pytest.mark.usefixtures("no_disk")


def test_two_writers_are_kept_apart():
    trainer = trained(EXPERIMENT, 3)
    folder = save_run(store() / "mine", trainer, "stopped")
    with Checkpointer(trainer, folder):
        assert str(os.getpid()) in writer_of(folder)
        for action in (
            lambda: Checkpointer(trainer, folder),
            lambda: save_run(folder, trainer, "stopped"),
            lambda: rename_run("mine", "yours"),
            lambda: delete_run("mine"),
        ):
            message = fault(action)
            assert f": process {os.getpid()} on " in message and "is still training" in message
            assert message.endswith("; try again when it ends")
    assert writer_of(folder) is None
    delete_run("mine")


def test_a_lock_goes_with_its_process():
    folder = saved("mine")
    code = f"""
import os, sys
from pathlib import Path
from tui_diffusion.core.runs.lock import Lock
lock = Lock.take(Path({str(folder)!r}))
print("held", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    assert f"process {process.pid}" in fault(Lock.take, folder)
    process.kill()
    process.communicate()
    Lock.take(folder).release()


def test_a_lock_that_is_a_link_or_says_strange_things_harms_nothing(tmp_path):
    folder = saved("mine")
    target = tmp_path / "target"
    target.write_text("keep")
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(target)
    assert "cannot be written" in fault(Lock.take, folder)
    assert target.read_text() == "keep"
    (folder / "lock").unlink()
    lock = Lock.take(folder)
    (folder / "lock").write_bytes(b"\x1b[31m\xff" * 400)
    assert "another process is still training this run" in fault(Lock.take, folder)
    lock.release()


def test_a_run_that_was_written_since_it_was_read_is_not_gone_on_with():
    early, late = trained(EXPERIMENT, 2), trained(EXPERIMENT, 4)
    folder = save_run(store() / "mine", early, "stopped")
    save_run(folder, late, "stopped")
    assert "written meanwhile" in fault(Checkpointer, early, folder)
    Checkpointer(late, folder).close()


def test_a_new_run_never_takes_the_place_of_another():
    first, second = trained(EXPERIMENT, 3), trained(EXPERIMENT, 5)
    a, b = (Checkpointer(trainer, store() / "same") for trainer in (first, second))
    a.finish("stopped")
    assert "cannot be written" in fault(b.finish, "stopped")
    a.close()
    b.close()
    assert open_run("same").step == 3
    assert [entry.name for entry in store().iterdir()] == ["same"]


def test_a_name_is_taken_before_the_training_begins():
    """As two containers take it that share a store, both with the same process in the same second.

    Here threads do, which have one process number.
    """
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(take_name, [EXPERIMENT] * 8))
    assert len(set(folders)) == 8
    assert listed() == {}, "what is only just coming to be is no run yet"
    for steps, folder in enumerate(folders[:3], start=1):
        with Checkpointer(trained(EXPERIMENT, steps), folder) as keeper:
            keeper.finish("stopped")
    assert [open_run(folder.name).step for folder in folders[:3]] == [1, 2, 3]
    for folder in folders[3:]:  # a training that came to nothing gives its name back
        Checkpointer(trained(EXPERIMENT, 1), folder).close()
    assert {entry.name for entry in store().iterdir()} == {folder.name for folder in folders[:3]}
