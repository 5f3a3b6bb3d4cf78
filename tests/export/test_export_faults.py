"""Exports that cannot be: one line, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.export import ExportError, ExportOptions, check, export
from tui_diffusion.export.atomic import write_files

from ..cases import for_each
from ..command_line import Cli
from .exhibits import SMALL, exhibit_of, left_over


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    exhibit = exhibit_of("naive-1d", 10)
    file = tmp_path / "points.npz"
    file.write_text("mine")
    with pytest.raises(ExportError, match=r"exists; allowed: .*--force"):
        export(exhibit, file)
    assert file.read_text() == "mine"
    export(exhibit, file, ExportOptions(force=True))
    assert file.read_bytes() != b"mine"
    (tmp_path / "a-losses.csv").write_text("mine")
    with pytest.raises(ExportError, match=r"a-losses\.csv: exists"):
        export(exhibit, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_an_export_given_up_leaves_nothing_behind(tmp_path: Path) -> None:
    class GivenUpError(Exception):
        pass

    def give_up(done: int, total: int) -> None:
        if done >= 2:
            raise GivenUpError

    exhibit = exhibit_of("naive-2d", 10)
    for suffix in (".gif", ".mp4", ".png", ".svg", ".csv"):
        file = tmp_path / f"film{suffix}"
        file.write_text("mine")
        options = replace(SMALL if suffix in (".gif", ".mp4") else ExportOptions(), force=True)
        (tmp_path / "film-losses.csv").unlink(missing_ok=True)
        with pytest.raises(GivenUpError):
            export(exhibit, file, options, give_up)
        assert file.read_text() == "mine"
        assert left_over(tmp_path) == []


@for_each(
    "name, options, message",
    [
        ("film.avi", ExportOptions(), r"suffix '\.avi' is not known; allowed: \.gif, \.mp4, \.png"),
        ("film", ExportOptions(), "has no suffix; allowed: "),
        ("missing/film.gif", ExportOptions(), "its folder does not exist; allowed: "),
        ("folder.gif", ExportOptions(force=True), "is a folder; allowed: "),
        (
            "film.gif",
            ExportOptions(size=(200, 150)),
            "--size: 200x150 is not allowed; allowed: from 320x240",
        ),
        ("film.mp4", ExportOptions(size=(641, 480)), "allowed: even numbers"),
        (
            "film.csv",
            ExportOptions(size=(640, 480)),
            "--size does not go with .csv; allowed with: .gif",
        ),
        (
            "film.gif",
            ExportOptions(fps=0),
            "--fps: 0 is not allowed; allowed: a number from 1 to 50",
        ),
        ("film.gif", ExportOptions(fps=60), "--fps: 60 is not allowed"),
        (
            "film.mp4",
            ExportOptions(seconds=1e9),
            "--seconds: 1e[+]09 is not allowed; allowed: a number",
        ),
        ("film.png", ExportOptions(fps=9), "--fps does not go with .png; allowed with: .gif, .mp4"),
        ("film.gif", ExportOptions(size=(4000, 4000), seconds=60), "too much for a GIF; allowed: "),
        ("a" * 300 + ".gif", ExportOptions(), "cannot be written .*; allowed: "),
        ("nul\0.gif", ExportOptions(), "cannot be written .*; allowed: "),
    ],
)
def test_faults_are_one_line(
    tmp_path: Path, name: str, options: ExportOptions, message: str
) -> None:
    (tmp_path / "folder.gif").mkdir(exist_ok=True)
    with pytest.raises(ExportError, match=message) as error:
        check(tmp_path / name, options)
    assert str(error.value).isprintable()
    assert left_over(tmp_path) == []


def test_hostile_names_are_shown_harmless(tmp_path: Path) -> None:
    for name in ("\x1b[31mred.avi", "two\nlines.gif", "back\rspace\b.gif/x.gif", "u\u202e.png"):
        file = tmp_path / name
        with pytest.raises(ExportError) as error:
            check(file)
            file.write_text("")
            check(file)
        assert str(error.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_not_writable(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(ExportError, match="cannot be written"):
        check(folder / "film.gif")


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from tests.export.test_export_files import exhibit_of\n"
        "from tui_diffusion.export import *\n"
        "exhibit = exhibit_of('naive-2d', 300)\n"
        "small = ExportOptions(size=(320, 240), fps=10, seconds=1)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))\n"
        "for suffix in ('.gif', '.png', '.svg', '.csv', '.npz'):\n"
        "    how = (small,) if suffix == '.gif' else ()\n"
        "    try: export(exhibit, Path(sys.argv[1]) / f'film{suffix}', *how)\n"
        "    except ExportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5, done.stdout
    assert done.stdout.count("cannot be written") == 5
    assert list(tmp_path.iterdir()) == [tmp_path / "home"] or list(tmp_path.iterdir()) == []


def test_command_writes_and_reports(run: Path, tmp_path: Path, run_cli: Cli) -> None:
    file = tmp_path / "points.npz"
    words = ("export", str(run), str(file), "--points", "33")
    report = run_cli.json(*words, "--seed", "5")
    assert report["files"] == [{"file": str(file), "bytes": file.stat().st_size}]
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["x"].shape == (11, 33, 2)
        assert len(arrays["losses"]) == 50
        start = arrays["x"][0]
    assert run_cli(*words, "--json") == 2
    assert "exists" in run_cli.err
    assert run_cli(*words, "--force") == 0
    with np.load(file, allow_pickle=False) as arrays:
        assert not np.array_equal(start, arrays["x"][0])


@for_each(
    "words, message",
    [
        (("RUN", "film.avi"), "allowed: .gif, .mp4"),
        (("no-such-run", "film.gif"), "does not exist"),
        (("RUN", "film.gif", "--size", "big"), "--size: 'big' is not allowed; allowed: such as"),
        (("RUN", "film.gif", "--fps", "fast"), "--fps: 'fast' is not allowed; allowed: a number"),
        (("RUN", "film.gif", "--seconds", "nan"), "--seconds: 'nan' is not allowed"),
        (("RUN", "film.gif", "--points", "-4"), "sampling.points: '-4' is not allowed"),
        (("RUN", "film.py", "--seed", "4"), "--seed does not go with .py"),
        (("RUN", "no\x1b[2Jfolder/film.gif"), "its folder does not exist"),
    ],
)
def test_command_faults_are_one_line_and_exit_2(
    run: Path,
    tmp_path: Path,
    run_cli: Cli,
    words: tuple[str, ...],
    message: str,
) -> None:
    position = {"RUN": str(run)}
    first, file, *rest = words
    assert run_cli("export", position.get(first, first), str(tmp_path / file), *rest) == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert message in run_cli.err
    assert run_cli.err.strip().isprintable()


def test_exports_load_no_lab() -> None:
    code = (
        "import sys, tui_diffusion.export, tui_diffusion.export.pictures.video, "
        "tui_diffusion.export.pictures.svg, tui_diffusion.export.script.standalone, "
        "tui_diffusion.export.tables\n"
        "print([m for m in ('textual', 'plotext', 'rich') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    light = "import sys, tui_diffusion.export; print('torch' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("…"), RuntimeError("can't allocate memory")]
)
def test_memory_that_runs_out_at_writing_is_no_fault_of_the_file(error, tmp_path):
    def fail(_: object) -> None:
        raise error

    with pytest.raises(type(error)):
        write_files([tmp_path / "points.npz"], True, fail)
    assert not [*tmp_path.iterdir()]
