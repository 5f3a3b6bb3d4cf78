"""Exported points by class: their colours and shapes in pictures, their labels in tables."""

from __future__ import annotations

import csv

import numpy as np

from tui_diffusion.core.trajectory import forward_process
from tui_diffusion.export.groups import SHAPES
from tui_diffusion.export.pictures.compose import Box
from tui_diffusion.export.pictures.figure import Bars, Dots
from tui_diffusion.export.pictures.raster import stamped
from tui_diffusion.export.pictures.sheet import paint
from tui_diffusion.export.pictures.stamps import outline, stamp
from tui_diffusion.export.pictures.svg import svg
from tui_diffusion.export.pictures.theme import DARK, LIGHT, rgb
from tui_diffusion.export.pictures.views import panels_of, trajectory_figure
from tui_diffusion.export.scene import Animation, Exhibit
from tui_diffusion.export.tables import write_csv, write_npz

from ..changed import changed


def animated(**settings: object) -> Animation:
    experiment = changed(
        "edm-multimodal", network__labels=True, data__std="0.2", sampling__levels="4", **settings
    )
    trajectory = forward_process(experiment, points=300)
    return Animation(Exhibit(experiment, trajectory, maker="true data"), trajectory)


def test_a_picture_shows_every_class_in_its_colour_and_shape() -> None:
    figure = trajectory_figure(animated(), "scatter", None, (700, 500))
    named = [(kind, role, label) for kind, role, label in figure.entries if "class" in label]
    assert named == [(SHAPES[k], f"class {k}", f"class {k}") for k in range(4)]
    for theme in (DARK, LIGHT):
        written, painted = svg(figure, (700, 500), theme), paint(figure, (700, 500), theme)
        pixels = np.asarray(painted).reshape(-1, 3).astype(int)
        for k in range(4):
            assert theme[f"class {k}"] in written
            far = np.abs(pixels - rgb(theme[f"class {k}"])).max(1)
            assert (far < 40).sum() > 100, k  # points are not quite opaque


def test_a_stamp_is_where_its_point_is_and_as_large_as_its_path() -> None:
    box = Box(0, 0, 40, 40)
    for shape in SHAPES:
        mark = stamp(shape, 6.0)
        cover = stamped(np.array([[0.5, 0.5]]), (0.0, 1.0), (0.0, 1.0), box.width, box.height, mark)
        rows, columns = np.nonzero(cover > 0.3)
        assert abs(columns.mean() - 19.5) < 0.6 and abs(rows.mean() - 19.5) < 1.6, shape
        assert abs(cover.sum() - mark.sum()) < 1e-3 * mark.sum()
        assert outline(shape, 19.5, 19.5, 6.0).startswith("M")
    assert len({stamp(shape, 6.0).tobytes() for shape in SHAPES}) == len(SHAPES)


def test_bars_of_classes_stand_on_each_other() -> None:
    animation = animated(data__means="-1,1,0.4")
    (panel, _) = panels_of(animation, animation.scene(4.0), "histogram")
    bars = [layer for layer in panel.layers if isinstance(layer, Bars)]
    assert [bar.label for bar in bars] == ["class 0", "class 1", "class 2"]
    for below, above in zip([None, *bars], bars, strict=False):
        floor = np.zeros_like(above.heights) if below is None else below.heights
        assert np.array_equal(above.floor, floor)


def test_scattered_points_lose_their_label_with_their_place() -> None:
    animation = animated()
    animation.x[4, ::3] = np.nan
    scene = animation.scene(4.0)
    kept = np.arange(300) % 3 != 0
    assert scene.groups is not None and len(scene.points) == len(scene.groups) == kept.sum()
    assert np.array_equal(scene.groups.index, animation.trajectory.labels.numpy()[kept])
    dots = next(
        layer
        for layer in panels_of(animation, scene, "scatter")[0].layers
        if isinstance(layer, Dots)
    )
    assert dots.groups is scene.groups


def test_tables_have_the_label_of_every_point(tmp_path) -> None:
    animation = animated()
    labels = animation.trajectory.labels.tolist()
    write_csv(animation, tmp_path / "a.csv", lambda done, total: None)
    with (tmp_path / "a.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == 5 * 300
    assert all(int(row["label"]) == labels[int(row["point"])] for row in rows)
    write_npz(animation, tmp_path / "a.npz", lambda done, total: None)
    assert np.load(tmp_path / "a.npz")["labels"].tolist() == labels
