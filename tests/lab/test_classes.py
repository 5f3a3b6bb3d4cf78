"""Points by class: which class a cell shows, by what it is told apart, and the fields for it."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import torch
from rich.color import Color as RichColor
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui_diffusion.core.config.fields import FieldSpec
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.trajectory import denoise, forward_process
from tui_diffusion.export.groups import HUES, Groups, class_group, groups_of, stacked_counts
from tui_diffusion.lab.drawing.dots import braille
from tui_diffusion.lab.drawing.grouped import group_layers, group_legend
from tui_diffusion.lab.drawing.palette import Palette, contrast
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.render import ViewState, picture

from ..changed import changed
from ..lab_driver import lab, until

PALETTE, PLAIN = Palette.default(), Palette.from_theme({}, "none")
AREA = ((0.0, 1.0), (0.0, 1.0))


def labelled(**settings: object):
    """Four Gaussians with labels; no training, so the points are noised true data."""
    settings = {"data__std": "0.2", "sampling__points": "400", **settings}
    return changed("edm-multimodal", network__labels=True, **settings)


def true_points(experiment, source="forward"):
    return measure_trajectory(SampleRequest(experiment, source, points=400, seed=0))


def colours_of(line):
    return [segment.style.color for segment in line for _ in segment.text]


# --- one cell ------------------------------------------------------------------------------------


def test_a_cell_shows_the_dots_of_the_class_with_most_points_in_it():
    random = np.random.default_rng(0)
    points, labels = random.uniform(size=(600, 2)), random.integers(0, 9, 600)
    size = (12, 7)
    layers = group_layers(points, Groups.of_classes(labels), AREA, size, signs=False)
    columns = np.floor(0.5 + (2 * size[0] - 1) * points[:, 0]).astype(int)
    rows = 4 * size[1] - 1 - np.floor(0.5 + (4 * size[1] - 1) * points[:, 1]).astype(int)
    shown = np.zeros(size[::-1], int) - 1
    for label, layer in enumerate(layers):
        own = set(zip(rows[labels == label], columns[labels == label], strict=True))
        assert {*map(tuple, np.argwhere(layer.dots).tolist())} <= own
        shown[layer.dots.reshape(size[1], 4, size[0], 2).any((1, 3))] = label
    for y, x in np.ndindex(*shown.shape):
        counts = np.bincount(labels[(rows // 4 == y) & (columns // 2 == x)], minlength=9)
        assert counts.max() == (counts[shown[y, x]] if shown[y, x] >= 0 else 0)


def test_of_two_with_as_many_points_a_cell_shows_that_of_the_cell_before():
    points = [(0.1, 0.5), (0.9, 0.5), (0.9, 0.5)]  # class 1, then one of 0 and one of 1
    groups = Groups.of_classes(np.array([1, 0, 1]))
    (line,) = braille(group_layers(points, groups, AREA, (2, 1), False), [], 2, 1, PALETTE)
    one = PALETTE.style("class 1").color
    assert colours_of(line) == [one, one]


def test_signs_tell_classes_apart_without_colours_and_marks_where_colours_repeat():
    points = np.stack([(np.arange(16) + 0.5) / 16, np.full(16, 0.5)], 1)
    groups = Groups.of_classes(np.arange(16))
    for glyphs in ("braille", "ascii"):
        layers = group_layers(points, groups, AREA, (16, 1), signs=True)
        (line,) = braille(layers, [], 16, 1, PLAIN, glyphs)
        assert line.text == "0123456789abcdef"
    (line,) = braille(group_layers(points, groups, AREA, (16, 1), False), [], 16, 1, PALETTE)
    looks = [*zip(colours_of(line), line.text, strict=True)]
    marks = [character if not 0x2800 <= ord(character) < 0x2900 else "" for _, character in looks]
    assert len({*zip(colours_of(line), marks, strict=True)}) == 16
    names = [sample for sample, _, _ in group_legend(groups, signs=True)]
    assert names[:2] == ["0", "1"] and names[10] == "a10"
    pictures = [class_group(k) for k in range(16)]
    assert len({(group.role, group.shape) for group in pictures}) == 16
    assert len({group.shape for group in pictures[:HUES]}) == HUES


_BLIND = {  # Machado, Oliveira and Fernandes 2009, in linear RGB
    "none": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                        [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]]),
}  # fmt: skip
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def seen(colour: RichColor, eyes: str) -> np.ndarray:
    """A colour in CIELAB."""
    part = np.asarray(colour.get_truecolor()) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    xyz = _XYZ @ np.clip(_BLIND[eyes] @ linear, 0, 1) / (0.9505, 1.0, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_classes_are_legible_and_apart_on_every_ground_and_to_the_colour_blind():
    for theme in BUILTIN_THEMES.values():
        variables = theme.to_color_system().generate()
        palette = Palette.from_theme(variables)
        ground = Color.parse(variables["surface"])
        if ground.ansi is not None:
            continue
        hues = [palette.style(f"class {k}").color for k in range(HUES)]
        for hue in hues:
            assert contrast(Color.from_rich_color(hue), ground) >= 4.5, theme.name
        for eyes in _BLIND:
            for least, count in ((20, 4), (8, HUES)):
                for one, other in combinations(hues[:count], 2):
                    far = np.linalg.norm(seen(one, eyes) - seen(other, eyes))
                    assert far > least, (theme.name, eyes, one.name, other.name)


# --- views ---------------------------------------------------------------------------------------


def test_every_view_of_points_is_by_class_and_names_the_classes():
    plane, line = labelled(), labelled(data__means="-1,1,0.4")
    for experiment, views in (
        (plane, ("scatter", "close-up", "paths", "clean estimate")),
        (line, ("histogram", "close-up", "paths")),
    ):
        for trajectory in (true_points(experiment), true_points(experiment, "ideal")):
            for view in views:
                for position in (0.0, 10.0, 20.0):
                    state = ViewState(position, view)
                    lines = picture(trajectory, state, 120, 24, PALETTE, "braille")
                    styles = {segment.style for row in lines for segment in row if segment.style}
                    used = {style.color for style in styles}
                    for k in range(3):
                        hues = {PALETTE.style(f"{of}class {k}").color for of in ("", "faint ")}
                        assert used & hues, (view, position, k)
                    plain = picture(trajectory, state, 120, 24, PLAIN, "ascii")
                    text = "\n".join(row.text for row in plain)
                    assert "class 0 1 2" in text and text.isascii(), view


def test_stacked_bars_end_at_those_of_all_points():
    random = np.random.default_rng(1)
    values, labels = random.normal(size=500), random.integers(0, 3, 500)
    values[::50] = np.nan
    stacks, edges = stacked_counts(values, Groups.of_classes(labels), 20, (-2.0, 2.0))
    ((_, whole),), same = stacked_counts(values, None, 20, (-2.0, 2.0))
    assert np.array_equal(stacks[-1][1], whole) and np.array_equal(edges, same)
    assert all((low <= high).all() for (_, low), (_, high) in pairwise(stacks))


def test_the_truth_is_that_of_the_label_and_the_window_that_of_all():
    everything, one = (true_points(labelled(sampling__label=label)) for label in ("all", "2"))
    whole = one.request.experiment
    mixture = GaussianMixture(whole.data.means, whole.data.std).noised(1.0, 0.0)
    assert torch.equal(one.truth(20.0).means, mixture.means[2:3])
    assert everything.truth(20.0).modes == 4
    assert {*one.groups.index.tolist()} == {2}
    assert [sample for sample, _, _ in group_legend(one.groups, False)] == ["2"]
    drawn = [picture(t, ViewState(20.0, "scatter"), 100, 24, PALETTE, "braille")
             for t in (everything, one)]  # fmt: skip
    assert drawn[0][-1].text == drawn[1][-1].text  # the ticks of the same axis
    assert one.numbers(20).goal_mean == mixture.means[2].tolist()


def test_a_field_says_of_which_label_it_is():
    for label, words in (("all", "score of ideal, no label"), ("2", "score of ideal, class 2")):
        trajectory = true_points(labelled(sampling__label=label), "ideal")
        lines = picture(trajectory, ViewState(5.0, "score field"), 100, 24, PALETTE, "braille")
        assert words in lines[0].text


def test_points_without_labels_have_no_groups():
    experiment = changed("edm-multimodal", sampling__points="50")
    assert groups_of(forward_process(experiment)) is None
    ideal = true_points(labelled(), "ideal")
    again = denoise(ideal.request.experiment, ideal._ideal, points=400, seed=0)
    assert np.array_equal(groups_of(again).index, ideal.groups.index)


# --- fields --------------------------------------------------------------------------------------

_FIELDS = {"training.label_dropout", "sampling.label", "sampling.guidance"}


async def test_fields_of_labels_appear_with_them_and_sample_again_without_training():
    async with lab("edm-multimodal", data__std="0.2") as driver:
        await driver.trajectory()
        form, panel = driver.form, driver.panel

        def shown() -> set[str]:
            return {row.path for row in form.fields.rows if isinstance(row, FieldSpec)}

        assert not shown() & _FIELDS
        form.select("network.labels")
        form.focus()
        await driver.press("full_stop")
        await until(lambda: shown() >= _FIELDS)
        await driver.trajectory()
        assert panel.trajectory.groups.present == [0, 1, 2, 3]
        form.select("sampling.label")
        form.focus()
        for label in ("0", "1", "2", "3", "3"):
            await driver.press("full_stop")
            await until(lambda label=label: panel.trajectory.label == int(label))
            assert panel.trajectory.groups.present == [int(label)]
            await driver.trajectory()
        form.select("sampling.guidance")
        await driver.press("full_stop")
        await until(lambda: panel.trajectory.request.experiment.sampling.guidance == 1.5)
        assert driver.app.model.workspace.training is None
