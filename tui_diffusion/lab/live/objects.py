"""Objects of a script, checked and brought into the form that the lab works with."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from torch import nn

from ...core.analysis.loss_floor import stage_floors
from ...core.arguments import check_type, expected
from ...core.assemble import make_method, make_mixture, network_for, with_mixture
from ...core.config.catalog import get_preset
from ...core.config.experiment import Experiment
from ...core.config.presets import PRESETS, experiment_of
from ...core.methods import Denoiser, IdealDenoiser, NetworkDenoiser, check_denoiser
from ...core.mixtures import GaussianMixture
from ...core.networks import OwnNetwork
from ...core.runs.run import Run
from ...core.training.trainer import Progress, Trainer
from ...core.trajectory import Trajectory
from ..runs.load import opened
from ..session.records import SessionState, Training
from ..workspace import Given

_NETWORKS = "an nn.Module, a denoiser, a Trainer, a Progress or a Run"
_OF_A_MIXTURE = {1: "edm-1d", 2: "edm-multimodal"}
"""The presets in which a mixture is shown that comes without an experiment, by dimension."""


@dataclass(frozen=True)
class _Network:
    """A network as given: its denoiser, what `t` trains, and the training so far."""

    denoiser: Denoiser | None = None
    network: nn.Module | None = None
    training: Training | None = None


def given_objects(
    experiment: Any,
    trajectory: Any,
    network: Any,
    mixture: Any,
    last: Callable[[], Experiment],
) -> Given:
    """Return the objects as the lab takes them; raise TypeError, ValueError or `ConfigError`.

    ``last`` returns the experiment to open if none of them says which.
    """
    if trajectory is not None:
        check_type("trajectory", trajectory, Trajectory, "denoise and forward_process return one")
    if mixture is not None:
        check_type("mixture", mixture, GaussianMixture)
    if isinstance(network, Progress):
        network = network.trainer
    if isinstance(experiment, str):
        experiment = get_preset(experiment)
    if experiment is not None:
        chosen = experiment_of(experiment)
    else:
        chosen = _experiment_of(network, trajectory, mixture) or last()
    chosen = with_mixture(chosen, mixture)
    if trajectory is not None and trajectory.x.shape[2] != chosen.dim:
        raise ValueError(
            f"trajectory must have dimension {chosen.dim}, that of the experiment's data "
            f"(got {trajectory.x.shape[2]})"
        )
    taken = _Network() if network is None else _network(chosen, network)
    denoiser = taken.denoiser
    if network is None and trajectory is not None:
        made_by = trajectory.denoiser
        denoiser = None if isinstance(made_by, IdealDenoiser) else made_by
    return Given(chosen, denoiser, taken.network, trajectory, taken.training)


def _experiment_of(network: Any, trajectory: Any, mixture: Any) -> Experiment | None:
    """Return the experiment that the objects belong to, if one of them says so."""
    if isinstance(network, Trainer):
        own = network.mixture if "mixture" in network.own_parts else None
        return with_mixture(network.experiment, own)
    if isinstance(network, Run):
        return network.experiment
    if trajectory is not None and trajectory.experiment is not None:
        return trajectory.experiment  # type: ignore[no-any-return]
    dim = mixture.dim if mixture is not None else trajectory and trajectory.x.shape[2]
    return PRESETS[_OF_A_MIXTURE[dim]].experiment if dim in _OF_A_MIXTURE else None


def _network(experiment: Experiment, network: Any) -> _Network:
    if isinstance(network, Trainer):
        return _trainer(experiment, network)
    if isinstance(network, Run):
        own, training = opened(str(network.folder))
        if own == experiment:
            return _Network(training=training)
        network = network.denoiser()
    if isinstance(network, NetworkDenoiser):
        fitting = network_for(experiment, network.network)
        return _Network(deepcopy(network), deepcopy(fitting))
    if isinstance(network, nn.Module):
        fitting = deepcopy(network_for(experiment, network)).eval()
        method = make_method(experiment.method, make_mixture(experiment))
        return _Network(NetworkDenoiser(fitting, method), fitting)
    if not callable(network):
        raise expected("network", _NETWORKS, network)
    check_denoiser(network)
    return _Network(network)


def _trainer(experiment: Experiment, trainer: Trainer) -> _Network:
    """Return a training of a script, which can go on if the experiment is its own."""
    fitting = deepcopy(network_for(experiment, trainer.network))
    # A network of the experiment is trained anew from its seed, as a retraining in the lab is.
    network = fitting if isinstance(fitting, OwnNetwork) else None
    if experiment != _experiment_of(trainer, None, None):
        return _Network(deepcopy(trainer.denoiser), fitting)
    stopped = trainer.status == "training"
    training = Training(
        experiment,
        SessionState.STOPPED if stopped else SessionState(trainer.status),
        step=trainer.step,
        seconds=trainer.seconds,
        device=trainer.choice.label,
        threads=trainer.threads,
        reason=trainer.choice.reason,
        losses=trainer.losses.copy(),
        memorisation=trainer.memorisation,
        snapshot=(trainer.step, deepcopy(trainer.denoiser)),
        floors=stage_floors(experiment),
        checkpoint=trainer.state(),
    )
    return _Network(deepcopy(trainer.denoiser), network, training)
