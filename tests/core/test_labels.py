"""Labels as inputs of a network: features, their share in training, every way to train."""

import pytest
import torch

from tui_diffusion.core.assemble import make_network, network_for
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.networks import HIDDEN, Network
from tui_diffusion.core.randomness import generator
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..changed import changed
from ..trainings import go_on, same, short, trained
from .refusals import refusal
from .short_trainings import block_of

LABELS = {"network.labels": True}


def network(name: str = "edm-multimodal", **changes: object) -> Network:
    experiment = changed(name, network__labels=True, **changes)
    return make_network(experiment, generator(0, "weights"))


# --- features ----------------------------------------------------------------------------------


def test_a_label_adds_its_place_and_a_hidden_one_nothing_to_the_features():
    labelled = network()
    x, c = torch.randn(5, 2), torch.randn(5, 1)
    labels = torch.tensor([0, 3, HIDDEN, 1, 2])
    plain = make_network(changed("edm-multimodal"), generator(0, "weights")).features(x, c)
    told = labelled.features(x, c, labels)
    assert torch.equal(told[:, :-4], plain)
    assert told[:, -4:].argmax(1).tolist() == [0, 3, 0, 1, 2]
    assert told[:, -4:].sum(1).tolist() == [1, 1, 0, 1, 1]
    assert torch.equal(labelled.features(x.T, c.T, labels, axis=-2).T, told)
    assert torch.equal(labelled.features(x, c), labelled.features(x, c, torch.full((5,), HIDDEN)))
    assert torch.equal(labelled.features(x, c, 3), labelled.features(x, c, torch.full((5,), 3)))


def test_the_layers_of_a_network_with_labels_are_another_networks():
    experiment = changed("edm-moons", network__labels=True)
    with pytest.raises(ValueError, match="network must be the experiment's"):
        network_for(experiment, make_network(changed("edm-moons"), generator(0, "weights")))
    with pytest.raises(ValueError, match=r"network must be None where network\.labels is true"):
        network_for(experiment, torch.nn.Linear(3, 2))


# --- batches -----------------------------------------------------------------------------------


@for_each("dropout", [0.0, 0.1, 0.5, 1.0])
@for_each("balanced", [True, False])
def test_batches_show_the_class_of_each_point_and_hide_a_share(dropout, balanced):
    experiment = changed(
        "naive-multimodal",
        network__labels=True,
        training__label_dropout=dropout,
        data__balanced=balanced,
        training__batch=256,
        method__name="naive-exact",
    )
    trainer = Trainer(experiment)
    features, targets = (values.flatten(0, 1) for values in block_of(trainer))
    told = features[:, -4:]
    shown = told.sum(1)
    assert float(1 - shown.mean()) == pytest.approx(dropout, abs=0.01)
    # The least noisy points show their mode.
    clear = (targets.norm(dim=1) < 0.05) & (shown == 1)
    nearest = torch.cdist(features[clear, :2], trainer.mixture.means.float()).argmin(1)
    assert dropout == 1 or clear.sum() > 100
    assert torch.equal(trainer.mixture.labels[nearest], told[clear].argmax(1))


# --- every way to train ------------------------------------------------------------------------

WAYS = {
    "edm": ("edm-moons", {}),
    "flow": ("flow-multimodal", {"data.balanced": False}),
    "naive": ("naive-multimodal", {}),
    "a net per level": (
        "ddpm-1d-per-level",
        {"data.name": "two-modes", "training.optimizer": "adam"},
    ),
}


@for_each("name", WAYS)
def test_fast_steps_equal_plain_ones_and_a_resumed_training_one_never_stopped(name, tmp_path):
    preset, changes = WAYS[name]
    experiment = short(preset, 60, **changes, **LABELS)
    whole = trained(experiment)
    assert same(whole, trained(experiment, plain=True))
    folder = save_run(tmp_path / name, trained(experiment, 23), "stopped")
    assert same(go_on(resume(open_run(folder))), whole)
    denoiser = open_run(save_run(tmp_path / f"{name} whole", whole, "finished")).denoiser()
    assert denoiser.network.classes == experiment.data.classes


# --- settings ----------------------------------------------------------------------------------


def test_labels_need_classes_and_a_network_of_this_program():
    for settings, base, field in (
        ({"network.labels": True}, "naive-1d", "network.labels"),
        ({"network.labels": True}, "edm-swiss-roll", "network.labels"),
        ({"training.label_dropout": 0.2}, "edm-moons", "training.label_dropout"),
        ({**LABELS, "training.label_dropout": 1.5}, "edm-moons", "training.label_dropout"),
        ({"sampling.label": 1}, "edm-moons", "sampling.label"),
        ({**LABELS, "sampling.label": 2}, "edm-moons", "sampling.label"),
        ({**LABELS, "sampling.label": "-1"}, "edm-moons", "sampling.label"),
        ({**LABELS, "sampling.label": "both"}, "edm-moons", "sampling.label"),
    ):
        assert refusal(settings, changed(base)).field == field


def test_other_data_bring_other_classes():
    labelled = changed("edm-multimodal", network__labels=True, sampling__label=3)
    moons = labelled.with_settings({"data.name": "moons"})
    assert (moons.network.labels, moons.sampling.label) == (True, "all")
    assert not labelled.with_settings({"data.name": "swiss-roll"}).network.labels
    with pytest.raises(ConfigError, match=r"sampling.label: 3 is not a class .* all, or 0 to 2$"):
        labelled.with_settings({"data.means": "(0, 0), (1, 1), (2, 2)"})
