"""Measurements of memorisation over a training, one row for each: the file ``memorisation.npy``.

A row has a step and, by the names of `memorisation_report`, the expected losses with their floors,
and the distances to both optima; nan is unknown. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = (
    *("train_loss", "train_floor", "heldout_loss", "heldout_floor"),
    *("to_population", "to_training_set"),
)
"""The numbers of a row, beside its step."""

ROW = np.dtype([("step", "<i8"), *((name, "<f8") for name in NUMBERS)])

Rows = NDArray[np.void]
"""Measurements, their steps ascending."""


def no_rows() -> Rows:
    """Return an empty log."""
    return np.empty(0, ROW)


def with_report(rows: Rows, step: int, report: Mapping[str, Any] | None) -> Rows:
    """Return the rows before a step, and one of a report at that step, if there is one."""
    if report is None:
        return rows
    values = (report[name] for name in NUMBERS)
    row = (step, *(math.nan if value is None else value for value in values))
    return np.concatenate([rows[rows["step"] < step], np.array([row], ROW)])


def checked(rows: NDArray[Any], steps: int) -> Rows:
    """Return rows that were read from a file of a training of ``steps`` steps; raise ValueError."""
    if rows.dtype != ROW or rows.ndim != 1:
        raise ValueError("not the measurements of a training")
    at = rows["step"]
    if len(at) and (at[0] < 0 or at[-1] > steps or bool((np.diff(at) <= 0).any())):
        raise ValueError(f"its steps do not ascend from 0 to {steps:,}")
    return rows


def set_floors(rows: Rows) -> tuple[tuple[int, float], ...]:
    """Return the lowest loss on the training set with its first step: one, or one a stage."""
    floors = list[tuple[int, float]]()
    for step, floor in zip(rows["step"].tolist(), rows["train_floor"].tolist(), strict=True):
        if not floors or floor != floors[-1][1]:
            floors.append((step if floors else 0, floor))
    return tuple(floors)
