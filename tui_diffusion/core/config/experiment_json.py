"""An experiment as JSON, as a run, a sweep and a file of numbers hold it; loads no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import ConfigError
from .experiment import Experiment, build


def from_json(text: str) -> Experiment:
    """Build the experiment that `to_json` wrote; raise `ConfigError`."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError("experiment.json: not JSON") from None
    if not isinstance(values, dict):
        raise ConfigError("experiment.json: not an object")
    return build(as_saved(values))


def as_saved(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return saved values with the former meaning of fields that did not exist yet.

    Points of a file used to have one scale for both columns.
    """
    data = values.get("data")
    if not isinstance(data, Mapping) or data.get("name") != "file" or "scaling" in data:
        return values
    return {**values, "data": {**data, "scaling": "shared"}}


def check_written(experiment: Experiment) -> None:
    """Raise `ConfigError` if the settings of an experiment do not describe its data."""
    if experiment.data.given is not None:
        raise ConfigError(
            "data: a mixture that a script has given cannot be written to a file; allowed: a data "
            "set by name",
            "data.name",
        )


def to_json(experiment: Experiment) -> str:
    """Return the experiment as indented JSON with every field; raise `ConfigError`."""
    check_written(experiment)
    return experiment.model_dump_json(indent=2) + "\n"
