"""Which experiments can be trained as one batched computation.

All that decides the shape of the computation must be equal, as `EQUAL` lists it, and the dimension
of the data. Everything else may differ: seed, data, schedule and its levels, noise mean and std,
learning rate and its decay, average, sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from ...config.experiment import Experiment
from ...config.value_types import format_value
from ...networks import features_per_point
from ...parts.methods import METHOD_PARTS
from ...parts.networks import NETWORK_PARTS
from ..batches import GPU_BLOCK, block_steps
from ..devices import DeviceChoice, choose_device

EQUAL = (
    "method.name",
    *("network.width", "network.depth", "network.activation", "network.per_level"),
    *("network.fourier", "network.level_fourier", "network.labels"),
    *("training.steps", "training.batch", "training.optimizer", "training.loss", "device"),
)
"""Fields that have one value in a stack."""

_CPU_BYTES = 2 * 2**30
"""Memory of the cells of one stack on a CPU."""

_GPU_SHARE = 0.7
"""Share of a GPU's free memory for the cells of one stack."""

_ROWS = 10
"""Numbers held for each weight: itself, its average and moments, gradient, update, and copies."""


@dataclass(frozen=True)
class Grouping:
    """Experiments by their index: ``stacks``, each trained as one, and ``single`` with reasons."""

    stacks: list[list[int]]
    single: dict[int, str]


def group(
    experiments: Sequence[Experiment],
    *,
    least: int = 2,
    device: torch.device | str | None = None,
) -> Grouping:
    """Group experiments into stacks of at least ``least`` cells, as many as fit into memory.

    ``device`` is that of the stacks if the experiments leave it open. The reason why an experiment
    is in no stack names a field: "network.per_level: true trains …".
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    single: dict[int, str] = {}
    for index, experiment in enumerate(experiments):
        if reason := alone(experiment):
            single[index] = reason
        else:
            alike.setdefault(_shape(experiment), []).append(index)
    stacks = []
    largest = max(alike.values(), key=len, default=[])
    for indices in alike.values():
        if len(indices) < least:
            reason = f"{len(indices)} of its shape; a stack has {least} or more"
            if indices is not largest:
                reason += f" ({difference(experiments[indices[0]], experiments[largest[0]])})"
            single |= dict.fromkeys(indices, reason)
            continue
        first = experiments[indices[0]]
        most = most_cells(first, device_of([first], device).device)
        parts = -(-len(indices) // most)
        # Parts of equal size, so that none is left too small to be worth it.
        stacks += [
            indices[len(indices) * part // parts : len(indices) * (part + 1) // parts]
            for part in range(parts)
        ]
    return Grouping(stacks, dict(sorted(single.items())))


def alone(experiment: Experiment) -> str:
    """Return why an experiment can be in no stack, or ''."""
    if experiment.network.per_level:
        return "network.per_level: true trains one network after another; allowed in a stack: false"
    if experiment.network.guide:
        return "network.guide: true trains a second network; allowed in a stack: false"
    for path, parts in (("network.name", NETWORK_PARTS), ("method.name", METHOD_PARTS)):
        if not isinstance(parts[experiment.get(path)].function, str):
            own = [name for name, part in parts.items() if isinstance(part.function, str)]
            return (
                f"{path}: {experiment.get(path)!r} is not built in; allowed in a stack: "
                f"{', '.join(own)}"
            )
    if experiment.device == "mps":
        return "device: 'mps' records no graph; allowed in a stack: auto, cpu, cuda"
    return ""


def difference(one: Experiment, other: Experiment) -> str:
    """Return what keeps two experiments out of one stack, as "FIELD: VALUE and VALUE", or ''."""
    for path in EQUAL:
        if one.get(path) != other.get(path):
            values = " and ".join(format_value(each.get(path)) for each in (one, other))
            return f"{path}: {values}"
    for what, mine, its in (
        ("axes", one.dim, other.dim),
        ("classes", _classes(one), _classes(other)),
    ):
        if mine != its:
            return f"data.name: {one.data.name} and {other.data.name}, of {mine} and {its} {what}"
    return ""


def check_stackable(experiments: Sequence[Experiment]) -> None:
    """Raise ValueError unless some experiments can be trained as one stack."""
    if not experiments:
        raise ValueError("experiments: none; allowed: one or more")
    for experiment in experiments:
        if reason := alone(experiment) or difference(experiments[0], experiment):
            raise ValueError(f"{reason}; allowed in a stack: equal {', '.join(EQUAL)}")


def device_of(
    experiments: Sequence[Experiment], device: torch.device | str | None = None
) -> DeviceChoice:
    """Return the device of a stack: ``device``, else the experiments'; for ``auto``, a CUDA device.

    Raise `ConfigError` if it is not available.
    """
    first = experiments[0]
    if device is not None:
        return choose_device(first.model_copy(update={"device": str(device)}))
    if first.device != "auto":
        return choose_device(first)
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    choice = choose_device(first.model_copy(update={"device": kind}))
    reason = "many networks at once" if kind == "cuda" else "no CUDA device found"
    return replace(choice, reason=reason)


def cell_bytes(experiment: Experiment, *, on_gpu: bool) -> int:
    """Estimate the memory of a cell with its own source of batches, in bytes."""
    network, batch, dim = experiment.network, experiment.training.batch, experiment.dim
    inputs = features_per_point(dim, network.fourier, network.level_fourier, _classes(experiment))
    sizes = [inputs, *[network.width] * network.depth, dim]
    weights = sum((a + 1) * b for a, b in pairwise(sizes))
    steps = block_steps(experiment, GPU_BLOCK) if on_gpu else block_steps(experiment)
    # Data, noise, and the indices of components, which take two floats each.
    data = experiment.data
    drawn = steps * batch * (2 * dim + (0 if data.balanced and not data.finite else 2))
    # A training set, drawn with float64 and copied to the device.
    drawn += 5 * dim * (data.train_points or (len(data.points) if data.points is not None else 0))
    held = batch * (3 * sum(sizes) + 4 * inputs)
    return 4 * (drawn + held + _ROWS * weights + experiment.training.steps)


def most_cells(experiment: Experiment, device: torch.device) -> int:
    """Return how many cells of this shape fit into the memory of a device, at least 1."""
    on_gpu = device.type == "cuda"
    room = _GPU_SHARE * torch.cuda.mem_get_info(device)[0] if on_gpu else _CPU_BYTES
    return max(1, int(room / cell_bytes(experiment, on_gpu=on_gpu)))


def _shape(experiment: Experiment) -> tuple[object, ...]:
    return (experiment.dim, _classes(experiment), *(experiment.get(path) for path in EQUAL))


def _classes(experiment: Experiment) -> int:
    """Return the number of classes that the network knows."""
    return experiment.data.classes if experiment.network.labels else 0
