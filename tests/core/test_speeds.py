"""The figures by which ``auto`` chooses a device: built in, measured, and which one is used."""

from dataclasses import replace
from datetime import date

import pytest
import torch

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.training import speed_test
from tui_diffusion.core.training.devices import choose_device, cpu_step, operations
from tui_diffusion.core.training.speed_test import fit_speeds, measure_all, measure_device
from tui_diffusion.core.training.speeds import BUILT_IN, Speeds, cpu_name, speeds_of, use_speeds

TINY = get_preset("ddpm-1d").experiment.with_settings({"device": "auto"})
WIDE = TINY.with_settings({"network.width": 1024, "training.batch": 1024, "training.steps": 20_000})
DAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def nothing_measured():
    use_speeds({})
    yield
    use_speeds({})


@pytest.fixture
def card(monkeypatch):
    """Makes torch have one CUDA device of a name."""

    def have(name):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _=None: name)

    return have


def test_a_measured_card_decides_and_the_reason_says_so(card):
    card("NVIDIA X")
    cpu = replace(BUILT_IN["cpu"], measured=DAY)
    fast = Speeds(step=1e-6, rate=1e15, start=0.0, measured=date(2026, 11, 29))
    use_speeds({cpu_name(): cpu, "NVIDIA X": fast})
    choice = choose_device(TINY)
    assert choice.device.type == "cuda"
    assert choice.reason.endswith("a GPU is faster (measured on this machine on 2026-11-28)")
    slow = replace(fast, step=10.0)
    use_speeds({"NVIDIA X": slow})
    choice = choose_device(WIDE)
    assert choice.device.type == "cpu"
    assert choice.reason.endswith("(the GPU measured on this machine on 2026-11-29)")


def test_another_card_is_not_judged_by_it(card):
    card("NVIDIA Y")
    slow = Speeds(step=10.0, rate=1e15, measured=DAY)
    use_speeds({"NVIDIA X": slow, "some other CPU": replace(slow, rate=1e18)})
    choice = choose_device(WIDE)
    assert (choice.device.type, choice.reason.endswith("a GPU is faster")) == ("cuda", True)
    use_speeds({cpu_name(): slow})
    assert cpu_step(TINY) == pytest.approx(10, abs=1e-3)
    choice = choose_device(TINY)
    assert choice.reason.endswith("(the CPU measured on this machine on 2026-11-28, the GPU not)")


def test_the_name_of_a_gpu_is_not_asked_for_without_need(monkeypatch):
    """It would initialise CUDA."""

    def fail(_=None):
        raise AssertionError

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", fail)
    assert choose_device(WIDE).device.type == "cuda"


def test_the_fit_recovers_the_figures():
    true = Speeds(step=2e-5, rate=4e10)
    small, wide = operations(TINY), operations(WIDE)
    step, rate = fit_speeds(true.seconds(small), small, true.seconds(wide), wide)
    assert step == pytest.approx(true.step, abs=1e-9)
    assert rate == pytest.approx(true.rate, abs=1e3)
    for noisy in ((1.0, 0.5), (1.0, 1.0), (0.001, 1.0)):
        step, rate = fit_speeds(noisy[0], small, noisy[1], wide)
        assert step > 0 and rate > 0


def test_measuring_the_cpu_agrees_with_a_training_of_another_size():
    """Both figures come from real steps: the model foretells a third training within a factor."""
    speeds = measure_device("cpu", 0.3)
    assert speeds.measured == date.today() and speeds.start == 0
    between = TINY.with_settings(
        {"device": "cpu", "network.width": 128, "training.batch": 512, "training.lr": 1e-6}
    )
    taken = speed_test._pace(between, 0.3).step
    assert 0.1 < speeds.seconds(operations(between)) / taken < 10
    assert torch.get_num_threads() == 1


def test_a_card_that_cannot_train_is_a_line_and_equal_cards_are_measured_once(monkeypatch):
    names = ["NVIDIA X", "NVIDIA X", "NVIDIA Y"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: names[int(device[5:])])
    asked = []

    def fake(device, _):
        asked.append(device)
        if device == "cuda:2":
            raise RuntimeError("CUDA error: no kernel image is available\nfor this device")
        return Speeds(1e-5, 1e10, 2.0, DAY)

    monkeypatch.setattr(speed_test, "measure_device", fake)
    cpu, first, last = measure_all()
    assert asked == ["cpu", "cuda:0", "cuda:2"]
    assert (cpu.name, first.name, first.speeds.start) == (cpu_name(), "NVIDIA X", 2.0)
    assert last.speeds is None and "no kernel image is available for this device" in last.fault
    assert speeds_of("cuda", "NVIDIA Y") == BUILT_IN["cuda"]
