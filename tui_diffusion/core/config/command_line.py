"""The command line that repeats the training of an experiment."""

from __future__ import annotations

import shlex
from typing import Any

from .experiment import Experiment, field_table
from .presets import base_of
from .value_types import format_value


def command_line(experiment: Experiment) -> str:
    """Return ``diffusion-tui train …`` with every setting that differs from the preset, exactly.

    It starts from a built-in preset: saved presets may not exist where the text is pasted.
    """
    base = base_of(experiment)
    preset = base.experiment
    words = ["diffusion-tui", "train", base.id]
    for path, spec in field_table().items():
        value = experiment.get(path)
        if spec.applies(experiment) and value != preset.get(path):
            words += ["--set", f"{path}={_exact(value)}"]
    return shlex.join(words)


def _exact(value: Any) -> str:
    """Return a text that reads back as the same value; a float may have more digits than shown."""
    return repr(value) if isinstance(value, float) else format_value(value)
