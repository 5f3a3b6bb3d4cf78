"""The help: the experiment explained, what the pictures mean, and every key."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..core.presets import Preset
from .actions import ACTIONS, FORM_KEYS

PICTURES = {
    "histogram": "Points as a histogram, over the same stretch at every level. The line is the "
    "exact density of the noised data: good samples fill it.",
    "scatter": "Points in the plane, to one scale at every level. The ring holds 95 % of the exact "
    "distribution; a circle marks each mode and fills when points are there. Beside them, the "
    "exact density.",
    "close-up": "The same, near by: in 1D about the exact density of this level, in 2D every point "
    "as seen from its nearest mode. Too narrow or too wide a sample shows here.",
    "pdf and cdf": "The exact density and its integral at this level; the dashed line is the share "
    "of points below each value. Both lines agree where the sample is right.",
    "density": "How many points fall on each place, beside the exact density of the noised data; "
    "brighter is more. The two look alike where the sample is right.",
    "paths": "The ways of some points from noise to here, and beside them those that the ideal "
    "denoiser takes from the same start. Where they part, the network errs.",
    "denoiser": "What the denoiser takes the clean value to be, and its score, as functions of x. "
    "Where points are rare the network is free to be wrong.",
    "score field": "The direction in which the density grows: the network's, and the exact one "
    "beside it. Sampling follows these arrows.",
    "clean estimate": "What the denoiser takes each point's clean data to be (x0_hat), and beside "
    "it the best possible guess. At high noise even that is a blur of the modes.",
    "mean and std": "Mean and standard deviation of the points over the levels, with the exact "
    "ones dashed; the upright line is the level shown.",
    "loss": "Every step's loss as an envelope, and smoothed. It cannot fall below the floor: even "
    "the ideal denoiser does not know which noise was drawn.",
    "excess": "How far the network's loss is above the floor at every level, which is what it has "
    "still to learn there. A flat loss with an excess near 0 has converged.",
    "error": "The sample's error, split by putting the exact start, the ideal denoiser and endless "
    "steps in the place of the real ones. The longest bar is what to mend first.",
    "schedule": "What is left of the data (alpha_bar) and how much noise there is (sigma) at every "
    "level; and how large an error of 1 in eps_hat made there grows. Tall ends forgive nothing.",
}
"""What each picture means, in two sentences."""

METHODS = {
    "naive": "x = y + n, n = σᵢ·ε.  net(x, σᵢ) learns n·σᵢ₊₁/σᵢ.  Sampling: x ← x − net(x, σᵢ).",
    "naive-exact": "x = y + n, n = σᵢ·ε.  net(x, σᵢ) learns n·(1 − σᵢ₊₁/σᵢ), exactly one level.  "
    "Sampling: x ← x − net(x, σᵢ).",
    "edm": "x = x₀ + σ·ε, ln σ drawn.  x0_hat = c_skip·x + c_out·net(c_in·x, ln σ).  Sampling: "
    "dx/dσ = (x − x0_hat)/σ.",
    "flow": "x = (1−t)·x₀ + t·ε.  net(x, t) learns ε − x₀, the velocity.  Sampling: dx/dt = net, "
    "from t = 1 to 0.",
    "ddpm": "x = √ᾱ·x₀ + √(1−ᾱ)·ε.  net(x, αₜ) learns ε.  "
    "Sampling: x ← (x − β/√(1−ᾱ)·net)/√α + √β̃·z.",
}
"""Each method's formulas."""


class HelpScreen(ModalScreen[None]):
    """Everything on one page that scrolls."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 92; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 2;
        border-title-color: $text;
    }
    """
    BINDINGS = [
        Binding("escape,q,question_mark,enter", "dismiss", "close"),
    ]

    def __init__(self, preset: Preset, method: str, view: str, loss_view: str) -> None:
        super().__init__()
        self.preset = preset
        self.method = method
        self.view = view
        self.loss_view = loss_view

    def compose(self) -> ComposeResult:
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "escape closes"
            yield Static(Group(*self._page()))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def _page(self) -> list[Text | Table]:
        parts: list[Text | Table] = [
            Text(f"\n{self.preset.title}", style="bold"),
            Text(self.preset.about),
            Text(METHODS.get(self.method, ""), style="italic"),
            Text(f"Look for: {self.preset.look_for}"),
        ]
        if self.preset.script:
            parts.append(Text(f"In the post: {self.preset.script}.py", style="dim"))
        # What is on the screen first, then what can be done, then all other pictures.
        seen = [self.view, self.loss_view]
        parts += [Text(""), *_pictures(seen)]
        for group in ("Training", "Denoising", "Lab"):
            rows = [(a.shown, a.help) for a in ACTIONS if a.group == group]
            parts.append(_keys(group, rows))
        parts.append(_keys("Setup", list(FORM_KEYS)))
        parts.append(Text("\nThe other pictures", style="bold underline"))
        return [*parts, *_pictures([name for name in PICTURES if name not in seen])]


def _pictures(names: list[str]) -> list[Text]:
    return [Text.assemble((name, "bold"), f"  {PICTURES[name]}") for name in names]


def _keys(title: str, rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=10, style="bold")
    table.add_column()
    table.add_row("", "")
    table.add_row(Text(title, style="bold underline"), "")
    for shown, text in rows:
        table.add_row(Text(shown), Text(text))
    return table
