"""Walks through the lab in a real pseudo-terminal, from start to a terminal left as it was."""

import os
import re
import signal
import sys

import pytest

from tui_diffusion.core.runs.store import list_runs

from .. import stored_runs as stored

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal"),
    pytest.mark.timeout(240),
]
if sys.platform != "win32":
    from ..pseudo_terminal import Terminal

WIDE, NARROW = (120, 40), (80, 24)
SEVEN = {
    "naive-1d": 10,
    "naive-2d": 10,
    "naive-multimodal": 20,
    "ddpm-1d": 10,
    "ddpm-1d-per-level": 8,
    "ddpm-multimodal": 20,
    "ddpm-1d-detailed": 9,
}
"""Each of the post's experiments with its number of levels."""


def started(*args, size=WIDE, **options):
    """The lab with its first picture."""
    terminal = Terminal(*args, size=size, **options)
    terminal.until("idle")
    return terminal


@pytest.mark.slow
def test_a_field_emptied_and_filled_in_one_burst_keeps_the_text():
    with started("ddpm-multimodal") as terminal:
        terminal.press("tab")
        terminal.press("down", "down", "down", "down")
        terminal.until("data.std  ")
        terminal.press("\r\x15" + "0.25\x7f" + "7\r")
        terminal.until("0.01 → 0.27")
        terminal.press("q")
        terminal.ends_cleanly()


def step_there_and_back(terminal, levels):
    terminal.go("home", f"level 0/{levels} ")
    for level in range(1, levels + 1):
        terminal.go("right", f"level {level}/{levels} ")
    for level in range(levels - 1, -1, -1):
        terminal.go("left", f"level {level}/{levels} ")
    terminal.go("end", f"level {levels}/{levels} ")


@pytest.mark.parametrize(
    "size",
    [pytest.param(WIDE, marks=pytest.mark.slow, id="wide"), pytest.param(NARROW, id="narrow")],
)
def test_choose_set_train_step_and_leave(size):
    narrow = size == NARROW
    with started(size=size) as terminal:
        terminal.until("level 10/10 ")
        if narrow:
            terminal.go("1", "Hyperparameters")
        for name in ("naive-2d", "naive-multimodal", "ddpm-1d"):
            terminal.go("down", f" {name} ")
        terminal.press("enter")
        terminal.until("idle")
        terminal.press("tab")
        while "training.steps" not in terminal.text:
            terminal.press("down")
            terminal.settle()
        # All at once, as a slow line delivers it.
        terminal.press("\r400\r")
        terminal.until("1 changed")
        terminal.press("t")
        terminal.until("finished")
        terminal.until("step 400/400")
        if narrow:
            terminal.go("3", "Denoising")
        terminal.until("network, step 400")
        step_there_and_back(terminal, 10)
        assert "finished" in terminal.text
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        pytest.param(
            name,
            (WIDE, NARROW)[index % 2],
            marks=[] if name == "ddpm-1d-per-level" else pytest.mark.slow,
            id=name,
        )
        for index, name in enumerate(SEVEN)
    ],
)
def test_every_experiment_is_trained_to_its_end_and_stepped(name, size):
    with started(name, "--set", "training.steps=300", size=size) as terminal:
        levels = SEVEN[name]
        terminal.until(f"level {levels}/{levels} ")
        terminal.press("t")
        terminal.until("finished")
        terminal.until("step 300/300")
        terminal.until("network, step 300")
        step_there_and_back(terminal, levels)
        terminal.press("q")
        terminal.ends_cleanly()


LONG = ("naive-1d", "--set", "training.steps=50000000")


def in_mid_training(**options):
    terminal = started(*LONG, **options)
    terminal.press("t")
    terminal.until(lambda: re.search(r"training +step \d", terminal.text))
    return terminal


@pytest.mark.parametrize("key", ["q", pytest.param("ctrl+c", marks=pytest.mark.slow)])
def test_leaving_in_mid_training(key):
    with in_mid_training() as terminal:
        terminal.press(key)
        terminal.ends_cleanly()


def test_leaving_while_torch_loads():
    with Terminal() as terminal:
        terminal.until("q quit")
        terminal.press("q")
        terminal.ends_cleanly()


def test_keys_answer_while_torch_loads():
    with Terminal("ddpm-1d") as terminal:
        terminal.until("level 10/10")
        terminal.go("home", "level 0/10")
        terminal.go("l", "level 1/10")
        terminal.until("idle")
        assert "level 1/10" in terminal.text
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_leaving_after_an_open_field():
    with started() as terminal:
        terminal.go("tab", "data.name")
        terminal.go("down", "data.means")
        terminal.go("\rqq", "'qq'")  # letters, not keys of the lab
        terminal.press("escape")
        terminal.until(lambda: "'qq'" not in terminal.text)
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name
)
def test_a_signal_in_mid_training_leaves_a_clean_terminal_and_a_checkpoint(number):
    with in_mid_training(size=NARROW) as terminal:
        terminal.send(number)
        terminal.ends_cleanly(128 + number)
    (summary,) = list_runs()
    assert (summary.standing, summary.resumable) == ("stopped", True)


@pytest.mark.slow
def test_a_rate_of_1e9_is_a_banner_and_the_lab_lives():
    with started("naive-1d", "--set", "training.lr=1e9") as terminal:
        terminal.press("t")
        terminal.until("diverged")
        terminal.until("is not finite")
        terminal.go("home", "level 0/10 ")
        terminal.go("l", "level 1/10 ")
        assert "diverged" in terminal.screen.display[0]
        assert re.search(r"step \d+/1,000", terminal.screen.display[0])
        terminal.press("q")
        terminal.ends_cleanly()


@pytest.mark.slow
def test_sizes_in_mid_training():
    with in_mid_training() as terminal:
        terminal.go("home", "level 0/10 ")
        terminal.go("l", "level 1/10 ")
        terminal.resize(*NARROW)
        terminal.until(lambda: "1 setup" in terminal.text and "level 1/10" in terminal.text)
        terminal.resize(50, 12)
        terminal.until(lambda: "60×18" in terminal.text and "50×12" in terminal.text)
        terminal.resize(*WIDE)
        terminal.until(lambda: "Hyperparameters" in terminal.text and "Loss" in terminal.text)
        # The status line is drawn on its own, before or after the panel.
        terminal.until("level 1/10")
        terminal.until(lambda: re.search(r"training +step \d", terminal.text))
        terminal.go("l", "level 2/10 ")
        terminal.press("q")
        terminal.ends_cleanly()


# --- terminals -------------------------------------------------------------------------------

TRUECOLOUR = {"COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("term", "env"),
    [
        pytest.param("linux", {}, marks=pytest.mark.slow, id="linux"),
        pytest.param("xterm", {}, marks=pytest.mark.slow, id="xterm"),
        pytest.param("screen", {}, marks=pytest.mark.slow, id="screen"),
        pytest.param("tmux-256color", {}, marks=pytest.mark.slow, id="tmux-256color"),
        pytest.param("xterm-256color", {}, marks=pytest.mark.slow, id="xterm-256color"),
        pytest.param("xterm-kitty", {}, marks=pytest.mark.slow, id="xterm-kitty"),
        pytest.param("alacritty", {}, marks=pytest.mark.slow, id="alacritty"),
        pytest.param("alacritty", TRUECOLOUR, marks=pytest.mark.slow, id="alacritty truecolour"),
        pytest.param("screen", TRUECOLOUR, marks=pytest.mark.slow, id="screen truecolour"),
        pytest.param("xterm", {"LC_ALL": "C"}, marks=pytest.mark.slow, id="xterm in a C locale"),
        pytest.param("vt100", {}, marks=pytest.mark.slow, id="vt100"),
        pytest.param("unheard-of", {}, marks=pytest.mark.slow, id="unheard-of"),
    ],
)
def test_every_terminal_starts_steps_and_leaves(term, env):
    with started(term=term, env=env, size=NARROW) as terminal:
        terminal.until("level 10/10 ")
        terminal.go("home", "level 0/10 ")
        terminal.press("q")
        terminal.ends_cleanly()


def hues(sent):
    """What of the output is a colour and no grey."""
    found = set()
    for codes in re.findall(rb"\x1b\[([0-9;]*)m", sent):
        kinds = [int(code or 0) for code in codes.split(b";")]
        while kinds:
            kind, *kinds = kinds
            if kind in (38, 48) and kinds[0] == 2:
                if len(set(kinds[1:4])) > 1:
                    found.add(tuple(kinds[1:4]))
                kinds = kinds[4:]
            elif kind in (38, 48):
                if 16 <= kinds[1] < 232 and kinds[1] not in range(16, 232, 43):
                    found.add(kinds[1])
                kinds = kinds[2:]
            elif kind in {*range(31, 37), *range(41, 47), *range(91, 97), *range(101, 107)}:
                found.add(kind)
    return found


@pytest.mark.slow
def test_colour_is_used_where_there_is_some():
    with started(env={"COLORTERM": "truecolor"}, size=NARROW) as terminal:
        terminal.press("q")
        terminal.ends_cleanly()
    assert len(hues(terminal.sent)) >= 3


@pytest.mark.parametrize(
    ("args", "env"),
    [
        pytest.param((), {"LC_ALL": "C"}, id="locale C"),
        pytest.param(("--ascii",), {}, marks=pytest.mark.slow, id="--ascii"),
        pytest.param((), {"TERM": "vt220"}, marks=pytest.mark.slow, id="vt220"),
    ],
)
def test_ascii_alone_where_nothing_else_can_be_shown(args, env):
    with started("naive-2d", "--set", "training.steps=200", *args, env=env) as terminal:
        terminal.until("level 10/10 ")
        terminal.press("v", "v", "t")
        terminal.until("finished")
        terminal.go("?", "escape closes")
        terminal.press("q")
        terminal.until(lambda: "escape closes" not in terminal.text)
        terminal.go("home", "level 0/10 ")
        terminal.press("q")
        terminal.ends_cleanly()
    beyond = re.findall(rb"[^\x00-\x7f]+", terminal.sent)
    assert beyond == []


def test_without_a_terminal_it_is_one_line():
    import subprocess
    from pathlib import Path

    program = Path(sys.executable).with_name("diffusion-tui")
    ended = subprocess.run(
        [program], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=dict(os.environ)
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "needs a terminal" in ended.stderr


def type_over(terminal, text):
    """Put a text into the field that has the focus, in the place of what is there."""
    terminal.press("\x15")
    terminal.settle()
    terminal.press(text)
    terminal.until(f" {text} ")
    terminal.press("enter")


@pytest.mark.slow
def test_train_compare_go_on_and_leave(tmp_path, monkeypatch):
    """A training of the lab beside an older run at 80×24; it goes on beyond its end, twice."""
    home = {"DIFFUSION_TUI_HOME": str(tmp_path)}
    monkeypatch.setenv(*next(iter(home.items())))
    stored.of_a_time(stored.run("first"), "2020-01-01T00:00:00+00:00")
    settings = ("--set", "training.steps=300", "--set", "device=cpu")
    with started("naive-1d", *settings, size=NARROW, env=home) as terminal:
        terminal.go("t", "step 300/300")
        terminal.until("finished")
        terminal.go("r", "2 runs")
        # Measured beside the lab, and seen without a key.
        terminal.until(lambda: re.search(r"finished +\d\S+ +now", terminal.text))
        terminal.go("home", "naive-1d-2")
        terminal.go("m", "New name")
        type_over(terminal, "second")
        terminal.until("second  naive-1d, steps 300, device cpu  seed 0")
        terminal.press("  d")
        terminal.until("times the floor")
        terminal.go("2", "B  level 10/10")
        terminal.go("home", "A  level 0/10")
        terminal.until("B  level 0/10")
        terminal.go("right", "B  level 1/10")
        terminal.go("3", "energy distance")
        terminal.press("q")
        terminal.until("goes on")
        terminal.go("home", "second  naive-1d, steps 300, device cpu  seed 0")
        terminal.go("g", "has finished its 300 steps")
        type_over(terminal, "500")
        terminal.until("step 500/500")
        terminal.until("finished")
        terminal.press("q")
        terminal.ends_cleanly()
    settings = ("--resume", "second", "--set", "training.steps=600")
    with Terminal("train", *settings, size=NARROW, env=home) as terminal:
        terminal.until("energy distance")
        assert "600 steps" in terminal.text
