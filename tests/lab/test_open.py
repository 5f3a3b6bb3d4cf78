"""`tui_diffusion.lab.open`: the objects it takes, what it refuses, and what it hands back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from tui_diffusion import lab
from tui_diffusion.core import (
    ConfigError,
    GaussianMixture,
    IdealDenoiser,
    Trainer,
    denoise,
    forward_process,
    get_preset,
    make_method,
    open_run,
    save_run,
)
from tui_diffusion.core.assemble import with_mixture
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.paths import store
from tui_diffusion.core.schedules import karras
from tui_diffusion.export.scene import Exhibit
from tui_diffusion.export.write import export
from tui_diffusion.lab.app import Lab
from tui_diffusion.lab.live import opening
from tui_diffusion.lab.live.objects import given_objects
from tui_diffusion.lab.live.result import LabResult
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.workspace import Given, Workspace

from ..changed import changed
from ..lab_driver import running, until
from ..trainings import trained

QUICK = changed(
    "edm-multimodal",
    training__steps=40,
    training__batch=32,
    network__width=16,
    sampling__levels=4,
    sampling__points=50,
    device="cpu",
)
OWN = GaussianMixture([[-1.0, 0.5], [1.0, -1.0], [0.0, 1.5]], [0.1, 0.3, 0.2], [1, 2, 3])


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x, c):
        return self.layer(torch.cat([x, c], 1))


def given(experiment=None, trajectory=None, network=None, mixture=None) -> Given:
    return given_objects(
        experiment, trajectory, network, mixture, lambda: PRESETS["naive-1d"].experiment
    )


def asked(it: Given):
    """The first request of a lab that opens on these objects."""
    space = Workspace(it.experiment, it.training, given=it)
    return space, space.request(live=False)


def test_the_experiment_is_the_one_that_the_objects_belong_to(home: Path) -> None:
    assert given().experiment.name == "naive-1d"  # the last session's
    assert given("edm-1d").experiment == given(get_preset("edm-1d")).experiment
    assert given(QUICK).experiment == QUICK
    assert given(trajectory=forward_process(QUICK)).experiment == QUICK
    assert given(network=Trainer(QUICK)).experiment == QUICK
    assert given(network=Trainer(QUICK, mixture=OWN)).experiment == with_mixture(QUICK, OWN)
    assert given(mixture=OWN).experiment.dim == 2
    assert given(mixture=GaussianMixture([[0.0], [1.0]], 0.1)).experiment.name == "edm-1d"


def test_a_trajectory_shows_as_it_is_until_something_changes() -> None:
    ideal = IdealDenoiser(OWN, make_method(QUICK, OWN))
    own = karras(7, 0.01, 3, 5)
    for trajectory, source in (
        (denoise(QUICK, Trainer(QUICK).denoiser, seed=5), "network"),
        (denoise(QUICK, ideal, mixture=OWN, seed=5, points=30, schedule=own), "ideal"),
        (forward_process(QUICK, seed=5), "forward"),
    ):
        space, request = asked(given(trajectory=trajectory))
        assert request.given is trajectory and request.source == source
        assert (request.seed, request.points) == (5, trajectory.points)
        from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory

        measured = measure_trajectory(request)
        assert measured.levels == trajectory.levels
        assert measured.numbers(2).mean == pytest.approx(trajectory.x[2].mean(0).tolist())
        assert measured.ideal_x.shape[0] == measured.forward_x.shape[0] == trajectory.levels + 1
        space.noise = 1
        again = space.request(live=False)
        assert again.given is None
        assert again.source == ("forward" if source == "ideal" else source)


def test_a_network_is_sampled_with_and_trained_from_its_weights() -> None:
    own, fresh = Own(), Trainer(QUICK).network
    before = deepcopy(own.state_dict())
    for network in (own, fresh, Trainer(QUICK).denoiser):
        space, request = asked(given(QUICK, network=network))
        assert request.source == "network" and space.training is None
        trainer = Trainer(space.experiment, **deepcopy(dict(space.parts)))
        assert [progress.status for progress in trainer.run()] == ["finished"]
        wider = QUICK.with_settings({"network.width": 20})
        assert Workspace(wider, given=space.given).parts == {}
    assert all(torch.equal(before[k], v) for k, v in own.state_dict().items())
    # A denoiser of another kind is only sampled with.
    space, request = asked(given(QUICK, network=lambda x, level: None))
    assert request.source == "network" and space.parts == {}


def test_a_training_of_a_script_can_go_on(home: Path) -> None:
    trainer = Trainer(QUICK, mixture=OWN)
    next(trainer.run(every=10))
    space, request = asked(given(network=trainer))
    assert space.training is not None and space.training.state is SessionState.STOPPED
    assert space.can_go_on and request.step == 10
    run = save_run(store() / "r", trained(QUICK), "finished")
    space, _ = asked(given(network=open_run(run)))
    assert space.training is not None and space.training.run == run


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"experiment": 3}, TypeError, "experiment must be an Experiment or a Preset"),
        ({"experiment": "edm-1"}, ConfigError, "edm-1d"),
        ({"trajectory": torch.zeros(3)}, TypeError, "trajectory must be a Trajectory"),
        ({"mixture": [1, 2]}, TypeError, "mixture must be a GaussianMixture"),
        ({"network": "latest"}, TypeError, "network must be an nn.Module, a denoiser"),
        (
            {"network": nn.Linear(2, 2), "experiment": QUICK},
            TypeError,
            "network must be a function",
        ),
        ({"mixture": OWN, "experiment": "edm-1d"}, ValueError, "mixture must have dimension 1"),
        (
            {"trajectory": forward_process(QUICK), "experiment": "edm-1d"},
            ValueError,
            "trajectory must have dimension 1",
        ),
        (
            {"network": Trainer(QUICK).network, "experiment": "edm-multimodal"},
            ValueError,
            "network must be the experiment's",
        ),
    ],
)
def test_wrong_arguments_say_what_was_expected(home: Path, wrong, kind, message) -> None:
    with pytest.raises(kind, match=message) as refused:
        lab.open(**wrong)
    assert "\n" not in str(refused.value)


def test_where_it_cannot_open_it_says_what_to_do(home: Path, monkeypatch) -> None:
    with pytest.raises(RuntimeError, match="needs a terminal; allowed without one: train and den"):
        lab.open(QUICK)
    monkeypatch.setattr(opening, "check_terminal", lambda instead: None)
    refused: list[str] = []

    def elsewhere() -> None:
        try:
            lab.open(QUICK)
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in refused[0]

    async def within() -> None:
        lab.open(QUICK)

    with pytest.raises(RuntimeError, match="asyncio loop runs"):
        asyncio.run(within())


def test_importing_the_lab_loads_no_textual_and_no_torch() -> None:
    code = (
        "import sys, tui_diffusion.lab\n"
        "print(*[m for m in ('textual', 'torch', 'numpy', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


async def test_own_parts_are_trained_kept_and_handed_back(home: Path) -> None:
    it = given(QUICK.model_copy(update={"name": "mine"}), network=Own(), mixture=OWN)
    app = Lab(it.experiment, given=it)
    async with running(app) as driver:
        await until(lambda: app.main.denoising.trajectory is not None)
        assert app.model.chosen == "mine"
        assert app.main.denoising.trajectory.request.source == "network"
        await driver.press("t")
        await until(lambda: app.model.session.state is SessionState.FINISHED)
        training = app.model.workspace.training
        assert "own" not in training.unsaved and "mixture" in training.unsaved
        await until(lambda: app.main.denoising.trajectory.request.step == 40)
        # More steps: p goes on, although no run keeps the training.
        app.model.workspace.experiment = it.experiment.with_settings({"training.steps": 60})
        assert app.model.workspace.can_go_on
        await driver.press("p")
        await until(lambda: app.model.session.state is SessionState.FINISHED)
        await until(lambda: app.model.workspace.training.step == 60)
        assert app.restore_point.experiment in PRESETS
    result = LabResult.of(app)
    assert (result.state, result.step, len(result.losses), result.run) == ("finished", 60, 60, None)
    assert isinstance(result.network, Own)
    assert result.experiment.data.given is OWN
    assert result.trajectory is not None and "\n" not in repr(result)
    assert "<svg" in result._repr_html_() and "finished" in result._repr_html_()
    assert not store().exists() or not list(store().iterdir())


def test_a_script_of_own_parts_is_refused_in_one_line(home: Path, tmp_path: Path) -> None:
    for name, denoiser in (("data", None), ("network", Trainer(QUICK, network=Own()).denoiser)):
        experiment = with_mixture(QUICK, OWN) if denoiser is None else QUICK
        exhibit = Exhibit(experiment, forward_process(experiment), denoiser=denoiser)
        with pytest.raises(ConfigError, match=f"{name}.* script has given cannot be written"):
            export(exhibit, tmp_path / "it.py")
        export(exhibit, tmp_path / f"{name}.npz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.npz", "network.npz"]
