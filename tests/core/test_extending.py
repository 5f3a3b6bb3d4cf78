"""The worked example of the documentation: from Python, and what it says of itself is true."""

from __future__ import annotations

import re

import pytest
import torch

from tui_diffusion import docs
from tui_diffusion.core import IdealDenoiser, denoise, get_preset, make_method, make_mixture
from tui_diffusion.core.assemble import make_schedule
from tui_diffusion.parts import load_parts

from ..part_files import restored


def blocks() -> list[str]:
    return re.findall(r"^```py\n(.*?)^```", docs.page("extending"), re.S | re.M)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_parts.py").write_text(blocks()[0])
    with restored():
        yield tmp_path / "my_parts.py"


def test_the_example_is_short_and_runs_from_python(parts, capsys):
    assert len(blocks()[0].splitlines()) < 40
    code = blocks()[1].replace("train(experiment)", "train(experiment, interval=0.2)")
    small = (
        'settings |= {"training.steps": 60, "sampling.points": 50, "device": "cpu"}\nexperiment ='
    )
    exec(code.replace("experiment =", small, 1), {})
    printed = capsys.readouterr().out
    assert "status='finished'" in printed and "Quality(points=50" in printed


def test_the_midpoint_sampler_is_of_second_order_on_the_sine_schedule(parts):
    load_parts(parts)
    settings = {"schedule.kind": "sine", "sampling.start": "exact", "sampling.points": 100}
    of = get_preset("edm-multimodal").experiment.with_settings({**settings, "device": "cpu"})
    ideal = IdealDenoiser(make_mixture(of), make_method(of, make_mixture(of)))

    def drawn(sampler: str, levels: int) -> torch.Tensor:
        changes = {"sampling.sampler": sampler, "sampling.levels": levels}
        # With the last level at half of the first ones' noise, the slope has no singular end.
        return denoise(
            of.with_settings({**changes, "sampling.stop_before": levels // 2}), ideal
        ).result

    truth = drawn("heun", 384)
    errors = [float((drawn("midpoint", n) - truth).abs().mean()) for n in (12, 24, 48)]
    assert 3 < errors[0] / errors[1] < 6 and 3 < errors[1] / errors[2] < 5
    assert float((drawn("euler", 24) - truth).abs().mean()) > 3 * errors[1]


def test_the_heart_and_the_sine_are_what_they_say(parts):
    load_parts(parts)
    of = get_preset("edm-moons").experiment.with_settings(
        {"data.name": "heart", "data.dots": 100, "schedule.kind": "sine", "schedule.bend": 1}
    )
    mixture, schedule = make_mixture(of), make_schedule(of)
    assert mixture.means.shape == (100, 2)
    assert torch.allclose(mixture.means.mean(0), torch.zeros(2).double(), atol=1e-9)
    flipped = mixture.means * torch.tensor([-1, 1])
    assert float(torch.cdist(flipped, mixture.means).min(1).values.max()) < 1e-6  # symmetric
    assert torch.allclose(schedule.alphas**2 + schedule.sigmas**2, torch.ones(21).double())
    assert float(schedule.sigmas[-1]) == 0 and bool((schedule.sigmas.diff() < 0).all())
