"""Pictures of sweeps: a curve with error bars, a heat map, and panels for further axes."""

import numpy as np
import pytest
from PIL import Image

from tui_diffusion.cli.sweep_table import print_sweep
from tui_diffusion.core.sweeps.results import sweep_results
from tui_diffusion.core.sweeps.store import create_sweep
from tui_diffusion.core.sweeps.sweep import Sweep
from tui_diffusion.export.options import ExportError, ExportOptions
from tui_diffusion.export.pictures.figure import Curves, Dots, HeatMap, Rings
from tui_diffusion.export.pictures.sweeps import DECADES, SHADES, MeasureScale, sweep_figure
from tui_diffusion.export.sweeps import export_sweep

from ..sweeps import carried_out, small


def found(*axes, **how):
    return sweep_results(carried_out(small(*axes, **how)).stored)


def of(panel, kind):
    return [layer for layer in panel.layers if isinstance(layer, kind)]


def test_one_axis_is_a_curve_with_error_bars_and_a_dot_for_every_seed(home):
    sweep = found("network.width=4,8,16", seeds=3)
    figure = sweep_figure(sweep, "excess")
    (panel,) = figure.panels
    assert (panel.names, panel.x_label) == (("4", "8", "16"), "network.width")
    at = (lambda v: np.log10(v)) if panel.log_y else (lambda v: v)
    spreads = [result.spread("excess") for result in sweep.cells]
    by = {layer.label: layer for layer in of(panel, Curves)}
    expected = [[k, at(s.median)] for k, s in enumerate(spreads)]
    assert np.allclose(by["median"].lines[0], expected)
    ends = by["quartiles"].lines[:, :, 1]
    assert np.allclose(ends, [[at(s.q1), at(s.q3)] for s in spreads])
    bars = by["least and greatest"].lines[::3, :, 1]
    assert np.allclose(bars, [[at(s.low), at(s.high)] for s in spreads])
    (dots,) = of(panel, Dots)
    values = [at(v) for result in sweep.cells for v in result.values("excess")]
    assert np.allclose(dots.points[:, 1], values)
    (rings,) = of(panel, Rings)
    assert len(rings.positions) == len(sweep.ranking("excess").cells)
    assert "real data" not in by


def test_real_data_score_as_the_training_set_of_each_cell_has_it(home, capsys):
    sweep = found("data.train_points=2,8", preset="edm-moons")
    low, high = sorted(reals := sweep.reals("copied"))
    assert low < high and reals == [cell.real("copied") for cell in sweep.cells]
    (panel,) = sweep_figure(sweep, "copied").panels
    (shown,) = (layer for layer in of(panel, Curves) if layer.label == "real data")
    inside = [panel.ys[0] <= real <= panel.ys[1] for real in reals]
    assert [*shown.lines[0, 1:-1, 1]] == [
        r for r, is_in in zip(reals, inside, strict=True) if is_in
    ]
    print_sweep(sweep, "copied")
    assert f"Real data: copied {low:.3g} to {high:.3g}, energy " in capsys.readouterr().out
    print_sweep(found("training.lr=1e-3", preset="edm-moons"), "copied")
    assert capsys.readouterr().out.count("No cell has a copied share.") == 1


def test_two_axes_are_a_heat_map_with_diverged_and_best_cells_marked(home):
    sweep = found("training.lr=1e-3,1e12", "network.width=4,8,16", seeds=2)
    (panel,) = sweep_figure(sweep, "energy_distance").panels
    (layer,) = of(panel, HeatMap)
    assert (panel.x_label, panel.y_label) == ("training.lr", "network.width")
    assert (panel.names, panel.y_names) == (("0.001", "1e12"), ("4", "8", "16"))
    assert layer.strengths.shape == (3, 2)
    assert np.isnan(layer.strengths[:, 1]).all()
    assert {layer.strengths[:, 0].min(), layer.strengths[:, 0].max()} == {0.0, 1.0}
    assert [row[1] for row in layer.texts] == [("–", "2/2 diverged")] * 3
    medians = [sweep.cells[index].spread("energy_distance").median for index in range(3)]
    assert [row[0] for row in layer.texts] == [(f"{median:.3g}",) for median in medians]
    marked = [[index in sweep.ranking().cells for index in (row, row + 3)] for row in range(3)]
    assert layer.marked.tolist() == marked


def test_choices_have_a_dash_each_and_shades_tell_good_cells_apart(home):
    sweep = found("method.name=naive,naive-exact", seeds=1)
    (panel,) = sweep_figure(sweep, "excess").panels
    (medians,) = (layer.lines for layer in of(panel, Curves) if layer.label == "median")
    assert medians.shape == (2, 2, 2)
    assert (medians[:, 0, 1] == medians[:, 1, 1]).all()
    assert np.allclose(medians[:, :, 0].mean(1), [0, 1])
    shades, axis = MeasureScale([1.0, 2.0, 4.0], SHADES), MeasureScale([1.0, 2.0, 4.0], DECADES)
    assert shades.share(2.0) == pytest.approx(1 / 2)
    assert axis.share(2.0) == pytest.approx(1 / 3)


def test_pictures_are_written_in_both_formats(home, tmp_path):
    sweep = found("network.width=4,8", "training.lr=1e-3,1e-2", seeds=1)
    options = ExportOptions(size=(640, 480))
    for name in ("a.png", "a.svg"):
        assert export_sweep(sweep, tmp_path / name, options) == [tmp_path / name]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (640, 480)
        assert len(picture.getcolors(2**16)) > 20
    text = (tmp_path / "a.svg").read_text()
    for row in sweep_figure(sweep, "energy_distance").panels[0].layers[0].texts:
        assert all(f">{cell[0]}</text>" in text for cell in row)


def test_further_axes_are_panels_up_to_a_dozen(home):
    base = small(
        "network.width=4,8", "training.lr=1e-3,1e-2", "training.batch=1..13:lin13", seeds=1
    )
    with pytest.raises(ExportError, match=r"13 combinations of training\.batch are too many"):
        sweep_figure(sweep_results(create_sweep(base)), "excess")
    fewer = Sweep(base.base, {a.field: a.values[:3] for a in base.axes})
    figure = sweep_figure(sweep_results(create_sweep(fewer)), "excess")
    assert [panel.title for panel in figure.panels] == [f"training.batch={n}" for n in (1, 2, 3)]


def test_a_sweep_of_seeds_alone_has_one_place(home):
    (panel,) = sweep_figure(found(seeds=3), "off_mode").panels
    assert panel.names == ("all seeds",)
    (dots,) = of(panel, Dots)
    assert len(dots.points) == 3
