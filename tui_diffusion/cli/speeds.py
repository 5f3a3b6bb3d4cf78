"""Measured speeds of devices: read from the settings for ``auto``, taken anew, and kept."""

from __future__ import annotations

import sys
from dataclasses import replace

from ..core.paths import settings_file
from ..core.training.speeds import use_speeds


def use_kept_speeds() -> str:
    """Let ``auto`` use the speeds in the settings; return one line on what is wrong, or ''."""
    from ..interface.settings import load_speeds

    speeds, problem = load_speeds(settings_file())
    use_speeds(speeds)
    return problem


def measure_speeds() -> list[str]:
    """Measure every device and keep the speeds in the settings; return what went wrong."""
    from ..core.training.speed_test import measure_all
    from ..interface.settings import load, save

    file, faults = settings_file(), []
    kept, _ = load(file)
    speeds = dict(kept.speeds)
    print("training on every device for a few seconds ...", file=sys.stderr, flush=True)
    found = [*measure_all()]
    for each in found:
        if each.speeds is None:
            faults.append(f"{each.device} {each.name} cannot be measured: {each.fault}")
        else:
            speeds[each.name] = each.speeds
    if len(found) == 1:
        print("no CUDA device: the CPU alone is measured", file=sys.stderr, flush=True)
    if trouble := save(file, replace(kept, speeds=speeds), kept):
        faults.append(f"not saved: {trouble}")
    return faults
