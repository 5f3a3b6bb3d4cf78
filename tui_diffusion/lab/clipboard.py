"""What the key ``w`` copies: the level's numbers, and the command that makes this experiment."""

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
    """The numbers of a level as lines of text, with the exact ones and the command."""
    request = trajectory.request
    seen = trajectory.numbers(level)
    what = f"network at step {request.step}" if request.source == "network" else request.source

    def own(values: list[float]) -> str:
        """Numbers of points from a file, to as many digits as their spread calls for."""
        if not trajectory.scaling.changes:
            return ", ".join(map(number, values))
        return vector(values, 3, trajectory.scaling.scale.tolist()).strip("()")

    rows = [
        ("mean", own(seen.mean), own(seen.goal_mean)),
        ("std", own(seen.std), own(seen.goal_std)),
    ]
    lines = [
        f"# level {level}/{trajectory.levels}, {what}, {len(trajectory.x[level])} points, "
        f"seed {request.seed}",
        f"# alpha {trajectory.alpha(level):.6g}, sigma {trajectory.sigma(level):.6g}",
    ]
    lines += [f"{name}: {here} (exact {exact})" for name, here, exact in rows]
    if seen.distance is not None and seen.goal_distance is not None:
        to_mode, real = number(seen.distance), number(seen.goal_distance)
        lines.append(f"squared distance to mode: {to_mode} (real {real})")
    scored, moved = number(seen.energy), number(seen.energy_chance)
    lines.append(f"energy distance: {scored} ± {moved} (real {number(seen.energy_real)})")
    return "\n".join([*lines, command_line(request.experiment), ""])


def copied_file() -> Path:
    """The file that always holds what was copied last."""
    return store().parent / "copied.txt"


def keep(text: str) -> Path:
    """Write what was copied to its file and say where; raises OSError."""
    file = copied_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text)
    return file
