"""A script that opens the lab in a terminal, and goes on afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..pseudo_terminal import Terminal

SCRIPT = """
import gc, json, os, signal, sys, threading, warnings
import torch
from tui_diffusion import lab
from tui_diffusion.core import get_preset

experiment = get_preset("naive-1d").experiment.with_settings({"sampling.points": 100})


def state():
    handlers = {int(n): repr(signal.getsignal(n)) for n in signal.valid_signals()}
    rest = [gc.isenabled(), gc.get_freeze_count(), torch.get_num_threads(), str(warnings.filters)]
    return [handlers, dict(os.environ), rest, torch.get_default_dtype()]


signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM came"))
before = state()
for number in (1, 2):
    result = lab.open(experiment)
    print(f"back in the script ({number})")
same, threads = state() == before, [t.name for t in threading.enumerate()]
with open(sys.argv[1], "w") as out:
    json.dump([same, threads, result.state, result.step, len(result.losses), repr(result)], out)
"""


@pytest.mark.slow
def test_a_script_opens_the_lab_and_goes_on_afterwards(tmp_path: Path, home: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out.json"
    script.write_text(SCRIPT)
    env = {"DIFFUSION_TUI_HOME": str(home)}
    with Terminal(str(script), str(out), program=Path(sys.executable), env=env) as terminal:
        terminal.until("level 10/10")
        terminal.go("left", "level 9/10")
        terminal.press("q")
        terminal.until(lambda: b"back in the script (1)" in terminal.sent)
        assert terminal.left_on() == []
        terminal.until("level 10/10")
        terminal.press("t")
        terminal.until("/1,000")
        terminal.send(signal.SIGTERM)
        terminal.until(lambda: b"back in the script (2)" in terminal.sent)
        terminal.ends_cleanly()
        # The script's own handler has received the signal that ended the lab.
        assert b"SIGTERM came" in terminal.sent
    same, threads, state, step, losses, text = json.loads(out.read_text())
    assert same and set(threads) <= {"MainThread", "measuring"}
    assert state in ("stopped", "finished") and step == losses > 0
    assert text.startswith("LabResult(experiment='naive-1d', state=")
    assert "run='naive-1d-" in text


_LEFT = """\
import threading, time
from tui_diffusion.lab.live.surroundings import put_back

def work():
    time.sleep(0.3)
    print("ended", flush=True)

with put_back():
    threading.Thread(target=work, daemon=True).start()
"""


def test_a_thread_that_computes_on_has_ended_before_the_script_does() -> None:
    """Within torch, Python's end of it would abort the process."""
    done = subprocess.run([sys.executable, "-c", _LEFT], capture_output=True, text=True, check=True)
    assert done.stdout == "ended\n"
