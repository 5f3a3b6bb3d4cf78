"""The library as a script or a notebook uses it: reprs, arguments, and parts of one's own."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from tui_diffusion import core
from tui_diffusion.core import (
    METHODS,
    Checkpointer,
    GaussianMixture,
    IdealDenoiser,
    Trainer,
    Trajectory,
    attribute,
    changes_of,
    denoise,
    densities,
    evaluate,
    forward_process,
    get_preset,
    level_losses,
    list_runs,
    make_method,
    make_mixture,
    make_schedule,
    nudge,
    open_run,
    pictures,
    quality,
    resume,
    save_run,
    scaling_of,
    start_mismatch,
    train,
    training_floor,
)
from tui_diffusion.core.analysis.attribution import PARTS
from tui_diffusion.core.analysis.energy_distance import Reference
from tui_diffusion.core.analysis.error_growth import amplification
from tui_diffusion.core.assemble import with_mixture
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.paths import store
from tui_diffusion.core.pictures import curve, scatter
from tui_diffusion.core.training.stacked.trainer import train_stack

from ..changed import changed

QUICK = changed("edm-1d", training__steps=20, sampling__levels=4, sampling__points=30, device="cpu")


def sampled(experiment=QUICK, **given) -> Trajectory:
    mixture = make_mixture(experiment.data)
    return denoise(
        experiment, IdealDenoiser(mixture, make_method(experiment.method, mixture)), **given
    )


# --- reprs -------------------------------------------------------------------------------------


def test_everything_public_has_a_repr_of_one_line_without_an_address(home: Path) -> None:
    [*_, progress] = train(QUICK)
    trainer, trajectory = progress.trainer, sampled()
    path = save_run(store() / "run", trainer, "finished")
    mixture, denoiser = trainer.mixture, trainer.denoiser
    many = GaussianMixture(torch.randn(3000, 2), torch.rand(3000))
    reference, runs = Reference(mixture), list_runs()
    assert runs
    objects = [
        *(preset for preset in PRESETS.values()),
        *(preset.experiment for preset in PRESETS.values()),
        *(QUICK.data, QUICK.method, QUICK.schedule, QUICK.network, QUICK.training, QUICK.sampling),
        *(progress, trainer, trainer.network, denoiser, *METHODS.values(), trainer.method),
        *(mixture, many, mixture.noised(1e-150, 3.0)),
        *(IdealDenoiser(many, trainer.method), IdealDenoiser(mixture, METHODS["ddpm"])),
        *(trajectory, forward_process(QUICK), trajectory.step(0), trajectory.schedule),
        *(trajectory.schedule[0], denoiser(trajectory.x[0], trajectory.schedule[0])),
        *(evaluate(trajectory.result, mixture), reference, reference.distance(trajectory.result)),
        *(attribute(QUICK, denoiser, points=30), start_mismatch(QUICK), amplification(QUICK)[0]),
        level_losses(QUICK, denoiser, points=8)[0],
        *(densities(mixture, trajectory.schedule)[0], open_run(str(path))),
        *(*runs, *changes_of(runs).values(), Checkpointer(trainer, home / "other")),
        scaling_of(QUICK.data),
    ]
    for thing in objects:
        text = repr(thing)
        assert str(thing) == text
        assert text.startswith(f"{type(thing).__name__}(")
        assert text.isprintable(), text
        assert len(text) <= 120, text
        assert " object at 0x" not in text
    assert repr(QUICK) == (
        "Experiment(name='edm-1d', data='gaussian-1d', method='edm', sampler='heun', "
        "steps=20, seed=0)"
    )
    assert "step=20, steps=20" in repr(progress)


# --- arguments ---------------------------------------------------------------------------------


def test_a_preset_is_taken_where_an_experiment_is() -> None:
    preset = get_preset("edm-1d")
    of = preset.experiment
    mixture = make_mixture(preset)
    assert repr(mixture) == repr(make_mixture(of)) == repr(make_mixture(of.data))
    method = make_method(preset, mixture)
    assert method == make_method(of, mixture) == make_method(of.method, mixture)
    assert torch.equal(make_schedule(preset).sigmas, make_schedule(of.schedule).sigmas)
    assert scaling_of(preset).scale == scaling_of(of).scale
    assert Trainer(preset).experiment is of
    assert next(train(preset, every=1)).trainer.experiment is of
    ideal = IdealDenoiser(mixture, method)
    one, other = (denoise(given, ideal, points=20) for given in (preset, of))
    assert torch.equal(one.x, other.x)
    assert evaluate(one.result, preset) == evaluate(one.result, mixture)
    assert quality(one, preset) == quality(one, of) == quality(one, mixture)
    assert torch.equal(forward_process(preset, points=5).x, forward_process(of, points=5).x)
    assert attribute(preset, ideal, points=20) == attribute(of, ideal, points=20)
    assert level_losses(preset, ideal, points=8) == level_losses(of, ideal, points=8)
    assert training_floor(preset) == training_floor(of)
    assert start_mismatch(preset) == start_mismatch(of)
    assert nudge(preset, "seed", up=True).seed == 1


def test_a_wrong_argument_says_what_was_expected() -> None:
    mixture = make_mixture(QUICK)
    ideal = IdealDenoiser(mixture, METHODS["ddpm"])
    network, x = Trainer(QUICK).network, torch.zeros(3, 2)
    either = "must be an Experiment or a Preset"
    denoiser = "denoiser must be a function of (x, level) that returns a Prediction"
    wrong = [
        (lambda: train("edm-1d"), f"experiment {either} (got 'edm-1d'); get_preset('edm-1d') "),
        (lambda: train("nope"), f"experiment {either} (got 'nope')"),
        (lambda: Trainer(QUICK.data), f"experiment {either} (got DataConfig(name='gaussian-1d'"),
        (lambda: denoise(None, ideal), f"experiment {either} (got None)"),
        (lambda: start_mismatch("nope"), f"experiment {either} (got 'nope')"),
        (lambda: denoise(QUICK, "x"), f"{denoiser} (got 'x')"),
        (lambda: denoise(QUICK, lambda x: x), f"{denoiser} (got one of (x))"),
        (lambda: denoise(QUICK, network), "denoiser must be a denoiser (got Network("),
        (lambda: attribute(QUICK, "x"), f"{denoiser} (got 'x')"),
        (lambda: level_losses(QUICK, 3), f"{denoiser} (got 3)"),
        (lambda: denoise(QUICK, ideal, points=2.5), "points must be a whole number (got 2.5)"),
        (lambda: denoise(QUICK, ideal, points=0), "points must be a whole number from 1 (got 0)"),
        (lambda: denoise(QUICK, ideal, seed=-1), "seed must be a whole number from 0 (got -1)"),
        (lambda: denoise(QUICK, ideal, device="foo"), "device: 'foo' is not available; allowed: c"),
        (lambda: denoise(QUICK, ideal, device=[]), "device must be a torch.device or its name ("),
        (lambda: forward_process(QUICK, device="cuda:99"), "device: 'cuda:99' is not available; "),
        (lambda: attribute(QUICK, ideal, device="meta"), "device: 'meta' is not available; allo"),
        (lambda: make_mixture(QUICK, ""), "device: '' is not available; allowed: cpu"),
        (lambda: next(train_stack([QUICK], device="foo")), "device: 'foo' is not available; allow"),
        (lambda: train(QUICK, every=0), "every must be a whole number from 1 (got 0)"),
        (lambda: train(QUICK, interval="1"), "interval must be a number of seconds (got '1')"),
        (lambda: make_mixture("moons"), "data must be a DataConfig, an Experiment or a Preset ("),
        (lambda: make_method(QUICK, QUICK), "mixture must be a GaussianMixture (got Experiment("),
        (lambda: evaluate(x, "moons"), "mixture must be a GaussianMixture, an Experiment or a"),
        (lambda: evaluate(x, mixture), "x must have shape (n, 1) (got (3, 2))"),
        (lambda: evaluate([1.0], mixture), "x must be a Tensor (got [1])"),
        (lambda: get_preset(3), "id must be the name of a preset (got 3)"),
        (lambda: open_run(3), "name must be the name or the folder of a run (got 3)"),
        (lambda: save_run("run", "x", "finished"), "trainer must be a Trainer (got 'x')"),
        (lambda: Checkpointer("x", Path("run")), "trainer must be a Trainer (got 'x')"),
        (lambda: resume("run"), "run must be a Run (got 'run'); open_run(NAME) returns one"),
        (lambda: GaussianMixture([[0.0]] * 3, [1.0, 2.0]), "stds must have shape (3,) (got (2,))"),
        (lambda: GaussianMixture([[0.0]], 1, [1, 2]), "weights must have shape (1,) (got (2,))"),
        (lambda: quality(x, mixture), "trajectory must be a Trajectory (got <3×2 torch.float32>)"),
    ]
    for call, message in wrong:
        with pytest.raises((TypeError, ValueError)) as error:
            call()
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


def test_the_types_that_own_parts_need_are_public() -> None:
    for name in ("Denoiser", "Level", "Method", "Prediction", "Sampler", "Step", "quality"):
        assert name in core.__all__
        assert getattr(core, name).__name__ == name


# --- notebooks ---------------------------------------------------------------------------------


def shown_in(thing: object) -> tuple[dict[str, str], int]:
    """The cells of what a notebook shows of an object, and the marks in its picture."""
    root = ElementTree.fromstring(f"<body>{thing._repr_html_()}</body>")
    cells = {row[0].text or "": row[1].text or "" for row in root.iter("tr")}
    svg = "{http://www.w3.org/2000/svg}"
    places = [line.get("points", "").split() for line in root.iter(f"{svg}polyline")]
    single = [*root.iter(f"{svg}circle"), *root.iter(f"{svg}rect")]
    return cells, sum(map(len, places)) + len(single)


def test_a_notebook_shows_a_table_and_a_picture(home: Path) -> None:
    [*_, progress] = train(QUICK)
    trajectory, trainer = sampled(), progress.trainer
    score = evaluate(trajectory.result, QUICK)
    run = open_run(save_run(str(store() / "<b>run"), trainer, "finished"))
    assert "&lt;b&gt;run" in run._repr_html_()
    assert "<b>run" not in run._repr_html_()

    cells, marks = shown_in(QUICK)
    assert cells["data"] == "gaussian-1d, means 1, std 0.01, balanced true, training points 0"
    assert cells["training"].startswith("steps 20, batch 256, ")
    assert cells["seed"] == "0"
    assert marks == 80  # places of the exact density
    for preset in PRESETS.values():
        assert shown_in(preset)[1] == (80 if preset.experiment.dim == 1 else 400), preset
    assert shown_in(get_preset("edm-1d"))[0]["data"] == cells["data"]
    for thing in (progress, trainer, run):
        cells, marks = shown_in(thing)
        assert cells["step"] == "20 of 20"
        assert marks == 20  # one place of the curve for each loss
    cells, marks = shown_in(trajectory)
    assert (cells["levels"], cells["points"], marks) == ("4", "30", 40)  # 40 bins
    assert shown_in(make_mixture(get_preset("edm-moons")))[1] == 400
    plane = sampled(changed("edm-moons", sampling__levels=2, sampling__points=1000))
    plane.x[-1, :10] = math.nan
    assert 300 < shown_in(plane)[1] <= 400
    assert shown_in(score)[0]["energy distance"] == (
        f"{score.energy_distance:.4g} (true points: {score.energy_distance_real:.4g})"
    )
    cells, marks = shown_in(attribute(QUICK, progress.denoiser, points=30))
    assert set(cells) == {*PARTS, "total"} and marks == 4
    own = with_mixture(QUICK, GaussianMixture([[0.0], [1.0]], 0.1))
    assert (shown_in(own)[0]["data"], shown_in(own)[1]) == ("own mixture", 80)
    assert "data='own mixture'" in repr(own)
    for losses in (np.full(9, np.nan), np.zeros(3), np.array([])):
        assert curve(losses.astype(np.float32)) == ""
    assert scatter(np.full((3, 2), np.nan)) == ""
    assert "nan" not in scatter(np.zeros((3, 2))) + curve(np.ones(5)) + scatter(np.ones((2, 1)))
    assert shown_in(Trainer(QUICK))[0]["loss"] == "nan"


def test_a_picture_that_fails_leaves_the_table(home: Path, monkeypatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("no picture")

    run = open_run(save_run(store() / "run", Trainer(QUICK), "stopped"))
    (run.checkpoint / "losses.npy").unlink()
    for name in ("scatter", "line", "bars"):
        monkeypatch.setattr(pictures, name, fail)
    mixture = make_mixture(QUICK)
    for thing in (QUICK, get_preset("edm-moons"), sampled(), mixture, run, Trainer(QUICK)):
        cells, marks = shown_in(thing)
        assert cells and not marks, thing
