"""A fixed training set in the lab: its losses, the distance to both optima, and copies."""

import math

import numpy as np
import pytest

from tui_diffusion.core.memorisation_rows import ROW, with_report
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.panels.training import LOSS_VIEWS, MEMORISATION, loss_views, view_by
from tui_diffusion.lab.sampling.diagnosis import diagnose
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session
from tui_diffusion.lab.views.losses import loss_figure
from tui_diffusion.lab.views.memorisation import _ranges, memorisation

from ..fakes import wait_until
from ..trainings import short, trained

FINITE = short("naive-2d", 60).with_settings({"data.train_points": 8})


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
    fresh = short("naive-2d", 60)
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
    assert training.floor == training.memorisation["train_floor"][-1]
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

    PALETTE = Palette.default()
    diagnosis = diagnose(request)
    here = diagnosis.distances[3]
    shown = text(diagnosis)
    assert f"level 3: to the population {here.to_population:.3g}" in shown
    assert f"to the training set {here.to_training_set:.3g}" in shown
    assert "population" in shown and "distance, all levels" in shown
    copying = [at.level for at in diagnosis.distances if at.copies]
    assert (_ranges(copying) if copying else "it generalises") in shown
    own = diagnose(SampleRequest(FINITE, "ideal", 0, 16, ideal_of="training set"))
    assert "nearer to the training set at every level: it copies" in text(own)
    nothing = diagnose(SampleRequest(FINITE, "forward", 0, 16))
    assert "Train first" in text(nothing)
    fresh = diagnose(SampleRequest(short("naive-2d", 60), "forward", 0, 16))
    assert "data.train_points is 0" in text(fresh)


def test_levels_are_named_by_their_runs():
    assert _ranges([3]) == "level 3"
    assert _ranges([3, 4, 5, 9]) == "levels 3 to 5 and 9"
    assert _ranges([0, 2, 3, 7]) == "levels 0, 2 to 3 and 7"
