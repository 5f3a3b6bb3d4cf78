"""Pictures of every view: what they hold, that it can be read, and where it stands."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tui_diffusion.core.assemble import make_method
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.export import ExportError, ExportOptions, check, export
from tui_diffusion.export.pictures.compose import LEAST_TEXT, Box, compose, unit_of
from tui_diffusion.export.pictures.figure import Figure, PicturePanel
from tui_diffusion.export.pictures.learning_curves import losses_figure, reduced
from tui_diffusion.export.pictures.sheet import Sheet, paint
from tui_diffusion.export.pictures.svg import svg
from tui_diffusion.export.pictures.theme import DARK, LIGHT, rgb, theme_of
from tui_diffusion.export.pictures.views import trajectory_figure
from tui_diffusion.export.scene import Animation, Exhibit
from tui_diffusion.export.views import TRAINING_VIEWS, VIEWS_1D, VIEWS_2D, named, pictures_of

from ..cases import for_each
from ..command_line import Cli
from .exhibits import exhibit_of


def network_of(name: str) -> Exhibit:
    """The ideal denoiser as if it were a network's."""
    exhibit = exhibit_of(name)
    assert exhibit.trajectory is not None
    animation = Animation(exhibit, exhibit.trajectory)
    method = make_method(exhibit.experiment.method, animation.ideal.mixture)
    denoiser = IdealDenoiser(animation.ideal.mixture, method)
    return replace(exhibit, maker="network", denoiser=denoiser)


@pytest.fixture(scope="module", params=["naive-1d", "ddpm-multimodal"])
def animation(request: pytest.FixtureRequest) -> Animation:
    exhibit = network_of(request.param)
    assert exhibit.trajectory is not None
    return Animation(exhibit, exhibit.trajectory)


class Pen(Sheet):
    """Remembers what was written and drawn where."""

    def __init__(self, size: tuple[int, int], unit: float) -> None:
        super().__init__(size, unit, DARK)
        self.words: list[tuple[str, float, float, float, str]] = []
        self.boxes: list[Box] = []

    def text(
        self, x: float, y: float, words: str, role: str, size: float, anchor: str, up: bool = False
    ) -> None:
        wide = self.length(words, size)
        left = x - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * wide
        if words and not up:
            self.words.append((words, left, left + wide, y, anchor))
        assert not words or size * self.unit >= LEAST_TEXT - 1e-9, words

    def panel(self, panel: PicturePanel, box: Box, grid: Any) -> None:
        self.boxes.append(box)


def composed(figure: Figure, size: tuple[int, int]) -> Pen:
    pen = Pen(size, unit_of(size, len(figure.panels)))
    compose(figure, pen)
    return pen


SIZES = ((1920, 1080), (600, 1200), (1280, 720), (400, 300), (320, 240))


def test_everything_is_inside_legible_and_apart_at_every_size(animation: Animation) -> None:
    for size in SIZES:
        for view in pictures_of(animation.dim):
            if view in ("error", "excess", "schedule"):
                continue  # one panel or two, as others
            pen = composed(trajectory_figure(animation, view, 2.0, size), size)
            assert pen.boxes, view
            for _, left, right, y, _ in pen.words:
                assert left >= 0 and right <= size[0] and 0 < y <= size[1], (view, size)
            for box in pen.boxes:
                assert box.left > 0 and box.right <= size[0] and box.bottom < size[1], (view, size)
            rows: dict[tuple[float, str], list[tuple[float, float]]] = {}
            for _, left, right, y, anchor in pen.words:
                rows.setdefault((y, anchor[1]), []).append((left, right))
            for spans in rows.values():
                spans.sort()
                for (_, end), (begin, _) in pairwise(spans):
                    assert begin >= end, (view, size)


def test_a_grid_fills_a_picture_of_any_shape(animation: Animation) -> None:
    for size in ((1920, 1080), (600, 1200), (1280, 720)):
        pen = composed(trajectory_figure(animation, "grid", None, size), size)
        used = sum(box.width * box.height for box in pen.boxes)
        assert used > 0.33 * size[0] * size[1], size
        # What is said of a level stands over its own plot.
        for words, left, right, _, _ in pen.words:
            if words.startswith(("beta", "sigma", "alpha_bar")):
                assert any(box.left <= left and right <= box.right + 1 for box in pen.boxes)


def test_a_picture_says_what_everything_is(animation: Animation) -> None:
    size = (1280, 720)
    view = "histogram" if animation.dim == 1 else "scatter"
    words = {
        text for text, *_ in composed(trajectory_figure(animation, view, 3.0, size), size).words
    }
    wanted = {animation.exhibit.title, "network", "x", animation.scene(3.0).name + "   "}
    wanted |= {"exact pdf"} if animation.dim == 1 else {"exact density", "95 % of exact", "mode"}
    for text in wanted:
        assert any(text in found for found in words), text
    text = svg(trajectory_figure(animation, view, 3.0, size), size, DARK)
    assert 'transform="rotate(-90' in text  # the label of the y axis


def test_every_view_is_drawn_as_pixels_and_as_svg(animation: Animation, tmp_path: Path) -> None:
    for view in pictures_of(animation.dim):
        for suffix in (".png", ".svg"):
            file = tmp_path / f"{view}{suffix}"
            export(animation.exhibit, file, ExportOptions(view=view, size=(400, 300)))
            assert file.stat().st_size > 1500, view
    with pytest.raises(ExportError, match=r"--view: 'nowhere' is not allowed; allowed: grid, "):
        export(animation.exhibit, tmp_path / "a.png", ExportOptions(view="nowhere"))
    with pytest.raises(ExportError, match=r"--level: 99 is not allowed; allowed: 0 \(noise\) to"):
        export(animation.exhibit, tmp_path / "a.png", ExportOptions(view="close-up", level=99))


def test_views_by_name() -> None:
    for view in (*VIEWS_1D, *VIEWS_2D, *TRAINING_VIEWS, "grid"):
        for written in (view, view.replace(" ", "-"), view.upper().replace(" ", "_")):
            assert named(written) == view


def test_light_dark_and_transparent(animation: Animation) -> None:
    figure, size = trajectory_figure(animation, "grid", None, (400, 300)), (400, 300)
    dark, light = paint(figure, size, DARK), paint(figure, size, LIGHT)
    assert dark.getpixel((1, 1)) == rgb(DARK.ground)
    assert light.getpixel((1, 1)) == rgb(LIGHT.ground)
    for plain in (DARK, LIGHT):
        clear = paint(figure, size, theme_of(plain is LIGHT, True))
        assert clear.mode == "RGBA" and np.asarray(clear)[1, 1, 3] == 0
        # Over a ground of its theme it is the picture with that ground.
        under = Image.new("RGBA", size, plain.ground)
        over = np.asarray(Image.alpha_composite(under, clear).convert("RGB"), int)
        drawn = np.asarray(paint(figure, size, replace(plain, panel=plain.ground)), int)
        assert np.abs(over - drawn).max() <= 4


def test_a_film_is_laid_out_the_same_in_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_diffusion.export.pictures import frames

    seen: list[Box] = []
    plain = Sheet.panel

    def panel(self: Sheet, panel: PicturePanel, box: Box, grid: Any) -> None:
        seen.append(box)
        plain(self, panel, box, grid)

    monkeypatch.setattr(Sheet, "panel", panel)
    exhibit = exhibit_of("ddpm-multimodal", 20)
    assert exhibit.trajectory is not None
    animation = Animation(exhibit, exhibit.trajectory)
    for width in range(480, 700, 44):
        seen.clear()
        for position in (0.0, 7.3, 20.0):
            frames.draw_frame(animation, position, width, 400)
        assert len(set(seen)) == len(seen) / 3


def test_the_losses_are_reduced_truly() -> None:
    losses = np.linspace(3, 1, 1000, dtype=np.float32)
    losses[100] = np.nan
    xs, lows, highs, means = reduced(losses, 100)
    assert (np.diff(xs) > 0).all()
    assert lows.min() == 1 and highs.max() == 3
    assert means[50] == pytest.approx(np.interp(xs[50], np.arange(1000), losses), abs=0.01)
    floors = ((0, 0.5), (500, 0.25))
    figure = losses_figure([("A  one", losses, floors)], "both", log=False, relative=True)
    lines = figure.panels[0].layers[0].lines[0]  # type: ignore[union-attr]
    assert np.interp(750, *lines.T) == pytest.approx(
        np.interp(750, range(1000), losses) / 0.25, rel=0.02
    )


@for_each(
    "name, options, message",
    [
        (
            "a.gif",
            ExportOptions(view="scatter"),
            "--view scatter does not go with .gif; allowed with",
        ),
        (
            "a.csv",
            ExportOptions(view="scatter"),
            "--view scatter does not go with .csv; .* mean-and-std",
        ),
        (
            "a.png",
            ExportOptions(level=3),
            "--level does not go with --view grid; allowed with: .png",
        ),
        ("a.npz", ExportOptions(light=True), "--light does not go with .npz; allowed with: .gif"),
        (
            "a.mp4",
            ExportOptions(transparent=True),
            "--transparent does not go with .mp4; allowed with",
        ),
    ],
)
def test_faults_of_views(tmp_path: Path, name: str, options: ExportOptions, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        check(tmp_path / name, options)


def test_tables_of_views_hold_what_is_shown(animation: Animation, tmp_path: Path) -> None:
    def rows(view: str) -> list[dict[str, str]]:
        file = tmp_path / f"{view}.csv"
        assert export(animation.exhibit, file, ExportOptions(view=view)) == [file]
        with file.open(newline="") as lines:
            return list(csv.DictReader(lines))

    assert [float(row["loss"]) for row in rows("loss")] == pytest.approx(animation.exhibit.losses)
    moments = rows("mean and std")
    assert float(moments[-1]["std_x"]) == pytest.approx(animation.x[-1, :, 0].std())
    assert len(rows("schedule")) == animation.levels + 1
    split = {row["part"]: float(row["energy_distance"]) for row in rows("error")}
    assert split["total"] == pytest.approx(
        split["start"] + split["network"] + split["discretisation"], abs=1e-6
    )
    assert [int(row["level"]) for row in rows("excess")] == list(range(animation.levels))


def test_command_draws_a_view(
    run: Path,
    tmp_path: Path,
    run_cli: Cli,
) -> None:
    file = tmp_path / "score.png"
    words = ("export", str(run), str(file), "--view", "score-field", "--level", "4", "--light")
    assert run_cli(*words, "--size", "400x300", "--points", "50") == 0
    with Image.open(file) as picture:
        assert picture.size == (400, 300)
        assert picture.getpixel((1, 1)) == rgb(LIGHT.ground)
    loss = tmp_path / "loss.svg"
    assert run_cli("export", str(run), str(loss), "--view", "loss", "--transparent") == 0
    assert "smoothed" in loss.read_text()
    wrong: tuple[tuple[tuple[str, ...], str], ...] = (
        (("--view", "histogram"), "--view: 'histogram' is not allowed; allowed: grid, scatter,"),
        (("--view", "scatter", "--level", "11"), "--level: 11 is not allowed; allowed: 0 (noise)"),
        (("--view", "scatter", "--level", "x"), "--level: 'x' is not allowed; allowed: 0 (noise)"),
    )
    for more, message in wrong:
        assert run_cli("export", str(run), str(tmp_path / "a.png"), *more) == 2
        assert message in run_cli.err and len(run_cli.err.splitlines()) == 1
