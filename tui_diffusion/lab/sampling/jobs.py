"""The jobs of the sampling workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .request import Progress, Wish

if TYPE_CHECKING:
    from .diagnosis import Study
    from .measured_trajectory import Film


def film(wish: Wish, progress: Progress) -> Film:
    """Return the film of a request."""
    from .measured_trajectory import make_film

    return make_film(wish, progress)


def study(wish: Wish, progress: Progress) -> Study:
    """Return the diagnosis of a request's denoiser, without progress reports."""
    from .diagnosis import make_study

    return make_study(wish)
