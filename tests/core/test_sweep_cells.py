"""Cells and trainings of a sweep."""

import pickle

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.runs.store import checked_run_name
from tui_diffusion.core.sweeps.sweep import MOST, Axis, InvalidCellsError, Sweep

BASE = get_preset("naive-1d").experiment


def made(preset, *axes, **how):
    return Sweep(get_preset(preset), [Axis.parse(text) for text in axes], **how)


def test_every_combination_is_a_cell_and_the_last_axis_changes_fastest():
    sweep = Sweep(BASE, {"training.lr": [1e-3, 1e-2], "network.width": [8, 16]}, seeds=3)
    cells = sweep.cells()
    settings = [tuple(cell.settings.values()) for cell in cells]
    assert settings == [(1e-3, 8), (1e-3, 16), (1e-2, 8), (1e-2, 16)]
    assert [cell.index for cell in cells] == [0, 1, 2, 3]
    for cell in cells:
        expected = [BASE.with_settings({**cell.settings, "seed": seed}) for seed in range(3)]
        assert list(cell.experiments) == expected
    trainings = sweep.trainings()
    assert [t.experiment for t in trainings] == [e for cell in cells for e in cell.experiments]
    assert all(t.samplings == (t.experiment,) for t in trainings)
    assert trainings[0].name == "01-lr=0.001-width=8-seed=0"
    assert sweep.steps == 12 * BASE.training.steps


def test_seeds_count_up_from_that_of_the_base():
    sweep = Sweep(BASE.with_settings({"seed": 7}), seeds=2)
    (cell,) = sweep.cells()
    assert [experiment.seed for experiment in cell.experiments] == [7, 8]
    assert cell.label == ""
    with pytest.raises(ConfigError, match=r"seed: .* is not allowed"):
        Sweep(BASE.with_settings({"seed": 2**63 - 1}), seeds=2)


def test_cells_that_differ_in_sampling_alone_share_their_trainings():
    sweep = made("ddpm-1d", "sampling.sampler=ddpm,ddim", "network.width=8,16", seeds=2)
    assert len(sweep.cells()) == 4
    trainings = sweep.trainings()
    assert [t.name for t in trainings] == [
        *("1-width=8-seed=0", "2-width=8-seed=1", "3-width=16-seed=0", "4-width=16-seed=1")
    ]
    for training in trainings:
        assert [e.sampling.sampler for e in training.samplings] == ["ddpm", "ddim"]
        cells = [sweep.cells()[index] for index in training.cells]
        assert all(e in cell.experiments for e, cell in zip(training.samplings, cells, strict=True))
        assert len({e.model_dump_json(exclude={"sampling"}) for e in training.samplings}) == 1
    # A method brings a sampler along, but it is another training.
    assert len(made("naive-1d", "method.name=naive,ddpm").trainings()) == 2


def test_cells_that_cannot_be_are_named_and_may_be_left_out():
    axes = ("method.name=naive,ddpm", "schedule.kind=karras,cosine")
    with pytest.raises(InvalidCellsError) as raised:
        made("naive-1d", *axes)
    message = str(raised.value)
    assert message.startswith("2 of 4 cells cannot be: method.name=naive schedule.kind=cosine (")
    assert "'karras' does not go with method 'ddpm'; allowed: beta," in message
    assert [tuple(c.settings.values()) for c in raised.value.invalid] == [
        ("naive", "cosine"),
        ("ddpm", "karras"),
    ]
    sweep = made("naive-1d", *axes, skip_invalid=True)
    assert [cell.label for cell in sweep.cells()] == [
        "method.name=naive schedule.kind=karras",
        "method.name=ddpm schedule.kind=cosine",
    ]
    assert [cell.index for cell in sweep.cells()] == [0, 1]
    assert len(sweep.invalid) == 2
    with pytest.raises(InvalidCellsError, match=r"1 of 1 cells cannot be: .*does not apply while"):
        made("naive-1d", "sampling.eta=0.5", skip_invalid=True)


def test_an_absurd_number_of_cells_is_refused_before_any_is_built():
    with pytest.raises(ConfigError) as raised:
        made("naive-1d", "training.lr=1e-6..1:log1000", "network.width=1..1000:lin1000", seeds=9)
    assert str(raised.value) == (
        f"the sweep has 1,000,000 cells of 9 seeds, 9,000,000 in all; allowed: up to {MOST:,}"
    )


def test_wrong_arguments_say_what_is_allowed():
    with pytest.raises(ConfigError, match=r"training\.lr: varies twice"):
        made("naive-1d", "training.lr=1,2", "training.lr=3")
    with pytest.raises(TypeError, match="axes must be a list of Axis or a mapping"):
        Sweep(BASE, ["training.lr=1,2"])
    with pytest.raises(TypeError, match="base must be an Experiment or a Preset"):
        Sweep("naive-1d")
    for seeds in (0, -1):
        with pytest.raises(ValueError, match="seeds must be a whole number from 1"):
            Sweep(BASE, seeds=seeds)


def test_a_run_has_a_name_that_every_file_system_takes():
    hard = made("edm-multimodal", "data.means=((-1,1),(1,-1)),((0,0),(.5,.5))", "data.std=.01,.1")
    long = made("ddpm-1d", f"schedule.betas=({','.join(['0.123456'] * 80)}),(0.5)", seeds=2)
    for sweep in (hard, long):
        names = [training.name for training in sweep.trainings()]
        assert len(set(names)) == len(names)
        for name in names:
            assert checked_run_name(name) == name
            assert name.isascii() and not set(name) & set('/\\:*?"<>| ')
    assert made("naive-1d", "method.name=naive,ddpm").trainings()[1].name == "2-ddpm-seed=0"


def test_a_task_travels_to_a_worker():
    training = made("naive-1d", "training.lr=1,2").trainings()[0]
    assert pickle.loads(pickle.dumps(training)) == training
