"""An experiment as a standalone script: torch and numpy alone, about a hundred lines.

The script reads like those of the post and draws the same numbers in the same order as the core,
so that on a CPU its losses are those of the run, for the post's presets bit for bit.

It is put together from small templates, one for each thing that a configuration chooses, in the
files ``script_…`` beside this; each names the core function that it mirrors. What no template knows
is refused with one line.
"""

from __future__ import annotations

from string import Template
from typing import Any

from ..core.datasets import make_mixture
from ..core.devices import operations
from ..core.experiment import ConfigError, Experiment, field_table
from ..core.mixtures import GaussianMixture
from ..core.presets import PRESETS, base_of
from ..core.training import stages
from ..core.values import format_value
from . import script_any_level as any_level
from .script_data import batches_part, data_part
from .script_denoising import denoising_part
from .script_text import harmless, indented, listed, wrapped

_ONE_THREAD_UP_TO = 5e7
"""Operations a step up to which one thread is the fastest."""

HEAD = Template('''\
"""$title: a diffusion model in one script, with torch and numpy alone.

$about

It trains and samples the configuration
    $command
drawing the same numbers in the same order: on a CPU its losses are those of the program.
"""

${copy}import zlib

import numpy as np
import torch
import torch.nn as nn

try:
    import matplotlib.pyplot as plt
except ImportError:  # the plots at the end are left out
    plt = None
$threads
seed = $seed


def generator(purpose):
    """Weights, batches and sampling draw from a generator each, all from one seed."""
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1)
    return torch.Generator().manual_seed(int(words[0]))

''')
"""core.randomness.generator"""

# --- hyperparameters -----------------------------------------------------------------------------

HYPERPARAMETERS = Template("""
# Hyperparameters
lr = $lr
batch_size = $batch
nb_steps = $steps
test_size = $points
block = $block  # steps whose batches are drawn at once, which is faster
""")

# --- noise levels: core.schedules ----------------------------------------------------------------

_BETAS = """alpha_bars = torch.cumprod(1 - betas, dim=0)
# From here on noisiest first: level 0 is nearly pure noise, level N is clean
N = len(betas)
betas = betas.flip(0)
alpha_bars = torch.cat((alpha_bars.flip(0), torch.ones(1)))
alphas, sigmas = alpha_bars.sqrt(), (1 - alpha_bars).sqrt()  # x = alpha x0 + sigma eps
"""

SCHEDULES = {
    "karras": Template(
        """
# Noise levels, noisiest first and clean last (Karras et al. 2022): x = x0 + sigma eps
sigma_min, sigma_max, rho = $sigma_min, $sigma_max, $rho
N = $levels
place = torch.linspace(0, 1, N, dtype=torch.float64)
sigmas = (sigma_max ** (1 / rho) + place * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
sigmas = torch.cat((sigmas, torch.zeros(1)))
alphas = torch.ones(N + 1)
"""
    ),
    "beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.tensor(
    $betas,
    dtype=torch.float64,
)
"""
        + _BETAS
    ),
    "karras-beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
beta_min, beta_max, rho = $beta_min, $beta_max, $rho
place = torch.linspace(0, 1, $levels, dtype=torch.float64)
betas = (beta_min ** (1 / rho) + place * (beta_max ** (1 / rho) - beta_min ** (1 / rho))) ** rho
"""
        + _BETAS
    ),
    "flow": any_level.FLOW_LEVELS,
    "linear-beta": Template(
        """
# Noise levels (Ho et al. 2020): the variance that each step adds, least noisy first
betas = torch.linspace($beta_min, $beta_max, $levels, dtype=torch.float64)
"""
        + _BETAS
    ),
    "cosine": Template(
        """
# Noise levels (Nichol and Dhariwal 2021): the variance that each step adds, least noisy first
u = torch.linspace(0, 1, $levels + 1, dtype=torch.float64)
curve = torch.cos(torch.pi / 2 * (u + 0.008) / 1.008) ** 2
betas = (1 - curve[1:] / curve[:-1]).clamp_max(0.999)
"""
        + _BETAS
    ),
}

# --- networks: core.networks ---------------------------------------------------------------------

NETWORK = Template('''

class Denoiser(nn.Module):
    """$network"""

    def __init__(self, width, random):
        super().__init__()
        self.net = nn.Sequential(
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

SHARED_FORWARD = """\
    def forward(self, x, level):
        return self.net(torch.cat((x, torch.full_like(x[:, :1], level)), dim=1))
"""
OWN_FORWARD = """\
    def forward(self, x):
        return self.net(x)
"""
SHARED_MADE = Template("""\
denoiser = Denoiser($width, random)


def predict(x, k):
    return denoiser(x, $told)  # the network is told its level by $told_name
""")
OWN_MADE = Template("""\
denoisers = [Denoiser($width, random) for _ in range(N)]  # one for every noise level


def predict(x, k):
    return denoisers[k](x)
""")

TOLD = {
    "naive": ("sigmas[k]", "sigma"),
    "naive-exact": ("sigmas[k]", "sigma"),
    "ddpm": ("1 - betas[k]", "1 - beta"),
}
"""core.methods: Method.condition"""

# --- batches: core.training, Trainer._draw -------------------------------------------------------

BATCHES = Template('''

def batches():
    """For every step: $yields."""
    random = generator("batches")
$begins    while True:
$drawn        yield from zip($parts)

''')

DRAW_LEVELS = "        levels = torch.randint(N, (block,), generator=random)\n"
# --- training: core.methods, core.training -------------------------------------------------------

TARGETS = {
    "naive": ("sigmas[k + 1] * eps", "of the noise n = sigma eps, n sigma' / sigma"),
    "naive-exact": ("(sigmas[k] - sigmas[k + 1]) * eps", "the noise between two levels"),
    "ddpm": ("eps", "the noise itself"),
}
"""core.methods: Method.target"""

LOSSES = {
    "sum": "torch.sum((pred - target) ** 2)",
    "norm": "torch.sum((pred - target) ** 2).sqrt()",
    "mean": "torch.mean((pred - target) ** 2)",
}
"""core.training.loss_of"""

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}

DECAYS = {
    "step": Template("$lr * $factor ** ($done // $every)"),
    "cosine": Template("$lr * (1 + np.cos(np.pi * $done / $count)) / 2"),
}
"""core.training.learning_rate"""

STEP = Template("""\
x = alphas[k] * x0 + sigmas[k] * eps
pred = predict(x, k)
target = $target  # $target_is
loss = $loss
optimizer.zero_grad()
loss.backward()
optimizer.step()
losses[step] = loss.item()
""")

SHARED_TRAINING = Template("""
# Training
losses = np.zeros(nb_steps)
optimizer = torch.optim.$optimizer(denoiser.parameters(), lr, fused=True)
for step, (k, x0, eps) in zip(range(nb_steps), batches()):
$decay$step
print(f"Final loss: {losses[-100:].mean():.9g} (mean of the last 100 steps)")
""")

OWN_TRAINING = Template("""
# Training, least noisy level first; every network starts from the weights of the one before
steps_of = $steps_of
losses = np.zeros(nb_steps)
step, drawn = 0, batches()
for k in reversed(range(N)):
    rate = first_lr if k == N - 1 else lr
    if k < N - 1:
        denoisers[k].load_state_dict(denoisers[k + 1].state_dict())
    optimizer = torch.optim.$optimizer(denoisers[k].parameters(), rate, fused=True)
    for $done in range(steps_of[N - 1 - k]):
        x0, eps = next(drawn)
$decay$step        step += 1
print(f"Final loss: {losses[-100:].mean():.9g} (mean of the last 100 steps)")
""")

PLOTS = {
    1: """
if plt is not None:
    plt.title("Training loss")
    plt.semilogy(losses)
    fig, axes = plt.subplots(1, len(states), figsize=(2.2 * len(states), 2.2))
    for k, (ax, x) in enumerate(zip(axes, states)):
        ax.hist(x[:, 0].numpy(), bins=50)
        ax.set_title(f"level {k}")
    plt.show()
""",
    2: """
if plt is not None:
    plt.title("Training loss")
    plt.semilogy(losses)
    fig, axes = plt.subplots(1, len(states), figsize=(2.2 * len(states), 2.2))
    reach = 1.1 * float(torch.stack(states).abs().max())
    for k, (ax, x) in enumerate(zip(axes, states)):
        ax.scatter(x[:, 0], x[:, 1], s=1)
        ax.set(title=f"level {k}", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    plt.show()
""",
}


def standalone_script(experiment: Experiment) -> str:
    """The source of a script that trains and samples ``experiment`` and prints its loss.

    Raises `ConfigError` where the experiment holds something that no template knows.
    """
    mixture = make_mixture(experiment.data)
    _check(experiment)
    parts = [
        HEAD.substitute(_about(experiment)),
        data_part(experiment, mixture),
        _hyperparameters(experiment),
        _schedule(experiment),
        _network(experiment),
        _batches(experiment, mixture),
        _training(experiment),
        denoising_part(experiment, mixture),
        PLOTS[experiment.dim],
    ]
    return "".join(parts)


_KNOWN = (
    *("seed", "device", "data.name", "data.means", "data.weights", "data.count", "data.path"),
    *("data.std", "data.balanced", "method.name", "schedule.kind", "schedule.levels"),
    *("schedule.sigma_min", "schedule.sigma_max", "schedule.beta_min", "schedule.beta_max"),
    *("schedule.rho", "schedule.betas", "network.width", "network.depth", "network.activation"),
    *("network.per_level", "training.steps", "training.batch", "training.lr"),
    *("training.optimizer", "training.loss", "training.decay", "training.decay_factor"),
    *("training.decay_every", "training.first_factor", "training.first_lr", "sampling.points"),
    *("sampling.sampler", "sampling.variance", "sampling.quiet", "sampling.start"),
    *("sampling.eta", "sampling.repeats", "sampling.stop_before"),
)
"""Fields that the templates follow; any other has to be as it is by default."""

_KNOWN_ANY_LEVEL = (
    *("method.noise_mean", "method.noise_std", "network.fourier", "network.level_fourier"),
    *("training.average", "sampling.levels"),
)
"""Those that only the templates of methods that know every level follow."""


def _check(experiment: Experiment) -> None:
    followed: tuple[str, ...] = _KNOWN
    if experiment.method.name in any_level.STEPS:
        followed = (*_KNOWN, *_KNOWN_ANY_LEVEL)
    for path, spec in field_table().items():
        value = experiment.get(path)
        if path not in followed and value != spec.default and spec.applies(experiment):
            raise ConfigError(
                f"{path}: a script cannot be written for {format_value(value)!r}; "
                f"allowed: {format_value(spec.default)}",
                path,
            )
    known: list[tuple[str, tuple[str, ...]]] = [
        ("method.name", (*TARGETS, *any_level.STEPS)),
        ("schedule.kind", tuple(SCHEDULES)),
    ]
    for path, allowed in known:
        _refuse_unknown(experiment, path, allowed)


def _refuse_unknown(experiment: Experiment, path: str, allowed: tuple[str, ...]) -> None:
    value = experiment.get(path)
    if value not in allowed:
        raise ConfigError(
            f"{path}: a script cannot be written for {value!r}; allowed: {', '.join(allowed)}", path
        )


# --- the parts -----------------------------------------------------------------------------------


def _about(experiment: Experiment) -> dict[str, Any]:
    preset = PRESETS.get(experiment.name)
    name = harmless(experiment.name)
    one_thread = operations(experiment) < _ONE_THREAD_UP_TO
    return {
        "title": preset.title if preset else name,
        "copy": "import copy\n" if experiment.method.name in any_level.STEPS else "",
        "about": wrapped(preset.about if preset else f"Experiment {name}."),
        "command": wrapped(_command(experiment), " \\\n        "),
        "seed": experiment.seed,
        "threads": "\ntorch.set_num_threads(1)  # so small a network gains nothing from more"
        if one_thread
        else "",
    }


def _command(experiment: Experiment) -> str:
    """The command that trains the same: a built-in preset, with what differs from it."""
    preset = base_of(experiment)
    words = ["diffusion-tui", "train", preset.id]
    for path, spec in field_table().items():
        value = experiment.get(path)
        differs = spec.applies(experiment) and value != preset.experiment.get(path)
        if path not in ("seed", "device") and differs:
            shown = harmless(format_value(value))
            words += ["--set", f"{path}='{shown}'" if " " in shown else f"{path}={shown}"]
    return " ".join([*words, "--seed", str(experiment.seed)])


def _hyperparameters(experiment: Experiment) -> str:
    training = experiment.training
    block = max(1, min(256, 65_536 // (training.batch * experiment.dim)))
    text = HYPERPARAMETERS.substitute(
        lr=repr(training.lr),
        batch=training.batch,
        steps=training.steps,
        points=experiment.sampling.points,
        block=block,
    )
    method = experiment.method
    if method.name in any_level.STEPS:
        text += any_level.SETTINGS.substitute(
            noise_mean=repr(method.noise_mean), noise_std=repr(method.noise_std)
        )
    if experiment.network.per_level:
        text = text.replace("\nbatch_size", f"\nfirst_lr = {training.first_lr!r}\nbatch_size")
    return text


def _schedule(experiment: Experiment) -> str:
    schedule = experiment.schedule
    # A network that knows every level trains without a schedule; sampling may have its own.
    levels = experiment.sampling.levels or schedule.levels
    return SCHEDULES[schedule.kind].substitute(
        {**schedule.model_dump(), "levels": levels, "betas": listed(list(schedule.betas))}
    )


def _network(experiment: Experiment) -> str:
    network = experiment.network
    activation = {"relu": "ReLU", "tanh": "Tanh", "silu": "SiLU", "gelu": "GELU"}[
        network.activation
    ]
    method = experiment.method.name
    inputs = "dim" if network.per_level else "dim + 1"
    if method in any_level.STEPS:
        inputs = "inputs"
    hidden = [f"nn.Linear({inputs}, width), nn.{activation}(),"]
    hidden += [f"nn.Linear(width, width), nn.{activation}(),"] * (network.depth - 1)
    layers = "\n".join(" " * 12 + line for line in [*hidden, "nn.Linear(width, dim),"])
    if method in any_level.STEPS:
        return any_level.NETWORK.substitute(
            fourier=network.fourier,
            level_fourier=network.level_fourier,
            layers=layers,
            width=network.width,
            predict=any_level.PREDICT[method].rstrip(),
        )
    told, told_name = TOLD[method]
    if network.per_level:
        what = "Points of one noise level, to what is learnt of them."
        forward, made = OWN_FORWARD, OWN_MADE
    else:
        what = "Points and the number that tells their noise level, to what is learnt of them."
        forward, made = SHARED_FORWARD, SHARED_MADE
    return NETWORK.substitute(
        network=what,
        layers=layers,
        forward=forward,
        made=made.substitute(width=network.width, told=told, told_name=told_name).rstrip(),
    )


def _batches(experiment: Experiment, mixture: GaussianMixture) -> str:
    shared = not experiment.network.per_level
    drawn, levels = DRAW_LEVELS if shared else "", "levels.tolist()"
    if experiment.method.name in any_level.STEPS:
        drawn, levels = any_level.DRAW_LEVELS, "ratio"
    drawn += batches_part(experiment, mixture)
    return BATCHES.substitute(
        yields="its noise level, clean points and their noise"
        if shared
        else "clean points and their noise",
        begins="    first = 0  # step of the block\n" if "first += block" in drawn else "",
        drawn=drawn,
        parts=f"{levels}, x0, eps" if shared else "x0, eps",
    )


def _training(experiment: Experiment) -> str:
    training, shared = experiment.training, not experiment.network.per_level
    decay = ""
    if training.decay != "none":
        rate = DECAYS[training.decay].substitute(
            lr="lr" if shared else "rate",
            done="step" if shared else "done",
            count="nb_steps" if shared else "steps_of[N - 1 - k]",
            factor=repr(training.decay_factor),
            every=training.decay_every,
        )
        decay = f'optimizer.param_groups[0]["lr"] = {rate}\n'
    method, depth = experiment.method.name, 4 if shared else 8
    if method in any_level.STEPS:
        average = repr(training.average)
        return any_level.TRAINING.substitute(
            optimizer=OPTIMIZERS[training.optimizer],
            decay=indented(decay, depth),
            step=any_level.STEPS[method].substitute(loss=LOSSES[training.loss]),
            keep=f"min({average}, step / (step + 10))  # the first steps are forgotten sooner"
            if training.average
            else "0.0",
        )
    target, target_is = TARGETS[method]
    step = STEP.substitute(target=target, target_is=target_is, loss=LOSSES[training.loss])
    counts = [stage.stop - stage.start for stage in stages(experiment)]
    template = SHARED_TRAINING if shared else OWN_TRAINING
    return template.substitute(
        optimizer=OPTIMIZERS[training.optimizer],
        decay=indented(decay, depth),
        step=indented(step, depth),
        steps_of=_counted(counts),
        done="done" if decay else "_",
    )


def _counted(counts: list[int]) -> str:
    """Steps of every stage, short where all but the first are alike."""
    if len(counts) > 2 and len(set(counts[1:])) == 1:
        return f"[{counts[0]}] + [{counts[1]}] * (N - 1)"
    return listed(counts, 0)
