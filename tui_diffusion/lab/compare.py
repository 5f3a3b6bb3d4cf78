"""The comparison: losses overlaid, denoising side by side at one level, settings in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static

from ..core.manifest import RunError
from .actions import COMPARE_ACTIONS
from .canvas import Canvas
from .chrome import WIDE, footer, tabs
from .comparison import LETTERS, Showing, Source, Subject, at_share, beside_bench, read, show
from .denoising import Ruler
from .film import Film
from .glyphs import Glyphs
from .help import PICTURES, HelpScreen, keys_and_meanings
from .lines import middle
from .palette import Palette
from .panel import Panel
from .pictures import Look, picture
from .pictures.overlay import SERIES, Losses, can_be_relative, overlay
from .playing import SPEEDS
from .plot import Figure, draw, legend_of
from .sampling import Worker
from .screens import Modal, Paced
from .status import Line, number
from .table import Table
from .views import VIEWS_1D, VIEWS_2D, views_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.css.types import EdgeType

    from .app import Lab

_ALL_FROM = (WIDE, 30)
"""Columns and lines from which everything is shown at once."""

_PANE = 28
"""Columns of a film, at least."""

TABS = ("losses", "denoising", "table")


class Pane(Panel, can_focus=False):
    """One film at its level, with what is measured of it there and what is exact."""

    DEFAULT_CSS = """
    Pane { width: 1fr; height: 1fr; }
    """

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self._kept: dict[tuple[object, ...], list[Strip]] = {}

    def compose(self) -> ComposeResult:
        yield Canvas()
        yield Line(classes="here")
        yield Line(classes="exact")

    def forget(self) -> None:
        """The pictures made so far are of other films."""
        self._kept.clear()

    def draw(self, film: Film, look: Look, palette: Palette, glyphs: Glyphs) -> None:
        """Show this film."""
        share = film.sigma(look.level) / film.alpha(look.level)
        title = f"{LETTERS[self.index]}  level {look.level}/{film.levels}"
        noise = "  clean" if look.level == film.levels else f"  sigma/alpha {number(share)}"
        fits = len(title + noise) + 4 <= self.size.width
        self.entitle(f"{title}{noise if fits else ''}", look.view)
        canvas = self.query_one(Canvas)
        key = (id(film), look, canvas.size, glyphs, id(palette))
        if key not in self._kept:
            self._kept[key] = picture(film, look, *canvas.size, palette, glyphs)
        canvas.show(self._kept[key])
        self._write_numbers(film, look.level, palette)

    def _write_numbers(self, film: Film, level: int, palette: Palette) -> None:
        seen = film.numbers(level)
        items = (
            ("energy", number(seen.energy), number(seen.energy_real)),
            ("std", _pair(seen.std), _pair(seen.goal_std)),
            ("mean", _pair(seen.mean), _pair(seen.goal_mean)),
        )
        label, text, goal = (palette.style(role) for role in ("axis", "text", "goal"))
        here: list[tuple[str, Style]] = [(" here  ", label)]
        exact: list[tuple[str, Style]] = [(" exact ", label)]
        used, room = 7, self.query_one(Canvas).size.width
        for name, value, true in items:
            cells = max(len(value), len(true), 6)
            used += len(name) + cells + 3
            if used - 2 > room:
                break  # half a number is a wrong one
            here += [(f"{name} ", label), (f"{value:<{cells}}  ", text)]
            exact += [(f"{name} ", label), (f"{true:<{cells}}  ", goal)]
        self.query_one(".here", Line).write(here)
        self.query_one(".exact", Line).write(exact)


def _pair(values: list[float]) -> str:
    return " ".join(f"{value:z.2f}" for value in values)


class CompareScreen(Paced[bool]):
    """Up to four trainings. Ends with True where other runs are to be chosen."""

    CSS = """
    CompareScreen { layout: vertical; background: $background; }
    CompareScreen #names, CompareScreen #keys { background: $panel; }
    CompareScreen #pages { display: none; }
    CompareScreen #everything { height: 1fr; }
    CompareScreen #films { height: 3fr; }
    CompareScreen #panes { height: 1fr; }
    CompareScreen #below { height: 2fr; }
    CompareScreen #losses { width: 1fr; height: 1fr; }
    CompareScreen #table { width: 1fr; height: 1fr; }
    CompareScreen.paged #pages { display: block; }
    CompareScreen.paged #below, CompareScreen.paged #films { display: none; }
    CompareScreen.paged.denoising #films { display: block; height: 1fr; }
    CompareScreen.paged.losses #below, CompareScreen.paged.table #below {
        display: block; height: 1fr;
    }
    CompareScreen.paged.losses #table, CompareScreen.paged.table #losses { display: none; }
    CompareScreen #waiting { display: none; height: 1fr; content-align: center middle; }
    CompareScreen.waiting #waiting { display: block; }
    CompareScreen.waiting #everything { display: none; }
    """
    BINDINGS = [
        Binding(key, action.name, action.label, show=False)
        for action in COMPARE_ACTIONS
        for key in action.keys.split(",")
    ]
    AUTO_FOCUS = ""

    class Read(Message):
        """The runs are read; ``faults`` say which could not be."""

        def __init__(self, subjects: list[Subject], faults: list[str]) -> None:
            super().__init__()
            self.subjects = subjects
            self.faults = faults

    class Filmed(Message):
        """A film is made."""

        def __init__(self, showing: Showing, film: Film) -> None:
            super().__init__()
            self.showing = showing
            self.film = film

    class Failed(Message):
        """Something could not be made."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__()
        self.sources = tuple(sources)
        self.subjects: list[Subject] = []
        self.films: dict[int, Film] = {}
        self.tab = "losses"
        self.position = self.positions = 1
        self.first = 0
        self.truth, self.zoom, self.speed, self.playing = True, 0, 2, False
        self.logarithmic = self.relative = True
        self._noise = 0
        self._losses_drawn: tuple[object, ...] = ()
        self._view = {1: VIEWS_1D[0], 2: VIEWS_2D[0]}
        self._reader = Worker(read, lambda made: self._post(self.Read(*made)), self._fail)
        self._camera = Worker(show, lambda made: self._post(self.Filmed(*made)), self._fail)

    # --- composition -------------------------------------------------------------------------

    @property
    def lab(self) -> Lab:
        """The lab, whose colours and characters are used."""
        return cast("Lab", self.app)

    def compose(self) -> ComposeResult:
        plain = self.lab.glyphs == "ascii"
        yield Line(id="names")
        yield Line(id="pages")
        yield Static("reading the runs …", id="waiting")
        with Container(id="everything"):
            with Vertical(id="films"):
                with Horizontal(id="panes"):
                    for index in range(len(self.sources)):
                        yield Pane(index)
                yield Ruler(self.lab.palette, self.lab.glyphs)
            with Horizontal(id="below"):
                with Panel(id="losses"):
                    yield Canvas(id="loss-canvas")
                with Panel(id="table"):
                    yield Table(plain=plain)
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.add_class("waiting")
        self._timer = self.set_interval(1 / SPEEDS[self.speed], self._tick, pause=True)
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_later(self._recolour))
        self._lay_out()
        self._reader.start()
        self._camera.start()
        self._reader.ask(self.sources)

    def on_unmount(self) -> None:
        self._reader.close(0)
        self._camera.close(0)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        event.stop()
        self.redraw()

    @property
    def all_shown(self) -> bool:
        """Whether there is room for everything at once."""
        return self.size.width >= _ALL_FROM[0] and self.size.height >= _ALL_FROM[1]

    @property
    def room(self) -> int:
        """Films that have room side by side."""
        return max(1, min(len(self.subjects), self.size.width // _PANE))

    def _lay_out(self) -> None:
        """Show the parts, or the page, that the size has room for."""
        self.set_class(not self.all_shown, "paged")
        for tab in TABS:
            self.set_class(tab == self.tab, tab)
        self.first = min(self.first, max(len(self.subjects) - self.room, 0))
        seen = range(self.first, self.first + self.room)
        for pane in self.query(Pane):
            pane.display = pane.index in seen
        palette, glyphs, width = self.lab.palette, self.lab.glyphs, self.size.width
        more = [(f"{self._shown_of()} ", palette.style("axis"))]
        self.query_one("#pages", Line).write(tabs(self.tab, palette, TABS), more)
        self.query_one("#keys", Line).write(*footer(width, palette, glyphs, COMPARE_ACTIONS))
        self._write_names()
        share = min(max(self.query_one(Table).wanted + 3, 0.4 * width), 0.62 * width)
        self.query_one("#table").styles.width = round(share) if self.all_shown else "1fr"
        self.call_after_refresh(self.redraw)

    def _shown_of(self) -> str:
        """Which films are on the page, where there is no room for all."""
        count = len(self.subjects)
        if self.tab != "denoising" or self.room >= count:
            return ""
        shown = " ".join(LETTERS[self.first : self.first + self.room])
        return f"{shown} of {count}, up and down for others"

    def _write_names(self) -> None:
        """Whose letter, colour and marker is whose."""
        palette, glyphs = self.lab.palette, self.lab.glyphs
        text = palette.style("text")
        names = [s.name for s in self.subjects] or [s.name for s in self.sources]
        samples = [s for s, _, _ in legend_of(self._figure(80), glyphs)] or ["  "] * len(names)
        head = " compare " if self.size.width >= WIDE else " "
        room = (self.size.width - len(head)) // max(len(names), 1) - 7
        runs = (
            [(head, palette.style("mark") + Style(bold=True))] if head.strip() else [(head, text)]
        )
        for k, (name, sample) in enumerate(zip(names, samples, strict=False)):
            role = palette.style(SERIES[k][0])
            runs += [(f"{sample} {LETTERS[k]} ", role + Style(bold=True))]
            runs += [(f"{middle(name, room)}  ", text)]
        self.query_one("#names", Line).write(runs)

    # --- what the workers say ----------------------------------------------------------------

    def on_compare_screen_read(self, message: Read) -> None:
        for fault in message.faults:
            self.notify(fault, title="Not compared", severity="error", markup=False)
        if not message.subjects:
            self.dismiss(False)
            return
        self.subjects = message.subjects
        self.remove_class("waiting")
        self.positions = max(s.experiment.sampling_levels for s in self.subjects)
        self.position = self.positions
        self.query_one(Table).show(self.subjects)
        self.query_one("#table", Panel).entitle("Settings and results")
        self._colour_panes()
        self._lay_out()
        self._ask_for(0)

    def on_compare_screen_filmed(self, message: Filmed) -> None:
        showing = message.showing
        if showing.seed != self._seed:
            return  # other noise has been asked for since
        self.films[showing.index] = message.film
        self.query(Pane)[showing.index].forget()
        self.redraw()
        self._ask_for(showing.index + 1)

    def on_compare_screen_failed(self, message: Failed) -> None:
        text = " ".join(str(message.error).split()) or type(message.error).__name__
        self.notify(text, title="Not compared", severity="error", markup=False)
        if not self.subjects:
            self.dismiss(False)

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def _fail(self, wish: object, error: Exception) -> None:
        self._post(self.Failed(error))

    @property
    def _seed(self) -> int:
        return (self.subjects[0].experiment.seed + self._noise) % 2**63

    def _ask_for(self, index: int) -> None:
        """Ask for the film of this one; the next is asked for when it is there."""
        if index < len(self.subjects):
            self._camera.ask(Showing(index, self.subjects[index], self._seed))

    # --- drawing -----------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw what can be seen."""
        if not self.is_mounted or not self.subjects:
            return
        self.query_one(Ruler).point(self.position, self.positions)
        self._draw_losses()
        for pane in self.query(Pane):
            if not pane.query_one(Canvas).is_on_screen:
                continue
            film = self.films.get(pane.index)
            if film is None:
                pane.entitle(f"{LETTERS[pane.index]}  sampling …")
                continue
            level = at_share(self.position / self.positions, film.levels)
            look = Look(level, self._view[film.dim], self.truth, self.zoom)
            pane.draw(film, look, self.lab.palette, self.lab.glyphs)

    @property
    def _losses(self) -> list[Losses]:
        return [(s.losses, s.floors) for s in self.subjects]

    def _figure(self, width: int) -> Figure:
        trainings = self._losses
        return overlay(
            trainings,
            [LETTERS[k] for k in range(len(trainings))],
            width,
            log=self.logarithmic,
            relative=self.relative and can_be_relative(trainings),
        )

    def _draw_losses(self) -> None:
        panel, canvas = self.query_one("#losses", Panel), self.query_one("#loss-canvas", Canvas)
        if not canvas.is_on_screen:
            return
        look = (canvas.size, self.lab.palette, self.logarithmic, self.relative)
        if look == self._losses_drawn:
            return
        self._losses_drawn = look
        figure = self._figure(canvas.size.width)
        panel.entitle("Losses, smoothed", "log" if self.logarithmic else "linear")
        canvas.show(draw(figure, *canvas.size, self.lab.palette, self.lab.glyphs))

    def _colour_panes(self) -> None:
        """A film's frame has the colour of its curve."""
        kind: EdgeType = "ascii" if self.lab.glyphs == "ascii" else "round"
        for pane in self.query(Pane):
            colour = self.lab.palette.style(SERIES[pane.index][0]).color
            if colour is not None:
                pane.styles.border = (kind, Color.from_rich_color(colour))

    def _recolour(self) -> None:
        self.query_one(Ruler).palette = self.lab.palette
        self._colour_panes()
        self._lay_out()

    # --- actions -----------------------------------------------------------------------------

    def on_ruler_picked(self, message: Ruler.Picked) -> None:
        message.stop()
        self._go_to(message.level)

    def _go_to(self, position: int) -> None:
        self.position = min(max(position, 0), self.positions)
        self.redraw()

    def _hold(self) -> None:
        self.playing = False
        self._timer.pause()

    def _tick(self) -> None:
        self._go_to(self.position + 1)
        if self.position == self.positions:
            self._hold()

    def action_step(self, change: int) -> None:
        self._hold()
        self._go_to(self.position + change)

    def action_level(self, share: int) -> None:
        self._hold()
        self._go_to(share * self.positions)

    def action_play(self) -> None:
        if self.playing:
            self._hold()
            return
        if self.position == self.positions:
            self._go_to(0)
        self.playing = True
        self._timer.resume()

    def action_speed(self, change: int) -> None:
        self.speed = min(max(self.speed + change, 0), len(SPEEDS) - 1)
        self._timer.stop()
        self._timer = self.set_interval(1 / SPEEDS[self.speed], self._tick, pause=not self.playing)

    def action_view(self) -> None:
        for dim, view in self._view.items():
            views = views_of(dim)
            self._view[dim] = views[(views.index(view) + 1) % len(views)]
        self.zoom = 0
        self.redraw()

    def action_truth(self) -> None:
        self.truth = not self.truth
        self.redraw()

    def action_zoom(self, change: int) -> None:
        self.zoom = min(max(self.zoom + change, -4), 14)
        self.redraw()

    def action_noise(self) -> None:
        if self.subjects:
            self._noise += 1
            self._ask_for(0)

    def action_log_scale(self) -> None:
        self.logarithmic = not self.logarithmic
        self.redraw()

    def action_relative(self) -> None:
        self.relative = not self.relative
        if not can_be_relative(self._losses):
            self.notify("No floor is known for all of these: losses as they are.")
        self.redraw()

    def action_scroll(self, change: int) -> None:
        if self.tab == "denoising" and not self.all_shown:
            self.first = min(max(self.first + change, 0), max(len(self.subjects) - self.room, 0))
            self._lay_out()
        else:
            self.query_one(Table).action_move(change)

    def action_tab(self, tab: str) -> None:
        self.tab = tab
        self._lay_out()

    def action_runs(self) -> None:
        self.dismiss(True)

    def action_leave(self) -> None:
        self.dismiss(False)

    def action_help(self) -> None:
        dims = sorted({subject.experiment.dim for subject in self.subjects})
        self.app.push_screen(CompareHelp([self._view[dim] for dim in dims]))


def compare_bench(lab: Lab) -> None:
    """Put the bench beside the latest other run of its experiment, or let runs be chosen."""
    try:
        sources = beside_bench(lab.bench.training, lab.chosen)
    except RunError as error:
        lab.notify(str(error), title="Not compared", severity="error", markup=False)
        return
    if len(sources) > 1:
        lab.push_screen(CompareScreen(sources), lambda other: lab.action_runs() if other else None)
    else:
        lab.action_runs("Choose what to compare: space marks runs, d compares the marked.")


class CompareHelp(HelpScreen):
    """What the comparison shows, and its keys."""

    def __init__(self, views: list[str]) -> None:
        Modal.__init__(self)
        self.views = views

    def _page(self) -> Iterator[Text | RichTable]:
        about = (
            ("losses", "Smoothed, all over the same steps. The loss of another method is a number "
             "of another thing, so each is shown as times its own floor, the least that any "
             "network can come to; o shows them as they are."),
            ("denoising", "The same noise goes through each network. All stand at the same share "
             "of the way from noise to clean; sigma/alpha says how noisy that is in each."),
            ("table", "The settings that are not the same in all, and what each run came to. A "
             "mark is at the better result, where the numbers mean the same thing."),
            *((view, PICTURES[view]) for view in self.views),
        )  # fmt: skip
        for name, text in about:
            yield Text.assemble((f"\n{name}", "bold"), f"  {text}")
        yield Text("\nKeys", style="bold underline")
        yield keys_and_meanings([(a.shown, a.help) for a in COMPARE_ACTIONS], 10)
