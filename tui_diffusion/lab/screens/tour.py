"""A tour of the post: its nine scripts in order, their results, and what came after the post.

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
    """One script of the post, or '' for what came after it, which has a ``title``.

    ``shows``: its point in the post, or the idea. ``here``: a task in the lab. ``adds``: the lab's
    additions to the post. ``reminder``: one line for the note while its ``experiment`` is chosen.
    """

    script: str
    experiment: str
    shows: str
    here: str
    adds: str
    reminder: str
    title: str = ""


TOUR = (
    TourStation(
        "simple_1Diffusion", "naive-1d",
        "A hundred lines are enough: a network of 2-32-32-1 learns to remove noise from "
        "N(1, 0.01²), one of ten levels at a time. Then 1,000 points start as pure noise, and "
        "the script prints their mean and std at every level beside the goal.",
        "t trains it in a blink. ← and → go through the levels. Press v until mean and std shows: "
        "the post's table as curves, with the goal dashed.",
        "The exact density over the points, the floor of the loss, and the reason why the std ends "
        "near 0.001 instead of 0.010: the post's target removes too much noise. Set method.name to "
        "naive-exact, press s for the exact start (else the mean stays at 0.987), and train again.",
        "`t` trains it, `←` `→` step",
    ),
    TourStation(
        "simple_1Diffusion_video", "naive-1d",
        "The same script as a video: points are interpolated between the levels, so that the "
        "histogram glides from a wide bell into a spike.",
        "space plays the levels, [ and ] set the speed. After training, e and a name that ends in "
        ".mp4 or .gif export the animation.",
        "Play while it trains: the points come from the latest weights, so you see the spike form. "
        "diffusion-tui export RUN video.mp4 lets you choose size, frames per second and length.",
        "`space` plays, `e` exports a video",
    ),
    TourStation(
        "simple_2Diffusion", "naive-2d",
        "With hardly a change it works in the plane: 2,000 points move from a round cloud at "
        "the origin to one spot at (−1, 1), with a scatter plot for every level.",
        "Press t, then home and → step by step. Press v until close-up shows the spot enlarged: "
        "95 % of the points belong inside the ring.",
        "The exact density of every level over the points. They end far inside their ring: the "
        "same fault as in one dimension, now visible. k follows one point with its numbers.",
        "`t` trains it, `v` to the close-up",
    ),
    TourStation(
        "simple_multimodal", "naive-multimodal",
        "Data with four modes, narrow spikes at (±1, ±1). The cloud has to split into four. The "
        "measure is the mean squared distance to the nearest mode: 0.0002 for true points, about "
        "0.001 for the script's.",
        "Press t, then home and → through all twenty levels. mode² below the picture is the post's "
        "measure, with the value for true points under it.",
        "A circle marks each mode and fills when points reach it. v shows the paths and the score "
        "field: the direction in which the network and the exact score move each point.",
        "`t` trains it, `v` shows paths and arrows",
    ),
    TourStation(
        "simple_multimodal_video", "naive-multimodal",
        "The four spikes as a video, and as the post's GIF, which runs from noise to data and back "
        "again.",
        "space plays it here. e exports it: a name in .gif gives the animation that runs out and "
        "back, .mp4 the video.",
        "n starts from other noise. i shows the ideal denoiser's points from the same noise, to "
        "compare with the network's; the exported video shows the exact density too.",
        "`space` plays, `e` exports a video",
    ),
    TourStation(
        "single_DDPM", "ddpm-1d",
        "Denoising diffusion by Ho, Jain and Abbeel: the network predicts the noise, and each "
        "step back draws from a Gaussian. One network for ten betas from 0.001 to 0.999, 20,000 "
        "steps; the script ends at mean 0.996 and std 0.024.",
        "Press t, then watch the mean move from 0 to 1 (v, until mean and std shows). Every step "
        "but the last two adds fresh noise.",
        "Press o until the panel shows where the error comes from: start, network or steps. Once "
        "more shows how errors grow: the first step back, with a beta of 0.999, multiplies an "
        "error by 31.6.",
        "`t` trains it, `o` shows the error's parts",
    ),
    TourStation(
        "simple_DDPM", "ddpm-1d-per-level",
        "A separate network for each of eight levels, trained from the least noisy level on: "
        "20,000 steps for the first network and 1,000 for every other, which starts from its "
        "neighbour's weights.",
        "Press t and watch the loss in stages; a line marks where the next network begins. The "
        "title names the level of the current network.",
        "The floor of every stage, and with o the excess of each network over its floor. With i, "
        "even the ideal denoiser ends near std 0.001 like the script: the steps contract the "
        "points, not the networks.",
        "`t` trains it, `o` shows each network's excess",
    ),
    TourStation(
        "multimodal_DDPM", "ddpm-multimodal",
        "DDPM on the four spikes, with twenty levels. Its points spread too far, so the script "
        "repeats the last step ten times to tighten them: the mean squared distance to the nearest "
        "mode is 0.003, against 0.0002 for true points.",
        "Press t, then end, and v until the close-up shows. Set sampling.repeats to 0: without new "
        "training, the points spread again.",
        "i shows the ideal denoiser from the same noise, the best that twenty steps can do. "
        "edm-multimodal does the same task with the post's second paper, and gets it right.",
        "`t` trains it, `i` shows the ideal",
    ),
    TourStation(
        "detailed_DDPM", "ddpm-1d-detailed",
        "The exact pdf and cdf of the noised data at each of nine levels, with integral, mean and "
        "std. Sampling starts from the noisiest level and ends one level before clean: the goal is "
        "mean 0.999, std 0.033.",
        "Press v until pdf and cdf shows, then ← and →. This needs no training; t adds the "
        "network's points.",
        "The same exact densities for every experiment, in two dimensions too, and for points of "
        "your own: data.name = file:points.csv.",
        "`v` to pdf and cdf, `←` `→` step",
    ),
    TourStation(
        "", "edm-classes",
        "A network that also receives a label denoises each point as one of its class. Guidance "
        "then leads the point away from a weaker guess, such as the network's own without the "
        "label: x0_hat = guide + w (network − guide), where w = 1 is none.",
        "Press t, set sampling.label to 1, then change sampling.guidance with , and . as often "
        "as you like: no new training. Press v until guided density shows: the sample, what the "
        "exact guided ODE makes, and p(x|c)^w p(x)^(1−w), which guidance is often taken to make. "
        "It ends sharper: noised densities do not multiply like clean ones.",
        "o: evaluations counts the calls of the network that a sample costs, and which sampler "
        "uses few of them best; the report of a run has nll, the mean of −log of the network's own "
        "density over the data, which no network gets below the entropy. edm-autoguidance has a "
        "weaker network as the guide.",
        "`t` trains it, then change `sampling.guidance`",
        title="labels and guidance",
    ),
    TourStation(
        "", "finite-moons",
        "The scripts draw fresh points for every step, so nothing can be learned by heart. Real "
        "data are finite. Here a network sees the same 64 points again and again: it learns the "
        "two curves first (it generalises), and the points themselves later (it memorises).",
        "Press t and watch the loss: that on the training set falls for good, the held-out one "
        "turns up. Among the points, crosses (×) are the training set, and o are copies of it.",
        "Two optima, both exact: of the population, and of the training set, whose sample is the "
        "set itself (i shows one, then the other). With O the distance of the network to both: at "
        "a level where the curves cross, it has begun to copy.",
        "`t` trains it, `O` shows both optima",
        title="finite data",
    ),
)  # fmt: skip
"""The nine stations in the order of the post, and two after it."""


class TourScreen(ModalWindow[int]):
    """The tour, one station at a time; its result is the index of the last station.

    `tried` is True if the user wants that station's experiment.
    """

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
        script, idea, more = f"{station.script}.py", "In the post", "The lab adds"
        if not station.script:
            script, idea, more = f"After the post: {station.title}", "The idea", "And more"
        text = Text.assemble(
            (script, "bold"), ("   here: ", "dim"), station.experiment, "\n\n",
            (f"{idea}  ", "bold"), station.shows, "\n\n",
            ("Try it  ", "bold"), station.here, "\n\n",
            (f"{more}  ", "bold"), station.adds,
        )  # fmt: skip
        self.query_one(Static).update(text)
        page.scroll_home(animate=False)

    def action_go(self, change: int) -> None:
        """Go to another station; stay at either end."""
        self.at = min(max(self.at + change, 0), len(TOUR) - 1)
        self._show()

    def action_try(self) -> None:
        """Close and choose the station's experiment."""
        self.tried = True
        self.dismiss(self.at)

    def action_leave(self) -> None:
        """Close; the tour reopens at this station."""
        self.dismiss(self.at)
