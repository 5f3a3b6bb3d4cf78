"""``python -m tests.bench [SECTION…] [--rounds N]``: one table a section; all of them by default.

A figure and its reference take turns, round after round, so that whatever else the machine does
falls on both alike; a ratio is the median over the rounds.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from tests.bench.table import show_budgets

SECTIONS = {
    "training": "rates of the presets against a plain PyTorch loop, and how a step's cost grows",
    "devices": "threads and device chosen, beside the others that are here",
    "stacked": "many networks trained as one batch, on a CPU and on CUDA, beside single trainings",
    "cuda": "a CUDA device beside a CPU core: presets, sampling, the lab, the choice of auto",
    "sampling": "points at every level: time and memory against their number",
    "quality": "what the project's own presets reach, and how long they train",
    "memorisation": "steps to a good sample and to copies, against the number of training points",
    "schedulers": "every scheduler of diffusers: order, energy distance, last steps",
    "sweep": "what a training of a sweep costs beside its steps, and two workers over one",
    "drawing": "pictures against the number of points, steps, levels and cells",
    "lab": "first paint, keys, training and bytes in a real pseudo-terminal",
}
"""Each is a module here with ``run(rounds)``."""


def main() -> None:
    """Run the sections asked for."""
    about = "; ".join(f"{name}: {what}" for name, what in SECTIONS.items())
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=about)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of a figure and its reference")
    asked = parser.parse_args()
    unknown = set(asked.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; allowed: {', '.join(SECTIONS)}")
    for name in asked.sections or SECTIONS:
        import_module(f"tests.bench.{name}").run(asked.rounds)
    show_budgets()


if __name__ == "__main__":
    main()
