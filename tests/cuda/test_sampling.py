"""Sampling on the device: in parts as at once, and in a bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tui_diffusion.core import trajectory
from tui_diffusion.core.assemble import make_ideal, make_mixture
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.methods import NetworkDenoiser
from tui_diffusion.core.trajectory import denoise

from ..changed import changed
from ..trainings import trained

MIB = 2**20


def denoiser_of(name: str, device: str, **settings: object) -> NetworkDenoiser:
    """A network trained briefly."""
    return trained(changed(name, device=device, training__steps=200, **settings)).denoiser


@pytest.mark.parametrize(
    ("name", "sampler"),
    [("naive-2d", "naive"), ("ddpm-multimodal", "ddpm"), ("edm-moons", "dpm++2m")],
)
def test_a_sample_in_parts_is_that_taken_at_once(name, sampler, device, monkeypatch) -> None:
    experiment = changed(name, device=device, sampling__sampler=sampler)
    denoiser = denoiser_of(name, device)
    samples = []
    for at_once in (1000, 96):
        monkeypatch.setattr(trajectory, "_at_once", lambda *_, count=at_once: count)
        made = denoise(experiment, denoiser, points=1000, device=device)
        assert made.x.device.type == device
        samples.append(made)
    whole, parts = samples
    # Products of another shape sum in another order.
    torch.testing.assert_close(parts.x, whole.x, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(parts.step(3).x0_hat, whole.step(3).x0_hat, rtol=1e-3, atol=1e-3)


def peak(task: Callable[[], object], device: str) -> int:
    """The most bytes allocated during a task, beyond those before."""
    if device == "cpu":
        status = Path("/proc/self/status")
        if not status.exists():
            pytest.skip("no /proc")
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before, _ = (int(re.search(rf"{key}:\s+(\d+)", status.read_text())[1])
                     for key in ("VmRSS", "VmHWM"))  # fmt: skip
        task()
        return 1024 * (int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) - before)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    start = torch.cuda.memory_allocated()
    task()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - start


@pytest.mark.slow
def test_a_million_points_take_little_more_memory_than_they_are(device) -> None:
    experiment = changed("ddpm-multimodal", device=device)
    denoiser, points = denoiser_of("ddpm-multimodal", device), 1_000_000
    denoise(experiment, denoiser, points=1000, device=device)  # what libraries allocate once
    kept = []
    most = peak(
        lambda: kept.append(denoise(experiment, denoiser, points=points, device=device)), device
    )
    (made,) = kept
    assert made.points == points
    assert bool(torch.isfinite(made.result).all())
    numbers = made.x.numel() + made.repeats.numel()
    level = 4 * made.x[0].numel()
    # One level with its noise and estimates, and a few layers of a batch of points, 64 MiB each.
    assert 4 * numbers <= most < 4 * numbers + 8 * level + 6 * 64 * MIB


@pytest.mark.slow
def test_every_scheduler_of_diffusers_works_on_the_device(device) -> None:
    pytest.importorskip("diffusers")
    for name in field_table()["sampling.sampler"].choices:
        if name.startswith("diffusers:"):
            of = changed(
                "edm-multimodal", device=device, sampling__sampler=name, sampling__levels=4
            )
            made = denoise(of, make_ideal(of, make_mixture(of, device)), points=20)
            assert made.x.device.type == device and bool(made.x.isfinite().all()), name
            assert made.step(3).noise.device.type == device, name
