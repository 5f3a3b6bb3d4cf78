"""An experiment as a standalone script: torch and numpy alone, about a hundred lines.

The script reads like those of the post and draws the same numbers in the same order as the core,
so that on a CPU its losses are those of `Trainer(experiment, plain=True)`, for the post's presets
bit for bit. The core's fast steps compute the same gradients in another order: their losses differ
by rounding, which grows where a training is chaotic.

It is put together from small templates, one for each thing that a configuration chooses; each names
the core function that it mirrors. What no template knows is refused with one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from ..core.datasets import make_mixture
from ..core.devices import operations
from ..core.experiment import ConfigError, Experiment, field_table, format_value
from ..core.mixtures import GaussianMixture
from ..core.presets import PRESETS
from ..core.training import stages
from . import script_any_level as any_level

_MOST_MODES = 64
"""Components that a script lists: a curve of hundreds would be all numbers and no script."""

_ONE_THREAD_UP_TO = 5e7
"""Operations a step up to which one thread is the fastest."""

_LINE = 96

HEAD = Template('''\
"""$title: a diffusion model in one script, with torch and numpy alone.

$about

It trains and samples the configuration
    $command
drawing the same numbers in the same order: on a CPU its losses are bit for bit those of the
program's plain steps, and to float32 rounding, which grows with the steps, those of its fast ones.
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

# --- data: core.mixtures.GaussianMixture ---------------------------------------------------------

ONE_GAUSSIAN = Template("""
# Data distribution: N(mu_data, sigma_data^2)
mu_data = torch.tensor($mean)
sigma_data = $std
dim = len(mu_data)
goal_mean, goal_var = mu_data, sigma_data**2
""")

MIXTURE = Template("""
# Data distribution: a mixture of Gaussians of std sigma_data around these modes
modes = torch.tensor($means)
weights = $weights
sigma_data = $std
dim = modes.shape[1]
goal_mean = weights.float() @ modes
goal_var = weights.float() @ (modes - goal_mean) ** 2 + sigma_data**2
""")

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
    while True:
$drawn        yield from zip($parts)

''')

DRAW_LEVELS = "        levels = torch.randint(N, (block,), generator=random)\n"
DRAW_MODES = """\
        places = torch.rand(block * batch_size, generator=random, dtype=torch.float64)
        mode = torch.searchsorted(weights.cumsum(0), places).clamp_max(len(modes) - 1)
        centre = modes[mode].view(block, batch_size, dim)
"""
BALANCED_MODES = "        centre = modes.repeat_interleave(batch_size // len(modes), dim=0)\n"
DRAW_POINTS = Template("""\
        x0 = $centre + sigma_data * torch.randn(block, batch_size, dim, generator=random)
        eps = torch.randn(block, batch_size, dim, generator=random)
""")

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

# --- denoising: core.trajectory, core.samplers ---------------------------------------------------

STARTS = {
    "zero-mean": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)",
    "data-mean": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)\n"
    "x = x + alphas[0] * goal_mean",
    "exact": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)\n"
    "x = x + alphas[0] * draw_data(test_size, random)",
}
"""core.trajectory.start"""

DRAW_DATA = Template('''

def draw_data(n, random):
    """Fresh points of the data distribution."""
$centre    noise = torch.randn(n, dim, generator=random, dtype=torch.float64)
    return (centre + sigma_data * noise).float()


''')
DATA_CENTRE = {
    False: """\
    torch.rand(n, generator=random, dtype=torch.float64)  # which mode: there is but one
    centre = mu_data
""",
    True: """\
    places = torch.rand(n, generator=random, dtype=torch.float64)
    centre = modes[torch.searchsorted(weights.cumsum(0), places).clamp_max(len(modes) - 1)]
""",
}

QUIET = Template("z = torch.randn(x.shape, generator=random) if k < N - $quiet else 0.0")

_ANY_LEVEL_PAIRS = [(m, s) for m in any_level.STEPS for s in any_level.DENOISE]

STEPS: Mapping[tuple[str, str], str] = {
    ("naive", "naive"): '''\
    """Remove one level of noise."""
    return x - predict(x, k)
''',
    ("ddpm", "ddpm"): '''\
    """Algorithm 2 of Ho et al. 2020; the last steps add no noise."""
    mean = (x - betas[k] / sigmas[k] * predict(x, k)) / (1 - betas[k]).sqrt()
    $quiet
    return mean + $variance.sqrt() * z
''',
    **{(method, name): any_level.DENOISE[name] for method, name in _ANY_LEVEL_PAIRS},
    ("ddpm", "euler"): '''\
    """An Euler step of the probability-flow ODE (Song et al. 2021)."""
    eps_hat = predict(x, k)
    x0_hat = (x - sigmas[k] * eps_hat) / alphas[k]
    return alphas[k + 1] * x0_hat + sigmas[k + 1] * eps_hat
''',
}
"""Denoising steps by method and sampler: core.samplers."""

VARIANCES = {
    "posterior": "(betas[k] * (sigmas[k + 1] / sigmas[k]) ** 2)",
    "beta": "betas[k]",
}

DENOISING = Template("""

def denoise(x, k):
$denoise


$draw_data# Denoising
random = generator("sampling")
$start
print("Noised sample:   mean", x.mean(0).numpy(), "std", x.std(0, correction=0).numpy())
states = [x]
with torch.no_grad():
    for k in range($end):$stops
        x = denoise(x, k)
        states.append(x)
$repeats$goal
print("Denoised sample: mean", x.mean(0).numpy(), "std", x.std(0, correction=0).numpy())
print("Denoising goal:  mean", goal_mean.numpy(), "std", $goal_std)
$distance""")

REPEATS = Template("""\
    for _ in range($repeats):  # the last step again, to tighten the spikes
        x = denoise(x, N - 1)
    states[-1] = x
""")

GOAL = Template("""
# The sample is compared with the data at the level where it stops
goal_mean, goal_var = alphas[$end] * goal_mean, alphas[$end] ** 2 * goal_var + sigmas[$end] ** 2
""")

DISTANCE = """\
distance = torch.cdist(x, modes).min(dim=1).values.square().mean()
print(f"Mean squared distance to the nearest mode: {distance:.6f}")
"""

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
    _check(experiment, mixture)
    parts = [
        HEAD.substitute(_about(experiment)),
        _data(mixture),
        _hyperparameters(experiment),
        _schedule(experiment),
        _network(experiment),
        _batches(experiment, mixture),
        _training(experiment),
        _denoising(experiment, mixture),
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
    *("sampling.repeats", "sampling.stop_before"),
)
"""Fields that the templates follow; any other has to be as it is by default."""

_KNOWN_ANY_LEVEL = (
    *("method.noise_mean", "method.noise_std", "network.fourier", "network.level_fourier"),
    *("training.average", "sampling.levels"),
)
"""Those that only the templates of methods that know every level follow."""


def _check(experiment: Experiment, mixture: GaussianMixture) -> None:
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
    method = "naive" if experiment.method.name == "naive-exact" else experiment.method.name
    samplers = tuple(sampler for m, sampler in STEPS if m == method)
    _refuse_unknown(experiment, "sampling.sampler", samplers)
    if mixture.modes > _MOST_MODES:
        raise ConfigError(
            f"data.name: a script cannot list the {mixture.modes} components of "
            f"{experiment.data.name!r}; allowed: at most {_MOST_MODES}",
            "data.name",
        )


def _refuse_unknown(experiment: Experiment, path: str, allowed: tuple[str, ...]) -> None:
    value = experiment.get(path)
    if value not in allowed:
        raise ConfigError(
            f"{path}: a script cannot be written for {value!r}; allowed: {', '.join(allowed)}", path
        )


# --- the parts -----------------------------------------------------------------------------------


def _about(experiment: Experiment) -> dict[str, Any]:
    preset = PRESETS.get(experiment.name)
    name = _harmless(experiment.name)
    one_thread = operations(experiment) < _ONE_THREAD_UP_TO
    return {
        "title": preset.title if preset else name,
        "copy": "import copy\n" if experiment.method.name in any_level.STEPS else "",
        "about": _wrapped(preset.about if preset else f"Experiment {name}."),
        "command": _wrapped(_command(experiment), " \\\n        "),
        "seed": experiment.seed,
        "threads": "\ntorch.set_num_threads(1)  # so small a network gains nothing from more"
        if one_thread
        else "",
    }


def _command(experiment: Experiment) -> str:
    """The command that trains the same: the preset, with what differs from it."""
    preset = PRESETS.get(experiment.name)
    words = ["diffusion-tui", "train", _harmless(experiment.name)]
    if preset is not None:
        for path in field_table():
            value = experiment.get(path)
            if path not in ("seed", "device") and value != preset.experiment.get(path):
                shown = _harmless(format_value(value))
                words += ["--set", f"{path}='{shown}'" if " " in shown else f"{path}={shown}"]
    return " ".join([*words, "--seed", str(experiment.seed)])


def _harmless(text: str) -> str:
    """Text from outside that can stand in a docstring."""
    return "".join(c if c.isprintable() and c not in "\"'\\" else "?" for c in text)


def _wrapped(text: str, joint: str = "\n") -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 90:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return joint.join(lines)


def _listed(values: list[Any], indent: int = 4) -> str:
    """A list as it stands in a script, over as many lines as it takes."""
    items = [repr(value) for value in values]
    one = f"[{', '.join(items)}]"
    if len(one) + indent <= _LINE:
        return one
    lines, pad = [""], " " * (indent + 4)
    for item in items:
        if len(lines[-1]) + len(item) + len(pad) > _LINE:
            lines.append("")
        lines[-1] += f"{item}, "
    inner = "\n".join(pad + line.rstrip() for line in lines)
    return f"[\n{inner}\n{' ' * indent}]"


def _data(mixture: GaussianMixture) -> str:
    std = float(mixture.stds[0])
    if mixture.modes == 1:
        return ONE_GAUSSIAN.substitute(mean=mixture.means[0].tolist(), std=repr(std))
    return MIXTURE.substitute(
        means=_listed(mixture.means.tolist(), 0), std=repr(std), weights=_weights(mixture)
    )


def _equal(mixture: GaussianMixture) -> bool:
    return bool((mixture.weights - 1 / mixture.modes).abs().max() < 1e-12)


def _weights(mixture: GaussianMixture) -> str:
    if _equal(mixture):
        return "torch.full((len(modes),), 1 / len(modes), dtype=torch.float64)"
    return f"torch.tensor({_listed(mixture.weights.tolist(), 0)}, dtype=torch.float64)"


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
        {**schedule.model_dump(), "levels": levels, "betas": _listed(list(schedule.betas))}
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
    drawn = DRAW_LEVELS if shared else ""
    levels = "levels.tolist()"
    if experiment.method.name in any_level.STEPS:
        drawn, levels = any_level.DRAW_LEVELS, "ratio"
    if not experiment.data.balanced:
        one = DRAW_MODES if mixture.modes > 1 else _ONE_MODE_DRAWN
        drawn += one
    elif mixture.modes > 1:
        if not _equal(mixture) or experiment.training.batch % mixture.modes:
            raise ConfigError(
                f"training.batch: a script cannot share {experiment.training.batch} points evenly "
                f"among {mixture.modes} modes of these weights; allowed: equal weights and a "
                f"multiple of {mixture.modes}, or data.balanced = false",
                "training.batch",
            )
        drawn += BALANCED_MODES
    drawn += DRAW_POINTS.substitute(centre="centre" if mixture.modes > 1 else "mu_data")
    return BATCHES.substitute(
        yields="its noise level, clean points and their noise"
        if shared
        else "clean points and their noise",
        drawn=drawn,
        parts=f"{levels}, x0, eps" if shared else "x0, eps",
    )


_ONE_MODE_DRAWN = (
    "        torch.rand(block * batch_size, generator=random, dtype=torch.float64)"
    "  # the only mode\n"
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
            decay=_indented(decay, depth),
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
        decay=_indented(decay, depth),
        step=_indented(step, depth),
        steps_of=_counted(counts),
        done="done" if decay else "_",
    )


def _counted(counts: list[int]) -> str:
    """Steps of every stage, short where all but the first are alike."""
    if len(counts) > 2 and len(set(counts[1:])) == 1:
        return f"[{counts[0]}] + [{counts[1]}] * (N - 1)"
    return _listed(counts, 0)


def _indented(text: str, depth: int) -> str:
    return "".join(" " * depth + line for line in text.splitlines(keepends=True))


def _denoising(experiment: Experiment, mixture: GaussianMixture) -> str:
    sampling, several = experiment.sampling, mixture.modes > 1
    method = "naive" if experiment.method.name == "naive-exact" else experiment.method.name
    step = Template(STEPS[method, sampling.sampler]).substitute(
        quiet=QUIET.substitute(quiet=sampling.quiet)
        if sampling.quiet
        else "z = torch.randn(x.shape, generator=random)",
        variance=VARIANCES[sampling.variance],
    )
    early = sampling.stop_before
    end = f"N - {early}" if early else "N"
    exact = sampling.start == "exact"
    return DENOISING.substitute(
        denoise=step.rstrip(),
        draw_data=DRAW_DATA.substitute(centre=DATA_CENTRE[several]).lstrip("\n") if exact else "",
        start=STARTS[sampling.start],
        end=end,
        stops="  # the last levels are left out" if early else "",
        repeats=REPEATS.substitute(repeats=sampling.repeats)
        if sampling.repeats and not early
        else "",
        goal=GOAL.substitute(end=end) if early else "",
        goal_std="goal_var.sqrt().numpy()" if several or early else "sigma_data",
        distance=DISTANCE if several and not early else "",
    )
