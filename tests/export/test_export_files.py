"""Films, pictures and tables open elsewhere, at the size, length and number asked for."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from tui_diffusion.core import METHODS, PRESETS, IdealDenoiser, denoise
from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config.experiment import from_json
from tui_diffusion.core.runs.run import save_run
from tui_diffusion.export import FORMATS, ExportError, ExportOptions, check, export
from tui_diffusion.export.pictures.frames import frame
from tui_diffusion.export.pictures.raster import contour_level, contour_lines, log_density, splat
from tui_diffusion.export.scene import Animation, Exhibit

from ..cases import for_each
from ..command_line import Cli
from ..trainings import trained

SMALL = ExportOptions(size=(320, 240), fps=10, seconds=1)


def exhibit_of(name: str, points: int = 200) -> Exhibit:
    experiment = PRESETS[name].experiment
    method = METHODS[experiment.method.name]
    ideal = IdealDenoiser(make_mixture(experiment.data), method)
    trajectory = denoise(experiment, ideal, points=points)
    losses = np.linspace(2, 1, 30, dtype=np.float32)
    return Exhibit(experiment, trajectory, losses, "ideal denoiser")


@pytest.fixture(scope="module", params=["naive-1d", "ddpm-multimodal"])
def exhibit(request: pytest.FixtureRequest) -> Exhibit:
    return exhibit_of(request.param)


def gif_frames(file: Path) -> tuple[list[np.ndarray], int]:
    """Every frame, and how long all take in ms."""
    with Image.open(file) as picture:
        frames, duration = [], 0
        for k in range(picture.n_frames):
            picture.seek(k)
            frames.append(np.asarray(picture.convert("RGB")))
            duration += picture.info["duration"]
        assert picture.info["loop"] == 0
    return frames, duration


@pytest.mark.parametrize(("fps", "seconds"), [(10, 1.0), (30, 0.7), (7, 2.0)])
def test_gif_runs_out_and_back(
    exhibit: Exhibit, tmp_path: Path, fps: float, seconds: float
) -> None:
    file = tmp_path / "film.gif"
    told: list[tuple[int, int]] = []
    options = ExportOptions(size=(320, 240), fps=fps, seconds=seconds)
    made = export(exhibit, file, options, lambda done, total: told.append((done, total)))
    assert made == [file]
    frames, duration = gif_frames(file)
    assert frames[0].shape == (240, 320, 3)
    assert len(frames) == 2 * round(fps * seconds / 2)
    assert duration == pytest.approx(1000 * seconds, abs=1)
    for k in range(1, len(frames)):
        assert np.array_equal(frames[k], frames[-k])
    assert not np.array_equal(frames[0], frames[len(frames) // 2])
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_gif_begins_with_noise_and_turns_at_the_clean_sample(
    exhibit: Exhibit, tmp_path: Path
) -> None:
    file = tmp_path / "film.gif"
    export(exhibit, file, SMALL)
    frames, _ = gif_frames(file)
    assert exhibit.trajectory is not None
    animation = Animation(exhibit, exhibit.trajectory)
    for shown, level in ((frames[0], 0), (frames[len(frames) // 2], animation.levels)):
        drawn = np.asarray(frame(animation, float(level), 320, 240), int)
        assert np.abs(drawn - shown).mean() < 3  # of 255: a palette stands for all colours


def test_mp4_has_the_size_the_length_and_the_frames(exhibit: Exhibit, tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    export(exhibit, file, ExportOptions(size=(322, 242), fps=12, seconds=1.5))
    assert imageio_ffmpeg.count_frames_and_secs(str(file)) == (18, pytest.approx(1.5, abs=0.01))
    reader = imageio_ffmpeg.read_frames(str(file))
    about = next(reader)
    assert about["size"] == (322, 242)
    assert about["fps"] == pytest.approx(12)
    assert about["codec"] == "h264"
    assert exhibit.trajectory is not None
    drawn = frame(Animation(exhibit, exhibit.trajectory), 0.0, 322, 242)
    first = np.frombuffer(next(reader), np.uint8).reshape(242, 322, 3)
    assert np.abs(np.asarray(drawn, int) - first).mean() < 6
    reader.close()


def test_png_grid(exhibit: Exhibit, tmp_path: Path) -> None:
    for size in (None, (640, 400)):
        file = tmp_path / f"grid-{size}.png"
        export(exhibit, file, ExportOptions(size=size))
        with Image.open(file) as picture:
            picture.load()
            assert picture.format == "PNG"
            if size is not None:
                assert picture.size == size
            # Much more than an empty ground is drawn.
            assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 50


def test_svg_is_well_formed_and_holds_the_points(exhibit: Exhibit, tmp_path: Path) -> None:
    file = tmp_path / "grid.svg"
    export(exhibit, file, ExportOptions(size=(800, 600)))
    root = ElementTree.parse(file).getroot()
    assert (root.get("width"), root.get("height")) == ("800", "600")
    text = "".join(root.itertext())
    levels = exhibit.experiment.levels
    assert f"level 0/{levels}" in text
    assert f"level {levels}/{levels}" in text
    if exhibit.experiment.dim == 2:
        dots = [p.get("d", "").count("h0") for p in root.iter() if p.get("d", "").count("h0")]
        assert dots == [200] * text.count(f"/{levels}")  # in every panel
        assert 6 <= len(dots) <= 12
    assert "nan" not in re.sub('base64,[^"]*', "", file.read_text().lower())


def test_npz_equals_the_trajectory(exhibit: Exhibit, tmp_path: Path) -> None:
    file = tmp_path / "points.npz"
    export(exhibit, file)
    trajectory = exhibit.trajectory
    assert trajectory is not None
    with np.load(file, allow_pickle=False) as arrays:
        for name in ("x", "x0_hat", "eps_hat", "mean", "noise", "repeats"):
            assert np.array_equal(arrays[name], getattr(trajectory, name).numpy()), name
        assert np.array_equal(arrays["alphas"], trajectory.schedule.alphas.numpy())
        assert np.array_equal(arrays["sigmas"], trajectory.schedule.sigmas.numpy())
        assert np.array_equal(arrays["losses"], exhibit.losses)
        assert int(arrays["result_level"]) == trajectory.result_level
        assert from_json(str(arrays["experiment"])) == exhibit.experiment


def test_csv_equals_the_trajectory_bit_for_bit(exhibit: Exhibit, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    made = export(exhibit, file)
    assert made == [file, tmp_path / "points-losses.csv"]
    trajectory = exhibit.trajectory
    assert trajectory is not None
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    n, d = trajectory.x.shape[1:]
    assert len(rows) == (trajectory.levels + 1) * n
    names = ["x", "y"][:d]
    x = np.array([[float(row[name]) for name in names] for row in rows], np.float32)
    assert np.array_equal(x.reshape(-1, n, d), trajectory.x.numpy())
    last = rows[-1]
    assert (int(last["level"]), int(last["point"])) == (trajectory.levels, n - 1)
    assert float(rows[0]["sigma"]) == float(trajectory.schedule.sigmas[0])
    with made[1].open(newline="") as lines:
        losses = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in losses] == list(range(1, 31))
    assert np.array_equal(np.float32([row["loss"] for row in losses]), exhibit.losses)


# --- what is drawn is true -----------------------------------------------------------------------


def test_a_dot_is_drawn_where_its_point_is() -> None:
    points = np.array([[0.3, -0.7]])
    count = splat(points, (-1.0, 1.0), (-1.0, 1.0), 200, 200, 1.0)
    rows, columns = np.mgrid[:200, :200]
    assert (columns * count).sum() / count.sum() == pytest.approx(0.65 * 200 - 0.5, abs=0.01)
    assert (rows * count).sum() / count.sum() == pytest.approx(0.85 * 200 - 0.5, abs=0.01)


def test_the_contour_holds_its_share_of_a_gaussian() -> None:
    mixture = make_mixture(PRESETS["naive-2d"].experiment.data).noised(1.0, 0.3)
    xs, ys = (-2.5, 0.5), (-0.5, 2.5)
    logs = log_density(mixture, xs, ys, 300, 300)
    for share in (0.5, 0.95):
        lines = contour_lines(logs, contour_level(logs, share))
        across = xs[0] + lines[:, :, 0] / 100
        up = ys[1] - lines[:, :, 1] / 100
        radius = np.hypot(across + 1, up - 1)
        std = float(mixture.stds[0])
        assert radius == pytest.approx(std * np.sqrt(-2 * np.log(1 - share)), abs=0.02)


def test_between_levels_points_go_in_a_straight_line(exhibit: Exhibit) -> None:
    assert exhibit.trajectory is not None
    animation = Animation(exhibit, exhibit.trajectory)
    x = exhibit.trajectory.x.double().numpy()
    assert np.array_equal(animation.scene(3.0).points, x[3])
    assert animation.scene(3.25).points == pytest.approx(0.75 * x[3] + 0.25 * x[4])
    assert np.array_equal(animation.scene(float(animation.levels)).points, x[-1])
    assert animation.scene(3.25).level == 3
    assert animation.scene(float(animation.levels)).level == animation.levels


@pytest.mark.parametrize("name", ["naive-1d", "naive-2d"])
def test_points_that_are_not_finite_are_left_out(name: str, tmp_path: Path) -> None:
    exhibit = exhibit_of(name, 20)
    assert exhibit.trajectory is not None
    x = exhibit.trajectory.x.clone()
    x[3:] = float("nan")
    x[2, 4] = float("inf")
    broken = replace(exhibit, trajectory=replace(exhibit.trajectory, x=x))
    for suffix in (".gif", ".png", ".svg"):
        file = tmp_path / f"broken{suffix}"
        export(broken, file, ExportOptions(size=(320, 240)) if suffix != ".gif" else SMALL)
        assert file.stat().st_size > 500


def test_one_level_and_one_point(tmp_path: Path) -> None:
    experiment = PRESETS["naive-2d"].experiment.with_settings({"schedule.levels": 1})
    ideal = IdealDenoiser(make_mixture(experiment.data), METHODS["naive"])
    exhibit = Exhibit(experiment, denoise(experiment, ideal, points=1))
    for suffix in FORMATS:
        options = SMALL if suffix in (".gif", ".mp4") else ExportOptions()
        files = export(exhibit, tmp_path / f"one{suffix}", options)
        assert files and all(file.stat().st_size for file in files), suffix
    assert left_over(tmp_path) == []
    with np.load(tmp_path / "one.npz") as points:
        assert points["x"].shape == (2, 1, 2)


# --- faults --------------------------------------------------------------------------------------


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if ".tmp" in path.name]


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


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trainer = trained(
        PRESETS["naive-2d"].experiment.with_settings({"training.steps": 50, "device": "cpu"})
    )
    return save_run(tmp_path_factory.mktemp("runs") / "run", trainer, "finished")


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
