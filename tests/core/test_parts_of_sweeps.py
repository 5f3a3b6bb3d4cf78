"""Sweeps with parts from files: workers know them, and the sweep keeps them."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.parts.loading import load_parts
from tui_diffusion.core.parts.registries import REGISTRIES
from tui_diffusion.core.runs.manifest import MissingPartError, RunError
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.sweeps.engines.processes import Processes
from tui_diffusion.core.sweeps.packing import pack, unpack
from tui_diffusion.core.sweeps.results import sweep_results
from tui_diffusion.core.sweeps.run import run_sweep
from tui_diffusion.core.sweeps.store import create_sweep, read_sweep
from tui_diffusion.core.sweeps.sweep import Sweep
from tui_diffusion.core.training.stacked.grouping import group
from tui_diffusion.core.training.trainer import train

from ..part_files import restored, written
from ..sweeps import Inline, carried_out, small

TEXT = '''
@dataset
def heart(turn: Annotated[float, Field(ge=0, le=9)] = 0.0):
    """A heart."""
    t = turn + torch.linspace(0, 6, 40, dtype=torch.float64)
    return torch.stack([t.sin() ** 3, t.cos() - (2 * t).cos()], 1)

@sampler(methods=["edm"])
def drift(x, level, denoiser, strength: float = 1.0):
    """Go on."""
    p = denoiser(x, level)
    return level.alpha_next * p.x0_hat + strength * level.sigma_next * p.eps_hat

@sampler(methods=["edm"])
def halt(x, level, denoiser):
    """Stay."""
    denoiser(x, level)
    return x

@network
class tiny(torch.nn.Linear):
    """Ignore the level."""
    def __init__(self, dim: int):
        super().__init__(dim, dim)
    def forward(self, x, c):
        return super().forward(x)

@method(schedule="karras", sampler="euler")
class noise:
    """Predict the noise."""
    def condition(self, level): return level.sigma
    def target(self, x0, eps, level): return eps
    def to_prediction(self, x, output, level): return output
'''


def hearts(*axes: str, **settings: object):
    changes = {"data.name": "heart", "training.steps": 40, **settings}
    return small(*axes, preset="edm-moons", seeds=1, **changes)


@pytest.mark.slow
def test_a_sweep_over_the_parameter_of_a_part_is_carried_out_and_resumed(home, tmp_path):
    with restored():
        file = written(tmp_path, TEXT)
        content = file.read_bytes()
        load_parts(file)
        file.write_text("1 / 0")  # workers get the file as it was loaded
        sweep = hearts("data.turn=0,1,2")
        stored = create_sweep(sweep)
        assert carried_out(stored, Inline(lambda name: name.startswith(("2", "3")))).done == 1
        *_, last = run_sweep(read_sweep(stored.folder), Processes(1))
        assert (last.done, last.failed) == (3, 0), last.stored.faults
        for training in sweep.trainings():
            opened = open_run(stored.run_folder(training))
            *_, expected = train(training.experiment)
            assert opened.experiment == training.experiment
            assert opened.losses().tobytes() == expected.trainer.losses.tobytes()

        # The sweep names the file and keeps it; the copy is enough.
        digest = sha256(content).hexdigest()
        (entry,) = json.loads((stored.folder / "sweep.json").read_text())["parts"]
        parts = {"data.name": "heart"}
        assert entry == {
            "name": "my_parts.py", "sha256": digest, "size": len(content), "parts": parts
        }  # fmt: skip
        copy = stored.folder / "my_parts.py"
        assert copy.read_bytes() == content

    with pytest.raises(MissingPartError) as error:
        run_sweep(read_sweep(stored.folder))
    assert str(error.value) == (
        f"sweep {stored.name}: data set 'heart' is not loaded; the sweep keeps it in my_parts.py "
        f"({len(content):,} bytes, SHA-256 {digest[:12]}…); allowed: {copy}"
    )
    assert "heart" not in REGISTRIES["dataset"]
    with restored():
        load_parts(error.value.checked_copy().path)
        assert [cell.done for cell in sweep_results(read_sweep(stored.folder)).cells] == [1, 1, 1]

    # Another file has taken its place: the results can be read, but nothing is added to them.
    with restored():
        load_parts(written(tmp_path, TEXT + "# changed\n"))
        new = sha256((tmp_path / "my_parts.py").read_bytes()).hexdigest()
        again = read_sweep(stored.folder)
        (line,) = again.changed_parts
        assert digest[:12] in line and new[:12] in line and "changed since the sweep" in line
        assert sweep_results(again).cells[0].done == 1
        with pytest.raises(RunError) as changed:
            run_sweep(again)
        assert line in str(changed.value) and str(copy) in str(changed.value)


def test_several_parts_of_one_field_are_kept_and_runs_carry_their_file(home, tmp_path):
    with restored():
        load_parts(written(tmp_path, TEXT))
        sweep = small("sampling.sampler=drift,halt,heun", preset="edm-moons", seeds=1)
        executor = Inline()
        last = carried_out(sweep, executor)
        assert (len(executor.names), last.done, last.failed) == (1, 1, 0), last.stored.faults
        (kept,) = read_sweep(last.stored.folder).parts
        assert kept.parts == {"sampling.sampler": ("drift", "halt")}

        # A packed run holds the file, and is refused with another one.
        (training,) = sweep.trainings()
        files = pack(last.stored.run_folder(training))
        assert files["my_parts.py"] == (tmp_path / "my_parts.py").read_bytes()
        for bad in (
            {**files, "my_parts.py": b"1 / 0"},
            {**files, "evil.py": b""},
            {name: content for name, content in files.items() if name != "my_parts.py"},
        ):
            with pytest.raises(RunError, match=r"its part file '.*' is not that of run\.json"):
                unpack(bad, tmp_path / "other")
    with pytest.raises(MissingPartError, match="sampler 'drift' is not loaded"):
        _ = read_sweep(last.stored.folder).sweep


def test_a_network_or_a_method_of_a_file_is_trained_singly(tmp_path):
    with restored():
        load_parts(written(tmp_path, TEXT))
        sweep = hearts("network.name=mlp,tiny", "training.lr=1e-3,1e-2")
        grouped = group([training.experiment for training in sweep.trainings()])
        assert grouped.stacks == [[0, 1]]
        assert set(grouped.single.values()) == {
            "network.name: 'tiny' is not built in; allowed in a stack: mlp"
        }
        sweep = hearts("training.lr=1e-3,1e-2", **{"method.name": "noise"})
        grouped = group([training.experiment for training in sweep.trainings()])
        assert (
            "method.name: 'noise' is not built in; allowed in a stack: naive, "
            in (grouped.single[0])
        )


def test_wrong_parts_in_sweep_json_are_a_line(home):
    stored = create_sweep(small())
    whole = json.loads((stored.folder / "sweep.json").read_text())
    assert whole["parts"] == []
    for wrong in (3, [1], [{"name": "../x.py", "sha256": "0", "size": 1, "parts": {}}]):
        (stored.folder / "sweep.json").write_text(json.dumps({**whole, "parts": wrong}))
        with pytest.raises(RunError, match=r"sweep\.json cannot be read"):
            read_sweep(stored.folder)
    del whole["parts"]  # as in a sweep of an earlier version
    (stored.folder / "sweep.json").write_text(json.dumps(whole))
    assert read_sweep(stored.folder).sweep.trainings() == small().trainings()


def test_a_mixture_of_a_script_is_refused_before_anything_is_written(home):
    base = small().base
    data = base.data.with_given(GaussianMixture([[0.0], [1.0]], 0.1))
    sweep = Sweep(base.model_copy(update={"data": data}), {"training.lr": [1e-3, 1e-2]})
    with pytest.raises(ConfigError, match="a mixture that a script has given cannot be written"):
        run_sweep(sweep)
    assert not (home / "sweeps").exists() or not [*(home / "sweeps").iterdir()]
