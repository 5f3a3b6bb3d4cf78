"""The lab in a real pseudo-terminal: first paint, keys, bytes, and training beside headless."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from tests.bench.table import budget, show
from tests.program import PROGRAM
from tests.pseudo_terminal import KEYS, Terminal

TRUE = {"COLORTERM": "truecolor", "PYTHONDONTWRITEBYTECODE": ""}
"""As on a person's machine: all the colours, and modules compiled once."""

HEADLESS = os.environ | TRUE | {"OMP_NUM_THREADS": "1"}
"""What is measured beside the lab has the threads that a `Terminal` gives it."""


@contextmanager
def _lab(*args: str, size: tuple[int, int] = (120, 40)) -> Iterator[Terminal]:
    """The lab as on a person's second day: the guide has been seen, nothing else is left behind."""
    with TemporaryDirectory() as home:
        Path(home, "settings.toml").write_text("[place]\nguided = true\n")
        with Terminal(*args, size=size, env=TRUE | {"DIFFUSION_TUI_HOME": home}) as terminal:
            yield terminal


def run(rounds: int) -> None:
    """Print every table."""
    first_paint(rounds)
    key_while_loading(rounds)
    training_rate(min(rounds, 3))
    keys()
    traffic()


def _timed(done: Callable[[], object]) -> float:
    began = time.perf_counter()
    done()
    return time.perf_counter() - began


def _painted(terminal: Terminal) -> None:
    """Read until the first whole screen has come."""
    while b"quit" not in terminal.sent:  # the footer is painted last
        terminal.read()


def first_paint(rounds: int) -> None:
    """From the start of the process to the first whole screen, against importing torch alone."""

    def paint() -> None:
        with _lab() as terminal:
            _painted(terminal)

    def torch() -> None:
        subprocess.run([sys.executable, "-c", "import torch"], check=True, env=HEADLESS)

    paint(), torch()
    paints, imports = [], []
    for _ in range(rounds):
        paints.append(_timed(paint))
        imports.append(_timed(torch))
    ratio = median(p / i for p, i in zip(paints, imports, strict=True))
    budget("first paint over `import torch`", f"{ratio:.2f}", "< 0.4", ratio < 0.4)
    show(
        "First paint of the lab",
        ("", "first paint", "import torch", "ratio"),
        [("120×40", f"{median(paints):.2f} s", f"{median(imports):.2f} s", f"{ratio:.2f}")],
    )


def key_while_loading(rounds: int) -> None:
    """From a key sent at the first paint to the changed screen, while a thread imports torch."""
    keys, rows = (("down", KEYS["down"], "naive-2d"), ("?", "?", "escape closes")), []
    for key, sent, text in keys:
        waits, early = [], 0
        for _ in range(rounds):
            with _lab("naive-1d") as terminal:
                _painted(terminal)
                waits.append(_answer(terminal, sent, text))
                early += "loading" in terminal.text
        told = f"{early} of {rounds}"
        budget(f"{key} answered before torch is there", told, "all", early == rounds)
        rows.append((key, f"{1000 * median(waits):.0f} ms", f"{1000 * max(waits):.0f} ms", told))
    show(
        "A key at the first paint to the changed screen",
        ("", "median", "most", "while torch loads"),
        rows,
    )


_STRETCH = 5.0
"""Seconds over which the training in the lab is measured."""


def _steps(terminal: Terminal) -> int:
    found = re.search(r"step ([\d,]+)/", terminal.text)
    return int(found[1].replace(",", "")) if found else 0


def rate_in_lab(experiment: str, steps: int, device: str = "auto") -> float:
    """Steps a second over a stretch of a training, with the loss showing.

    Meanwhile nothing is emulated: a terminal is at work elsewhere, and its part of this machine
    would be missing to the lab.
    """
    settings = ("--set", f"training.steps={steps}", "--set", f"device={device}")
    with _lab(experiment, *settings) as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.until(lambda: _steps(terminal) > steps // 20, 120)
        first, began = _steps(terminal), time.perf_counter()
        came: list[tuple[float, bytes]] = []
        while time.perf_counter() < began + _STRETCH:
            if select.select([terminal.master], [], [], 0.1)[0]:
                data = os.read(terminal.master, 65_536)
                came.append((time.perf_counter(), data))
        for _, data in came:
            terminal.take(data)
        last = _steps(terminal)
        assert first < last < steps, "the training was over too soon"
        return (last - first) / (came[-1][0] - began)


def rate_headless(experiment: str, steps: int, device: str = "auto") -> float:
    """Steps a second of a training without the lab, of a third of the steps."""
    command = [*PROGRAM, "train", experiment, "--no-save", "--json", "--device", device]
    done = subprocess.run(
        [*command, "--set", f"training.steps={steps // 3}"],
        capture_output=True,
        text=True,
        check=True,
        env=HEADLESS,
    )
    return float(json.loads(done.stdout)["steps_per_second"])


def training_rate(rounds: int) -> None:
    """In the lab against headless, in turns."""
    rows = []
    for experiment, steps in (("ddpm-1d", 500_000), ("ddpm-multimodal", 500_000)):
        labs, heads = [], []
        for _ in range(rounds):
            labs.append(rate_in_lab(experiment, steps))
            heads.append(rate_headless(experiment, steps))
        ratio = median(a / b for a, b in zip(labs, heads, strict=True))
        budget(
            f"{experiment}: training in the lab over headless", f"{ratio:.2f}", "> 0.9", ratio > 0.9
        )
        rows.append(
            (experiment, f"{median(labs):,.0f}/s", f"{median(heads):,.0f}/s", f"{ratio:.2f}")
        )
    show(
        "Training in the lab at 120×40",
        ("", "in the lab", "headless", "ratio"),
        rows,
    )


def _answer(terminal: Terminal, key: str, text: str) -> float:
    """Seconds from a key until all has come of what shows a text.

    What comes is taken with its time and shown only when it stops: the emulator here is slower
    than the lab and would be measured with it.
    """
    came: list[tuple[float, bytes]] = []
    began = time.perf_counter()
    os.write(terminal.master, key.encode())
    while True:
        while select.select([terminal.master], [], [], 0.02)[0]:
            data = os.read(terminal.master, 65_536)
            came.append((time.perf_counter(), data))
        assert time.perf_counter() < began + 60, terminal.text
        for at, (_, data) in enumerate(came):  # noqa: B007
            terminal.take(data)
            if text in terminal.text:
                break
        else:
            came.clear()
            continue
        end = came[at][0]
        for stamp, data in came[at + 1 :]:  # the rest of the same drawing
            terminal.take(data)
            end = stamp if stamp - end < 0.003 else end
        return end - began


def keys() -> None:
    """From a key to the changed screen at 120×40.

    While training the lab shows 2,000 of the network's points, and all of the ideal denoiser's.
    """
    rows = []
    for state, sent, wished, points in (
        ("idle", "", 1_000, 1_000),
        ("idle", "", 1_000_000, 1_000_000),
        ("while training", "t", 100_000, 2_000),
        ("while training, ideal denoiser", "ti", 100_000, 100_000),
    ):
        waits = _step_waits(sent, wished)
        p95 = quantiles(waits, n=20)[18]
        if sent:
            what = f"a key {state}, {points:,} points, 95 %"
            budget(what, f"{1000 * p95:.0f} ms", "< 50 ms", p95 < 0.05)
        rows.append(
            (state, f"{points:,}", f"{1000 * median(waits):.0f} ms", f"{1000 * p95:.0f} ms")
        )
    show("A key to the changed screen at 120×40", ("", "points", "median", "95 %"), rows)


def _step_waits(sent: str, points: int) -> list[float]:
    """Seconds that each of 120 steps takes to be seen, to and fro, after these keys."""
    waits = []
    settings = ("--points", str(points), "--set", "training.steps=2000000")
    with _lab("ddpm-multimodal", *settings) as terminal:
        terminal.until("idle")
        if "t" in sent:
            terminal.go("t", "training")
            terminal.until(lambda: _steps(terminal) > 1000)
        if "i" in sent:
            terminal.go("i", "ideal denoiser")
        terminal.until("exact ")
        terminal.go("home", "level 0/20")
        for turn in range(120):
            key, level = ("l", turn % 20 + 1) if turn // 20 % 2 == 0 else ("h", 19 - turn % 20)
            waits.append(_answer(terminal, key, f"level {level}/20"))
            terminal.read(0.05)
        assert "t" not in sent or " left" in terminal.text, "the training was over too soon"
    return waits


def traffic() -> None:
    """Bytes sent at 80×24: a step, a loss tick, and nothing at all."""
    with _lab("ddpm-multimodal", "--points", "2000", size=(80, 24)) as terminal:
        terminal.until("idle")
        terminal.go("home", "level 0/20")
        terminal.settle()
        steps = _bytes_of_steps(terminal, "level {}/20")
        before = len(terminal.sent)
        terminal.read(3.0)
        idle = len(terminal.sent) - before
    settings = ("--set", "training.steps=2000000")
    with _lab("ddpm-multimodal", *settings, size=(80, 24)) as terminal:
        terminal.until("idle")
        terminal.press("t")
        terminal.press("2")  # the loss, large
        terminal.until(lambda: _steps(terminal) > 4000 and "floor" in terminal.text)
        end = time.monotonic() + 2
        while time.monotonic() < end:  # what the other panel left is drawn over
            terminal.read(0.1)
        bursts = []
        end = time.monotonic() + 24
        while time.monotonic() < end:
            before = len(terminal.sent)
            if terminal.read(0.5):
                while terminal.read(0.02):
                    pass
                bursts.append(len(terminal.sent) - before)
    rival = _rival_steps()
    tick = quantiles(bursts, n=20)[18]  # the most is when the axis moves, a few times a training
    for what, most, allowed in (
        ("a step of 2,000 points", max(steps), 4000),
        ("a loss tick, 95 %", tick, 600),
        ("an idle lab", idle, 1),
    ):
        budget(f"bytes of {what}", f"{most:,.0f}", f"< {allowed:,}", most < allowed)
    show(
        "Bytes to the terminal at 80×24",
        ("", "mean", "most"),
        [
            ("a step of 2,000 points", f"{sum(steps) / 20:,.0f}", f"{max(steps):,}"),
            ("a loss tick", f"{sum(bursts) / len(bursts):,.0f}", f"{max(bursts):,}"),
            ("idle for 3 s", f"{idle:,}", f"{idle:,}"),
            ("the same step by textual-plotext", f"{sum(rival) / len(rival):,.0f}",
             f"{max(rival):,}"),
        ],
    )  # fmt: skip


def _bytes_of_steps(terminal: Terminal, title: str) -> list[int]:
    """What is sent for each of 20 levels, one after another; ``title`` says which one shows."""
    sent = []
    for level in range(1, 21):
        before = len(terminal.sent)
        terminal.go("l", title.format(level))
        terminal.settle()
        sent.append(len(terminal.sent) - before)
    return sent


def _rival_steps() -> list[int]:
    """Bytes of the same 20 steps drawn as a scatter by textual-plotext."""
    # As a module: as a script, its folder would come first, whose names hide those of libraries.
    rival = ("-m", "tests.bench.textual_plotext_app")
    with Terminal(*rival, program=Path(sys.executable), size=(80, 24), env=TRUE) as terminal:
        terminal.until("level 0")
        terminal.settle(0.5)
        return _bytes_of_steps(terminal, "level {}")
