"""A training killed at random opens, resumes and ends the same."""

import random
import subprocess
import sys

import pytest

KILLS = """
import os, random, signal, sys, time
import torch
from tui_diffusion.core.runs import checkpointer as checkpoints
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer, train

torch.set_num_threads(1)
checkpoints.SHARE = 1.0
experiment = get_preset("ddpm-multimodal").experiment.with_settings(
    {"training.steps": 4000, "training.batch": 16, "training.optimizer": "adam", "device": "cpu"}
)
folder = store() / "run"
rounds, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
*_, last = train(experiment)
expected = last.trainer.losses.tobytes()

def go_on():
    trainer = resume(open_run("run")) if folder.exists() else Trainer(experiment)
    with Checkpointer(trainer, folder, seconds=0) as keeper:
        keeper._due = 0
        for _ in trainer.run(every=10):
            keeper.offer()
        keeper.finish("finished")

resumed = finished = 0
while resumed < rounds:
    child = os.fork()
    if not child:
        try:
            go_on()
        finally:
            os._exit(0)
    time.sleep(chance.uniform(0.0, 0.35))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not folder.exists():
        assert all(s.standing == "half-written" for s in list_runs()), list_runs()
        continue
    (summary,) = [s for s in list_runs() if s.name == "run"]
    assert summary.standing in ("interrupted", "finished"), summary
    run = open_run("run")
    assert run.losses().tobytes() == expected[: 4 * run.step]
    if summary.standing == "finished":  # marked so, or killed between its last step and that
        assert run.step == 4000
        finished += 1
        from tui_diffusion.core.runs.store import delete_run
        delete_run("run")
    else:
        resumed += 1
        trainer = resume(run)
        assert trainer.step == run.step
if folder.exists():
    go_on()
    assert open_run("run").losses().tobytes() == expected
print(resumed, finished)
"""


def killed(rounds: int) -> list[int]:
    seed = random.randrange(10**6)
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(rounds), str(seed)],
        capture_output=True,
        text=True,
        timeout=220,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    return [int(word) for word in done.stdout.split()]


@pytest.mark.slow
def test_killed_at_random_it_opens_resumes_and_ends_the_same():
    assert killed(8)[0] == 8


@pytest.mark.slow
def test_killed_at_random_many_times():
    assert killed(60)[0] == 60
