"""The sampling worker grants the latest wish; a film holds every level and what is true there."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.trajectory import denoise
from tui_diffusion.lab.sampling.jobs import diagnosis, trajectory
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.sampling.worker import Worker

from ..cases import for_each
from ..fakes import FakeDenoiser, wait_until

EXPERIMENT = get_preset("naive-1d").experiment


def request(source="forward", *, name="naive-1d", seed=0, points=500, **more):
    experiment = more.pop("experiment", get_preset(name).experiment)
    return SampleRequest(experiment, source, seed, points, **more)


def silent(done, total):
    """Nobody asks how far it is."""


# --- the worker ------------------------------------------------------------------------------


class Studio:
    """A worker whose films are made by the test: each waits for `release`."""

    def __init__(self):
        self.begun, self.done, self.failed, self.threads = [], [], [], set()
        self.gate = threading.Semaphore(0)
        self.worker = Worker(self.make, self.done.append, lambda w, e: self.failed.append((w, e)))

    def make(self, request, progress):
        self.begun.append(request)
        self.threads.add(threading.get_ident())
        assert self.gate.acquire(timeout=60)
        if request.source == "network":
            raise RuntimeError("no such network")
        return request

    def release(self, count=1):
        self.gate.release(count)


@pytest.fixture
def studio():
    made = Studio()
    yield made
    made.release(100)
    assert made.worker.close(60)


def test_the_latest_wish_wins(studio):
    requests = [request(seed=k) for k in range(6)]
    studio.worker.start()
    studio.worker.ask(requests[0])
    wait_until(lambda: studio.begun)
    for other in requests[1:]:
        studio.worker.ask(other)
    assert studio.worker.busy
    studio.release(6)
    wait_until(lambda: len(studio.done) == 2)
    assert studio.done == studio.begun == [requests[0], requests[-1]]
    wait_until(lambda: not studio.worker.busy)
    assert len(studio.threads) == 1
    assert threading.get_ident() not in studio.threads


def test_something_long_tells_how_far_it_is_and_gives_way_to_a_newer_wish():
    told, done, gate = [], [], threading.Semaphore(0)

    def make(request, progress):
        for level in range(1, 4):
            assert gate.acquire(timeout=60)
            progress(level, 3)
        return request

    worker = Worker(
        make, done.append, lambda *_: None, lambda: told.append(worker.reached), patience=0.0
    )
    worker.start()
    worker.ask(request(seed=1))
    gate.release()
    wait_until(lambda: told == [(1, 3)])
    worker.ask(request(seed=2))
    gate.release()
    wait_until(lambda: worker.busy and worker.reached is None)
    gate.release(3)
    wait_until(lambda: done == [request(seed=2)])
    wait_until(lambda: not worker.busy)
    assert told == [(1, 3), (1, 3), (2, 3), (3, 3)]
    assert worker.reached is None
    worker.ask(request(seed=3))
    gate.release()
    wait_until(lambda: len(told) == 5)
    gate.release()
    assert worker.close(60)
    assert done == [request(seed=2)]


def test_a_wish_made_before_the_start_is_granted(studio):
    studio.worker.ask(request(seed=3))
    assert studio.worker.busy
    assert studio.begun == []
    studio.release()
    studio.worker.start()
    wait_until(lambda: studio.done == [request(seed=3)])


def test_a_failure_is_reported_and_the_worker_lives_on(studio):
    studio.release(2)
    studio.worker.start()
    bad = request("network", seed=1)
    studio.worker.ask(bad)
    wait_until(lambda: studio.failed)
    assert studio.failed[0][0] is bad
    assert str(studio.failed[0][1]) == "no such network"
    assert studio.done == []
    studio.worker.ask(request(seed=2))
    wait_until(lambda: studio.done == [request(seed=2)])
    assert len(studio.threads) == 1


def test_close_ends_the_thread_and_says_so(studio):
    studio.worker.start()
    thread = studio.worker._thread
    studio.worker.ask(request())
    wait_until(lambda: studio.begun)
    assert not studio.worker.close(0.05), "a film is being made"
    studio.release()
    assert studio.worker.close(60)
    assert not thread.is_alive()


def test_a_worker_that_waits_closes_at_once(studio):
    studio.worker.start()
    assert studio.worker.close(60)
    studio.worker.ask(request())
    assert studio.begun == []


def test_a_worker_never_started_closes(studio):
    assert studio.worker.close(0)


# --- films -----------------------------------------------------------------------------------


@for_each("name", PRESETS)
@for_each("source", ["forward", "ideal", "network"])
def test_a_film_holds_every_level(name, source):
    experiment = get_preset(name).experiment
    denoiser = FakeDenoiser() if source == "network" else None
    made = measure_trajectory(request(source, experiment=experiment, points=50, denoiser=denoiser))
    assert made.levels == experiment.levels
    assert made.x.shape == (experiment.levels + 1, 50, experiment.dim)
    assert made.x.dtype == np.float32
    assert np.isfinite(made.x).all()
    assert made.dim == experiment.dim
    assert made.sigma(0) > made.sigma(made.levels) == 0
    assert made.alpha(made.levels) == 1


def test_the_forward_film_is_true_data_noised():
    made = measure_trajectory(request(name="ddpm-multimodal", points=20_000))
    mean, std, goal_mean, goal_std = made.moments
    assert mean == pytest.approx(goal_mean, abs=0.04)
    assert std == pytest.approx(goal_std, abs=0.02)
    for level in (0, 10, 20):
        truth = made.truth(level)
        assert goal_mean[level] == pytest.approx(truth.mean().numpy())
        assert goal_std[level] == pytest.approx(truth.std().numpy())
    clean = torch.from_numpy(made.x[-1]).double()
    nearest = torch.cdist(clean, made.mixture.means).min(1).values
    assert float(nearest.max()) < 6 * float(made.mixture.stds.max())


def test_the_ideal_film_ends_at_the_data():
    experiment = get_preset("naive-1d").experiment.with_settings(
        {"method.name": "naive-exact", "sampling.start": "exact"}
    )
    made = measure_trajectory(request("ideal", experiment=experiment, points=5000))
    assert float(made.x[-1].mean()) == pytest.approx(1.0, abs=0.005)
    assert float(made.x[-1].std()) == pytest.approx(0.01, abs=0.005)
    assert float(made.x[0].std()) > 0.5, "it begins with noise"


def test_the_network_film_is_what_denoise_gives():
    made = measure_trajectory(
        request("network", seed=4, points=100, denoiser=FakeDenoiser(), step=7)
    )
    expected = denoise(EXPERIMENT, FakeDenoiser(), points=100, seed=4)
    assert np.array_equal(made.x, expected.x.numpy())
    assert np.abs(made.x[0]).max() > 1
    assert np.abs(made.x[-1]).max() == 0, "this denoiser's data are the origin"
    assert made.request.step == 7


def test_a_seed_gives_one_film_and_another_seed_another():
    one, same, other = (measure_trajectory(request("ideal", seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.x, same.x)
    assert not np.array_equal(one.x[0], other.x[0])


def test_the_ideal_film_starts_from_the_networks_noise():
    ideal = measure_trajectory(request("ideal", seed=5))
    network = measure_trajectory(request("network", seed=5, denoiser=FakeDenoiser()))
    assert np.array_equal(ideal.x[0], network.x[0])
    assert not np.array_equal(ideal.x[1], network.x[1])


def test_numbers_of_a_level():
    made = measure_trajectory(request(name="naive-2d", points=4000))
    for level in range(made.levels + 1):
        seen = made.numbers(level)
        truth = made.truth(level)
        assert seen.goal_mean == pytest.approx(truth.mean().tolist())
        assert seen.mean == pytest.approx(made.x[level].mean(0).tolist(), abs=1e-4)
        assert seen.std == pytest.approx(made.x[level].std(0).tolist(), rel=1e-3)
        # One Gaussian in the plane: E|x − mode|² = 2 std².
        assert seen.distance == pytest.approx(2 * float(truth.stds[0]) ** 2, rel=0.1)
        assert seen.distance == pytest.approx(seen.goal_distance, rel=0.15)
        assert seen.energy < 0.02 * float(truth.stds[0])
        assert made.numbers(level) is seen, "measured once"


def test_numbers_tell_a_wrong_sample_from_a_right_one():
    right = measure_trajectory(request()).numbers(10)
    wrong = measure_trajectory(request("network", denoiser=FakeDenoiser())).numbers(10)
    assert wrong.distance == pytest.approx(1.0), "the origin is 1 from the mode"
    assert wrong.energy > 100 * right.energy
    assert wrong.goal_distance == pytest.approx(right.goal_distance, rel=0.5)


def test_non_finite_points_do_not_stop_a_film():
    class Broken(FakeDenoiser):
        def __call__(self, x, level):
            said = super().__call__(x, level)
            return type(said)(said.output * torch.nan, said.eps_hat, said.x0_hat)

    made = measure_trajectory(request("network", points=20, denoiser=Broken()))
    assert np.isnan(made.x[-1]).all()
    assert np.isnan(made.numbers(made.levels).mean).all()


def test_a_device_that_is_not_here_is_a_configuration_error():
    if torch.backends.mps.is_available():
        pytest.skip("this machine has the device")
    experiment = EXPERIMENT.with_settings({"device": "mps"})
    with pytest.raises(ConfigError, match="device"):
        measure_trajectory(request("ideal", experiment=experiment))
    assert measure_trajectory(request(experiment=experiment)).levels == 10, (
        "true data need no device"
    )


def test_the_mixture_of_a_film_is_that_of_its_data():
    experiment = EXPERIMENT.with_settings({"data.std": 0.3})
    made = measure_trajectory(request(experiment=experiment, points=20_000))
    assert float(made.mixture.stds[0]) == pytest.approx(0.3)
    assert torch.equal(made.mixture.means, make_mixture(experiment.data).means)
    assert float(made.x[-1].std()) == pytest.approx(0.3, rel=0.03)


# --- studies ---------------------------------------------------------------------------------


def test_a_study_of_the_ideal_denoiser_finds_no_excess():
    made = diagnosis(request("ideal", name="ddpm-1d"), silent)
    assert [one.level for one in made.losses] == list(range(10))
    for one in made.losses:
        assert one.loss == pytest.approx(one.floor, rel=0.2, abs=1e-6)
        assert one.excess == pytest.approx(one.loss - one.floor, abs=1e-9)
    assert abs(made.attribution.network) < 1e-3


def test_a_study_of_a_wrong_network_finds_its_excess():
    made = diagnosis(request("network", name="ddpm-1d", denoiser=FakeDenoiser()), silent)
    ideal = diagnosis(request("ideal", name="ddpm-1d"), silent)
    assert made.attribution.network > 0.1
    assert made.attribution.main == "network"
    assert sum(one.excess for one in made.losses) > 10 * sum(abs(o.excess) for o in ideal.losses)


def test_a_study_while_training_is_quick_and_of_true_data_has_no_denoiser():
    live = diagnosis(request("network", denoiser=FakeDenoiser(), live=True), silent)
    assert len(live.losses) == 10
    assert live.attribution is None
    forward = diagnosis(request("forward"), silent)
    assert forward.losses == ()
    assert forward.attribution is None
    assert len(forward.amplification) > 0


def test_the_worker_makes_real_films():
    done = []
    worker = Worker(trajectory, done.append, lambda request, error: done.append(error))
    worker.start()
    worker.ask(request(points=10))
    wait_until(lambda: done)
    assert worker.close(60)
    assert done[0].x.shape == (11, 10, 1)


def test_a_film_comes_with_the_numbers_of_the_level_that_is_looked_at():
    wanted = request(points=50, level=4)
    trajectory = measure_trajectory(wanted)
    assert list(trajectory._numbers) == [4]
    assert list(measure_trajectory(replace(wanted, level=99))._numbers) == [trajectory.levels]
    assert wanted == replace(wanted, level=None), "the same points, wherever they are looked at"
