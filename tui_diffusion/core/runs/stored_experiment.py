"""The experiment of a run or a sweep, as stored beside a copy of its data; loads no torch."""

from __future__ import annotations

import json
from pathlib import Path

from ..config.experiment import Experiment
from ..config.experiment_json import from_json
from ..files import read_object


def load_experiment(file: Path, points: Path) -> Experiment:
    """Read an experiment, with its data from their copy in ``points`` if that exists."""
    values = read_object(file)
    data = values.get("data")
    if not (isinstance(data, dict) and data.get("name") == "file" and points.exists()):
        return from_json(json.dumps(values))
    name = Path(str(data.get("path"))).name
    # The copy holds only the chosen columns and rows.
    data |= {"path": str(points.absolute()), "columns": "", "where": "", "label": ""}
    experiment = from_json(json.dumps(values))
    experiment.data.came_from(name)
    return experiment
