"""Parsing the settings of a command line, and formatting an experiment as one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment
from ..core.config.presets import base_of
from ..core.config.value_types import format_exactly
from ..core.text import shortened

if TYPE_CHECKING:
    from ..core.sweeps.store import StoredSweep


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


def resuming(stored: StoredSweep) -> list[str]:
    """Return the words of the command that resumes a sweep, with the part files that it uses."""
    from ..core.parts.registries import part_files
    from ..core.sweeps.naming import sweep_label

    kept = {part.checksum for part in stored.parts}
    files = [str(file.path) for file in part_files.values() if file.checksum in kept]
    options = [word for file in files for word in ("--parts", file)]
    return ["diffusion-tui", "sweep", "--resume", sweep_label(stored.folder), *options]
