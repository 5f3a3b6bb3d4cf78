"""Data sets of part files with classes: how many there are, and networks that know them."""

import pytest

from tui_diffusion.core import denoise, get_preset, make_mixture
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.faults import PartError
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.parts import load_parts

from ..part_files import restored, written
from ..trainings import trained

EDM = get_preset("edm-moons").experiment.with_settings(
    {"training.steps": 20, "sampling.points": 60, "device": "cpu"}
)
LABELS = {"network.labels": True}


@pytest.fixture(autouse=True)
def registries():
    with restored():
        yield


CLASSED = '''
@dataset(dim=1)
def strips(strips: Annotated[int, Field(ge=1, le=80)] = 3):
    """Strips side by side, a class each."""
    place = torch.arange(20 * strips, dtype=torch.float64)
    return place, torch.ones(20 * strips), (place // 20).long()

@dataset
def one_class():
    """Points without labels."""
    return torch.eye(2)

@dataset
def fails():
    """Data that cannot be."""
    raise KeyError("gone")
'''


def test_the_classes_of_an_own_data_set_are_those_it_returns(tmp_path):
    load_parts(written(tmp_path, CLASSED))
    plain = EDM.with_settings({"data.name": "strips"})
    labelled = plain.with_settings({**LABELS, "sampling.label": 2, "sampling.guidance": 2})
    assert labelled.data.classes == 3 and from_json(to_json(labelled)) == labelled
    assert plain.with_settings({**LABELS, "data.strips": 5}).data.classes == 5
    with pytest.raises(ConfigError, match=r"label: 3 is not a class of the data; .* 0 to 2"):
        labelled.with_settings({"sampling.label": 3})
    with pytest.raises(ConfigError, match=r"true needs data of two classes or more.* four-gaussia"):
        labelled.with_settings({"data.strips": 1, "sampling.label": "all"})
    trainer = trained(labelled)
    assert trainer.denoiser.network.classes == 3
    exact = denoise(labelled, IdealDenoiser(trainer.mixture, trainer.denoiser.method)).result
    third = trainer.mixture.of_class(2)
    assert float((exact - third.mean()).abs().max()) < 6 * float(third.std())


def test_another_data_set_keeps_the_labels_if_it_has_classes(tmp_path):
    load_parts(written(tmp_path, CLASSED))
    labelled = EDM.with_settings({**LABELS, "sampling.label": 1})
    for name, kept in {"strips": True, "one-class": False, "ring": True, "drawing": False}.items():
        network = labelled.with_settings({"data.name": name}).network
        assert network.labels == kept, name
    with pytest.raises(PartError, match=r"data set 'fails' .*KeyError"):
        labelled.with_settings({"data.name": "fails"})
    assert not EDM.with_settings({"data.name": "fails"}).network.labels  # without a call
    with pytest.raises(PartError, match="at most 64 classes"):
        labelled.with_settings({"data.name": "strips", "data.strips": 65})


def test_labels_and_covariances_that_cannot_be_are_refused_in_a_line(tmp_path):
    square = "torch.tensor([[0.0, 0], [0, 2], [2, 0], [2, 2]])"
    eye = "torch.eye(2).expand(4, 2, 2)"
    refused = {
        "None, ['a'] * 4": "labels must be 4 whole numbers, one for each point",
        "None, [0.0] * 4": "it must return 4 labels, a whole number for each point",
        "None, [0, 1]": "it must return 4 labels, a whole number for each point",
        "None, [0, 2, 0, 2]": "it must return labels counted from 0, each of them present",
        "None, [-1, 0, 0, 0]": "it must return labels counted from 0, each of them present",
        "None, None, 'wide'": "covariances must be a tensor",
        "None, None, torch.eye(3)": r"covariances must have shape \(4, 2, 2\)",
        f"None, None, -{eye}": "covariances must be finite, symmetric and positive",
        f"None, None, float('nan') * {eye}": "covariances must be finite, symmetric",
        "None, None, torch.ones(2, 2).expand(4, 2, 2)": "stds along their axes .*got 0 to 1.41",
        f"None, None, 121 * {eye}": "stds along their axes from 1e-06 to 10 spreads .*got 11 to",
        f"None, None, 1e-14 * {eye}": "stds along their axes from 1e-06 to 10 spreads",
    }
    text = "".join(
        f'\n@dataset("d{number}")\ndef d{number}():\n    """Data."""\n    return {square}, {more}\n'
        for number, more in enumerate(refused)
    )
    load_parts(written(tmp_path, text))
    for number, reason in enumerate(refused.values()):
        with pytest.raises(PartError, match=rf"data set 'd{number}' \(my_parts.py, .*{reason}"):
            make_mixture(EDM.with_settings({"data.name": f"d{number}"}))
