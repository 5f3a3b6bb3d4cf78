"""What the project's own presets reach, and how long they take on one thread."""

from __future__ import annotations

from statistics import median

import torch

from tests.bench.table import budget, show
from tui_diffusion.core.presets import PRESETS
from tui_diffusion.core.report import training_report
from tui_diffusion.core.training import Trainer

SECONDS = {"edm-multimodal": 6.0, "edm-1d": 4.0}
"""Most seconds of training; the quality of these two is held to budgets as well."""

POINTS = 8000


def run(rounds: int) -> None:
    """Train every preset of the project's own with as many seeds as there are rounds."""
    torch.set_num_threads(1)
    rows = []
    for name, preset in PRESETS.items():
        if preset.script:
            continue
        reports = []
        for seed in range(rounds):
            settings = {"device": "cpu", "seed": seed, "sampling.points": POINTS}
            trainer = Trainer(preset.experiment.with_settings(settings))
            for _ in trainer.run():
                pass
            reports.append(training_report(trainer))
        rows.append(_row(name, reports))
        if name in SECONDS:
            _judge(name, reports)
    show(
        f"Trainings of {rounds} seeds, {POINTS:,} points each, one thread: least to greatest",
        ("", "seconds", "std / true", "in-mode std / true", "off mode", "mode TV", "energy / real"),
        rows,
    )


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


def _judge(name: str, reports: list[dict]) -> None:
    """Hold the worst of the seeds to the budgets."""
    seconds = max(report["seconds"] for report in reports)
    budget(
        f"{name}: training", f"{seconds:.2f} s", f"< {SECONDS[name]:g} s", seconds < SECONDS[name]
    )
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
