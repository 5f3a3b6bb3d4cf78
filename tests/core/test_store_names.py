"""Names of runs: they lead nowhere else and are shown harmless."""

from pathlib import Path

import pytest

from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.run import find, open_run, save_run
from tui_diffusion.core.runs.store import checked_run_name, delete_run, list_runs, rename_run

from ..cases import for_each
from ..faults import fault
from ..trainings import trained
from .stored import EXPERIMENT, listed, saved

pytestmark = pytest.mark.usefixtures("no_disk")

HOSTILE = ["a\x1b]0;boo\x07", "[red]x[bold]", "a\nb", "--help", "\u202eevil", "$(boo)", "a b", "'"]
OUTSIDE = ["..", ".", "", "../x", "a/../../x", "/etc", "a/b", "a\0b", "~/x"]


def test_rename_and_delete():
    saved("mine")
    rename_run("mine", "  σ 2, the best ")
    assert open_run("σ 2, the best").step == 6
    assert list(listed()) == ["σ 2, the best"]
    saved("mine")
    assert "is taken" in fault(rename_run, "mine", "σ 2, the best")
    delete_run("mine")
    assert list(listed()) == ["σ 2, the best"]
    assert len(list(store().iterdir())) == 1
    assert "does not exist" in fault(delete_run, "mine")


@for_each("name", [*OUTSIDE, "a\x1b[31m", "a\nb", ".x", "-x", "x" * 201, "é" * 101])
def test_a_run_is_never_given_a_name_that_leads_elsewhere(name):
    saved("mine")
    assert "is not allowed" in fault(checked_run_name, name)
    assert "is not allowed" in fault(rename_run, "mine", name)
    assert list(listed()) == ["mine"]


@for_each("name", OUTSIDE)
def test_nothing_outside_the_store_is_renamed_or_removed(name, home, tmp_path):
    saved("mine")
    (home / "x").mkdir(exist_ok=True)
    for action in (delete_run, lambda name: rename_run(name, "new")):
        assert "does not exist" in fault(action, name)
    assert (home / "x").is_dir()
    assert list(listed()) == ["mine"]


def test_a_link_in_the_store_is_neither_opened_nor_removed(tmp_path):
    outside = save_run(tmp_path / "outside", trained(EXPERIMENT), "stopped")
    store().mkdir(parents=True)
    (store() / "link").symlink_to(outside)
    assert "link" in fault(open_run, "link")
    assert "no run" in fault(delete_run, "link")
    assert "no run" in fault(rename_run, "link", "new")
    assert open_run(str(outside)).step == 6


@pytest.mark.parametrize("name", ["notes.txt", "pictures"])
def test_what_is_foreign_stays(name):
    store().mkdir(parents=True)
    (store() / "notes.txt").write_text("mine")
    (store() / "pictures").mkdir()
    assert "no run" in fault(delete_run, name)
    assert (store() / name).exists()


def test_what_was_left_half_written_can_be_removed():
    (store() / ".good.999999999.tmp" / "checkpoint-1").mkdir(parents=True)
    (saved("damaged") / "run.json").write_text("{")
    for summary in list_runs():
        delete_run(summary.name)
    assert list(store().iterdir()) == []


@for_each("name", HOSTILE)
def test_hostile_names_are_listed_harmless_and_can_be_used(name):
    Path(saved("plain")).rename(store() / name)
    (summary,) = list_runs()
    assert summary.name == name
    assert summary.label.isprintable()
    assert find(name) == store() / name
    assert open_run(name).step == 6
    rename_run(name, "plain again")
    delete_run("plain again")
