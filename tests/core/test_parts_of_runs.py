"""Runs keep the part files that they use, and load none of them by themselves."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from tui_diffusion.core import Trainer, get_preset, open_run, resume, save_run
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.parts.registries import REGISTRIES
from tui_diffusion.core.runs.changes import changes_of
from tui_diffusion.core.runs.manifest import MissingPartError, RunError, signed
from tui_diffusion.core.runs.store import summarise
from tui_diffusion.parts import load_parts

from ..part_files import restored, written

TEXT = '''
@sampler
def drift(x, level, denoiser, strength: float = 1.0):
    """Go on."""
    p = denoiser(x, level)
    return level.alpha_next * p.x0_hat + level.sigma_next * p.eps_hat
'''
SETTINGS = {"sampling.sampler": "drift", "sampling.strength": 2, "training.steps": 6}


def trained(folder, file, steps=3):
    """A run of a sampler of ``file``, three of its six steps done."""
    load_parts(file)
    small = {"sampling.points": 20, "device": "cpu", "training.batch": 8}
    trainer = Trainer(get_preset("edm-moons").experiment.with_settings({**SETTINGS, **small}))
    next(trainer.run(every=steps))
    return save_run(folder, trainer, "stopped"), trainer


def test_a_run_keeps_the_part_files_that_it_uses(tmp_path):
    with restored():
        file = written(tmp_path, TEXT)
        folder, trainer = trained(tmp_path / "run", file)
        assert (folder / "my_parts.py").read_bytes() == file.read_bytes()
        digest = sha256(file.read_bytes()).hexdigest()
        about = json.loads((folder / "run.json").read_text())
        assert about["parts"] == [
            {
                "name": "my_parts.py",
                "sha256": digest,
                "size": file.stat().st_size,
                "parts": {"sampling.sampler": "drift"},
            }
        ]
        assert about["checksums"]["my_parts.py"] == digest
        run = open_run(folder)
        assert run.experiment == trainer.experiment and run.changed_parts == ()
        assert summarise(folder).missing == ""
        assert changes_of([summarise(folder)])[folder].values["sampling.strength"] == 2
        again = resume(run)
        [*_, end] = again.run()
        assert end.status == "finished"
        save_run(folder, again, "finished")
        assert sorted(f.name for f in folder.glob("*.py")) == ["my_parts.py"]

        # The file has changed since: both checksums are said.
        written(tmp_path, TEXT + "# changed\n")
        load_parts(file)
        new = sha256(file.read_bytes()).hexdigest()
        (line,) = open_run(folder).changed_parts
        assert digest[:12] in line and new[:12] in line and "sampler 'drift' has changed" in line


def test_a_run_whose_part_is_missing_says_what_it_would_load_and_loads_nothing(tmp_path):
    with restored():
        folder, _ = trained(tmp_path / "run", written(tmp_path, TEXT))
    digest = sha256((folder / "my_parts.py").read_bytes()).hexdigest()
    with pytest.raises(MissingPartError) as error:
        open_run(folder)
    assert error.value.kept.settings == "sampling.sampler = drift"
    message, copy = str(error.value), folder / "my_parts.py"
    assert "sampler 'drift' is not loaded" in message and str(copy) in message
    assert f"({copy.stat().st_size:,} bytes, SHA-256 {digest[:12]}…)" in message
    assert "drift" not in REGISTRIES["sampler"]
    summary = summarise(folder)
    assert summary.missing == "not loaded: sampler 'drift' of my_parts.py"
    assert summary.whole and changes_of([summary])[folder].settings["sampling.sampler"] == "drift"
    with restored():
        load_parts(error.value.checked_copy().path)
        assert open_run(folder).experiment.sampling.strength == 2
    copy.write_text(copy.read_text() + "# changed")
    with pytest.raises(ConfigError, match="has changed: its SHA-256 was"):
        error.value.checked_copy()


def test_wrong_parts_in_run_json_are_a_line(tmp_path):
    with restored():
        folder, _ = trained(tmp_path / "run", written(tmp_path, TEXT))
        about = json.loads((folder / "run.json").read_text())
        good = about["parts"][0]
        for wrong in (
            "x", [1], [{}], [good] * 6, [{**good, "name": "../x.py"}], [{**good, "size": -1}],
            [{**good, "parts": {"training.lr": "x"}}], [{**good, "parts": {"data.name": 3}}],
        ):  # fmt: skip
            checksums = {n: v for n, v in about["checksums"].items() if n != "run.json"}
            values = signed({**about, "parts": wrong, "checksums": checksums})
            (folder / "run.json").write_text(json.dumps(values))
            with pytest.raises(RunError, match=r"run\.json"):
                open_run(folder)
            assert summarise(folder).standing == "damaged"
