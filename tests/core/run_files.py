"""The files of a run."""

from pathlib import Path

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.runs.run import open_run

FILES = {
    "experiment.json",
    "weights.safetensors",
    "state.safetensors",
    "losses.npy",
    "metrics.json",
}


def short(name: str, steps: int = 40, **changes: object) -> Experiment:
    return get_preset(name).experiment.with_settings({"training.steps": steps, **changes})


def files_of(folder: Path) -> dict[str, Path]:
    """The files of a run by name, those of its checkpoint among them."""
    return {file.name: file for file in folder.rglob("*") if file.is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each, but for the lock, which says who wrote last."""
    files = {str(file.relative_to(folder)): file for file in files_of(folder).values()}
    return {name: file.read_bytes() for name, file in files.items() if name != "lock"}


def open_all(folder: Path) -> None:
    run = open_run(str(folder))
    run.losses()
    run.denoiser()
    run.training_state()
