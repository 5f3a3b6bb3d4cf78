"""Checksums: a flipped bit anywhere in a run is noticed, and never gives another result."""

import json
import random
import shutil
from pathlib import Path

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.manifest import POINTS_FILE, checksum, read_about
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import RunError, open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs, summarise

from ..stored_runs import of_an_earlier_version
from ..trainings import trained

FILES = (
    *("run.json", "experiment.json", "metrics.json", POINTS_FILE),
    *("weights.safetensors", "state.safetensors", "losses.npy"),
)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A run of points from a file, half trained."""
    folder = tmp_path_factory.mktemp("checksums")
    (folder / "points.csv").write_text("0,1\n1,0\n-1,0.5\n", "utf-8")
    experiment = get_preset("naive-2d").experiment.with_settings(
        {
            "data.name": "file",
            "data.path": str(folder / "points.csv"),
            "device": "cpu",
            "training.steps": 20,
            "network.width": 8,
            "sampling.points": 50,
        }
    )
    metrics = {"sample": {"energy_distance": 1.5}}
    return save_run(folder / "run", trained(experiment, 10), "stopped", metrics)


@pytest.fixture
def run(original: Path) -> Path:
    """A copy of it in the store, whose two copies of each file are one, as in the original."""
    shutil.copytree(original, store() / "run")
    for file in (store() / "run" / "checkpoint-1").iterdir():
        (store() / "run" / file.name).unlink()
        (store() / "run" / file.name).hardlink_to(file)
    return store() / "run"


def flip(file: Path, bit: int) -> None:
    """Flip a bit in place, as a disk does."""
    with file.open("r+b") as opened:
        opened.seek(bit // 8)
        byte = opened.read(1)[0]
        opened.seek(bit // 8)
        opened.write(bytes([byte ^ 1 << bit % 8]))


def all_of(folder: Path) -> tuple[object, ...]:
    """Everything that is read of a run, but for its checksums."""
    opened = open_run(str(folder))
    about = vars(read_about(folder))
    tensors = resume(opened).state()
    values = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    weights = {k: v.numpy().tobytes() for k, v in opened.denoiser().network.state_dict().items()}
    points = (folder / POINTS_FILE).read_bytes()
    about = {name: value for name, value in about.items() if name != "checksums"}
    return about, opened.experiment, opened.metrics, values, weights, points


def test_every_file_of_a_run_has_a_checksum(run):
    checksums = json.loads((run / "run.json").read_text("utf-8"))["checksums"]
    assert checksums.keys() == set(FILES)
    for name in set(FILES) - {"run.json"}:
        assert checksums[name] == checksum((run / name).read_bytes())
    before = checksums[POINTS_FILE]
    save_run(run, resume(open_run("run")), "stopped")
    assert read_about(run).checksums[POINTS_FILE] == before


def test_a_flipped_bit_is_told_or_changes_nothing(run):
    whole, chance, told = all_of(run), random.Random(0), 0
    for name in FILES:
        bits = 8 * (run / name).stat().st_size
        for bit in {0, bits - 1, *(chance.randrange(bits) for _ in range(25))}:
            flip(run / name, bit)
            try:
                assert all_of(run) == whole, (name, bit)
            except RunError as error:
                told += 1
                assert str(error).isprintable()
                assert name in str(error)
                if name in ("run.json", "experiment.json"):
                    assert summarise(run).standing == "damaged", "what a list shows is checked"
            flip(run / name, bit)
    assert told > 6 * 20
    assert all_of(run) == whole


def test_a_run_without_checksums_opens_as_before(run):
    whole = all_of(run)
    of_an_earlier_version(run)
    assert all_of(run) == whole
    assert list_runs()[0].standing == "stopped"
    save_run(run, resume(open_run("run")), "stopped")
    assert read_about(run).checksums.keys() == set(FILES) - {"metrics.json"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("sample", "run", "--json"),
        ("evaluate", "run", "--json"),
        ("export", "run", "x.csv", "--force"),
        ("train", "--resume", "run", "--json"),
    ],
)
def test_no_command_gives_another_result_for_a_flipped_bit(command, run, run_cli, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    chance = random.Random(1)

    def result() -> tuple[int, object]:
        Path("x.csv").unlink(missing_ok=True)
        code = run_cli(*command)
        if code:
            assert run_cli.err.count("\n") == 1
            assert run_cli.out == ""
            return code, None
        written = Path("x.csv").read_bytes() if Path("x.csv").exists() else run_cli.out
        if command[0] == "train":
            report = json.loads(run_cli.out)
            written = [report[key] for key in ("loss", "sample", "steps")]
        return 0, written

    shutil.copytree(run, "kept")
    whole = result()
    assert whole[0] == 0
    for name in FILES:
        for _ in range(12):
            shutil.rmtree(run)
            shutil.copytree("kept", run)
            of_this = {run / name, *run.glob(f"*/{name}")}
            bit = chance.randrange(8 * (run / name).stat().st_size)
            for file in of_this:
                flip(file, bit)
            code, found = result()
            assert code == 2 or (code, found) == whole, (name, bit)
