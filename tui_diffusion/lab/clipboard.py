"""The text that the key ``w`` copies: a level's numbers and the experiment's command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..core.files import write_whole
from ..core.paths import store
from ..interface.command_line import command_line
from .formatting import number, vector

if TYPE_CHECKING:
    from .sampling.measured_trajectory import MeasuredTrajectory


def level_text(trajectory: MeasuredTrajectory, level: int) -> str:
    """Return the numbers of level 0 to N as lines of text, with exact values and the command."""
    request = trajectory.request
    numbers = trajectory.numbers(level)
    source = f"network at step {request.step}" if request.source == "network" else request.source

    def own(values: list[float]) -> str:
        """Format coordinates; points from a file get as many digits as their spread needs."""
        if not trajectory.scaling.changes:
            return ", ".join(map(number, values))
        return vector(values, 3, trajectory.scaling.scale.tolist()).strip("()")

    rows = [
        ("mean", own(numbers.mean), own(numbers.goal_mean)),
        ("std", own(numbers.std), own(numbers.goal_std)),
    ]
    lines = [
        f"# level {level}/{trajectory.levels}, {source}, {len(trajectory.x[level])} points, "
        f"seed {request.seed}",
        f"# alpha {trajectory.alpha(level):.6g}, sigma {trajectory.sigma(level):.6g}",
    ]
    lines += [f"{name}: {value} (exact {exact})" for name, value, exact in rows]
    if numbers.distance is not None and numbers.goal_distance is not None:
        to_mode, real = number(numbers.distance), number(numbers.goal_distance)
        lines.append(f"squared distance to mode: {to_mode} (real {real})")
    energy, chance = number(numbers.energy), number(numbers.energy_chance)
    lines.append(f"energy distance: {energy} ± {chance} (real {number(numbers.energy_real)})")
    return "\n".join([*lines, command_line(request.experiment), ""])


def copied_file() -> Path:
    """Return the path of the file that holds the last copied text."""
    return store().parent / "copied.txt"


def keep(text: str) -> Path:
    """Write the copied text to its file and return the path; raise OSError if that fails."""
    file = copied_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text)
    return file
