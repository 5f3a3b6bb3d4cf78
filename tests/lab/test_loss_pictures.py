"""Pictures of losses: any losses, any size, and every loss within."""

import numpy as np
import pytest

from tui_diffusion.lab.drawing.downsampling import Series
from tui_diffusion.lab.drawing.plot import draw_plot
from tui_diffusion.lab.views.losses import loss_figure

from ..cases import for_each
from .trajectories import GLYPHS, PALETTE, exactly, text


def losses(kind, count=1000):
    values = np.float32(0.1 + 10 / (1 + np.arange(count)))
    match kind:
        case "inf at the end":
            values[-1] = np.inf
        case "nan at the end":
            values[-1] = np.nan
        case "all nan":
            values[:] = np.nan
        case "all inf":
            values[:] = np.inf
        case "zero":
            values[:] = 0
        case "negative":
            values[:] = -1
        case "gap":
            values[300:600] = np.nan
        case "huge":
            values[::2] = 3e38
        case "tiny":
            values[:] = 1e-45
    return values


KINDS = ["plain", "inf at the end", "nan at the end", "all nan", "all inf", "zero", "negative",
         "gap", "huge", "tiny"]  # fmt: skip


@for_each("log", [True, False])
@for_each("kind", KINDS)
@for_each("count", [1, 2, 3, 1000])
def test_any_losses_give_a_picture(kind, count, log):
    for steps in (count, 10 * count):
        for size in ((16, 6), (80, 12)):
            figure = loss_figure(losses(kind, count), steps, size[0], log=log, stages=(1, steps))
            for glyphs in GLYPHS:
                lines = draw_plot(figure, *size, PALETTE, glyphs)
                assert exactly(lines, *size)
                assert glyphs != "ascii" or "".join(text(lines)).isascii()


def test_a_million_losses_are_drawn_from_a_few_values_a_column():
    figure = loss_figure(losses("plain", 1_000_000), 1_000_000, 100, log=True)
    assert all(len(curve.xs) <= 4 * 100 for curve in figure.curves)
    assert exactly(draw_plot(figure, 100, 20, PALETTE), 100, 20)


def test_the_envelope_holds_every_finite_loss():
    values = losses("gap")
    values[700] = 5.0
    raw = loss_figure(values, 1000, 80, log=True).curves[0]
    seen = np.array(raw.ys)
    assert np.nanmax(seen) == pytest.approx(np.nanmax(values))
    assert np.nanmin(seen) == pytest.approx(np.nanmin(values))
    gap = [y for x, y in zip(raw.xs, raw.ys, strict=True) if 310 < x < 590]
    assert gap and np.isnan(gap).all()


@for_each("steps", [1_000, 1_777, 3_000, 20_000, 41_000, 2_000_000])
@for_each("width", [58, 78, 84, 98, 180])
def test_the_band_of_the_raw_loss_has_no_slits(width, steps):
    up_and_down = np.where(np.arange(steps) % 2, 1.0, 10.0).astype(np.float32)
    series = Series(steps)
    for done in (steps // 3, steps):
        figure = loss_figure(series.take(up_and_down[:done]), steps, width, log=True)
        end = 6 + int(0.5 + (2 * (width - 6) - 1) * done / steps) // 2  # where the last one lies
        for line in draw_plot(figure, width, 20, PALETTE)[10:13]:  # in the band, below its mean
            assert set(line.text[6 : end + (done == steps)]) == {"⣿"}
            assert not line.text[end + 1 :].strip()


def test_the_axis_spans_the_whole_training_and_stays():
    early, late = (loss_figure(losses("plain", n), 1000, 80, log=True) for n in (400, 420))
    assert early.x_range == late.x_range == (0.0, 1000.0)
    assert early.y_range == late.y_range
    low, high = early.y_range
    assert low <= 0.1 and high >= 10


def test_one_bad_loss_does_not_flatten_the_others():
    good = loss_figure(losses("plain"), 1000, 80, log=True).y_range
    assert loss_figure(losses("inf at the end"), 1000, 80, log=True).y_range == good


def test_stages_are_rules():
    figure = loss_figure(losses("plain"), 1000, 80, log=True, stages=(250, 500))
    assert [rule.at for rule in figure.v_lines] == [250.0, 500.0]
