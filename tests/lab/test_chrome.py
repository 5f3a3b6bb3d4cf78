"""The status line says as much as there is room for, and never less than the state."""

import re

from rich.cells import cell_len
from textual.theme import BUILTIN_THEMES

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.formatting import took
from tui_diffusion.lab.panels.status_bars import status
from tui_diffusion.lab.session.records import SessionState, Training

from ..cases import for_each

PALETTE = Palette.from_theme(BUILTIN_THEMES["textual-dark"].to_color_system().generate(), "none")


def words(
    width, *, name="ddpm-1d", step=2500, rate=10_000, steps=None, threads=1, device="cpu",
    sampling=None, other=None, state=SessionState.TRAINING, error="",
):  # fmt: skip
    """Left and right of the line; ``other`` is what trains, where that is not what is chosen."""
    experiment = get_preset(other or name).experiment
    if steps:
        experiment = experiment.with_settings({"training.steps": steps})
    training = Training(experiment, state, step, step / rate, error=error)
    training.device, training.threads = device, threads
    left, right = status(name, training, "idle", width, PALETTE, sampling)
    return "".join(text for text, _ in left), "".join(text for text, _ in right)


@for_each("width", [60, 80, 100, 120, 200])
@for_each("device", ["cpu", "cuda:0 NVIDIA H200"])
def test_the_device_is_said_whole_or_not_at_all(width, device):
    left, right = words(width, device=device)
    assert right.startswith("training")
    assert len(left) + len(right) <= width
    assert ("thread" not in left) or f"{device}, 1 thread " in left
    short = device.split()[0]
    assert (short not in left) or f"{device}, " in left or re.search(rf"{device}|{short} ×1 ", left)


def test_a_wide_terminal_says_the_threads_in_a_word_and_a_narrow_one_in_a_sign():
    assert "cpu, 1 thread " in words(120)[0]
    assert "cpu, 3 threads " in words(120, threads=3)[0]
    widths = [width for width in range(40, 121) if "cpu " in words(width)[0]]
    assert widths[0] > 40
    assert "cpu ×1 " in words(widths[0])[0]
    assert "thread" not in words(widths[0])[0]


@for_each("width", [80, 100])
@for_each("name", PRESETS)
@for_each("threads", [1, 16])
def test_device_threads_and_time_left_are_told_in_every_training(width, name, threads):
    for steps, rate in ((3_000, 900), (2_000_000, 17_000)):
        for step in (2_500, steps - 1):
            left, right = words(
                width, name=name, step=step, steps=steps, rate=rate, threads=threads
            )
            assert "cpu ×" in left or "cpu, " in left
            assert f"{threads} " in left
            assert " left" in right
            assert len(left) + len(right) <= width


def test_the_time_outlives_device_and_these_what_matters_less():
    line = ["".join(words(width, sampling=(12, 20))) for width in range(30, 140)]
    parts = [" left", "cpu", "sampling", "k/s", "diffusion-tui"]
    missing = [max(k for k, text in enumerate(line) if part not in text) for part in parts]
    assert missing == sorted(missing) and len(set(missing)) == len(parts)


def test_of_two_experiments_both_are_named_and_the_threads_told():
    left, right = words(80, name="naive-1d", other="ddpm-multimodal")
    assert "naive-1d" in left and "cpu ×1" in left and "training ddpm-multimodal" in right


def test_no_part_comes_and_goes_with_the_step_and_the_rate():
    for width in range(60, 121):
        kept = {
            tuple(part in text for part in ("diffusion-tui", "thread", "×1", "/s", " left"))
            for step, rate in ((5, 700), (900, 9_900), (12_345, 11_000), (18_000, 999))
            for text in ["".join(words(width, step=step, rate=rate, steps=20_000))]
        }
        assert len(kept) == 1, width


def test_the_reason_of_a_failure_stands_in_the_line_and_all_else_gives_way_to_it():
    reason = "device: 'cuda' is not here; allowed: auto, cpu"
    for name in PRESETS:
        for width in (60, 80, 120):
            for text in (reason, f"{reason}, {reason}, 点点点"):
                options = {"name": name, "state": SessionState.FAILED, "error": text}
                left, right = words(width, step=0, **options)
                assert right.startswith("failed  device: 'cuda' is not here")
                assert (f"{text} " in right) or "… " in right
                assert reason in right or width == 60
                assert cell_len(left + right) <= width
                left, right = words(width, **options)
                assert name in left and right.startswith("failed  step 2,500/")
                assert "device:" in right and cell_len(left + right) <= width
    assert "not finite: lower lr" in words(80, state=SessionState.DIVERGED)[1]


def test_a_long_sampling_says_how_far_it_is():
    assert " sampling 12/20 " in words(80, sampling=(12, 20))[0]
    assert "sampling" not in words(80)[0]


@for_each("name", PRESETS)
def test_the_smallest_terminal_has_room_for_name_state_and_step(name):
    left, right = words(60, name=name)
    assert len(left) + len(right) <= 60
    assert left.strip() == name or left == f" {name}  cpu ×1 "
    assert right.startswith("training  step 2,500/")


@for_each(
    "seconds, text",
    [(0.043, "0.04 s"), (0.994, "0.99 s"), (0.996, "1.0 s"), (9.94, "9.9 s"), (9.96, "0:10")],
)
def test_a_time_is_told_in_two_digits_or_in_seconds(seconds, text):
    assert took(seconds) == text
