"""Runs in the store, and what it says of them."""

from pathlib import Path

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.run import save_run
from tui_diffusion.core.runs.store import Summary, list_runs

from ..trainings import trained

EXPERIMENT = get_preset("naive-1d").experiment.with_settings({"training.steps": 6})


def saved(name: str, state="stopped", **changes: object) -> Path:
    return save_run(store() / name, trained(EXPERIMENT.with_settings(changes)), state)


def listed() -> dict[str, Summary]:
    return {summary.name: summary for summary in list_runs()}
