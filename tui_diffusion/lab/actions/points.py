"""What is done to the points: where they come from, which level shows, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..app import Lab

# --- where they come from ------------------------------------------------------------------------


def noise(lab: Lab) -> None:
    """Other noise to start from."""
    lab.bench.noise += 1
    lab.following.ask()


def ideal(lab: Lab) -> None:
    """The exact denoiser in the network's place, and back."""
    lab.bench.source_ideal = not lab.bench.source_ideal
    lab.following.ask()


def start(lab: Lab) -> None:
    """The exact start of sampling, or the usual one."""
    bench, field = lab.bench, "sampling.start"
    usual = lab.preset.experiment.sampling.start
    if usual == "exact":
        usual = "data-mean"
    other = usual if bench.experiment.sampling.start == "exact" else "exact"
    bench.experiment = bench.experiment.with_settings({field: other})
    lab.form.show(bench.experiment, lab.preset.experiment)
    lab.following.ask()


# --- which level shows ---------------------------------------------------------------------------


def step(lab: Lab, change: int) -> None:
    """So many steps towards clean."""
    lab.denoising.action_step(change)


def level(lab: Lab, end: str) -> None:
    """To the first level or the last."""
    lab.denoising.action_level(end)


def jump(lab: Lab) -> None:
    """Ask for a level by its number, where it is seen."""
    if lab.denoising.is_on_screen:
        lab.denoising.action_jump()
    else:
        lab.action_tab("denoising")
        lab.call_after_refresh(lab.denoising.action_jump)


def play(lab: Lab) -> None:
    """Play the levels, or hold."""
    lab.denoising.action_play()


def speed(lab: Lab, change: int) -> None:
    """Play faster or slower."""
    lab.denoising.action_speed(change)


def play_mode(lab: Lab) -> None:
    """The next way of playing."""
    lab.denoising.action_play_mode()


def finer(lab: Lab) -> None:
    """The next size of a step."""
    lab.denoising.action_finer()


# --- how they are drawn --------------------------------------------------------------------------


def view(lab: Lab) -> None:
    """The next view of them."""
    lab.denoising.next_view()


def truth(lab: Lab) -> None:
    """The truth over them, or not."""
    lab.denoising.flip_truth()


def forward(lab: Lab) -> None:
    """The forward process beside them, or the truth."""
    lab.denoising.flip_forward()


def track(lab: Lab) -> None:
    """Follow the next of them."""
    lab.denoising.track()


def zoom(lab: Lab, change: int) -> None:
    """Closer, or further away."""
    lab.denoising.zoom_by(change)


def copy(lab: Lab) -> None:
    """What is measured of them, and how to have them again, to the clipboard and to a file."""
    from ...core.config.command_line import command_line
    from ..clipboard import keep, level_text

    film, panel = lab.denoising.film, lab.denoising
    experiment = lab.bench.experiment
    text = level_text(film, panel.level) if film is not None else command_line(experiment)
    lab.copy_to_clipboard(text)
    try:
        where = f"also in {keep(text)}"
    except OSError as error:
        where = f"but to no file ({error.strerror})"
    lab.notify(f"Copied, where the terminal allows it; {where}", markup=False)
