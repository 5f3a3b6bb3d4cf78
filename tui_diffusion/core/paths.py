"""Paths of the runs, the settings and the saved presets."""

from __future__ import annotations

import os
from pathlib import Path

from .text import expanded


def settings_file() -> Path:
    """Return the path of the settings file.

    ``settings.toml`` in the folder ``DIFFUSION_TUI_CONFIG``, or the file of that name; else in
    ``DIFFUSION_TUI_HOME``; else in the user's configuration folder.
    """
    named, home = os.environ.get("DIFFUSION_TUI_CONFIG"), os.environ.get("DIFFUSION_TUI_HOME")
    if named:
        path = expanded(named)
        return path / "settings.toml" if path.is_dir() or named.endswith(("/", os.sep)) else path
    if home:
        return Path(home) / "settings.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("diffusion-tui", appauthor=False)) / "settings.toml"


def presets_folder() -> Path:
    """Return the folder of the saved presets, beside the settings file."""
    return settings_file().parent / "presets"


def store() -> Path:
    """Return the folder of the runs, in ``DIFFUSION_TUI_HOME`` or the user's data folder."""
    home = os.environ.get("DIFFUSION_TUI_HOME")
    if home:
        return Path(home) / "runs"
    import platformdirs

    return Path(platformdirs.user_data_dir("diffusion-tui", appauthor=False)) / "runs"


def sweep_store() -> Path:
    """Return the folder of the sweeps, beside that of the runs."""
    return store().parent / "sweeps"
