"""The standalone script trains as the run did, and needs torch and numpy alone."""

from __future__ import annotations

import ast
import contextlib
import io
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_diffusion.core import PRESETS, ConfigError, Experiment, denoise, get_preset, nudge
from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.assemble import scaling_of
from tui_diffusion.core.config.choices import samplers_of
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.training.devices import subnormals_as_zero
from tui_diffusion.export import export
from tui_diffusion.export.scene import Exhibit
from tui_diffusion.export.script.standalone import standalone_script

from ..cases import for_each
from ..changed import changed
from ..trainings import trained

OF_THE_POST = [preset.id for preset in PRESETS.values() if preset.script]

ALLOWED = {"torch", "numpy", "zlib", "matplotlib"}

ALONE = """
import contextlib, importlib.machinery, pathlib, sys
import numpy as np

hidden = {
    "tui_diffusion", "matplotlib", "pydantic", "textual", "rich", "plotext", "click",
    "safetensors", "platformdirs", "PIL", "imageio_ffmpeg", "scipy", "pandas", "tomlkit",
}

class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            return None
        return super().find_spec(name, path, target)

place = sys.meta_path.index(importlib.machinery.PathFinder)
sys.meta_path[place] = Bare
for name in hidden:
    try:
        __import__(name)
        raise SystemExit(f"{name} can be imported")
    except ModuleNotFoundError:
        pass

for script in map(pathlib.Path, sys.argv[1:]):
    scope = {"__name__": "__main__"}
    with script.with_suffix(".txt").open("w") as words, contextlib.redirect_stdout(words):
        exec(compile(script.read_text("utf-8"), script.name, "exec"), scope)
    np.savez(script.with_suffix(".npz"), losses=scope["losses"], x=scope["x"].numpy())
"""

Ran = tuple[np.ndarray, np.ndarray, str]
"""Losses, sample and words of a script."""


def whole_trainings() -> list[Any]:
    """The post's presets, with the slow tests: short trainings are compared at every step."""
    return [pytest.param(name, marks=pytest.mark.slow) for name in OF_THE_POST]


def run_alone(experiments: Iterable[Experiment], folder: Path) -> list[Ran]:
    """Their scripts, one after the other, where only torch and numpy are to be found."""
    files = []
    for experiment in experiments:
        files.append(folder / f"{len(files)}.py")
        files[-1].write_text(standalone_script(experiment), "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    found = []
    for file in files:
        with np.load(file.with_suffix(".npz")) as arrays:
            words = file.with_suffix(".txt").read_text("utf-8")
            found.append((arrays["losses"], arrays["x"], words))
    return found


def short(name: str) -> Experiment:
    return changed(name, training__steps=300, device="cpu", seed=7)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The short scripts of the post, in one interpreter: a fresh one takes long to load torch."""
    folder = tmp_path_factory.mktemp("scripts")
    return dict(zip(OF_THE_POST, run_alone(map(short, OF_THE_POST), folder), strict=True))


def run_here(script: str) -> Ran:
    """The same in this interpreter, which afterwards treats small numbers as before."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    words = io.StringIO()
    with contextlib.redirect_stdout(words), subnormals_as_zero():
        exec(
            compile(script.replace("import matplotlib", "import no_such_plots"), "s", "exec"), scope
        )
    return scope["losses"], scope["x"].numpy(), words.getvalue()


def same_as_the_run(experiment: Experiment, ran: Ran, rounding: float) -> None:
    trainer = trained(experiment)
    report = training_report(trainer)
    losses, x, words = ran
    assert len(losses) == trainer.steps
    if rounding:
        assert losses == pytest.approx(trainer.losses.astype(float), rel=rounding)
    else:
        assert np.array_equal(losses.astype(np.float32), trainer.losses)
    assert losses[-100:].mean() == pytest.approx(report["loss"]["final"], rel=rounding or 1e-12)
    assert f"Final loss: {losses[-100:].mean():.9g}" in words
    sample, scale = report["sample"], max(1.0, *report["sample"]["std"])
    assert x.mean(0) == pytest.approx(sample["mean"], abs=1e-3 * scale)
    assert x.std(0) == pytest.approx(sample["std"], abs=1e-3 * scale)
    result = scaling_of(experiment.data).inverse(denoise(experiment, trainer.denoiser).result)
    assert x == pytest.approx(result.numpy(), abs=1e-2 * scale)


@pytest.mark.parametrize("name", OF_THE_POST)
def test_script_reads_like_the_post(name: str) -> None:
    text = standalone_script(get_preset(name).experiment)
    tree = ast.parse(text)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= ALLOWED
    lines = text.splitlines()
    assert len(lines) <= 160
    assert max(map(len, lines)) <= 100
    assert "$" not in text
    assert f"diffusion-tui train {name} --seed 0" in text
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", OF_THE_POST)
def test_short_script_gives_the_losses_of_the_run(name: str, ran: dict[str, Ran]) -> None:
    same_as_the_run(short(name), ran[name], rounding=0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", whole_trainings())
def test_whole_script_gives_the_final_loss_of_the_run(name: str, tmp_path: Path) -> None:
    experiment = get_preset(name).experiment.with_settings({"device": "cpu"})
    trainer = trained(experiment)
    ((losses, x, words),) = run_alone([experiment], tmp_path)
    assert np.array_equal(losses.astype(np.float32), trainer.losses)
    report = training_report(trainer)
    assert losses[-100:].mean() == report["loss"]["final"]
    assert f"Final loss: {report['loss']['final']:.9g} " in words
    assert x.mean(0) == pytest.approx(report["sample"]["mean"], abs=1e-3)
    assert "Denoising goal:" in words


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("naive-1d", {"method.name": "naive-exact"}),
        ("naive-1d", {"data.means": "-1, 1", "data.balanced": "false"}),
        ("naive-2d", {"data.balanced": "false", "schedule.levels": "1"}),
        ("naive-multimodal", {"data.balanced": "false", "training.optimizer": "adam"}),
        ("naive-multimodal", {"training.loss": "mean", "training.decay": "cosine"}),
        ("ddpm-1d", {"training.optimizer": "adamw", "network.activation": "silu"}),
        ("ddpm-1d", {"sampling.variance": "beta", "sampling.quiet": "0", "network.depth": "1"}),
        ("ddpm-1d-detailed", {"training.decay": "cosine", "sampling.stop_before": "0"}),
        ("ddpm-1d-per-level", {"training.decay": "step", "training.batch": "7"}),
        ("ddpm-multimodal", {"sampling.start": "exact", "sampling.stop_before": "3"}),
        ("ddpm-1d", {"schedule.kind": "linear-beta", "sampling.sampler": "euler"}),
        ("ddpm-multimodal", {"schedule.kind": "cosine"}),
        ("edm-1d", {}),
        ("edm-multimodal", {"data.balanced": "false"}),
        ("flow-multimodal", {"sampling.levels": "9"}),
        ("flow-multimodal", {"training.average": "0", "sampling.sampler": "euler"}),
        ("edm-multimodal", {"schedule.kind": "flow", "network.fourier": "0"}),
        ("ddpm-multimodal", {"network.activation": "gelu", "network.depth": "4"}),
        ("edm-moons", {}),
        ("edm-swiss-roll", {"sampling.sampler": "dpm++2m"}),
        ("edm-checkerboard", {"sampling.sampler": "ddim", "sampling.eta": "0.5"}),
        ("edm-spirals", {"sampling.sampler": "ddpm", "sampling.variance": "beta"}),
        ("flow-moons", {"sampling.sampler": "dpm++2m", "data.balanced": "false"}),
        ("edm-moons", {"data.train_points": "64", "sampling.start": "exact"}),
        ("ddpm-1d", {"data.train_points": "2"}),
        ("flow-multimodal", {"sampling.sampler": "ddpm"}),
        ("edm-drawing", {"sampling.levels": "20"}),
        ("edm-moons", {"data.name": "circles", "sampling.start": "exact"}),
        ("edm-moons", {"data.name": "pinwheel", "training.batch": "64"}),
        ("edm-multimodal", {"data.weights": "1, 1, 2, 4", "training.batch": "64"}),
        ("edm-multimodal", {"data.stds": "0.01, 0.02, 0.05, 0.1", "sampling.start": "exact"}),
        pytest.param(
            "edm-multimodal",
            {"data.stds": "0.01, 0.02, 0.05, 0.1", "data.balanced": "false"},
            marks=pytest.mark.slow,
        ),
        ("ddpm-multimodal", {"data.name": "correlated"}),
        ("edm-moons", {"data.name": "tree", "sampling.start": "exact"}),
        ("naive-multimodal", {"training.batch": "30"}),
        ("naive-1d", {"sampling.sampler": "ddim"}),
        ("naive-1d", {"method.name": "naive-exact", "sampling.sampler": "heun"}),
        ("ddpm-1d", {"sampling.sampler": "dpm++2m"}),
        ("ddpm-multimodal", {"sampling.sampler": "ddim", "sampling.eta": "1"}),
        ("ddpm-multimodal", {"network.activation": "tanh", "network.per_level": "true"}),
    ],
)
def test_other_configurations(name: str, settings: dict[str, str]) -> None:
    experiment = get_preset(name).experiment.with_settings(
        {"training.steps": 120, "training.lr": 1e-4, "sampling.points": 50, "device": "cpu"}
    )
    experiment = experiment.with_settings(settings)
    same_as_the_run(experiment, run_here(standalone_script(experiment)), rounding=1e-3)


@for_each("sampler", [n for n, p in SAMPLER_PARTS.items() if p.script and not p.trained_levels])
def test_the_script_of_every_sampler_takes_its_steps(sampler: str) -> None:
    """After two steps of training, with levels in between, noises and earlier steps of its own."""
    quick = {"training.steps": 2, "sampling.points": 20, "sampling.repeats": 1, "device": "cpu"}
    quick |= {"sampling.sampler": sampler}
    for base, settings in (("flow-multimodal", {"sampling.levels": 8}), ("ddpm-1d", {})):
        experiment = get_preset(base).experiment
        if sampler not in samplers_of(experiment.method.name):
            continue
        experiment = experiment.with_settings(quick | settings)
        _, x, _ = run_here(standalone_script(experiment))
        result = denoise(experiment, trained(experiment).denoiser).result
        assert x == pytest.approx(result.numpy(), abs=1e-4 * max(1, np.abs(x).max())), base


@for_each("name", list(PRESETS))
def test_every_preset_has_a_script(name: str) -> None:
    experiment = get_preset(name).experiment
    if experiment.network.labels:
        with pytest.raises(ConfigError, match=r"^network\.labels: .*; allowed: false$"):
            standalone_script(experiment)
        return
    text = standalone_script(experiment)
    ast.parse(text)
    assert len(text.splitlines()) <= 225


@pytest.mark.parametrize(
    ("suffix", "text"),
    [("csv", "{},{}\n"), ("csv", "{} {}\n"), ("csv", "{};{}\n"), ("npy", "")],
)
def test_points_of_a_file(suffix: str, text: str, tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(3, 2, (90, 2))
    file = tmp_path / f"it's.{suffix}"
    if text:
        heading = "first,second\n" if text.startswith("{},") else ""
        file.write_text(heading + "".join(text.format(*row) for row in points), "utf-8")
    else:
        np.save(file, points)
    experiment = get_preset("edm-moons").experiment.with_settings(
        {"data.name": f"file:{file}", "training.steps": 60, "sampling.points": 50, "device": "cpu"}
    )
    for held_out in (0, 0.5):
        experiment = experiment.with_settings({"data.holdout": held_out})
        same_as_the_run(experiment, run_here(standalone_script(experiment)), rounding=1e-3)


OTHER = {
    "data.means": "0.5",
    "data.weights": "1, 2, 3, 4",
    "data.stds": "0.01, 0.02, 0.03, 0.04",
    "schedule.betas": "0.2, 0.3",
}
"""Another value of a field that is neither a number nor a choice."""


def others(experiment: Experiment, path: str) -> Iterable[Experiment]:
    """The experiments that differ in this field from one that it applies to."""
    ways = [lambda up=up: nudge(experiment, path, up=up) for up in (True, False)]
    if path in OTHER:
        ways.append(lambda: experiment.with_settings({path: OTHER[path]}))
    for way in ways if field_table()[path].applies(experiment) else ():
        with contextlib.suppress(ConfigError):
            if (other := way()) != experiment:
                yield other


def code(experiment: Experiment) -> str:
    """The script below its docstring, which names the fields that were changed."""
    return standalone_script(experiment).split('"""', 2)[2]


def test_every_field_is_followed_or_refused() -> None:
    """A field that the templates do not know must never be left out in silence."""
    bases = [preset.experiment for preset in PRESETS.values()]
    refused = [base for base in bases if base.network.labels]
    bases = [base for base in bases if base not in refused]
    samplers = ("ddim", "edm-stochastic", "predictor-corrector", "langevin")
    bases += [
        changed("edm-moons", data__name="ring", sampling__sampler="ddim"),
        changed("edm-moons", data__name="correlated"),
        *(changed("edm-1d", sampling__sampler=s) for s in samplers),
        changed("naive-multimodal", data__name="ring"),
        changed("ddpm-multimodal", training__decay="step", schedule__kind="linear-beta"),
    ]
    tried, silent = set(), set()
    for base in refused:
        with pytest.raises(ConfigError):
            code(base)
        tried |= {path for path in field_table() if any(others(base, path))}
    for base in bases:
        before = code(base)
        for path in field_table():
            for experiment in others(base, path):
                tried.add(path)
                with contextlib.suppress(ConfigError):
                    if code(experiment) == before:
                        silent.add((base.name, path))
    # The device is that of whoever runs it; the result is taken before any step is repeated; and
    # there is one network.
    assert silent == {("ddpm-1d-detailed", "sampling.repeats")}
    of_a_file = {"data.path", "data.columns", "data.where", "data.label", "data.scaling"}
    of_a_file.add("data.holdout")
    assert tried == set(field_table()) - of_a_file - {"device", "network.name"} - {"sampling.guide"}


def test_what_the_script_cannot_follow_is_refused() -> None:
    experiment = get_preset("naive-multimodal").experiment
    for settings in ({"network.fourier": 2}, {"training.average": 0.9}):
        with pytest.raises(ConfigError, match=f"{next(iter(settings))}: .* allowed: 0"):
            standalone_script(experiment.with_settings(settings))


def test_a_hostile_name_stays_a_word(tmp_path: Path) -> None:
    name = '"""\nraise SystemExit(1)\n"""\\'
    experiment = get_preset("naive-1d").experiment.model_copy(update={"name": name})
    text = standalone_script(experiment)
    assert not any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(text)))


def test_export_writes_it_without_a_denoising(tmp_path: Path) -> None:
    experiment = get_preset("naive-1d").experiment
    file = tmp_path / "simple.py"
    export(Exhibit(experiment), file)
    assert file.read_text("utf-8") == standalone_script(experiment)


def test_the_command_of_a_script_repeats_every_number_exactly() -> None:
    rate = 0.1 + 0.2
    text = standalone_script(changed("naive-1d", training__lr=repr(rate), device="cpu"))
    assert f"--set training.lr={rate!r} " in text
    assert "device=" not in text
