"""Films as pictures, and what is drawn in their cells."""

import dataclasses

import numpy as np

from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.sampling.measured_trajectory import measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.render import picture

from ..changed import changed

PALETTE = Palette.default()
GLYPHS = ["braille", "blocks", "ascii"]
CACHE = {}


def film_of(name, points=300, source="forward", **settings):
    key = (name, points, source, *settings.items())
    if key not in CACHE:
        CACHE[key] = measure_trajectory(SampleRequest(changed(name, **settings), source, 0, points))
    return CACHE[key]


def with_points(trajectory, x):
    """The film with other points, shape (N + 1, n, d)."""
    return dataclasses.replace(trajectory, x=np.asarray(x, np.float32))


def shown(trajectory, view_state, width=80, height=24, glyphs="braille"):
    return picture(trajectory, view_state, width, height, PALETTE, glyphs)


def text(lines):
    return [line.text for line in lines]


def cells(lines, role):
    """The cells (x, y) that hold something in this role's colour."""
    colour = PALETTE.style(role).color
    found = set()
    for y, line in enumerate(lines):
        x = 0
        for segment in line:
            for character in segment.text:
                if character != " " and segment.style and segment.style.color == colour:
                    found.add((x, y))
                x += 1
    return found


def exactly(lines, width, height):
    return [line.cell_length for line in lines] == [width] * height
