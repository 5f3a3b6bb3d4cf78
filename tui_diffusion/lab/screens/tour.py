"""A tour of the post: its nine scripts in its order, what each shows, and what the lab adds.

The post is Jean-Baptiste Bouvier's "Introduction to Diffusion Models" of 27 May 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from ..output.screens import ModalWindow


@dataclass(frozen=True)
class TourStation:
    """One script: what the post shows with it, what to do here, what the lab adds, and a
    reminder of one line for when it is on the bench."""

    script: str
    experiment: str
    shows: str
    here: str
    adds: str
    reminder: str


TOUR = (
    TourStation(
        "simple_1Diffusion", "naive-1d",
        "A hundred lines are enough: a network of 2-32-32-1 learns to take the noise off "
        "N(1, 0.01²), one of ten levels at a time. Then 1,000 points start as pure noise, and "
        "their mean and std are printed at every level beside the goal.",
        "t trains it in a blink. ← and → go through the levels; v, until mean and std shows: the "
        "post's table as curves, the goal dashed.",
        "The exact density over the points, and the loss's floor. And why the std ends near 0.001 "
        "where 0.010 is the goal: the post's target takes off too much. Set method.name to "
        "naive-exact, press s (the exact start, or the mean stays at 0.987), train and compare.",
        "`t` trains it, `←` `→` step",
    ),
    TourStation(
        "simple_1Diffusion_video", "naive-1d",
        "The same script, filmed: points are interpolated between the levels, so that the "
        "histogram glides from a wide bell into a spike.",
        "space plays the levels, [ and ] set the pace. After training, e and a name that ends in "
        ".mp4 or .gif write the film.",
        "Play while it trains: the points are drawn with the latest weights, and the spike is "
        "seen to form. Size, frames a second and length are yours to choose with "
        "diffusion-tui export RUN film.mp4.",
        "`space` plays, `e` writes the film",
    ),
    TourStation(
        "simple_2Diffusion", "naive-2d",
        "With hardly a change it works in the plane: 2,000 points walk from a round cloud about "
        "the origin to one spot at (−1, 1), a scatter plot for every level.",
        "t, then home and → step by step. v, until close-up shows the spot as it is near by: the "
        "ring is where 95 % of the points belong.",
        "The exact cloud of every level beside the points. They end far inside their ring: the "
        "same fault as in one dimension, now to be seen. k follows one point with its numbers.",
        "`t` trains it, `v` to the close-up",
    ),
    TourStation(
        "simple_multimodal", "naive-multimodal",
        "Data with four modes, narrow spikes at (±1, ±1). The cloud has to split into four; the "
        "score is the squared distance to the nearest mode, averaged: 0.0002 for true points, "
        "about 0.001 for the script's.",
        "t, then home and → through all twenty levels. mode² below the picture is the post's "
        "score, with what true points score under it.",
        "A circle marks each mode and fills when points reach it. v shows the paths, and the "
        "score field: where each point is drawn to, by the network and in truth.",
        "`t` trains it, `v` shows paths and arrows",
    ),
    TourStation(
        "simple_multimodal_video", "naive-multimodal",
        "The four spikes as a film, and as the post's GIF, which runs out to the data and back "
        "into the noise.",
        "space plays it here. e writes it: a name in .gif gives the one that runs out and back, "
        ".mp4 the film.",
        "n starts from other noise. i shows what the ideal denoiser makes of the same, to set "
        "beside the network's; the exported film has the exact density with it.",
        "`space` plays, `e` writes the film",
    ),
    TourStation(
        "single_DDPM", "ddpm-1d",
        "Denoising diffusion by Ho, Jain and Abbeel: the network says what the noise is, and each "
        "step back draws from a Gaussian. One network for ten betas from 0.001 to 0.999, 20,000 "
        "steps; the script ends at mean 0.996 and std 0.024.",
        "t, then watch the mean walk from 0 to 1 on the way (mean and std, by v). Fresh noise "
        "comes in at every step but the last two.",
        "o, to where the error comes from: start, network or steps. And once more, to how an "
        "error grows: the first step back, with a beta of 0.999, multiplies it by 31.6.",
        "`t` trains it, `o` shows the error's parts",
    ),
    TourStation(
        "simple_DDPM", "ddpm-1d-per-level",
        "A network of its own for each of eight levels, trained from the least noisy on, 20,000 "
        "steps for the first and 1,000 for every other, which starts from its neighbour's "
        "weights.",
        "t, and watch the loss in its stages, a line where the next network takes over. The "
        "title says whose turn it is.",
        "The floor of every stage; with o, how far each of the eight is above its own. And i: even "
        "the ideal denoiser ends near std 0.001 like the script, so it is the steps that draw the "
        "points together, not the networks.",
        "`t` trains it, `o` shows each network's excess",
    ),
    TourStation(
        "multimodal_DDPM", "ddpm-multimodal",
        "DDPM on the four spikes, twenty levels. Its points stay a little loose, so the last step "
        "back is repeated ten times to tighten them: 0.003 from the nearest mode, squared, where "
        "true points have 0.0002.",
        "t, then end, and v to the close-up. Set sampling.repeats to 0: no new training is "
        "needed, and the points are loose again.",
        "i, the ideal denoiser from the same noise: what twenty steps can do at best. "
        "edm-multimodal does the same task with the post's second paper, and gets it right.",
        "`t` trains it, `i` shows the ideal",
    ),
    TourStation(
        "detailed_DDPM", "ddpm-1d-detailed",
        "A closer look: the exact pdf and cdf of the noised data at each of nine levels, with "
        "integral, mean and std. Sampling starts from the noisiest of them and ends one level "
        "before clean: the goal is mean 0.999, std 0.033.",
        "v, to pdf and cdf, then ← and →. This needs no training; t adds the network's points.",
        "The same exact densities for every experiment, in two dimensions too, and for points of "
        "your own: data.name = file:points.csv.",
        "`v` to pdf and cdf, `←` `→` step",
    ),
)  # fmt: skip
"""The nine."""


class TourScreen(ModalWindow[int]):
    """One station at a time; ends with the station and, by enter, its experiment on the bench."""

    DEFAULT_CSS = """
    TourScreen VerticalScroll {
        width: 80; max-width: 98%; height: auto; max-height: 96%; border: round $accent;
        background: $surface; padding: 0 0 0 2; border-title-color: $text;
    }
    TourScreen Static { padding-right: 2; }
    """
    BINDINGS = [
        Binding("escape,q", "leave", "close"),
        Binding("enter", "try", "try it"),
        Binding("right,l,n,space,u", "go(1)", "next"),
        Binding("left,h,p", "go(-1)", "back"),
    ]

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = min(max(at, 0), len(TOUR) - 1)
        self.tried = False

    def compose(self) -> ComposeResult:
        with VerticalScroll() as page:
            page.border_subtitle = "enter tries it  p back  n next  escape closes"
            yield Static()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._show()

    def _show(self) -> None:
        station, page = TOUR[self.at], self.query_one(VerticalScroll)
        page.border_title = f"A tour of the post  {self.at + 1} of {len(TOUR)}"
        text = Text.assemble(
            (f"{station.script}.py", "bold"), ("   here: ", "dim"), station.experiment, "\n\n",
            ("In the post  ", "bold"), station.shows, "\n\n",
            ("Try it  ", "bold"), station.here, "\n\n",
            ("The lab adds  ", "bold"), station.adds,
        )  # fmt: skip
        self.query_one(Static).update(text)
        page.scroll_home(animate=False)

    def action_go(self, change: int) -> None:
        """To another station, or stay at an end."""
        self.at = min(max(self.at + change, 0), len(TOUR) - 1)
        self._show()

    def action_try(self) -> None:
        """Leave, and have the experiment put on the bench."""
        self.tried = True
        self.dismiss(self.at)

    def action_leave(self) -> None:
        """Leave, and come back to this station another time."""
        self.dismiss(self.at)
