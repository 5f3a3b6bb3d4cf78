"""Sampling with labels and guidance: classes of points, the guide, and what stays the same."""

from copy import deepcopy

import pytest
import torch

from tui_diffusion.core import trajectory as sampling
from tui_diffusion.core.analysis.energy_distance import Reference
from tui_diffusion.core.analysis.report import guidance_levels
from tui_diffusion.core.assemble import make_ideal, make_method, make_mixture, network_for
from tui_diffusion.core.conditioning import guided, label_of, truth_of
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.stepping import nudge
from tui_diffusion.core.guidance import GuidedDenoiser
from tui_diffusion.core.guide_run import check_guide
from tui_diffusion.core.methods import IdealDenoiser, NetworkDenoiser, device_of
from tui_diffusion.core.runs.run import save_run
from tui_diffusion.core.training_set import ideal_denoiser
from tui_diffusion.core.trajectory import denoise, forward_process

from ..cases import for_each
from ..changed import changed
from ..trainings import short, trained
from .refusals import refusal

LABELS = {"network.labels": True}


def labelled(name: str = "edm-multimodal", **changes: object) -> Experiment:
    return changed(name, network__labels=True, device="cpu", **changes)


def fresh(experiment: Experiment) -> NetworkDenoiser:
    mixture = make_mixture(experiment)
    return NetworkDenoiser(network_for(experiment, None), make_method(experiment, mixture))


def ideal(experiment: Experiment) -> IdealDenoiser:
    return make_ideal(experiment, make_mixture(experiment))


# --- classes -----------------------------------------------------------------------------------


@for_each("start", ["zero-mean", "data-mean", "exact"])
def test_the_ideal_denoiser_takes_every_point_to_its_class(start):
    experiment = labelled(data__weights=(4, 3, 2, 1), sampling__start=start)
    made = denoise(experiment, ideal(experiment), points=2000)
    nearest = torch.cdist(made.result, make_mixture(experiment).means.float()).argmin(1)
    assert torch.equal(nearest, made.labels)
    shares = torch.bincount(made.labels) / 2000
    assert float((shares - torch.tensor([0.4, 0.3, 0.2, 0.1])).abs().max()) < 0.04


def test_a_label_takes_all_points_to_one_class():
    experiment = labelled(sampling__label=2)
    made = denoise(experiment, ideal(experiment), points=500)
    assert float((made.result - truth_of(experiment).mean()).norm(dim=1).max()) < 0.1
    assert made.labels.unique().tolist() == [2] == [label_of(experiment)]
    true = forward_process(experiment, points=500)
    assert float((true.result - truth_of(experiment).mean()).norm(dim=1).max()) < 0.1


def test_true_points_have_the_class_they_were_drawn_from():
    experiment = labelled()
    true = forward_process(experiment, points=500)
    nearest = torch.cdist(true.result, make_mixture(experiment).means.float()).argmin(1)
    assert torch.equal(nearest, true.labels)
    assert forward_process(changed("edm-multimodal"), points=5).labels is None


def test_labels_depend_on_the_seed_alone():
    experiment = labelled()
    one = denoise(experiment, ideal(experiment), points=100, seed=3)
    other = denoise(experiment, fresh(experiment), points=100, seed=3, keep=40)
    assert torch.equal(one.labels[:40], other.labels)
    assert not torch.equal(denoise(experiment, ideal(experiment), points=100).labels, one.labels)


# --- guidance ----------------------------------------------------------------------------------


def test_points_do_not_depend_on_the_batches_of_the_network(monkeypatch):
    experiment = labelled(sampling__guidance=3, sampling__sampler="dpm++2m", sampling__levels=8)
    for denoiser in (fresh(experiment), ideal(experiment)):
        whole = denoise(experiment, denoiser, points=60)
        with monkeypatch.context() as patch:
            patch.setattr(sampling, "_AT_ONCE", 7)
            cut = denoise(experiment, denoiser, points=60)
        assert float((whole.x - cut.x).abs().max()) < 1e-5
        for part in (slice(0, 60), slice(13, 31), slice(59, 60)):
            again = whole.step(5, part).x_next
            assert float((again - whole.x[6][part]).abs().max()) < 1e-5


def test_weight_1_is_no_guidance_bit_for_bit():
    experiment = labelled()
    denoiser = fresh(experiment)
    plain = denoise(experiment, denoiser, points=50)
    outside = changed(experiment, sampling__guidance=3, sampling__guidance_from=100)
    assert torch.equal(plain.x, denoise(outside, denoiser, points=50).x)
    assert guided(experiment, denoiser, 1).labels == 1
    strong = denoise(changed(experiment, sampling__guidance=3), denoiser, points=50)
    assert not torch.equal(plain.x, strong.x)


def test_guidance_applies_within_its_interval():
    experiment = labelled(
        sampling__guidance=3,
        sampling__guidance_from=0.5,
        sampling__guidance_to=1,
        sampling__label=1,
    )
    denoiser = fresh(experiment)
    denoiser.network.requires_grad_(False)
    x = torch.randn(20, 2)
    main, by = guided(labelled(sampling__label=1), denoiser, 1), guided(experiment, denoiser, 1)
    schedule = denoise(experiment, denoiser, points=1).schedule
    changes = []
    for level in map(schedule.__getitem__, range(schedule.levels)):
        free, told, seen = denoiser(x, level), main(x, level), by(x, level)
        inside = 0.5 <= float(level.sigma) <= 1
        expected = free.x0_hat + 3 * (told.x0_hat - free.x0_hat) if inside else told.x0_hat
        assert float((seen.x0_hat - expected).abs().max()) < 1e-5
        changes.append(inside)
    assert 0 < sum(changes) < len(changes)


def test_a_trajectory_holds_the_denoiser_that_was_given():
    experiment = labelled(sampling__guidance=2)
    made = denoise(experiment, fresh(experiment), points=5)
    assert isinstance(made.denoiser, NetworkDenoiser) and made.denoiser.labels is None
    assert torch.equal(denoise(experiment, made.denoiser, points=5).x, made.x)


def test_a_network_that_does_not_know_a_class_is_refused():
    experiment = labelled(sampling__points=50)
    for name, known in (("edm-moons", 0), ("edm-classes", 2)):
        of = changed(name, device="cpu")
        with pytest.raises(ValueError, match=rf"must know class 3 \(got one of {known} classes\)"):
            denoise(experiment, fresh(of))


def test_a_class_without_training_points_is_that_of_the_whole_set():
    experiment = labelled(
        data__weights=(1, 1, 1, 1e-6),
        data__train_points=8,
        sampling__points=40,
        sampling__label=3,
        sampling__guidance=2,
    )
    exact = ideal_denoiser(experiment, "training set")
    assert exact.mixture.classes == 3
    made = denoise(experiment, exact)
    nearest = torch.cdist(made.result.double(), exact.mixture.means.double()).min(1).values
    assert float(nearest.max()) < 5e-3  # a point of the set, at the spread of a class of 0.01
    assert sum(at is not None for at in guidance_levels(experiment, exact)) == 20


# --- another run as the guide --------------------------------------------------------------------


def test_a_run_guides_any_other_of_its_data(tmp_path):
    weak = trained(short("edm-moons", 20, **LABELS, **{"network.width": 8}))
    plain = trained(short("flow-moons", 20))
    experiment = changed("edm-moons", network__labels=True, device="cpu")
    main = fresh(experiment)
    x, labels = torch.randn(10, 2), torch.tensor([0, 1]).repeat(5)
    level = denoise(experiment, main, points=1).schedule[8]
    for name, trainer in (("weak", weak), ("plain", plain)):
        folder = save_run(tmp_path / name, trainer, "finished")
        asked = {"sampling.guidance": 3, "sampling.guide": str(folder)}
        at = experiment.with_settings(asked)
        by = guided(at, main, labels)
        assert isinstance(by, GuidedDenoiser)
        told = NetworkDenoiser(main.network, main.method, labels)(x, level)
        with_label = labels if name == "weak" else None
        guide = NetworkDenoiser(trainer.denoiser.network, trainer.method, with_label)(x, level)
        expected = guide.x0_hat + 3 * (told.x0_hat - guide.x0_hat)
        assert float((by(x, level).x0_hat - expected).detach().abs().max()) < 1e-4
        target = main.method.target(by(x, level).x0_hat, by(x, level).eps_hat, level)
        assert float((by(x, level).output - target).detach().abs().max()) < 1e-3
        elsewhere = deepcopy(by.guide)
        elsewhere.denoiser.network.to("meta")
        assert device_of(elsewhere).type == "meta", "points must go where the guide is"
        # The exact counterpart of a weaker network is that of the main one.
        exact = guided(at, ideal(experiment), labels)
        assert isinstance(exact, GuidedDenoiser) == (name == "plain")
        # A network without labels may be guided too.
        unlabelled = changed("edm-moons").with_settings(asked)
        assert denoise(unlabelled, fresh(unlabelled), points=3).labels is None


def test_a_guide_that_does_not_fit_is_refused_in_one_line(tmp_path):
    folders = {
        name: str(save_run(tmp_path / name, trained(short(name, 8, **more)), "finished"))
        for name, more in (("edm-1d", {}), ("edm-multimodal", LABELS), ("naive-multimodal", {}))
    }
    experiment = labelled("edm-moons", sampling__guidance=2)
    for guide, reason in (
        ("no-such-run", "run 'no-such-run' does not exist"),
        (str(tmp_path), "run"),
        (folders["edm-1d"], "denoises points of 1D; allowed: a run of 2D"),
        (folders["edm-multimodal"], "knows 4 classes; allowed: a run of 2"),
        (folders["naive-multimodal"], "was trained at other noise levels; allowed: "),
    ):
        with pytest.raises(ConfigError) as caught:
            check_guide(changed(experiment, sampling__guide=guide))
        message = str(caught.value)
        assert message.startswith("sampling.guide: ") and reason in message
        assert "allowed" in message and message.isprintable()


# --- settings ----------------------------------------------------------------------------------


def test_guidance_needs_a_guide():
    for settings, base, field in (
        ({"sampling.guidance": 2}, "edm-moons", "sampling.guidance"),
        ({"sampling.guidance_from": 2}, "edm-moons", "sampling.guidance_from"),
        ({**LABELS, "sampling.guide": "own"}, "edm-moons", "sampling.guide"),
        ({**LABELS, "sampling.guide": ""}, "edm-moons", "sampling.guide"),
        ({**LABELS, "sampling.guidance": -1}, "edm-moons", "sampling.guidance"),
        (
            {**LABELS, "sampling.guidance_from": 2, "sampling.guidance_to": 1},
            "edm-moons",
            "sampling.guidance_from",
        ),
        (
            {**LABELS, "training.label_dropout": 0, "sampling.guidance": 2},
            "edm-moons",
            "sampling.guidance",
        ),
    ):
        assert refusal(settings, changed(base)).field == field


def test_settings_of_guidance_follow_what_it_needs():
    guided = labelled(sampling__guidance=3)
    assert guided.with_settings({"network.labels": False}).sampling.guidance == 1
    own = changed("edm-moons", network__guide="yes")
    assert own.sampling.guide == "own"
    assert own.with_settings({"network.guide": False}).sampling.guide == "no-label"
    assert guided.with_settings({"network.guide": True}).sampling.guide == "no-label"


def test_a_label_steps_through_the_classes():
    experiment, seen = labelled("edm-moons"), []
    for _ in range(4):
        seen.append(experiment.sampling.label)
        experiment = nudge(experiment, "sampling.label", up=True)
    assert seen == ["all", "0", "1", "1"]
    assert nudge(labelled("edm-moons", sampling__label=0), "sampling.label", up=False) == labelled(
        "edm-moons"
    )


# --- the presets -------------------------------------------------------------------------------


def distance(x: torch.Tensor, y: torch.Tensor) -> float:
    """The energy distance of two distributions, unbiased, from samples of the same noise.

    The pairs of a point and its own counterpart are left out, as they alone depend on each other.
    """
    x, y = x.double(), y.double()
    kernel = 2 * torch.cdist(x, y) - torch.cdist(x, x) - torch.cdist(y, y)
    return float(kernel.sum() - kernel.diagonal().sum()) / (len(x) * (len(x) - 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "guidance"),
    [
        ("edm-classes", ({},)),
        (
            "edm-autoguidance",
            ({}, {"sampling.guidance": 4, "sampling.guide": "no-label"}, {"sampling.guidance": 1}),
        ),
    ],
)
def test_guided_samples_are_those_of_the_guided_ideal_denoisers(name, guidance):
    trainer = trained(changed(name, device="cpu"), interval=60)
    for settings in guidance:
        experiment = trainer.experiment.with_settings(settings)
        x = denoise(experiment, trainer.denoiser, seed=1).result
        y = denoise(experiment, ideal(experiment), seed=1).result
        real = Reference(truth_of(experiment)).real(len(x))
        assert distance(x, y) < 2 * real, settings
