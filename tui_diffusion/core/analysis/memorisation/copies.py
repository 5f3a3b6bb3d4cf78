"""Copies of training points in a sample."""

from __future__ import annotations

import torch
from torch import Tensor

from ...mixtures import PAIRS_AT_ONCE, between_parts
from ...randomness import generator
from ...training_set import TrainingSet
from ...trajectory import Trajectory

COPY = 1 / 3
"""A copy is nearer to a training point than this share of its distance to the second nearest."""


def copied(x: Tensor, finite: TrainingSet) -> Tensor:
    """Return which points x (n, d) are copies of training points, as booleans (n,).

    A copy is nearer to its nearest training point than a third of the distance to the second
    nearest (Yoon et al. 2023). Equal training points count once. If there is only one, the second
    distance is the root mean square distance of unseen data from it, or 1 if no other data differ
    from it.
    """
    points = torch.unique(finite.points, dim=0).to(x)
    if len(points) == 1:
        near: Tensor = (x - points).norm(dim=1) < COPY * _reach(finite)
        return near
    masks = []
    for part in torch.split(x, max(1, PAIRS_AT_ONCE // len(points))):
        between_parts.get()()
        pairs = torch.cdist(part, points, compute_mode="donot_use_mm_for_euclid_dist")
        first, second = pairs.topk(2, dim=1, largest=False).values.unbind(1)
        masks.append(first < COPY * second)
    return torch.cat(masks) if masks else x.new_empty(0, dtype=torch.bool)


def _reach(finite: TrainingSet) -> float:
    """Return the root mean square distance of unseen data from the first training point, or 1."""
    source = finite.unseen or finite.mixture
    offset = source.mean() - finite.points[0].to(source.means)
    return float((source.std().square() + offset.square()).sum().sqrt()) or 1.0


def clean_points(trajectory: Trajectory) -> Tensor:
    """Return the points (n, d) that a trajectory ends with, at the scale of the data."""
    alpha = float(trajectory.schedule.alphas[trajectory.result_level])
    return trajectory.result.detach().cpu() / alpha


def copied_share(x: Tensor, finite: TrainingSet) -> float | None:
    """Return the share of copies among the finite points of x (n, d); None if there are none."""
    return share_of(copied(x, finite), x)


def share_of(copies: Tensor, x: Tensor) -> float | None:
    """Return the share of ``copies`` (n,) among the finite points of x (n, d)."""
    known = torch.isfinite(x).all(1)
    return float(copies[known].double().mean()) if known.any() else None


def copied_share_real(count: int, finite: TrainingSet, seed: int = 0) -> float | None:
    """Return the share of copies among as many true points, which chance brings near the set.

    True points are draws of the population, or the held-out rows of a file; None without any.
    """
    if finite.unseen is None:
        return None
    if not finite.known:
        return copied_share(finite.unseen.means[:count], finite)
    return copied_share(finite.unseen.sample(count, generator(seed, "metrics")), finite)
