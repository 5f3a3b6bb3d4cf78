"""Script templates for the network: core.networks."""

from __future__ import annotations

from string import Template

from ...core.config.experiment import Experiment
from ...core.parts.samplers import SAMPLER_PARTS
from . import any_level

DENOISER = Template('''

class Denoiser(nn.Module):
    """$what"""

    def __init__(self, width, random):
        super().__init__()
$inputs        self.net = nn.Sequential(
$layers
        )
        for layer in self.net[::2]:  # PyTorch's own initialisation, from our generator
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=random)
            nn.init.uniform_(layer.bias, -bound, bound, generator=random)

$forward

random = generator("weights")
$made
''')

SHARED = "A network from points and their noise level to the training target."
OWN = "A network from points at one noise level to the training target."

SHARED_FORWARD = """\
    def forward(self, x, level):
        return self.net(torch.cat((x, torch.full_like(x[:, :1], level)), dim=1))
"""
OWN_FORWARD = """\
    def forward(self, x):
        return self.net(x)
"""
SHARED_CONSTRUCTION = Template("""\
denoiser = Denoiser($width, random)


def predict(x, k):
    return denoiser(x, $condition)  # the network takes its level as $condition_name
""")
OWN_CONSTRUCTION = Template("""\
denoisers = [Denoiser($width, random) for _ in range(N)]  # one for every noise level


def predict(x, k):
    return denoisers[k](x)
""")

CONDITIONS = {
    "naive": ("sigmas[k]", "sigma"),
    "naive-exact": ("sigmas[k]", "sigma"),
    "ddpm": ("1 - betas[k]", "1 - beta"),
}
"""core.methods: Method.condition"""

ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "silu": "SiLU", "gelu": "GELU"}


def network_part(experiment: Experiment) -> str:
    """Return the definition of the network, its construction, and its evaluation."""
    network, method = experiment.network, experiment.method.name
    if method in any_level.STEPS:
        features = {"fourier": network.fourier, "level_fourier": network.level_fourier}
        between = "$estimates_at" in SAMPLER_PARTS[experiment.sampling.sampler].script
        predict = any_level.predict_code(method, between=between)
        return any_level.OCTAVES + DENOISER.substitute(
            what=SHARED,
            inputs=any_level.INPUTS.substitute(features),
            layers=_layers(experiment, "inputs"),
            forward=any_level.FORWARD.substitute(features),
            made=any_level.CONSTRUCTION.substitute(width=network.width, predict=predict).rstrip(),
        )
    condition, condition_name = CONDITIONS[method]
    construction = OWN_CONSTRUCTION if network.per_level else SHARED_CONSTRUCTION
    return DENOISER.substitute(
        what=OWN if network.per_level else SHARED,
        inputs="",
        layers=_layers(experiment, "dim" if network.per_level else "dim + 1"),
        forward=OWN_FORWARD if network.per_level else SHARED_FORWARD,
        made=construction.substitute(
            width=network.width, condition=condition, condition_name=condition_name
        ).rstrip(),
    )


def _layers(experiment: Experiment, inputs: str) -> str:
    activation = ACTIVATIONS[experiment.network.activation]
    hidden = [f"nn.Linear({inputs}, width), nn.{activation}(),"]
    hidden += [f"nn.Linear(width, width), nn.{activation}(),"] * (experiment.network.depth - 1)
    return "\n".join(" " * 12 + line for line in [*hidden, "nn.Linear(width, dim),"])
