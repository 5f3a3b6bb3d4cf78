"""Who may import what: each claim in a process of its own."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "numpy",
    "textual",
    "rich",
    "plotext",
    "safetensors",
    "scipy",
    "tomlkit",
    "diffusers",
    "distributed",
)

REPORT = """
import json, sys
{code}
print(json.dumps([name for name in {heavy!r} if name in sys.modules]), file=sys.stderr)
"""


def loaded_by(code: str) -> set[str]:
    """Which of the heavy libraries a fresh interpreter has loaded after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(code=code, heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def running(*arguments: str) -> str:
    """Code that runs the command line and goes on after it ends."""
    return f"""
sys.argv = ["diffusion-tui", *{arguments!r}]
from tui_diffusion.program import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def test_the_probe_sees_an_import():
    assert "numpy" in loaded_by("import numpy")


def test_the_core_loads_no_front_end_for_training_and_sampling_nor_for_all_its_names():
    loaded = loaded_by("""
from tui_diffusion.core import denoise, evaluate, get_preset, train
experiment = get_preset("naive-1d").experiment.with_settings({"training.steps": 3})
for progress in train(experiment):
    pass
trajectory = denoise(experiment, progress.denoiser, points=10)
evaluate(trajectory.result, progress.trainer.mixture)
import tui_diffusion.core as core
for name in core.__all__:
    assert getattr(core, name) is not None
import importlib, pkgutil
for module in pkgutil.iter_modules(core.__path__):
    importlib.import_module(f"tui_diffusion.core.{module.name}")
""")
    assert {"torch", "numpy"} <= loaded
    assert not loaded & {"textual", "rich", "plotext"}


def test_the_core_alone_loads_nothing():
    assert loaded_by("import tui_diffusion.core") == set()


@pytest.mark.parametrize(
    "code",
    [
        "import tui_diffusion.core.config.experiment",
        "import tui_diffusion.core.config.presets",
        "from tui_diffusion.core import PRESETS, Experiment, get_preset, ConfigError",
        "import tui_diffusion.program",
    ],
)
def test_the_configuration_loads_nothing_heavy(code):
    assert loaded_by(code) == set()


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("train", "--help"), ("list",), ("list", "--json")],
)
def test_help_and_list_load_no_torch(arguments):
    assert not loaded_by(running(*arguments)) & {"torch", "numpy", "textual", "plotext"}


def test_reading_settings_loads_no_torch_and_no_tomlkit():
    loaded = loaded_by("""
from tui_diffusion.core.paths import settings_file
from tui_diffusion.lab.launch import load
settings_file().parent.mkdir(parents=True)
settings_file().write_text('theme = "nord"')
assert load(settings_file())[0].theme == "nord"
""")
    assert not loaded & {"torch", "tomlkit"}


def test_a_headless_training_loads_no_textual():
    arguments = ("train", "naive-1d", "--set", "training.steps=3", "--json", "--no-save")
    loaded = loaded_by(running(*arguments))
    assert "torch" in loaded
    assert not loaded & {"textual", "plotext", "rich"}


def test_bad_input_is_refused_before_torch_is_loaded():
    code = """
sys.argv = ["diffusion-tui", "train", "naive-1d", "--set", "training.lr=abc"]
from tui_diffusion.program import main
try:
    main()
except SystemExit as end:
    assert end.code == 2
"""
    assert not loaded_by(code) & {"torch", "numpy"}


def test_the_names_of_the_core_are_its_own():
    code = """
import tui_diffusion.core as core
assert sorted(core.__all__) == sorted(set(core.__all__))
assert set(core._MODULE_OF) == set(core.__all__)
try:
    core.nope
except AttributeError as error:
    assert "nope" in str(error)
else:
    raise SystemExit("no error")
"""
    assert loaded_by(code) == set()


def test_the_lab_is_imported_without_what_its_first_picture_does_not_need():
    """The import of torch takes longer than the first paint may."""
    loaded = loaded_by("import tui_diffusion.lab.launch, tui_diffusion.lab.app")
    assert "textual" in loaded
    assert not loaded & {"torch", "numpy", "plotext", "safetensors", "scipy", "tomlkit"}
