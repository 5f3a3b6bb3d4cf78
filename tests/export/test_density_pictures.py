"""The pictures of the network's density, and of its ratio to the exact one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tui_diffusion.core.assemble import make_ideal, make_method, make_mixture
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import IdealDenoiser, Prediction
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.trajectory import denoise
from tui_diffusion.export.pictures.densities import densities
from tui_diffusion.export.pictures.figure import Curves, PicturePanel, Shade, ShadeGrid
from tui_diffusion.export.pictures.views import panels_of
from tui_diffusion.export.scene import Animation, Exhibit

from ..changed import changed
from ..trainings import trained


class Believer:
    """A network that believes in other data."""

    def __init__(self, experiment: Experiment, believed: GaussianMixture) -> None:
        method = make_method(experiment, make_mixture(experiment))
        self.ideal = IdealDenoiser(believed, method)

    def __call__(self, x: object, level: object) -> Prediction:
        return self.ideal(x, level)


def animated(experiment: Experiment, denoiser: object, maker: str = "network") -> Animation:
    trajectory = denoise(experiment, denoiser, points=40)
    return Animation(Exhibit(experiment, trajectory, maker=maker, denoiser=denoiser), trajectory)


def gaussian(dim: int, std: float = 0.5) -> Experiment:
    name = "edm-1d" if dim == 1 else "edm-multimodal"
    means = {"data__name": "gaussian-2d"} if dim == 2 else {}
    return changed(
        name, **means, data__std=std, sampling__start="exact", sampling__levels=6,
        schedule__sigma_max=2,
    )  # fmt: skip


def grids(panel: PicturePanel) -> dict[str, np.ndarray]:
    shades = [layer for layer in panel.layers if isinstance(layer, Shade)]
    return {s.label: s.of.values for s in shades if isinstance(s.of, ShadeGrid)}


def test_the_ideal_density_is_the_exact_one_at_every_level():
    for dim in (1, 2):
        experiment = gaussian(dim)
        mixture = make_mixture(experiment)
        animation = animated(experiment, make_ideal(experiment, mixture), "ideal denoiser")
        for level in (0, 3, 6):
            scene = animation.scene(float(level))
            middle = mixture.means[0].tolist()
            window = [(at - 5 * 2.1, at + 5 * 2.1) for at in (*middle, 0.5)][:2]
            found = densities(animation, scene, *window)
            assert np.nanmax(np.abs(found.ratio)) < 1e-3
            cell = ((window[0][1] - window[0][0]) / len(found.exact)) ** dim
            assert abs(np.exp(found.network).sum() * cell - 1) < 2e-3, (dim, level)
            raised = found.sigma > 1.001 * scene.sigma / scene.alpha
            assert raised == (float(scene.truth.stds.min()) < math.sqrt(cell) if dim == 2 else
                              float(scene.truth.stds.min()) < cell)  # fmt: skip
            assert densities(animation, scene, *window) is found, "computed once"


def test_a_density_that_is_too_wide_is_too_high_outside_and_too_low_within():
    experiment = gaussian(2)
    mixture = make_mixture(experiment)
    wide = Believer(experiment, GaussianMixture(mixture.means, 0.8))
    animation = animated(experiment, wide)
    scene = animation.scene(6.0)
    ratio, _ = panels_of(animation, scene, "log ratio")
    signs = grids(ratio)
    assert not (signs["too much"] * signs["too little"]).any()
    middle = tuple(n // 2 for n in signs["too little"].shape)
    assert signs["too little"][middle] > 0.3 and signs["too much"].max() > 0.3
    rows, columns = np.nonzero(signs["too much"])
    off = np.hypot(rows - middle[0], columns - middle[1])
    rows, columns = np.nonzero(signs["too little"])
    assert np.median(off) > np.hypot(rows - middle[0], columns - middle[1]).max() * 0.9
    own, _ = panels_of(animation, scene, "network density")
    assert np.unravel_index(grids(own)["density of the network"].argmax(), (40, 40))[0] in (19, 20)


def test_the_densities_on_the_line():
    experiment = gaussian(1)
    mixture = make_mixture(experiment)
    animation = animated(experiment, Believer(experiment, GaussianMixture(mixture.means, 0.8)))
    scene = animation.scene(6.0)
    (panel,) = panels_of(animation, scene, "network density")
    exact, own = (layer.lines[0] for layer in panel.layers if isinstance(layer, Curves))
    peaks = [np.trapezoid(line[:, 1], line[:, 0]) for line in (exact, own)]
    assert abs(peaks[0] - 1) < 1e-3 and 0.8 < peaks[1] < 1.0, "a window of the exact one"
    assert own[:, 1].max() < 0.75 * exact[:, 1].max()
    (panel,) = panels_of(animation, scene, "log ratio")
    x, ratio = panel.layers[1].lines[0].T
    middle = float(mixture.means[0, 0])
    assert ratio[np.abs(x - middle).argmin()] < -0.3
    assert ratio[np.isfinite(ratio)][0] > 0.3 and ratio[np.isfinite(ratio)][-1] > 0.3


def test_without_a_density_the_picture_says_why():
    trainer = trained(changed("naive-1d", training__steps=5, schedule__levels=1))
    animation = animated(trainer.experiment, trainer.denoiser)
    (panel,) = panels_of(animation, animation.scene(1.0), "network density")
    assert "estimates the noise at none of its levels" in panel.title
    assert [layer.label for layer in panel.layers] == ["exact pdf"]
    true = Animation(replace(animation.exhibit, maker="true data"), animation.trajectory)
    (panel,) = panels_of(true, true.scene(1.0), "log ratio")
    assert "no network yet" in panel.title


def test_a_closer_window_has_a_grid_of_its_own():
    experiment = gaussian(2, std=0.03)
    animation = animated(experiment, make_ideal(experiment, make_mixture(experiment)))
    whole, closer = (
        panels_of(animation, animation.scene(6.0, shown), "network density")[0]
        for shown in (4.0, 0.5)
    )
    assert math.isclose(closer.xs[1] - closer.xs[0], (whole.xs[1] - whole.xs[0]) / 8)
    assert "with noise" in whole.notes[0] and not closer.notes  # no longer narrower than a cell
    (values,) = grids(closer).values()
    assert (values > 0.1).sum() > (next(iter(grids(whole).values())) > 0.1).sum()
