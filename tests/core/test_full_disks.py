"""Full disks, for real: what was whole stays whole."""

import pytest

from ..faults import driver

FULL = """
import resource, sys
from pathlib import Path
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run, store
from tui_diffusion.core.training.trainer import Trainer

FILL
experiment = get_preset("naive-2d").experiment.with_settings({"training.steps": 3000})
trainer = Trainer(experiment)
reports = trainer.run(every=100)
next(reports)
folder = save_run(store() / "run", trainer, "stopped")
before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name != "lock"}
for amount in AMOUNTS:
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        fill(amount)
        for _ in range(2):
            next(reports)
            keeper._due = 0
            keeper.offer()
            keeper._join()
            assert "cannot be written" in keeper.fault, keeper.fault
        try:
            keeper.finish("stopped")
        except RunError as error:
            print(error)
        try:
            save_run(store() / "new", trainer, "stopped")
        except RunError as error:
            print(error)
        assert {f: f.read_bytes() for f in before} == before
        passing = ("ballast", "progress.bin")
        found = {f for f in store().rglob("*") if f.is_file() and f.name not in passing}
        assert found == {*before, folder / "lock"}, found
        empty()
    assert not (folder / "progress.bin").exists()
    trainer = resume(open_run("run"))
    assert trainer.step == 100
    reports = trainer.run(every=100)
for _ in reports:
    pass
save_run(folder, trainer, "finished")
assert open_run("run").step == 3000
"""


def test_a_file_that_may_not_grow_leaves_the_run_as_it_was():
    """A limit on the size of files, which fails a write in the middle as a full disk does."""
    fill = """
AMOUNTS = (1, 300, 1400, 4000)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
fill = lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
empty = lambda: fill(hard)
"""
    done = driver(FULL.replace("FILL", fill))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot be written") == done.stdout.count("\n") == 8


def test_a_full_disk_leaves_the_run_as_it_was(home):
    fill = """
AMOUNTS = (0, 4096, 16384)
ballast = store() / "ballast"

def fill(left):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(file.tell() - left)

empty = ballast.unlink
"""
    home.mkdir()
    mounted = f'mount -t tmpfs -o size=200k tmpfs "{home}" && exec "$@"'
    command = ("unshare", "--mount", "--map-root-user", "sh", "-c", mounted, "sh")
    try:
        trial = driver("", *command)
    except FileNotFoundError:
        pytest.skip("nothing here can mount a file system")
    if trial.returncode:
        pytest.skip("this user may not mount a file system")
    done = driver(FULL.replace("FILL", fill), *command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("No space left on device") == done.stdout.count("\n") == 6
