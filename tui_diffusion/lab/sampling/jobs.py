"""What the sampling workers do with a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .request import Progress, Wish

if TYPE_CHECKING:
    from .diagnosis import Study
    from .measured_trajectory import Film


def film(wish: Wish, progress: Progress) -> Film:
    """The film of a wish."""
    from .measured_trajectory import make_film

    return make_film(wish, progress)


def study(wish: Wish, progress: Progress) -> Study:
    """The study of a wish's denoiser; it says nothing of how far it is."""
    from .diagnosis import make_study

    return make_study(wish)
