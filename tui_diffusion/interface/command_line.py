"""Parsing the settings of a command line, and formatting an experiment as one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment
from ..core.config.presets import base_of
from ..core.config.value_types import format_exactly
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
    words = ["diffusion-tui", "train", base.id]
    for path, value in experiment.changes_from(base.experiment).items():
        words += ["--set", f"{path}={format_exactly(value)}"]
    return shlex.join(words)
