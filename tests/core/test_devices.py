"""The device that trains an experiment faster, with the reason, and the threads that suit it."""

import pytest
import torch

from tui_diffusion.core.assemble import make_network
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.tensors import placed
from tui_diffusion.core.training.devices import (
    choose_device,
    cpu_step,
    gpu_step,
    operations,
    subnormals_as_zero,
    use_threads,
)

TINY = get_preset("ddpm-1d").experiment.with_settings({"device": "auto"})
WIDE = TINY.with_settings({"network.width": 1024, "training.batch": 1024, "training.steps": 20_000})


@pytest.fixture
def gpus(monkeypatch):
    """Makes torch say which GPUs are here."""

    def say(*, cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return say


def test_the_operations_of_a_step_are_six_for_each_weight_of_a_body_and_point():
    for name in ("naive-multimodal", "ddpm-multimodal", "edm-moons", "naive-1d"):
        experiment = get_preset(name).experiment
        body = make_network(experiment, torch.Generator()).body(0)
        weights = sum(weight.numel() for weight in body.parameters() if weight.dim() == 2)
        assert operations(experiment) == 6 * weights * experiment.training.batch, name


@pytest.mark.parametrize("cuda", [False, True])
def test_a_tiny_network_stays_on_the_cpu(gpus, cuda):
    gpus(cuda=cuda)
    choice = choose_device(TINY.with_settings({"training.steps": 1_000_000}))
    assert choice.device.type == "cpu"
    assert "less than the launch overhead of a GPU" in choice.reason


def test_a_wide_one_goes_to_the_gpu_there_is(gpus):
    for here, kind in (({"cuda": True, "mps": True}, "cuda"), ({"mps": True}, "mps"), ({}, "cpu")):
        gpus(**here)
        choice = choose_device(WIDE)
        assert choice.device.type == kind
        assert choice.reason.endswith("a GPU is faster" if here else "no GPU found")


def test_a_cuda_device_that_is_missing_is_named_with_the_reason(gpus, monkeypatch):
    gpus(cuda=False)
    monkeypatch.setattr(torch.version, "hip", None)
    for build, why in ((None, ": this torch is a CPU build"), ("12.8", "")):
        monkeypatch.setattr(torch.version, "cuda", build)
        with pytest.raises(ConfigError) as caught:
            choose_device(TINY.with_settings({"device": "cuda"}))
        assert str(caught.value) == f"device: 'cuda' is not available{why}; allowed: auto, cpu"


def test_a_short_training_is_over_before_a_gpu_begins(gpus):
    gpus(cuda=True)
    short = WIDE.with_settings({"training.steps": 20})
    choice = choose_device(short)
    assert choice.device.type == "cpu"
    assert "20 of them are done before" in choice.reason


def test_the_choice_is_that_of_the_shorter_time(gpus):
    gpus(cuda=True)
    for width in (8, 32, 64, 128, 256, 512):
        for steps in (100, 10_000, 1_000_000):
            experiment = WIDE.with_settings({"network.width": width, "training.steps": steps})
            gain = steps * (cpu_step(experiment) - gpu_step(experiment, "cuda"))
            assert (choose_device(experiment).device.type == "cuda") == (gain > 3.0)


def test_one_s_own_choice_wins(gpus):
    gpus(cuda=True)
    choice = choose_device(WIDE.with_settings({"device": "cpu"}))
    assert (choice.device.type, choice.reason) == ("cpu", "as asked")


def test_threads_suit_the_work_and_one_s_own_number_wins(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert use_threads(TINY) == torch.get_num_threads() == 1
    assert use_threads(WIDE) == torch.get_num_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)
    assert use_threads(TINY) == torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_a_value_placed_beside_a_tensor_has_its_type():
    like, exact = torch.zeros(3).double(), torch.full((2, 1), 0.1, dtype=torch.float64)
    for value in (0.1, exact[0, 0], exact):
        there = placed(value, like)
        assert there.dtype == torch.float64
        assert float(there.flatten()[0]) == 0.1


@pytest.mark.parametrize("before", [False, True])
def test_subnormals_count_as_zero_for_a_while(before: bool) -> None:
    least = torch.tensor(1e-40)
    if not torch.set_flush_denormal(before):
        pytest.skip("this CPU cannot")
    try:
        with subnormals_as_zero():
            assert float(least * 1) == 0
        assert (float(least * 1) == 0) is before
    finally:
        torch.set_flush_denormal(False)
