"""Axes, rules and lines drawn by plotext: the only module that uses it.

plotext keeps one global figure, so every drawing starts from a cleared one, and a lock admits one
thread at a time. It receives only numbers between 0 and 1 (scaled, clipped and split at gaps): one
nan ends its process, it visits every cell on the way to a distant point, and its own log scale
fails at 0. Its ANSI colours serve as tags for the owner of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
import plotext
from numpy.typing import NDArray

from ...core.arrays import Floats
from ...interface.glyphs import Glyphs
from .figure import AxisTick
from .strips import Characters, one_cell_text

DotLine = tuple[list[Floats], str, int]
"""Runs of points (k, 2), plotext's marker, and a role's number."""

_TAG = 16  # plotext's colours below this are the terminal's own, so they cannot serve as tags
_CODES = re.compile(r"\x1b\[38;5;(\d+)m|\x1b\[[0-9;]*m|([^\x1b]+)")
_plotext = Lock()


def rasterize(
    width: int,
    height: int,
    glyphs: Glyphs,
    x_ticks: tuple[AxisTick, ...],
    y_ticks: tuple[AxisTick, ...],
    v_rules: tuple[tuple[float, int], ...],
    h_rules: tuple[tuple[float, int], ...],
    lines: Sequence[DotLine] = (),
) -> tuple[Characters, NDArray[np.int64]]:
    """Draw axes, rules and lines in plotext, and read back characters and roles `(height, width)`.

    All positions are shares of the axes; a rule comes with its role's number.
    """
    with _plotext:
        plotext.clear_figure()
        plotext.limit_size(False, False)
        plotext.plot_size(width, height - 1)
        plotext.theme("clear")
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        plotext.xaxes(True, False)
        plotext.yaxes(True, False)
        plotext.xticks([at for at, _ in x_ticks], [text for _, text in x_ticks])
        plotext.yticks([at for at, _ in y_ticks], [text for _, text in y_ticks])
        # plotext draws axes only for a figure with data, so a blank goes into the corner.
        plotext.scatter([0.0], [0.0], marker=" ")
        for at, role in v_rules:
            plotext.vertical_line(at, color=_TAG + role)
        for at, role in h_rules:
            plotext.horizontal_line(at, color=_TAG + role)
        for parts, marker, role in lines:
            for run in parts:
                plotext.plot(*run.T.tolist(), marker=marker, color=_TAG + role)
        rows = plotext.build().split("\n")[: height - 1]
    characters = np.full((height, width), " ")
    ink = np.zeros((height, width), dtype=np.int64)
    for y, row in enumerate(rows, start=1):
        x, tag = 0, 0
        for match in _CODES.finditer(row):
            code, text = match.groups()
            if text is None:
                tag = int(code) - _TAG if code else 0
                continue
            text = text[: width - x]
            characters[y, x : x + len(text)] = list(text)
            ink[y, x : x + len(text)] = tag
            x += len(text)
    if glyphs == "ascii":
        for y in range(height):
            characters[y] = list(one_cell_text("".join(characters[y]), "ascii"))
    return characters, ink


rasterize_axes = lru_cache(maxsize=64)(rasterize)
"""Cached axes without content, which seldom change."""
