"""A fixed training set in the lab: its losses, the distance to both optima, and copies."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.memorisation.copies import copied, copied_share_real
from tui_diffusion.core.memorisation_rows import ROW, with_report
from tui_diffusion.core.training_set import make_training_set
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.panels.training import (
    LOSS_VIEWS,
    MEMORISATION,
    LossPanel,
    loss_views,
    view_by,
)
from tui_diffusion.lab.sampling.diagnosis import diagnose
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.session.records import SessionState, Training
from tui_diffusion.lab.session.session import Session
from tui_diffusion.lab.views.losses import loss_figure
from tui_diffusion.lab.views.memorisation import _ranges, memorisation
from tui_diffusion.lab.views.render import ViewState, picture
from tui_diffusion.lab.workspace import Workspace

from ..fakes import wait_until
from ..trainings import short, trained

PALETTE = Palette.default()
FINITE = short("finite-four", 60).with_settings({"data.train_points": 8})


def rows(*losses):
    """Measurements after every 10 steps: the losses on the set and on held-out data."""
    found = np.empty(0, ROW)
    for k, (train, held_out) in enumerate(losses):
        report = {"train_loss": train, "train_floor": 0.5, "heldout_loss": held_out}
        known = dict.fromkeys(("heldout_floor", "to_population", "to_training_set"), 2.0)
        found = with_report(found, 10 * (k + 1), {**known, **report})
    return found


def test_the_losses_on_all_data_replace_the_smoothed_one():
    seen = np.linspace(4, 1, 20, dtype=np.float32)
    measured = rows((3.0, 3.5), (1.0, 9.0))
    figure = loss_figure(seen, 60, 80, log=True, floors=((0, 2.0),), memorisation=measured)
    curves = {curve.label: curve for curve in figure.curves}
    assert list(curves) == ["training set", "held-out", "set's floor", "floor", "raw"]
    assert curves["held-out"].ys == [3.5, 9.0] and curves["held-out"].xs == [10, 20]
    assert {y for y in curves["set's floor"].ys if not math.isnan(y)} == {0.5}
    assert figure.y_range[0] <= 0.5 and figure.y_range[1] >= 9.0
    unknown = loss_figure(seen, 60, 80, log=True, memorisation=rows((3.0, None), (1.0, None)))
    assert [curve.label for curve in unknown.curves] == ["training set", "set's floor", "raw"]
    for few in (None, measured[:1]):
        labels = [c.label for c in loss_figure(seen, 60, 80, log=True, memorisation=few).curves]
        assert labels == ["raw", "smoothed"]


def test_the_view_is_there_only_with_a_training_set():
    fresh = short("edm-multimodal", 60)
    assert loss_views(fresh) == LOSS_VIEWS and loss_views(FINITE)[-1] == MEMORISATION
    assert (
        view_by("loss", -1, FINITE) == MEMORISATION and view_by(MEMORISATION, 1, FINITE) == "loss"
    )
    assert view_by(MEMORISATION, 1, fresh) == "loss"
    assert view_by(MEMORISATION, -1, fresh) == LOSS_VIEWS[-1]


def test_the_session_measures_while_it_trains():
    session = Session(lambda: None)
    training = session.start(FINITE.with_settings({"training.steps": 1_000_000}))
    wait_until(lambda: training.memorisation is not None and len(training.memorisation))
    assert training.floor == pytest.approx(training.memorisation["heldout_floor"][-1])
    assert training.floor > training.memorisation["train_floor"][-1]
    session.stop()
    wait_until(lambda: training.state is SessionState.STOPPED)
    assert session.close(60)


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
def test_the_distances_and_where_the_network_copies(glyphs):
    trainer = trained(FINITE, 20)
    request = SampleRequest(FINITE, "network", 0, 16, 20, trainer.denoiser, trained=FINITE)

    def text(diagnosis, level=3, width=78):
        lines = memorisation(diagnosis, rows((1, 1), (1, 1)), level, width, 18, PALETTE, glyphs)
        assert {line.cell_length for line in lines} == {width} and len(lines) == 18
        return "\n".join(line.text for line in lines)

    diagnosis = diagnose(request)
    here = diagnosis.distances[3]
    shown = text(diagnosis)
    assert f"level 3: to the population {here.to_population:.3g}" in shown
    assert f", the training set {here.to_training_set:.3g}, {here.apart:.3g} apart" in shown
    assert "population" in shown and "distance, all levels" in shown
    copying = [at.level for at in diagnosis.distances if at.copies]
    assert (_ranges(copying) if copying else "it generalises") in shown
    assert "apart" not in text(diagnosis, width=56)
    alike = [replace(at, to_population=3.0, to_training_set=2.0) for at in diagnosis.distances]
    assert "nearer to the set only where both optima are alike" in text(
        replace(diagnosis, distances=alike)
    )
    own = diagnose(SampleRequest(FINITE, "ideal", 0, 16, ideal_of="training set"))
    assert "nearer to the training set at every level: it copies" in text(own)
    nothing = diagnose(SampleRequest(FINITE, "forward", 0, 16))
    assert "Train first" in text(nothing)
    fresh = diagnose(SampleRequest(short("edm-multimodal", 60), "forward", 0, 16))
    assert "data.train_points is 0" in text(fresh)


def test_measurements_are_shown_beside_the_network_they_are_of():
    panel, measured = LossPanel(PALETTE, "braille", id="loss"), rows((1, 2), (1, 2))
    panel.training, panel.view = Training(FINITE, memorisation=measured), MEMORISATION
    for trained_as, shown in ((FINITE, measured), (None, None)):
        request = SampleRequest(FINITE, "ideal", 0, 16, trained=trained_as)
        panel.diagnosis = diagnose(request)
        assert panel.measurements is shown
    panel.view = "loss"
    assert panel.measurements is measured


def test_levels_are_named_by_their_runs():
    assert _ranges([3]) == "level 3"
    assert _ranges([3, 4, 5, 9]) == "levels 3 to 5 and 9"
    assert _ranges([0, 2, 3, 7]) == "levels 0, 2 to 3 and 7"


# --- copies --------------------------------------------------------------------------------------


def text_of(lines):
    return "\n".join(line.text for line in lines)


def test_the_ideal_denoiser_of_the_set_copies_and_that_of_the_population_invents():
    finite = make_training_set(FINITE)
    shares = {}
    for of in ("population", "training set"):
        request = SampleRequest(FINITE, "ideal", 0, 200, ideal_of=of)
        trajectory = measure_trajectory(request)
        share, real = trajectory.copied
        clean = torch.from_numpy(trajectory.x[-1])
        mask = copied(clean, finite).numpy()
        assert share == mask.mean() and real == copied_share_real(200, finite)
        assert np.array_equal(trajectory.groups.index == 1, mask)
        shares[of] = share
        lines = picture(trajectory, ViewState(10, "scatter"), 100, 24, PALETTE, "ascii")
        legend = lines[0].text
        assert "o copied" in legend and "x training set" in legend
    assert shares["training set"] == 1.0 > 0.6 > shares["population"]
    forward = measure_trajectory(SampleRequest(FINITE, "forward", 0, 50))
    assert forward.groups is None
    fresh = measure_trajectory(SampleRequest(short("edm-multimodal", 60), "ideal", 0, 50))
    assert fresh.copied is None and fresh.groups is None


def test_a_set_of_another_seed_is_that_of_the_training():
    changed = FINITE.with_settings({"seed": FINITE.seed + 1})
    request = SampleRequest(changed, "ideal", 0, 50, ideal_of="training set", trained=FINITE)
    assert request.training_set is make_training_set(FINITE)
    assert measure_trajectory(request).copied[0] == 1.0


def test_the_points_on_the_line_stand_over_crosses():
    line = short("edm-1d", 20).with_settings({"data.train_points": 3})
    trajectory = measure_trajectory(SampleRequest(line, "ideal", 0, 50, ideal_of="training set"))
    view = ViewState(trajectory.levels, "close-up")
    lines = picture(trajectory, view, 90, 20, PALETTE, "ascii")
    axis = next(k for k, line in enumerate(lines) if line.text.strip().startswith("+-"))
    assert 1 <= lines[axis - 1].text.count("x") <= 3
    many = line.with_settings({"data.train_points": 300})
    trajectory = measure_trajectory(SampleRequest(many, "ideal", 0, 50, ideal_of="training set"))
    lines = picture(trajectory, view, 90, 20, PALETTE, "ascii")
    assert "training set" not in text_of(lines)


# --- the source of the points ----------------------------------------------------------------


def test_the_ideal_denoisers_take_turns_with_the_network(tmp_path):
    def turns(experiment):
        workspace, seen = Workspace(experiment), []
        for _ in range(3):
            workspace.swap()
            seen.append(workspace.request(live=False))
        return [(r.source, r.ideal_of if r.source == "ideal" else "") for r in seen]

    ideal, none = ("ideal", "population"), ("forward", "")
    assert turns(short("edm-multimodal", 60)) == [ideal, none, ideal]
    assert turns(FINITE) == [ideal, ("ideal", "training set"), none]
    file = tmp_path / "points.csv"
    file.write_text("x,y\n" + "".join(f"{k},{k * k}\n" for k in range(20)))
    split = FINITE.with_settings({"data.name": f"file:{file}", "data.holdout": 0.5})
    assert turns(split) == [("ideal", "training set"), none, ("ideal", "training set")]
    left = Workspace(FINITE, ideal_of="training set")
    left.experiment = short("edm-multimodal", 60)
    assert left.request(live=False).source == "forward", "no training set any more"
