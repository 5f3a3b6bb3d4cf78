"""Changes that go with others: fields whose values a setting makes invalid take new ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..faults import PartError
from ..parts.datasets import DATA_PARTS
from ..parts.methods import METHOD_PARTS
from ..parts.networks import NETWORK_PARTS
from ..parts.samplers import SAMPLER_PARTS
from ..parts.schedules import SCHEDULE_PARTS
from .choices import samplers_of, schedules_of
from .data_section import DataConfig
from .fields import OWN_GUIDES, Readable

Settings = Mapping[str, Any]
"""Values by dotted path, some as text that a user has entered."""

_ON = ("true", "1", "on", "yes", "t", "y")
"""Texts that mean true."""


def companions(experiment: Readable, settings: Settings) -> dict[str, Any]:
    """Return the other fields of an experiment that must change with ``settings``."""
    changed = {
        **_of_network(experiment, settings),
        **_of_data(experiment, settings),
        **_of_method(experiment, settings),
    }
    return {**changed, **_of_guidance(experiment, {**changed, **settings})}


def _of_network(experiment: Readable, settings: Settings) -> dict[str, Any]:
    """Switch off what the network cannot do."""
    network = NETWORK_PARTS.get(settings.get("network.name", experiment.get("network.name")))
    if network is None:
        return {}
    switches = ("per_level", "labels", "guide")
    return {f"network.{switch}": False for switch in switches if switch not in network.uses}


def _of_data(experiment: Readable, settings: Settings) -> dict[str, Any]:
    """Give another data set its own means, weights and widths, and no column of the last one."""
    before = experiment.get("data.name")
    name = str(settings.get("data.name", before)).partition(":")[0]
    part = DATA_PARTS.get(name)
    if name == before or part is None:
        return {}
    own = "data.means" not in settings
    changed: dict[str, Any] = {
        "data.means": part.means,
        "data.weights": part.weights if own else (),
        "data.stds": (),
        **dict.fromkeys(("data.columns", "data.where", "data.label"), ""),
        "data.holdout": 0.0,
        "sampling.label": "all",
    }
    if (before, name) != ("drawing", "file"):  # in both, every point is a component
        changed["data.std"] = part.std
    labels = experiment.get("network.labels")
    if labels and "network.labels" not in settings and _one_class(settings):
        changed["network.labels"] = False
    return changed


def _of_method(experiment: Readable, settings: Settings) -> dict[str, Any]:
    """Choose a schedule and a sampler that go with the method."""
    before, sampler = experiment.get("method.name"), experiment.get("sampling.sampler")
    name = settings.get("method.name", before)
    if name not in METHOD_PARTS:
        return {}
    method, kind, changed = METHOD_PARTS[name], experiment.get("schedule.kind"), dict[str, Any]()
    if kind not in schedules_of(name):
        kind = changed["schedule.kind"] = method.schedule
    schedule = SCHEDULE_PARTS.get(settings.get("schedule.kind", kind))
    pure_noise = schedule is not None and schedule.pure_noise
    unfit = pure_noise and SAMPLER_PARTS[sampler].needs_signal
    if unfit or sampler not in samplers_of(name):
        changed["sampling.sampler"] = method.sampler
    if name != before:
        changed["sampling.levels"] = 0
    return changed


def _of_guidance(experiment: Readable, settings: Settings) -> dict[str, Any]:
    """Choose another guide, or no guidance, for a network that loses its guide or its labels."""
    before, changed = experiment.get("sampling.guide"), dict[str, Any]()
    labels, guide = (
        str(settings.get(path, experiment.get(path))).lower() in _ON
        for path in ("network.labels", "network.guide")
    )
    if before == "own" and not guide:
        changed["sampling.guide"] = "no-label"
    if before in OWN_GUIDES and not labels:
        changed |= {"sampling.guide": "own"} if guide else {"sampling.guidance": 1.0}
    return changed


def _one_class(settings: Settings) -> bool:
    """Return whether the data set of some settings has one class; False if that is unknown."""
    data = {
        path.removeprefix("data."): value
        for path, value in settings.items()
        if path.startswith("data.")
    }
    try:
        return DataConfig.model_validate(data).classes == 1
    except (ValidationError, PartError):  # which the settings raise as well
        return False
