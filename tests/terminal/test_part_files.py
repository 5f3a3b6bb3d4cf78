"""Part files in the lab, in a real terminal: the documentation's example, failures, and runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui_diffusion import docs

from ..part_files import HEAD
from ..pseudo_terminal import Terminal

pytestmark = pytest.mark.slow

QUICK = (
    *("--set", "training.steps=60", "--set", "sampling.points=100"),
    *("--set", "device=cpu", "--set", "network.width=8"),
)
CHOSEN = {"data.name": "heart", "schedule.kind": "sine", "sampling.sampler": "midpoint"}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    blocks = re.findall(r"^```py\n(.*?)^```", docs.page("extending"), re.S | re.M)
    file = tmp_path / "my_parts.py"
    file.write_text(blocks[0])
    return file


def opened(*arguments: str) -> Terminal:
    terminal = Terminal(*arguments)
    terminal.until("idle")
    terminal.press("escape")  # the guide
    terminal.settle()
    return terminal


def test_the_example_of_the_documentation_in_the_lab(example: Path, home: Path) -> None:
    chosen = [word for path, name in CHOSEN.items() for word in ("--set", f"{path}={name}")]
    with opened("edm-moons", "--parts", str(example), *QUICK, *chosen) as lab:
        assert "heart" in lab.text and "dots" in lab.text
        lab.go("t", "finished")
        lab.settle()
        lab.go("c", "The code that runs")
        assert "def heart" in lab.text and "the outline of a heart" in lab.text
        lab.press("escape", "?")
        lab.until("Help")
        lab.settle()
        lab.press("end")
        lab.settle()
        for text in ("Follow the outline of a heart", "α = cos u, σ = sin u"):
            for _ in range(150):
                if text not in lab.text:
                    lab.press("up")
                    lab.settle(0.05)
            assert text in lab.text
        lab.press("escape")
        lab.settle()

        # The file is edited, and t trains with what is there now.
        text = example.read_text()
        example.write_text(text.replace("the outline of a heart", "what is new"))
        lab.go("t", "my_parts.py has changed and is loaded anew")
        lab.until("finished")
        lab.settle()
        lab.go("c", "what is new")
        lab.press("escape")
        example.write_text(text + "\nnowhere\n")
        line = len(text.splitlines()) + 2
        lab.go("t", f"my_parts.py, line {line}: NameError")
        assert "Not trained" in lab.text and "finished" in lab.text
        lab.press("q")
        assert lab.wait() == 0

    # Elsewhere: the run says what it would load, and loads it only after a yes.
    with opened("edm-moons") as lab:
        lab.go("r", "not loaded")
        lab.go("enter", "Load the code of this run?")
        assert "SHA-256" in lab.text and "bytes" in lab.text and "data.name = heart" in lab.text
        lab.press("escape")
        lab.settle()
        lab.go("r", "not loaded")
        lab.go("enter", "Load the code of this run?")
        lab.go("y", "finished")
        lab.until("heart")
        lab.press("q")
        assert lab.wait() == 0


def test_the_lab_goes_on_whatever_a_part_file_does(tmp_path: Path, home: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("print('on the screen?')\nimport sys\nsys.exit(4)\n")
    runs = tmp_path / "runs.py"
    runs.write_text(
        HEAD
        + '''
@sampler
def fails(x, level, denoiser):
    """Fail."""
    print("on the screen?")
    raise SystemExit(1)


@schedule
def endless(levels):
    """Never end."""
    while True:
        pass
'''
    )
    with opened("edm-1d", "--parts", str(broken), "--parts", str(runs), *QUICK) as lab:
        assert "broken.py, line 3: it calls sys.exit(4)" in lab.text
        lab.go("t", "finished")
        assert "on the screen?" not in lab.text
        lab.press("ctrl+c")
        assert lab.wait() == 0
    failing = ("--set", "sampling.sampler=fails")
    with Terminal("edm-1d", "--parts", str(runs), *QUICK, *failing) as lab:
        lab.until("idle")
        lab.press("escape", "i")
        lab.until("Sampling failed")
        lab.until("it calls sys.exit(1)")
        assert "on the screen?" not in lab.text
        lab.press("ctrl+c")
        assert lab.wait() == 0
    with Terminal("edm-1d", "--parts", str(runs), "--set", "schedule.kind=endless") as lab:
        lab.until("torch")
        lab.press("t", "tab", "down")
        lab.settle(1)
        lab.press("ctrl+c")
        assert lab.wait() == 0
