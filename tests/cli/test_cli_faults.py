"""Faults at the shell: whatever the command, one line and an exit code, and nothing is harmed."""

import ast
import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import tui_diffusion
from tui_diffusion.core.runs.run import save_run, store
from tui_diffusion.core.runs.store import list_runs

from ..cases import for_each
from ..faults import EXPERIMENT, tree
from ..stored_runs import of_an_earlier_version
from ..trainings import trained

if sys.platform != "win32":
    from ..pseudo_terminal import Terminal

pytestmark = pytest.mark.usefixtures("home")

COMMANDS = [
    ("sample", "RUN", "--json"),
    ("evaluate", "RUN", "--json"),
    ("export", "RUN", "x.npz", "--json"),
    ("train", "--resume", "RUN", "--json"),
]


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli-faults") / "run"
    return save_run(folder, trained(EXPERIMENT, 20), "stopped")


@pytest.fixture
def run(original: Path, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(original, store() / "run"))


def half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGE = {
    "weights cut": lambda run: half(run / "checkpoint-1" / "weights.safetensors"),
    "an experiment of the wrong shape": lambda run: (
        run / "checkpoint-1" / "experiment.json"
    ).write_text("[[]]"),
    "another file shown": lambda run: (run / "weights.safetensors").write_bytes(b"x"),
    "an experiment of a hostile name": lambda run: (
        run / "checkpoint-1" / "experiment.json"
    ).write_text('{"name": "\\u001b[31m"}'),
    "no checkpoint": lambda run: shutil.rmtree(run / "checkpoint-1"),
    "about cut": lambda run: half(run / "run.json"),
    "a link": lambda run: run.rename(run.parent / "real") and run.symlink_to(run.parent / "real"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_no_command_opens_a_damaged_run(damage, run, run_cli):
    DAMAGE[damage](run)
    before = tree(store())
    for command in COMMANDS:
        assert run_cli(*(word.replace("RUN", "run") for word in command)) == 2, command
        assert run_cli.out == "", command
        (line,) = run_cli.err.splitlines()
        assert line.isprintable() and "run" in line, command
        assert tree(store()) == before, command
        assert not Path("x.npz").exists()
    assert run_cli("runs") == 0
    assert run_cli.out.isprintable() or all(part.isprintable() for part in run_cli.out.split("\n"))


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda c: c[0])
@pytest.mark.parametrize("name", ["[red]x", "a\x1b]0;boo\x07", "a\nb"])
def test_a_hostile_name_is_harmless_in_what_is_printed(command, name, run, run_cli):
    """The name of the run, and that of its experiment, which has to be printable."""
    for file in run.rglob("experiment.json"):
        values = json.loads(file.read_text())
        file.write_text(json.dumps({**values, "name": "[red]x[/]"}))
    of_an_earlier_version(run, files={}, experiment=name, device=name)
    run.rename(store() / name)
    person = [word.replace("RUN", name) for word in command if word != "--json"]
    assert run_cli(*person) == 0
    for text in (run_cli.out, run_cli.err):
        assert not set(text) & set("\x1b\x07\x9b")
    if command[0] != "export":
        assert "[red]x[/], " in run_cli.out
    assert run_cli("runs") == 0 and not set(run_cli.out) & set("\x1b\x07\x9b")
    Path("x.npz").unlink(missing_ok=True)
    assert run_cli(*(word.replace("RUN", f"{name}?") for word in command)) == 2
    (line,) = run_cli.err.splitlines()
    assert line.isprintable() and "does not exist" in line


@for_each("name", ["..", "../runs/run", "../../etc", "/etc", "run/../../x", "a\0b"])
def test_no_name_leads_out_of_the_store(name, run, run_cli):
    """A path is one that a person wrote; but what lies there has to be a run."""
    (store().parent / "x").mkdir(exist_ok=True)
    before = tree(store().parent)
    for command in COMMANDS[:2]:
        wanted = 0 if name == "../runs/run" and Path(name).exists() else 2
        assert run_cli(*(word.replace("RUN", name) for word in command)) == wanted
        assert len(run_cli.err.splitlines()) == 1
    assert tree(store().parent) == before


def test_a_disk_that_is_full_is_told_while_training_goes_on(home):
    """A real process with a limit on the size of files."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tui_diffusion", "train", "naive-1d", "--json"),
            *("--set", "training.steps=400", "--device", "cpu"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),
    )
    assert done.returncode == 1
    assert '"steps": 400' in done.stdout and '"run": null' in done.stdout
    assert "File too large" in done.stderr and "Traceback" not in done.stderr
    assert list(store().iterdir()) == []


def test_a_store_that_goes_while_training_is_told(run_cli, monkeypatch):
    from tui_diffusion.core.runs import checkpointer as checkpoints
    from tui_diffusion.core.training.trainer import Trainer

    run = Trainer.run

    def vanishing(self, **how):
        for progress in run(self, every=50):
            yield progress
            if progress.step == 500:
                shutil.rmtree(store())

    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(Trainer, "run", vanishing)
    code = run_cli("train", "naive-1d", "--device", "cpu")
    assert code in (0, 1)
    assert "Traceback" not in run_cli.err
    if code:
        assert "cannot be written" in run_cli.err
    else:  # no checkpoint was there yet: the run came to be at the end
        assert [s.standing for s in list_runs()] == ["finished"]


@pytest.mark.parametrize(
    "name", ["SIGTERM", *(pytest.param(n, marks=pytest.mark.slow) for n in ("SIGINT", "SIGHUP"))]
)
def test_a_signal_leaves_the_terminal_of_a_training_as_it_was(name):
    number = getattr(signal, name)
    settings = ("--set", "training.steps=60000000", "--device", "cpu")
    with Terminal("train", "naive-1d", *settings, size=(80, 24)) as terminal:
        terminal.until(lambda: list_runs())
        terminal.send(number)
        assert terminal.wait() == 128 + number
        assert terminal.left_on() == []
        assert "go on with: diffusion-tui train --resume" in terminal.text.replace("\n", "")
        assert b"Traceback" not in terminal.sent
    (summary,) = list_runs()
    assert (summary.standing, summary.resumable) == ("stopped", True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_without_a_gpu_there_is_a_line(device, run, run_cli, home):
    before = tree(store())
    for command in (("train", "naive-1d"), ("train", "--resume", "run")):
        assert run_cli(*command, "--device", device, "--json") == 2
        (line,) = run_cli.err.splitlines()
        assert line.isprintable() and "device" in line and "allowed: auto, cpu" in line
    assert tree(store()) == before


# --- pickle ------------------------------------------------------------------------------------


def test_no_pickle_is_ever_read():
    """Nothing here imports pickle or calls torch.load, and numpy may load none."""
    for file in Path(tui_diffusion.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "marshal", "shelve", "dill", "joblib"}, file
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node.func)
            assert call not in ("torch.load", "eval", "exec", "pickle.loads"), file
            if call in ("np.load", "numpy.load", "np.save"):
                allowed = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert allowed.get("allow_pickle") == "False", f"{file}:{node.lineno}"
