"""Runs as guides at the command line: which one it is, and numbers that agree."""

import pytest

from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.run import open_run

from ..command_line import SHORT

GUIDED = ("--set", "sampling.guidance=2", "--set")


@pytest.fixture
def guide(run_cli) -> str:
    """The name of a run that may guide others of the moons."""
    run_cli.json("train", "edm-classes", *SHORT, "--set", "device=cpu")
    return next(store().iterdir()).name


def test_a_run_keeps_the_whole_name_of_its_guide(run_cli, guide):
    for number, name in enumerate(("latest", "edm-classes-2", str(store() / guide))):
        out = store() / f"edm-classes-{number}"  # whose beginning is that of the guide
        run_cli.json(
            "train", "edm-moons", *SHORT, *GUIDED, f"sampling.guide={name}", "--out", str(out)
        )
        exact = name if name.startswith("/") else guide
        assert open_run(out).experiment.sampling.guide == exact
        assert run_cli.json("sample", str(out), "--points", "20")["guide"] == exact
    assert run_cli("train", "edm-moons", *SHORT, *GUIDED, "sampling.guide=none") == 2
    assert run_cli.err.startswith("diffusion-tui: sampling.guide: run 'none' does not exist; ")


def test_sample_and_evaluate_give_the_same_numbers(run_cli, guide):
    asked = ("--points", "60", "--set", "sampling.label=0", "--set", "sampling.guidance=3")
    sample = run_cli.json("sample", guide, *asked)
    full = run_cli.json("evaluate", guide, *asked)
    assert full["metrics"] == sample["sample"] and full["target"] == sample["target"]
    assert full["label"] == sample["label"] == full["guidance"]["label"] == 0
    assert full["guidance"]["weight"] == sample["guidance"] == 3
    distance = sample["sample"]["energy_distance"]
    assert abs(full["guidance"]["conditional"] - distance) < 1e-9
