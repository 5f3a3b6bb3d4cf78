"""The settings of an experiment on a command line: read, and written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment, field_table
from ..core.config.presets import base_of
from ..core.config.value_types import format_value
from ..core.text import shortened


def parse_settings(assignments: Sequence[str]) -> dict[str, str]:
    """Parse ``['training.lr=1e-3', …]`` to a mapping; raise `ConfigError` if '=' is missing."""
    settings: dict[str, str] = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"--set {shortened(text)}: no value; allowed: FIELD=VALUE")
        settings[path.strip()] = value.strip()
    return settings


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
