"""The labels of points of a file: which column holds them, and that a run keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run, store

from ..cases import for_each
from ..trainings import trained

NAMED = "x,y,label\n1,2,b\n3,4,a\n5,7,b\n"
NUMBERS = "1,2,10\n3,4,2\n5,7,2.0\n"


def of_file(file: Path, **settings: object) -> Experiment:
    return get_preset("edm-moons").experiment.with_settings(
        {"data.name": f"file:{file}", **{f"data.{key}": value for key, value in settings.items()}}
    )


@for_each(
    "text, chosen, dim, labels, names",
    [
        (NAMED, {}, 2, [1, 0, 1], ("a", "b")),
        (NAMED, {"columns": "x,y"}, 2, [1, 0, 1], ("a", "b")),
        (NAMED, {"columns": "y", "label": "3"}, 1, [1, 0, 1], ("a", "b")),
        (NAMED, {"where": "label:b"}, 2, [0, 0], ()),
        (NAMED, {"where": "label:b", "label": "label"}, 2, [0, 0], ("b",)),
        (NAMED.replace("label", "Class"), {}, 2, [1, 0, 1], ("a", "b")),
        ("label\tx\nb\t1\na\t2\n", {}, 1, [1, 0], ("a", "b")),
        # Numbers are in their own order, and those that are equal are of one class.
        (NUMBERS, {"label": "3"}, 2, [1, 0, 0], ("2", "10")),
        (NUMBERS.replace(",", " "), {"label": "3"}, 2, [1, 0, 0], ("2", "10")),
        ("x,y,kind\n1,2,1\n3,4,0\n", {"label": "kind"}, 2, [1, 0], ("0", "1")),
        # Two columns of numbers are read as before, whatever they are named.
        ("x,label\n1,2\n3,5\n", {}, 2, [0, 0], ()),
        ("x,label\n1,2\n3,5\n", {"label": "label"}, 1, [0, 1], ("2", "5")),
        # More values than classes are labels only where they are asked for.
        (
            "x,y,label\n" + "".join(f"{i},{i * i},{i}\n" for i in range(17)),
            {"columns": "x,y"},
            2,
            [0] * 17,
            (),
        ),
    ],
)
def test_the_column_of_the_label(tmp_path, text, chosen, dim, labels, names):
    file = tmp_path / "points.csv"
    file.write_text(text)
    experiment = of_file(file, **chosen)
    mixture = make_mixture(experiment)
    assert (mixture.dim, mixture.labels.tolist()) == (dim, labels)
    assert experiment.data.class_names == names


@for_each(
    "text, chosen, message",
    [
        (NUMBERS, {}, "has 3 columns; choose one or two with data.columns"),
        (NUMBERS, {"label": "4"}, "data.label: no column '4'; allowed: 1, 2, 3"),
        (NUMBERS, {"label": "1", "columns": "1,2"}, "data.label: '1' is a coordinate"),
        (NAMED, {"label": "labels"}, "data.label: no column 'labels'; allowed: label"),
        ("x,y,label\n1,2,a\n3,4,\n", {}, "data.label: row 2 has no label in column 'label'"),
        (
            "x,y,g\n" + "".join(f"{i},{i * i},{i}\n" for i in range(17)),
            {"label": "g"},
            "data.label: column 'g' has 17 different values; allowed: a column with 1 to 16",
        ),
    ],
)
def test_a_label_that_is_none_is_refused_in_a_line(tmp_path, text, chosen, message):
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        of_file(file, **chosen)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_labels_of_numpy_files(tmp_path):
    points, labels = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    np.save(tmp_path / "table.npy", np.column_stack([points, labels]))
    np.savez(tmp_path / "named.npz", x=points[:, 0], y=points[:, 1], label=labels)
    for file, chosen in (("table.npy", {"label": "3"}), ("named.npz", {})):
        mixture = make_mixture(of_file(tmp_path / file, **chosen))
        assert (mixture.dim, mixture.labels.tolist()) == (2, labels.tolist())


def test_a_run_keeps_the_labels_and_their_names(tmp_path):
    file = tmp_path / "points.csv"
    for dim, text in ((2, NAMED), (1, "label,x\nb,1\na,2\nb,4\n")):
        file.write_text(text)
        settings = {"training.steps": 2, "device": "cpu", "training.batch": 8}
        trainer = trained(of_file(file).with_settings(settings), 1)
        run = save_run(store() / f"run{dim}", trainer, "stopped")
        file.unlink()
        again = open_run(str(run)).experiment
        assert again.data.class_names == ("a", "b") and again.dim == dim
        assert torch.equal(make_mixture(again).labels, trainer.mixture.labels)
        assert torch.equal(resume(open_run(str(run))).mixture.labels, trainer.mixture.labels)
        # Other settings of a reopened run are of the same points.
        assert again.with_settings({"data.std": 0.1}).data.class_names == ("a", "b")


def test_words_after_two_coordinates_are_labels_and_three_numbers_ask(tmp_path: Path) -> None:
    words, numbers = tmp_path / "words.csv", tmp_path / "numbers.csv"
    words.write_text("0,1,b\n1,0,a\n2,1,b\n")
    data = of_file(words).data
    assert data.labels is not None
    assert data.labels.tolist() == [1, 0, 1] and data.class_names == ("a", "b")
    numbers.write_text("0,1,1\n1,0,0\n2,1,1\n")
    with pytest.raises(ConfigError, match=r"and the label's with data\.label"):
        of_file(numbers)
    chosen = of_file(numbers, label="3")
    assert chosen.dim == 2 and chosen.data.classes == 2
