"""The denoising panel: points at a level, the ruler of levels, and the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static
from textual.worker import get_current_worker

from .canvas import Canvas
from .glyphs import Glyphs
from .palette import Palette
from .panel import Panel
from .status import Line, number
from .views import views_of

if TYPE_CHECKING:
    from .film import Film
    from .pictures import Look

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Levels a second while playing."""

_ROOMY = 88
"""Columns from which the numbers have room between them."""

_AHEAD = ("scatter", "density", "histogram", "close-up")
"""Views with something exact behind the points, which takes longer than these."""

TRACKED = 8
"""Points that can be followed."""


class Ruler(Canvas):
    """Levels from noise to clean as one line; a click goes to a level."""

    DEFAULT_CSS = """
    Ruler { height: 1; width: 1fr; }
    """

    class Picked(Message):
        """A level was clicked."""

        def __init__(self, level: int) -> None:
            super().__init__()
            self.level = level

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        super().__init__(id="ruler")
        self.palette = palette
        self.glyphs = glyphs
        self.levels = 1
        self.level = 1

    def point(self, level: int, levels: int) -> None:
        """Show where this level stands."""
        self.level, self.levels = level, max(levels, 1)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _bounds(self) -> tuple[int, int]:
        """First and last cell of the line itself."""
        return 7, max(8, self.size.width - 8)

    def _draw(self) -> None:
        first, last = self._bounds()
        room = last - first
        rail, tick, here = ("-", "+", "O") if self.glyphs == "ascii" else ("─", "┼", "●")
        cells = [rail] * (room + 1)
        if self.levels <= room // 2:
            for k in range(self.levels + 1):
                cells[round(room * k / self.levels)] = tick
        at = round(room * self.level / self.levels)
        style = self.palette.style
        self.show(
            [
                Strip(
                    [
                        Segment(" noise ", style("text")),
                        Segment("".join(cells[:at]), style("axis")),
                        Segment(here, style("mark") + Style(bold=True)),
                        Segment("".join(cells[at + 1 :]), style("axis")),
                        Segment(" clean ", style("text")),
                    ]
                )
            ]
        )

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        event.stop()
        first, last = self._bounds()
        share = min(max((event.x - first) / (last - first), 0), 1)
        self.post_message(self.Picked(round(share * self.levels)))


class DenoisingPanel(Panel):
    """A film, looked at level by level. It holds the level, the view, the zoom and the play."""

    DEFAULT_CSS = """
    DenoisingPanel { height: 2fr; }
    DenoisingPanel .hint {
        width: 1fr; height: 1fr; content-align: center middle; color: $text-muted;
    }
    DenoisingPanel #film { display: none; }
    DenoisingPanel.drawn #film { display: block; }
    DenoisingPanel.drawn .hint { display: none; }
    """

    class Moved(Message):
        """Another level is shown."""

        def __init__(self, level: int) -> None:
            super().__init__()
            self.level = level

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.palette = palette
        self.glyphs = glyphs
        self.film: Film | None = None
        self.levels = 1
        self.level = 1
        self.truth = True
        self.zoom = 0
        self.speed = 2
        self.playing = False
        self.tracked: int | None = None
        self.forward = False
        self._view = {1: "histogram", 2: "scatter"}
        self._drawn: tuple[object, ...] = ()
        self._ahead: tuple[object, ...] = ()
        self._pictures: dict[tuple[object, ...], list[Strip]] = {}

    def compose(self) -> ComposeResult:
        yield Static("", classes="hint", markup=False)
        yield Canvas(id="film")
        yield Ruler(self.palette, self.glyphs)
        yield Line(id="numbers")
        yield Line(id="goals")

    def on_mount(self) -> None:
        self._timer = self.set_interval(1 / SPEEDS[self.speed], self._tick, pause=True)
        self.redraw()

    # --- what is shown -----------------------------------------------------------------------

    def hint(self, text: str) -> None:
        """What to say while there is no film."""
        self.query_one(".hint", Static).update(text)

    def expect(self, levels: int) -> None:
        """Another experiment: its levels are known before its film is."""
        self.film = None
        self.hold()
        self.levels = self.level = levels
        self.zoom = 0
        self._pictures.clear()
        self.redraw()

    def show(self, film: Film) -> None:
        """Show this film at the level where one is."""
        at_end = self.level == self.levels
        self.film, self.levels = film, film.levels
        self.level = self.levels if at_end else min(self.level, self.levels)
        self._pictures.clear()
        self.redraw()

    @property
    def view(self) -> str:
        """The view in use."""
        return self._view[self.film.dim if self.film else 1]

    def restore(self, level: int | None, views: dict[int, str]) -> None:
        """Go back to a level (None is the clean one) and to the views, by dimension."""
        self._view = views
        self.level = self.levels if level is None else min(level, self.levels)
        self._drawn = ()
        self.redraw()

    @property
    def views(self) -> dict[int, str]:
        """The view in use for each dimension."""
        return dict(self._view)

    def next_view(self) -> None:
        """On to the next view."""
        if self.film is None:
            return
        views = views_of(self.film.dim)
        self._view[self.film.dim] = views[(views.index(self.view) + 1) % len(views)]
        self.zoom = 0
        self.redraw()

    def flip_truth(self) -> None:
        """The exact truth over the points, or not."""
        self.truth = not self.truth
        self.redraw()

    def track(self) -> None:
        """Follow the next of a few points, after the last of them none."""
        following = -1 if self.tracked is None else self.tracked
        few = min(TRACKED, self.film.x.shape[1]) if self.film is not None else 0
        self.tracked = following + 1 if following + 1 < few else None
        self.redraw()

    def flip_forward(self) -> None:
        """The forward process beside the points, or the exact density again."""
        self.forward = not self.forward
        self.redraw()

    def zoom_by(self, change: int) -> None:
        """Zoom in or out by a factor of √2."""
        self.zoom = min(max(self.zoom + change, -4), 14)
        self.redraw()

    # --- moving ------------------------------------------------------------------------------

    def go_to(self, level: int) -> None:
        """Show this level, or the nearest there is."""
        level = min(max(level, 0), self.levels)
        if level != self.level:
            self.level = level
            self.redraw()
            self.post_message(self.Moved(level))

    def play(self) -> None:
        """Play from here to the clean level (from the start if there already), or hold."""
        if self.playing:
            self.hold()
            return
        if self.level == self.levels:
            self.go_to(0)
        self.playing = True
        self._timer.resume()
        self.redraw()

    def hold(self) -> None:
        """Stop playing."""
        self.playing = False
        if self.is_mounted:
            self._timer.pause()

    def faster(self, change: int) -> None:
        """Play faster or slower."""
        self.speed = min(max(self.speed + change, 0), len(SPEEDS) - 1)
        self._timer.stop()
        self._timer = self.set_interval(1 / SPEEDS[self.speed], self._tick, pause=not self.playing)
        self.redraw()

    def _tick(self) -> None:
        self.go_to(self.level + 1)
        if self.level == self.levels:
            self.hold()
            self.redraw()

    # --- drawing -----------------------------------------------------------------------------

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self._drawn = ()
        self.redraw()

    def on_show(self, event: events.Show) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw anew, if the panel can be seen and anything differs."""
        if not self.is_mounted:
            return
        self._titles()
        self.query_one(Ruler).point(self.level, self.levels)
        self.set_class(self.film is not None, "drawn")
        canvas = self.query_one("#film", Canvas)
        film = self.film
        if film is None or not canvas.is_on_screen or canvas.size.width < 2:
            return
        from .pictures import Look, picture

        look = Look(
            self.level, self.view, self.truth, self.zoom, self.tracked, forward=self.forward
        )
        key = (id(film), look, canvas.size, self.glyphs, id(self.palette))
        if key != self._drawn:
            self._drawn = key
            if key not in self._pictures:
                self._pictures[key] = picture(film, look, *canvas.size, self.palette, self.glyphs)
            canvas.show(self._pictures[key])
        self._write_numbers(film)
        self._look_ahead(film, look, canvas.size)

    def _look_ahead(self, film: Film, look: Look, size: Size) -> None:
        """Make ready, in a thread, what the other levels will need, so that no key waits for it.

        What is exact at a level is the same for every film of an experiment, and kept.
        """
        likeness = (film.wish.experiment, film.wish.seed, replace(look, level=0), size)
        if look.view not in _AHEAD or likeness == self._ahead:
            return
        self._ahead = likeness

        def walk() -> None:
            from .pictures import picture

            worker = get_current_worker()
            for level in sorted(range(film.levels + 1), key=lambda k: abs(k - look.level)):
                if worker.is_cancelled:
                    return
                picture(film, replace(look, level=level), *size, self.palette, self.glyphs)
                film.numbers(level)

        self.run_worker(walk, thread=True, exclusive=True, group="ahead", exit_on_error=False)

    def _titles(self) -> None:
        parts = [f"Denoising  level {self.level}/{self.levels}"]
        film = self.film
        if film is not None:
            parts += _noise_of(film, self.level)
            parts.append(film.wish.experiment.data.name)
            if self.level == 0 and film.wish.source != "forward":
                parts.append(_start(film))
        title = "  ".join(parts)
        parts = [self.view]
        if film is not None:
            parts.insert(0, _source(film))
        if self.playing:
            parts.append(f"playing {SPEEDS[self.speed]:g}/s")
        self.entitle(title, " · ".join(parts))

    def _write_numbers(self, film: Film) -> None:
        """Two lines: what is here, and what is exact."""
        if self.tracked is not None and self.level < film.levels:
            self._write_point(film, self.tracked)
            return
        seen = film.numbers(self.level)
        to_mode = "to mode²" if self.size.width >= _ROOMY else "mode²"
        self._write(
            " here  ",
            " exact ",
            ("mean", _vector(seen.mean), "mean", _vector(seen.goal_mean)),
            ("std", _vector(seen.std), "std", _vector(seen.goal_std)),
            (to_mode, number(seen.distance), to_mode, number(seen.goal_distance)),
            ("energy", number(seen.energy), "energy", number(seen.energy_real)),
        )

    def _write_point(self, film: Film, index: int) -> None:
        """One point's step, and what the ideal denoiser says of the same x."""
        point = film.point(self.level, index)
        self._write(
            f" ◆ {index + 1}   " if self.glyphs != "ascii" else f" * {index + 1}   ",
            " ideal ",
            ("x0_hat", _vector(point.x0_hat), "x0_hat", _vector(point.ideal_x0)),
            ("eps_hat", _vector(point.eps_hat), "eps_hat", _vector(point.ideal_eps)),
            ("x", _vector(point.x), "x", _vector(point.x)),
            ("moves", _vector(point.move), "noise", _vector(point.noise)),
        )

    def _write(self, head: str, exact_head: str, *items: tuple[str, str, str, str]) -> None:
        """Names and values of what is here, above those of what is exact."""
        label = self.palette.style("axis")
        gap = " " * (2 if self.size.width >= _ROOMY else 1)
        used = len(head)
        here: list[tuple[str, Style]] = [(head, label)]
        exact: list[tuple[str, Style]] = [(exact_head, label)]
        for name, seen, exact_name, goal in items:
            room = 16 if seen.startswith("(") else 7
            used += len(f"{name} {gap}") + room
            if used - len(gap) > self.query_one("#numbers").size.width:
                break  # half a number is a wrong one
            here += [(f"{name} ", label), (f"{seen:<{room}}{gap}", self.palette.style("text"))]
            exact += [
                (f"{exact_name} ", label),
                (f"{goal:<{room}}{gap}", self.palette.style("goal")),
            ]
        self.query_one("#numbers", Line).write(here)
        self.query_one("#goals", Line).write(exact)


def _vector(values: list[float]) -> str:
    texts = [f"{value:.3f}" for value in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _noise_of(film: Film, level: int) -> list[str]:
    """How noisy a level is, in the words of its schedule."""
    if level == film.levels:
        return ["clean"]
    if float(film.schedule.alphas[0]) == 1:
        return [f"sigma {number(film.sigma(level))}"]
    beta = float(film.schedule.betas[level])
    return [f"beta {number(beta)}", f"alpha_bar {number(film.alpha(level) ** 2)}"]


def _start(film: Film) -> str:
    """How good the start of sampling is."""
    start = film.start
    if start is None or start.negligible:
        return "start exact" if film.wish.experiment.sampling.start == "exact" else "start good"
    return f"start off by {start.share:.2g} std"


def _source(film: Film) -> str:
    """Where the points come from."""
    wish = film.wish
    if wish.source == "forward":
        return "true data, noised"
    if wish.source == "ideal":
        return "ideal denoiser"
    return f"network, step {wish.step:,}"
