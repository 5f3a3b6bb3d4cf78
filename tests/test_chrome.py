"""The status line says as much as there is room for, and never less than the state."""

import pytest
from textual.theme import BUILTIN_THEMES

from tui_diffusion.core.presets import PRESETS, get_preset
from tui_diffusion.lab.chrome import status
from tui_diffusion.lab.palette import Palette
from tui_diffusion.lab.session import State, Training

PALETTE = Palette.from_theme(BUILTIN_THEMES["textual-dark"].to_color_system().generate(), "none")


def words(width, *, name="ddpm-1d", threads=1, device="cpu", sampling=None):
    training = Training(get_preset(name).experiment, State.TRAINING, 2500, 0.25)
    training.device, training.threads = device, threads
    left, right = status(name, training, "idle", width, PALETTE, sampling)
    return "".join(text for text, _ in left), "".join(text for text, _ in right)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("device", ["cpu", "cuda:0 NVIDIA H200"])
def test_the_device_is_said_whole_or_not_at_all(width, device):
    left, right = words(width, device=device)
    assert right.startswith("training")
    assert len(left) + len(right) <= width or device not in left
    assert ("thread" not in left) or f"{device}, 1 thread " in left


def test_a_wide_terminal_says_the_threads_and_a_narrow_one_drops_them_first():
    assert "cpu, 1 thread " in words(120)[0]
    assert "cpu, 3 threads " in words(120, threads=3)[0]
    widths = [width for width in range(50, 121) if "cpu " in words(width)[0]]
    assert widths
    assert "thread" not in words(widths[0])[0]
    assert "cpu" not in words(50)[0]


def test_a_long_sampling_says_how_far_it_is():
    assert " sampling 12/20 " in words(80, sampling=(12, 20))[0]
    assert "sampling" not in words(80)[0]


@pytest.mark.parametrize("name", PRESETS)
def test_the_smallest_terminal_has_room_for_name_state_and_step(name):
    left, right = words(60, name=name)
    assert len(left) + len(right) <= 60
    assert left.strip() == name or "cpu" in left
    assert right.startswith("training  step 2,500/")
