"""Files of points that nobody meant well: one harmless line each, in the core and at the shell."""

import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..hostile_files import MAKERS

NAIVE = get_preset("naive-1d").experiment


def of_file(file: Path, **settings: object) -> Experiment:
    return NAIVE.with_settings({"data.name": f"file:{file}", **settings})


def made(folder: Path, what: str) -> Path:
    """Make a hostile file in a folder of its own."""
    own = folder / what.replace(" ", "-")
    own.mkdir()
    return MAKERS[what](own)


@for_each("what", MAKERS)
def test_a_hostile_file_of_points_is_refused_in_one_harmless_line(what, tmp_path):
    file = made(tmp_path, what)
    tracemalloc.start()
    with pytest.raises(ConfigError) as caught:
        of_file(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert message.isprintable() and len(message) < 300
    assert message.startswith("data.path: ")
    choice = "allowed: 1, 2, 3" if what == "columns" else "allowed: a .csv, .tsv, .txt"
    assert choice in message
    assert caught.value.field == "data.path"
    assert most < 200 * 2**20, "no more than a file may hold"
    assert not (file.parent / "boom").exists()


@for_each("what", ["escapes", "pipe", "sparse", "pickle", "gone", "long row"])
def test_the_command_line_refuses_it_before_anything_starts(what, run_cli, tmp_path, home):
    file = made(tmp_path, what)
    assert run_cli("train", "naive-1d", "--set", f"data.name=file:{file}", "--json") == 2
    assert run_cli.out == ""
    (line,) = run_cli.err.splitlines()
    assert line.isprintable() and "data.path: " in line
    assert not home.exists()


@pytest.mark.skipif(not shutil.which("setpriv"), reason="root may read anything")
@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_file_that_may_not_be_read_is_one_line(place, tmp_path):
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "p.csv"
    file.write_text("1,2\n3,4\n")
    (file if place == "file" else file.parent).chmod(0)
    try:
        done = subprocess.run(
            [
                *("setpriv", "--bounding-set=-all", "--inh-caps=-all"),
                *(sys.executable, "-m", "tui_diffusion"),
                *("train", "naive-1d", "--set", f"data.name=file:{file}"),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        (file if place == "file" else file.parent).chmod(0o755)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "cannot be read (Permission denied)" in line


@pytest.mark.parametrize("how", ["gone", "another", "a pipe"])
def test_what_becomes_of_a_file_changes_no_experiment_that_has_read_it(how, tmp_path):
    file = tmp_path / "p.csv"
    file.write_text("1,2\n3,4\n5,9\n")
    of = of_file(file, **{"training.steps": 3})
    points = of.data.points
    assert points.tolist() == [[1, 2], [3, 4], [5, 9]] and not points.flags.writeable
    file.unlink()
    if how == "another":
        file.write_text("7\n8\n")
    elif how == "a pipe":
        MAKERS["pipe"](tmp_path).rename(file)
    more = of.with_settings({"training.lr": 0.5, "seed": 3})
    assert (more.dim, more.data) == (2, of.data)
    trainer = Trainer(more)
    for _ in trainer.run():
        pass
    assert np.array_equal(trainer.points, points)
    if how == "another":
        again = of.with_settings({"data.path": str(file)})
        assert (again.dim, again == of) == (1, False)
    else:
        with pytest.raises(ConfigError, match=r"^data.path: "):
            of.with_settings({"data.path": str(file)})


def test_equal_points_are_equal_experiments(tmp_path):
    file = tmp_path / "p.csv"
    file.write_text("1\n2\n")
    first = of_file(file)
    shutil.copy(file, tmp_path / "q.csv")
    (tmp_path / "q.csv").replace(file)
    assert of_file(file) == first and hash(of_file(file)) == hash(first)
    file.write_text("1\n3\n")
    assert of_file(file) != first


def test_only_what_chooses_the_points_of_a_file_reads_it_again(tmp_path):
    file = tmp_path / "p.csv"
    file.write_text("1,2\n3,4\n")
    of = of_file(file)
    file.unlink()
    for field, value in (("data.std", 0.02), ("data.scaling", "shared"), ("training.lr", 0.1)):
        now = of.with_settings({field: value})
        assert now.data.points is of.data.points and now.data.source == "p.csv", field
    with pytest.raises(ConfigError, match="no such file"):
        of.with_settings({"data.std": 0.02, "data.path": str(file)})
