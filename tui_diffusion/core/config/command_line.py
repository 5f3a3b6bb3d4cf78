"""The command line that trains an experiment again."""

from __future__ import annotations

import shlex
from typing import Any

from .experiment import Experiment, field_table
from .presets import base_of
from .value_types import format_value


def command_line(experiment: Experiment) -> str:
    """``diffusion-tui train …`` with every setting that differs from the preset's, exactly.

    From a built-in preset: one's own are not known wherever the text may be pasted.
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
    """A value that reads back as itself; a float may have more digits than are shown."""
    return repr(value) if isinstance(value, float) else format_value(value)
