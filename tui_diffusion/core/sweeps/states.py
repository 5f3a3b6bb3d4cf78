"""What is on disk of the trainings of a sweep; loads no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.experiment import Experiment
from ..files import UNREADABLE, read_object
from ..runs.manifest import Manifest
from ..runs.store import summarise
from .sweep import Training

SAMPLES_FILE = "samples.json"
"""File in a run's folder with the reports of further samples from its network."""

Report = Mapping[str, Any]
"""What ``metrics.json`` holds: loss, sample, target and more."""


_OF_SAMPLES = ("sample", "target", "memorisation")
"""Parts of a report that depend on the sampling."""


def sampling_of(experiment: Experiment) -> dict[str, Any]:
    """Return the sampling of an experiment as in JSON."""
    values: dict[str, Any] = json.loads(experiment.sampling.model_dump_json())
    return values


def reports(training: Training, folder: Path) -> list[Report] | None:
    """Return the report of a complete training for each of its cells; None if one is missing."""
    summary = summarise(folder)
    if summary is None or summary.about is None:
        return None
    about = summary.about
    if summary.standing not in ("finished", "diverged") or "metrics.json" not in about.files:
        return None
    try:
        own = read_object(folder / about.checkpoint / "metrics.json")
        further = _samples(folder, about) if len(training.samplings) > 1 else []
    except UNREADABLE:
        return None
    known = {_key(sample["sampling"]): sample for sample in further}
    result: list[Report] = [own]
    for experiment in training.samplings[1:]:
        sample = known.get(_key(sampling_of(experiment)))
        if sample is None:
            return None
        result.append({**own, **{key: sample[key] for key in _OF_SAMPLES if key in sample}})
    return result


def is_complete(training: Training, folder: Path) -> bool:
    """Return whether a training has ended, and each of its cells has a report."""
    return reports(training, folder) is not None


def has_diverged(known: list[Report]) -> bool:
    """Return whether a training with these reports diverged."""
    return known[0].get("status") == "diverged"


def _samples(folder: Path, about: Manifest) -> list[dict[str, Any]]:
    """Read the further samples; none if they are those of other weights."""
    values = read_object(folder / SAMPLES_FILE, 2**26)
    if values["weights"] != about.checksums.get("weights.safetensors"):
        return []
    samples: list[dict[str, Any]] = values["samples"]
    return samples


def _key(sampling: Any) -> str:
    return json.dumps(sampling, sort_keys=True)
