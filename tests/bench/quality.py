"""What the project's own presets reach, and how long they take on one thread."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch

from tests.bench.table import budget, show
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.trainer import Trainer

SECONDS = {"edm-multimodal": 6.0, "edm-1d": 4.0, "edm-drawing": 20.0}
"""Most seconds of training; the quality of these is held to budgets as well."""

POINTS = 8000


def run(rounds: int) -> None:
    """Train every preset of the project's own with as many seeds as there are rounds."""
    torch.set_num_threads(1)
    rows = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "flower.csv"
        np.savetxt(file, _flower(), delimiter=",", header="x,y", comments="", fmt="%.4f")
        trainings = [(name, name, {}) for name, preset in PRESETS.items() if not preset.script]
        trainings.append(("edm-drawing", "edm-drawing, a file", {"data.name": f"file:{file}"}))
        for name, label, data in trainings:
            reports = []
            for seed in range(rounds):
                settings = {"device": "cpu", "seed": seed, "sampling.points": POINTS}
                trainer = Trainer(PRESETS[name].experiment.with_settings(settings | data))
                for _ in trainer.run():
                    pass
                reports.append(training_report(trainer))
            rows.append(_row(label, reports))
            if name in SECONDS:
                _judge(name, label, reports)
    show(
        f"Trainings of {rounds} seeds, {POINTS:,} points each, one thread: least to greatest",
        ("", "seconds", "std / true", "in-mode std / true", "off mode", "mode TV", "energy / real"),
        rows,
    )


def _flower() -> np.ndarray:
    """142 points of a flower with seven petals, shape (n, 2)."""
    turn = 2 * math.pi * np.arange(100) / 100
    petals = (1 + 0.45 * np.sin(7 * turn))[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    middle = 0.3 * np.stack([np.cos(turn[::5]), np.sin(turn[::5])], 1)
    height = np.linspace(-1, -4, 22)
    return np.concatenate([petals, middle, np.stack([0.1 * np.sin(2 * height), height], 1)])


def _row(name: str, reports: list[dict]) -> list[str]:
    samples = [report["sample"] for report in reports]
    return [
        name,
        f"{median(report['seconds'] for report in reports):.2f}",
        _span([_std_ratio(report) for report in reports], ".3f"),
        _span([sample["in_mode_std_ratio"] for sample in samples], ".3f"),
        _span([sample["off_mode"] for sample in samples], ".2%"),
        _span([sample["mode_tv"] for sample in samples], ".2%"),
        _span([s["energy_distance"] / s["energy_distance_real"] for s in samples], ".1f"),
    ]


def _std_ratio(report: dict) -> float:
    """The ratio furthest from 1, over the coordinates."""
    pairs = zip(report["sample"]["std"], report["target"]["std"], strict=True)
    return max((mine / true for mine, true in pairs), key=lambda ratio: abs(ratio - 1))


def _span(values: list[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    return f"{min(known):{form}} … {max(known):{form}}" if known else "–"


def _judge(name: str, label: str, reports: list[dict]) -> None:
    """Hold the worst of the seeds to the budgets."""
    seconds = max(report["seconds"] for report in reports)
    budget(
        f"{label}: training", f"{seconds:.2f} s", f"< {SECONDS[name]:g} s", seconds < SECONDS[name]
    )
    if name == "edm-drawing":
        lost = max(report["sample"]["off_mode"] for report in reports)
        budget(f"{label}: share off every point", f"{lost:.2%}", "< 2%", lost < 0.02)
        return
    if name == "edm-1d":
        ratios = [_std_ratio(report) for report in reports]
        held = all(0.97 <= ratio <= 1.03 for ratio in ratios)
        budget(f"{name}: std over the true one", _span(ratios, ".3f"), "0.97 … 1.03", held)
        return
    ratios, off, tv = (
        [report["sample"][key] for report in reports]
        for key in ("in_mode_std_ratio", "off_mode", "mode_tv")
    )
    held = all(0.97 <= ratio <= 1.03 for ratio in ratios)
    budget(
        f"{name}: std within a mode over the true one", _span(ratios, ".3f"), "0.97 … 1.03", held
    )
    budget(f"{name}: share off every mode", f"{max(off):.2%}", "< 0.5%", max(off) < 0.005)
    budget(f"{name}: total variation of mode weights", f"{max(tv):.2%}", "< 2%", max(tv) < 0.02)
