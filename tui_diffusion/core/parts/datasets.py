"""The data sets. The mathematics of curves and areas is in `core.datasets`."""

from __future__ import annotations

from dataclasses import dataclass

from .part import Part, by_name

Means = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class DataPart(Part):
    """A data set, defined by the centres of its modes or by a function.

    ``means`` are the centres, ``weights`` their weights if they are not equal. A curve or an area
    has a function instead: it takes ``std``, the standard deviation of every component, and returns
    points (n, dim), weights (n,) and, if it has classes, labels (n,); the first two need no
    particular size. Covariances (n, dim, dim) may follow, in the units of the points.

    ``dim`` is the number of coordinates of a function's points, ``classes`` that of its labels; 0
    if only a call of the function tells.

    ``what`` describes a curve in an exported script. ``script`` is the code that sets ``modes`` and
    ``weights`` as float64 in terms of ``sigma_data``; it may call ``along`` and ``polar``, as in
    `core.datasets`. Without it, the script lists the centres. It sets
    ``covariances`` at unit size too, if the components have some.
    """

    title: str
    std: float = 0.01
    means: Means = ()
    weights: tuple[float, ...] = ()
    dim: int = 2
    classes: int = 1
    what: str = ""
    script: str = ""


_CENTRES = ("means", "weights", "stds")
_RUN_TOGETHER = "of Gaussians of std sigma_data so close that they run together"

DATA_PARTS = by_name(
    DataPart(
        name="gaussian-1d",
        title="One Gaussian",
        means=((1.0,),),
        uses=_CENTRES,
    ),
    DataPart(
        name="gaussian-2d",
        title="One Gaussian in 2D",
        means=((-1.0, 1.0),),
        uses=_CENTRES,
    ),
    DataPart(
        name="four-gaussians",
        title="Four Gaussians",
        means=((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0)),
        uses=_CENTRES,
    ),
    DataPart(
        name="two-modes",
        title="Two modes",
        std=0.05,
        means=((-1.0,), (1.0,)),
        uses=_CENTRES,
    ),
    DataPart(
        name="heavy-light",
        title="A heavy and a light mode",
        std=0.05,
        means=((-1.0, -1.0), (1.0, 1.0)),
        weights=(0.9, 0.1),
        uses=_CENTRES,
    ),
    DataPart(
        name="correlated",
        title="A correlated Gaussian",
        std=0.5,
        means=((0.0, 0.0),),
        uses=(*_CENTRES, "correlation"),
    ),
    DataPart(name="ring", title="Ring", std=0.05, uses=("count",)),
    DataPart(
        name="moons",
        function="moons",
        title="Two moons",
        classes=2,
        std=0.06,
        what=f"two half circles, {_RUN_TOGETHER}",
        script="""\
angle = torch.linspace(0, torch.pi, 2001, dtype=torch.float64)
upper = along(polar(torch.ones_like(angle), angle), 0.7 * sigma_data, 256)
modes = torch.cat([upper, torch.tensor([1.0, 0.5], dtype=torch.float64) - upper])
weights = torch.ones(len(modes), dtype=torch.float64)
""",
    ),
    DataPart(
        name="circles",
        function="circles",
        title="Two circles",
        classes=2,
        std=0.06,
        what=f"two circles, {_RUN_TOGETHER}",
        script="""\
angle = torch.linspace(0, 2 * torch.pi, 2001, dtype=torch.float64)
circles = [along(polar(r * torch.ones_like(angle), angle), 0.6 * sigma_data, 256) for r in (1, 0.5)]
modes = torch.cat(circles)
weights = torch.cat([torch.full((len(c),), 1 / len(c), dtype=torch.float64) for c in circles])
""",
    ),
    DataPart(
        name="swiss-roll",
        function="swiss_roll",
        title="Swiss roll",
        std=0.05,
        what=f"a spiral, {_RUN_TOGETHER}",
        script="""\
angle = torch.linspace(1.5 * torch.pi, 4.5 * torch.pi, 2001, dtype=torch.float64)
modes = along(polar(angle / 8, angle), 0.7 * sigma_data)
weights = torch.ones(len(modes), dtype=torch.float64)
""",
    ),
    DataPart(
        name="spirals",
        function="spirals",
        title="Two spirals",
        classes=2,
        std=0.05,
        what=f"two spirals, {_RUN_TOGETHER}",
        script="""\
angle = torch.linspace(0.5 * torch.pi, 3.5 * torch.pi, 2001, dtype=torch.float64)
arm = along(polar(angle / 8, angle), 0.7 * sigma_data, 256)
modes = torch.cat([arm, -arm])
weights = torch.ones(len(modes), dtype=torch.float64)
""",
    ),
    DataPart(
        name="checkerboard",
        function="checkerboard",
        title="Checkerboard",
        classes=8,
        std=0.08,
        what="eight squares, each a grid of Gaussians of std sigma_data that run together",
        script="""\
side = min(max(int(np.ceil(1 / (1.2 * sigma_data))), 2), 8)
fraction = (torch.arange(side, dtype=torch.float64) + 0.5) / side
square = torch.cartesian_prod(fraction, fraction)
corners = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]
modes = torch.cat([square + torch.tensor(corner, dtype=torch.float64) for corner in corners])
weights = torch.ones(len(modes), dtype=torch.float64)
""",
    ),
    DataPart(
        name="pinwheel",
        function="pinwheel",
        title="Pinwheel",
        classes=5,
        std=0.06,
        what=f"five bent arms, {_RUN_TOGETHER}",
        script="""\
radius = torch.linspace(0.2, 1.8, 2001, dtype=torch.float64)
arm = along(polar(radius, 0.9 * radius.exp()), 0.7 * sigma_data, 512 // 5)
weights = (-((arm.norm(dim=1) - 1) ** 2) / (2 * 0.3**2)).exp().repeat(5)
turns = [torch.tensor(2 * torch.pi * k / 5, dtype=torch.float64) for k in range(5)]
modes = torch.cat(
    [arm @ torch.tensor([[t.cos(), t.sin()], [-t.sin(), t.cos()]]).double() for t in turns]
)
""",
    ),
    DataPart(
        name="tree",
        function="tree",
        title="Two trees",
        classes=2,
        std=0.06,
        papers=("Karras et al. 2024, arXiv:2406.02507",),
        what="two trees of elongated Gaussians, sigma_data across the trunk",
        script="""\
arms, rows = [(0.0, 0.0, -0.5), (0.0, 0.0, 0.5)], []
for depth in range(5):
    length, grown = 0.76**depth, []
    for x, y, angle in arms:
        dx, dy = length * np.sin(angle), length * np.cos(angle)
        rows += [(x + at * dx, y + at * dy, angle, depth) for at in (0.25, 0.75)]
        grown += [(x + dx, y + dy, angle + turn) for turn in (-0.36, 0.5)]
    arms = grown
x, y, angle, depth = torch.tensor(rows, dtype=torch.float64).unbind(1)
modes, weights = torch.stack([x, y], 1), (0.76 * 0.85) ** depth
weights = weights / weights.sum()
scale = (weights @ (modes - weights @ modes).square()).mean().sqrt()
one = torch.ones_like(x)
axes = torch.stack([polar(one, torch.pi / 2 - angle), polar(one, -angle)], 2)
widths = torch.stack([0.3 * 0.76**depth / scale, sigma_data * 0.85**depth], 1)
covariances = (axes * widths[:, None] ** 2) @ axes.mT
""",
    ),
    DataPart(
        name="drawing",
        function="drawing",
        title="A drawing",
        std=0.007,
        what="points along the strokes of a drawing, a Gaussian of std sigma_data each",
        script="""\
strokes = [
$strokes]
modes = []
for stroke in strokes:
    line = torch.tensor([*map(float, stroke.split())]).double().view(-1, 2)
    for _ in range(2):  # cut the corners
        cuts = [0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]]
        line = torch.cat([line[:1], torch.stack(cuts, 1).flatten(0, 1), line[-1:]])
    modes.append(along(line, $spacing))
modes = torch.cat(modes)
weights = torch.ones(len(modes), dtype=torch.float64)
""",
    ),
    DataPart(
        name="file",
        title="Points of a file",
        written="file:PATH",
        std=0.05,
        uses=("path", "columns", "where", "label", "scaling"),
    ),
)
"""Every data set by its name in a configuration."""


def centred() -> tuple[str, ...]:
    """Return the names of the data sets that are defined by the centres of their modes."""
    return tuple(name for name, part in DATA_PARTS.items() if part.means)


def classed() -> tuple[str, ...]:
    """Return the names of the built-in data sets of two classes or more."""
    return tuple(
        name
        for name, part in DATA_PARTS.items()
        if len(part.means) > 1 or part.classes > 1 or "count" in part.uses
    )
