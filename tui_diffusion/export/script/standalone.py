"""An experiment as a standalone script: torch and numpy alone, about a hundred lines.

The script reads like those of the post and draws the same numbers in the same order as the core, so
that on a CPU its losses are those of the run, for the post's presets bit for bit.

It consists of small templates, one for each choice of a configuration, in the other files of this
folder. Each template names the core function that it mirrors. A configuration without a template is
rejected with a one-line message.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from ...core.assemble import make_mixture
from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment, field_table
from ...core.config.experiment_json import check_written
from ...core.config.presets import base_of
from ...core.config.titles import about_of, title_of
from ...core.config.value_types import format_exactly, format_value
from ...core.parts.samplers import SAMPLER_PARTS, SamplerPart
from ...core.parts.schedules import SCHEDULE_PARTS, SchedulePart
from ...core.training.batches import block_steps
from ...core.training.devices import operations
from . import any_level
from .data import data_part
from .denoising import denoising_part
from .network import network_part
from .schedule import schedule_part
from .text import harmless, wrapped
from .training import TARGETS, drawing_part, training_part

_ONE_THREAD_UP_TO = 5e7
"""Maximum number of operations per step for which one thread is fastest."""

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
except ImportError:  # without the plots at the end
    plt = None
$threads
torch.set_flush_denormal(True)  # numbers below 1e-38 are slow and negligible
seed = $seed


def generator(purpose):
    """Return the generator for a purpose (weights, batches, sampling), derived from the seed."""
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1)
    return torch.Generator().manual_seed(int(words[0]))

''')
"""core.randomness.generator"""

HYPERPARAMETERS = Template("""
# Hyperparameters
lr = $lr
batch_size = $batch
nb_steps = $steps
test_size = $points
block = $block  # steps whose batches are drawn together, for speed
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
    """Return the source of a script that trains and samples ``experiment`` and prints its loss.

    Raise `ConfigError` if the experiment has a setting without a template.
    """
    check_written(experiment)
    mixture = make_mixture(experiment.data)
    _check(experiment)
    parts = [
        HEAD.substitute(_about(experiment)),
        data_part(experiment, mixture),
        _hyperparameters(experiment),
        schedule_part(experiment),
        network_part(experiment),
        drawing_part(experiment, mixture),
        training_part(experiment),
        denoising_part(experiment, mixture),
        PLOTS[experiment.dim],
    ]
    return "".join(parts)


def _check(experiment: Experiment) -> None:
    known: list[tuple[str, tuple[str, ...]]] = [
        ("method.name", (*TARGETS, *any_level.STEPS)),
        ("network.name", ("mlp",)),
        ("schedule.kind", _written(SCHEDULE_PARTS)),
        ("sampling.sampler", _written(SAMPLER_PARTS)),
    ]
    for path, allowed in known:
        _refuse_unknown(experiment, path, allowed)
    covers_any = experiment.method.name in any_level.STEPS
    for path, spec in field_table().items():
        value = experiment.get(path)
        followed = spec.script == "always" or (spec.script == "any level" and covers_any)
        if not followed and value != spec.default and spec.applies(experiment):
            raise ConfigError(
                f"{path}: a script cannot be written for {format_value(value)!r}; "
                f"allowed: {format_value(spec.default)}",
                path,
            )


def _written(parts: Mapping[str, SchedulePart] | Mapping[str, SamplerPart]) -> tuple[str, ...]:
    """Return the parts that have a template."""
    return tuple(name for name, part in parts.items() if part.script)


def _refuse_unknown(experiment: Experiment, path: str, allowed: tuple[str, ...]) -> None:
    value = experiment.get(path)
    if value not in allowed:
        raise ConfigError(
            f"{path}: a script cannot be written for {value!r}; allowed: {', '.join(allowed)}", path
        )


# --- the parts -----------------------------------------------------------------------------------


def _about(experiment: Experiment) -> dict[str, Any]:
    one_thread = operations(experiment) < _ONE_THREAD_UP_TO
    return {
        "title": harmless(title_of(experiment)),
        "copy": "import copy\n" if experiment.method.name in any_level.STEPS else "",
        "about": wrapped(harmless(about_of(experiment))),
        "command": wrapped(_command(experiment), " \\\n        "),
        "seed": experiment.seed,
        "threads": "\ntorch.set_num_threads(1)  # more do not speed up so small a network"
        if one_thread
        else "",
    }


def _command(experiment: Experiment) -> str:
    """Return the command that trains the same: a built-in preset with its changes."""
    preset = base_of(experiment)
    words = ["diffusion-tui", "train", preset.id]
    for path, value in experiment.changes_from(preset.experiment).items():
        if path not in ("seed", "device"):
            shown = harmless(format_exactly(value))
            words += ["--set", f"{path}='{shown}'" if " " in shown else f"{path}={shown}"]
    return " ".join([*words, "--seed", str(experiment.seed)])


def _hyperparameters(experiment: Experiment) -> str:
    training = experiment.training
    text = HYPERPARAMETERS.substitute(
        lr=repr(training.lr),
        batch=training.batch,
        steps=training.steps,
        points=experiment.sampling.points,
        block=block_steps(experiment),
    )
    method = experiment.method
    if method.name in any_level.STEPS:
        text += any_level.SETTINGS.substitute(
            noise_mean=repr(method.noise_mean), noise_std=repr(method.noise_std)
        )
    if experiment.network.per_level:
        text = text.replace("\nbatch_size", f"\nfirst_lr = {training.first_lr!r}\nbatch_size")
    return text
