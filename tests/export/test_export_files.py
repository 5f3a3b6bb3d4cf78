"""Exports: every format holds the trajectory, and what is drawn is true."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from tui_diffusion.core import METHODS, PRESETS, IdealDenoiser, denoise
from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config.experiment_json import from_json
from tui_diffusion.export import FORMATS, ExportOptions, export
from tui_diffusion.export.pictures.frames import draw_frame
from tui_diffusion.export.pictures.raster import contour_level, contour_lines, log_density, splat
from tui_diffusion.export.scene import Animation, Exhibit

from .exhibits import SMALL, exhibit_of, left_over


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
        drawn = np.asarray(draw_frame(animation, float(level), 320, 240), int)
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
    drawn = draw_frame(Animation(exhibit, exhibit.trajectory), 0.0, 322, 242)
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
