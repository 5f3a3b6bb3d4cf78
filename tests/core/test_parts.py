"""The registries of parts: each is complete, and a part that is added is known everywhere."""

import math

import pytest
import torch

from tui_diffusion.core import assemble, datasets, networks, samplers, schedules
from tui_diffusion.core.config.choices import samplers_of, schedules_of
from tui_diffusion.core.config.data_section import DataConfig
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.method_section import MethodConfig
from tui_diffusion.core.config.network_section import NetworkConfig
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.sampling_section import SamplingConfig
from tui_diffusion.core.config.schedule_section import ScheduleConfig
from tui_diffusion.core.config.titles import title_of
from tui_diffusion.core.parts.datasets import DATA_PARTS, DataPart
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.parts.networks import NETWORK_PARTS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS, SamplerPart
from tui_diffusion.core.parts.schedules import SCHEDULE_PARTS, SchedulePart
from tui_diffusion.core.schedules import Schedule
from tui_diffusion.export.script.standalone import standalone_script
from tui_diffusion.lab.screens.code import pieces
from tui_diffusion.lab.screens.explanations import formulas, papers

from ..export.test_export_script import run_here, same_as_the_run

REGISTRIES = [
    (DATA_PARTS, DataConfig, datasets),
    (METHOD_PARTS, MethodConfig, None),
    (SCHEDULE_PARTS, ScheduleConfig, schedules),
    (NETWORK_PARTS, NetworkConfig, networks),
    (SAMPLER_PARTS, SamplingConfig, samplers),
]


def test_every_part_has_its_mathematics_and_names_fields_of_its_section():
    for parts, section, module in REGISTRIES:
        for name, part in parts.items():
            assert part.name == name
            assert set(part.uses) <= set(section.model_fields), name
            if part.function:
                assert getattr(module, part.function).__doc__, name
    for method, part in METHOD_PARTS.items():
        assert schedules_of(method)[0] == part.schedule
        assert samplers_of(method)[0] == part.sampler
        assert method in SCHEDULE_PARTS[part.schedule].methods
    for part in (*SCHEDULE_PARTS.values(), *SAMPLER_PARTS.values()):
        assert set(part.methods) <= set(METHOD_PARTS), part.name


def halfway(x, level, denoiser, z, previous=None, *, eta=0.0):
    """Move to the next level, eta of the way from an Euler step to the clean estimate."""
    step = samplers.euler(x, level, denoiser, z, previous)
    mean = step.mean + eta * (step.x0_hat - step.mean)
    return samplers.Step(x, step.eps_hat, step.x0_hat, mean, 0 * x, mean, step.alpha, step.sigma)


def geometric(levels, sigma_min, sigma_max):
    """Return sigmas in a geometric sequence, then 0."""
    steps = torch.linspace(math.log(sigma_max), math.log(sigma_min), levels, dtype=torch.float64)
    sigmas = torch.cat([steps.exp(), torch.zeros(1, dtype=torch.float64)])
    return Schedule(torch.ones_like(sigmas), sigmas)


def cross(std):
    """Return two crossed lines of equally spaced points."""
    line = torch.linspace(-1, 1, math.ceil(2 / std), dtype=torch.float64)
    points = torch.cat([torch.stack([line, line], 1), torch.stack([line, -line], 1)])
    return points, torch.ones(len(points), dtype=torch.float64)


ADDED = [
    (SAMPLER_PARTS, SamplerPart(
        name="halfway", function=halfway, help="step too far", uses=("eta",), formula="x ← half",
        papers=("Doe 2031: Half a Step.",),
        script="""\
    x0_hat, eps_hat = $estimates(x, k)
    x_next = alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hat
    return x_next + $eta * (x0_hat - x_next)
""")),
    (SCHEDULE_PARTS, SchedulePart(
        name="geometric", function=geometric, help="sigmas of one ratio", methods=("edm",),
        uses=("levels", "sigma_min", "sigma_max"), formula="σᵢ = σ_max·qⁱ",
        script="""
N = $levels
sigmas = torch.linspace(np.log($sigma_max), np.log($sigma_min), N, dtype=torch.float64).exp()
sigmas = torch.cat((sigmas, torch.zeros(1)))
alphas = torch.ones(N + 1)
""")),
    (DATA_PARTS, DataPart(
        name="cross", function=cross, title="A cross", std=0.1, what="a cross",
        script="""\
line = torch.linspace(-1, 1, int(np.ceil(2 / sigma_data)), dtype=torch.float64)
modes = torch.cat([torch.stack([line, line], 1), torch.stack([line, -line], 1)])
weights = torch.ones(len(modes), dtype=torch.float64)
""")),
]  # fmt: skip
CHOSEN = {
    "data.name": "cross",
    "schedule.kind": "geometric",
    "sampling.sampler": "halfway",
    "sampling.eta": 0.25,
    "schedule.levels": 6,
    "training.steps": 3,
    "sampling.points": 50,
}


@pytest.fixture
def added(monkeypatch):
    """An experiment of a data set, a schedule and a sampler that are not built in."""
    for parts, part in ADDED:
        monkeypatch.setitem(parts, part.name, part)
    field_table.cache_clear()
    yield PRESETS["edm-moons"].experiment.with_settings(CHOSEN)
    field_table.cache_clear()


def test_a_part_that_is_added_is_known_everywhere(added):
    table = field_table()
    assert "halfway: step too far" in table["sampling.sampler"].help
    assert "geometric" in table["schedule.kind"].choices
    assert table["data.name"].allowed.endswith("file:PATH, cross")
    assert table["sampling.eta"].applies(added) and not table["schedule.rho"].applies(added)
    assert title_of(added) == "A cross, EDM" and added.data.std == 0.1
    assert {"σᵢ = σ_max·qⁱ", "x ← half"} <= set(dict(formulas(added)).values())
    assert "Doe 2031: Half a Step." in papers(added)
    assert "def halfway" in pieces(added)[-1][1]
    with pytest.raises(ConfigError, match="'geometric' does not go with method 'ddpm'"):
        PRESETS["ddpm-1d"].experiment.with_settings({"schedule.kind": "geometric"})


def test_a_part_that_is_added_trains_and_samples_and_its_script_does_the_same(added):
    sigmas = assemble.make_schedule(added.schedule).sigmas
    ratios = sigmas[:-2] / sigmas[1:-1]
    assert torch.allclose(ratios, ratios[0].expand_as(ratios))
    same_as_the_run(added, run_here(standalone_script(added)), 1e-5)


def test_a_part_without_code_has_no_script_but_a_curve_lists_its_centres(added, monkeypatch):
    bare = DataPart(name="cross", function=cross, title="A cross", std=0.1)
    monkeypatch.setitem(DATA_PARTS, "cross", bare)
    same_as_the_run(added, run_here(standalone_script(added)), 1e-5)
    plain = SamplerPart(name="halfway", function=halfway, uses=("eta",), formula="x ← half")
    monkeypatch.setitem(SAMPLER_PARTS, "halfway", plain)
    with pytest.raises(ConfigError, match=r"sampling\.sampler: a script cannot be written for"):
        standalone_script(added)
