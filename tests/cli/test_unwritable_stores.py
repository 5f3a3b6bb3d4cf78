"""A store that cannot be written is told in one line, and before training."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tui_diffusion.core.runs.run import save_run, store

from ..faults import EXPERIMENT, driver, tree
from ..trainings import trained


def test_a_store_that_may_only_be_read_is_told_before_training():
    folder = Path(tempfile.mkdtemp())
    try:
        run = save_run(folder / "runs" / "run", trained(EXPERIMENT, 20), "stopped")
        (run / "lock").unlink()
        before = tree(folder)
        for place in (*folder.rglob("*"), folder):
            place.chmod(0o555 if place.is_dir() else 0o444)
        code = """
import sys
from tui_diffusion import program as cli
for arguments in (["naive-1d"], ["--resume", "run"]):
    sys.argv = ["diffusion-tui", "train", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        assert end.code == 2, end.code
sys.argv = ["diffusion-tui", "runs", "--json"]
cli.main()
"""
        command = ()
        if os.geteuid() == 0:  # who may write anywhere, unless this is taken away
            if not shutil.which("setpriv"):
                pytest.skip("this user may write anywhere")
            command = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
        env = {**os.environ, "DIFFUSION_TUI_HOME": str(folder)}
        done = driver(code, *command, env=env)
        assert done.returncode == 0, done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) == 2
        assert all("cannot be written (Permission denied)" in line for line in lines)
        assert json.loads(done.stdout)["runs"][0]["state"] == "stopped"
        assert tree(folder) == before
    finally:
        for place in (folder, *folder.rglob("*")):
            place.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nope", "file"])
def test_a_store_that_cannot_be_there_is_one_line(run_cli, tmp_path, monkeypatch, home):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIFFUSION_TUI_HOME", home)
    assert run_cli("train", "naive-1d", "--json") == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert "cannot be written" in run_cli.err
    assert run_cli("runs", "--json") in (0, 2)
    assert len(run_cli.err.splitlines()) <= 1


def test_a_training_that_cannot_be_written_is_reported_all_the_same(run_cli, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_diffusion.core.runs.writer.put", full)
    report = run_cli.json("train", "naive-1d", "--set", "training.steps=30", code=1)
    assert report["steps"] == 30
    assert report["run"] is None
    (line,) = run_cli.err.splitlines()
    assert "No space left on device" in line
    assert list(store().iterdir()) == []
