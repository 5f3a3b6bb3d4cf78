"""What a sweep of the lab varies, what it costs, and how its cells lie; no widget."""

from __future__ import annotations

import pytest

from tests.changed import changed
from tests.sweeps import small
from tui_diffusion.core.sweeps.sweep import Axis, Sweep
from tui_diffusion.lab.panels.form.model import FormModel
from tui_diffusion.lab.sweeps.grid import Grid, cell_text, window
from tui_diffusion.lab.sweeps.plan import Pace, make_plan
from tui_diffusion.lab.variation import Variation

TWO = Variation({"network.width": "8,16", "training.lr": "1e-3..1e-1:log3"}, 5)


def test_a_field_varies_while_it_has_two_values():
    begun = Variation().with_text("network.width", " 8,16 ")
    assert begun.text("network.width") == "8,16" and begun.text("training.lr") == ""
    for text in ("", "8"):
        assert begun.with_text("network.width", text) == Variation() != begun
    assert begun.without("network.width") == Variation()
    assert begun.with_text("seed", "5").text("seed") == "5 seeds"
    assert begun.with_text("seed", "5").with_text("seed", "") == begun


@pytest.mark.parametrize(
    ("path", "text", "allowed"),
    [
        ("network.width", "8,x", "allowed: a whole number from 1 to 4096"),
        ("network.width", "8..16", "LOW..HIGH:logN"),
        ("method.name", "naive,nave", "did you mean"),
        ("sampling.points", "10,20", "2 axes here, more with diffusion-tui sweep"),
        ("seed", "0", "allowed: a whole number from 1 to 1,000"),
        ("seed", "x", "'x' seeds is not allowed"),
    ],
)
def test_wrong_values_are_refused_in_one_line_and_change_nothing(path, text, allowed):
    form = FormModel()
    form.variation = TWO
    outcome = form.vary(path, text)
    assert outcome.experiment is None and form.variation == TWO
    assert str(form.fault(path)) == str(outcome.error)
    assert allowed in str(outcome.error) and "\n" not in str(outcome.error)


def test_the_editor_of_an_axis_says_what_its_values_are():
    form = FormModel()
    form.begin("training.lr", varying=True)
    form.try_text("training.lr", "1e-3..1e-1:log3")
    assert form.axis_note == "3 values: 0.001, 0.01, 0.1" and form.fault("training.lr") is None
    form.try_text("training.lr", "1e-3..1e-1")
    assert form.axis_note == "" and form.fault("training.lr") is not None
    assert form.trial == form.experiment
    form.end()
    assert not form.varying


def test_backspace_ends_an_axis_before_it_resets_the_value():
    form = FormModel()
    form.show(changed("naive-1d", network__width="8"), changed("naive-1d"))
    form.vary("network.width", "8,16")
    assert form.reset("network.width") is not None
    assert form.variation == Variation() and form.experiment.network.width == 8
    form.reset("network.width")
    assert form.experiment == changed("naive-1d")


def test_a_plan_counts_trainings_and_follows_the_measured_pace():
    experiment = changed("naive-1d", training__steps="1000")
    plan = make_plan(experiment, TWO, None)
    assert plan.sweep is not None and plan.axes == "width × lr" and not plan.left_out
    assert plan.cost.startswith("6 cells × 5 seeds: 30 trainings, about ")
    slow = make_plan(experiment, TWO, Pace(experiment, 1.0))
    assert slow.seconds > 100 * plan.seconds
    nothing = make_plan(experiment, Variation(), None)
    assert nothing.sweep is None and not nothing.fault
    assert make_plan(experiment, Variation(seeds=3), None).cost.startswith("1 cell × 3 seeds: 3")


def test_a_plan_leaves_out_what_cannot_be_and_says_so():
    values = Variation({"method.name": "naive,ddpm", "schedule.kind": "karras,cosine"})
    plan = make_plan(changed("naive-1d"), values, None)
    assert plan.left_out.startswith("2 of 4 cells cannot be and are left out, such as method.name")
    assert plan.sweep is not None and len(plan.sweep.cells()) == 2
    refused = make_plan(
        changed("naive-1d"), Variation({"schedule.kind": "cosine,linear-beta"}), None
    )
    assert refused.sweep is None and refused.fault and "\n" not in refused.fault


def test_axes_of_fields_that_do_not_apply_are_dropped():
    # rho is a field of the Karras schedule only.
    plan = make_plan(changed("ddpm-1d"), Variation({"schedule.rho": "5,7"}, 2), None)
    assert plan.sweep is not None and plan.sweep.axes == ()


def test_the_cells_of_any_sweep_lie_in_a_grid():
    for axes, columns, rows in (
        ((), ["all seeds"], 1),
        (("network.width=8,16",), ["8", "16"], 1),
        (("network.width=8,16", "training.lr=1e-3,1e-2,0.1"), ["8", "16"], 3),
        (("network.width=8,16", "training.lr=1e-3,0.1", "network.depth=1,2"), ["8", "16"], 4),
    ):
        sweep = small(*axes, seeds=1)
        grid = Grid(sweep)
        assert grid.columns == columns and len(grid.rows) == rows
        assert [grid.at(*place) for place in grid.places] == [*range(len(sweep.cells()))]
    assert grid.rows[1] == "lr=0.001 depth=2"
    assert cell_text(sweep.cells()[0]) == "width=8 lr=0.001 depth=1"


def test_the_cursor_passes_gaps_and_stops_at_the_edge():
    grid = Grid(small("network.width=8,16,32", "training.lr=0.001,0.01", seeds=1))
    assert grid.beside(0, 1, 0) == 2 and grid.beside(0, 0, 1) == 1
    assert grid.beside(0, -1, 0) == 0 and grid.beside(5, 1, 0) == 5
    axes = [Axis.parse("schedule.kind=karras,linear-beta,cosine,flow"),
            Axis.parse("method.name=naive,ddpm")]  # fmt: skip
    grid = Grid(Sweep(changed("naive-1d"), axes, skip_invalid=True))
    gaps = [(x, y) for x in range(4) for y in range(2) if grid.at(x, y) is None]
    assert gaps
    for cell, (x, y) in enumerate(grid.places):
        for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            moved = grid.places[grid.beside(cell, right, up)]
            assert (moved[0] - x) * up == (moved[1] - y) * right == 0
            between = (moved[0] - x) * right + (moved[1] - y) * up
            assert all((x + k * right, y + k * up) in gaps for k in range(1, between))


def test_a_window_shows_as_many_as_fit_and_always_the_cursor():
    for count in range(1, 9):
        for room in range(12):
            for at in range(count):
                seen = window(count, room, at)
                assert at in seen and len(seen) == max(min(room, count), 1)
                assert 0 <= seen[0] <= seen[-1] < count
