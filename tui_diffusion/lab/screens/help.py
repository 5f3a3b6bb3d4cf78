"""The help: the experiment, the views and every key explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text
from rich.theme import Theme
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from ... import docs
from ...core.config.presets import base_of
from ...core.config.titles import about_of, title_of
from ...core.text import shown
from ...interface.keymap import ACTIONS, FORM_KEYS, LAB_KEYS, SWEEP_ACTIONS, Action
from ..output.screens import ModalWindow
from ..panels.denoising import DenoisingPanel
from ..views.names import PICTURES
from ..workspace import Workspace
from .explanations import current_advice, formulas, own_parts, papers, seen, where
from .terms import TERMS

GROUPS = ("Training", "Denoising", "Lab", "Setup", "Sweep")
"""The groups of keys, by panel."""


class PageScreen(ModalWindow[None]):
    """A page of text that scrolls."""

    DEFAULT_CSS = """
    PageScreen VerticalScroll {
        width: 108; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 0 0 2;
        border-title-color: $text;
    }
    PageScreen Static { padding-right: 2; }
    """
    BINDINGS = [
        Binding("escape,q,question_mark,enter", "dismiss", "close"),
    ]
    subtitle = "arrows scroll, escape closes"

    def __init__(self, title: str, page: Iterable[RenderableType]) -> None:
        super().__init__()
        self._title = title
        self._page = Group(*page)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as page:
            page.border_title = self._title
            page.border_subtitle = self.subtitle
            yield Static(self._page)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


PAGE_KEYS = dict(zip("1234567890abcdef", docs.TOPICS, strict=False))
"""The key of each page of the documentation."""


class HelpScreen(PageScreen):
    """The help of a screen; keys open the pages of the documentation on top of it."""

    DEFAULT_CSS = "HelpScreen VerticalScroll { width: 92; }"
    BINDINGS = [
        Binding(key, f"open({topic!r})", topic, show=False) for key, topic in PAGE_KEYS.items()
    ]

    subtitle = "arrows scroll, the key before a page opens it, escape closes"

    def __init__(self, page: Iterable[RenderableType]) -> None:
        super().__init__("Help", [*page, *_documentation()])

    def action_open(self, topic: str) -> None:
        """Open a page of the documentation."""
        page = _Markdown(docs.page(topic), dark=self.app.current_theme.dark)
        self.app.push_screen(PageScreen(topic, [page]))


class _Markdown:
    """Markdown with colours only in code, so that it suits every theme."""

    _STYLES = Theme(
        {
            **{f"markdown.h{level}": "bold underline" for level in range(1, 7)},
            "markdown.code": "bold",
            "markdown.item.bullet": "bold",
            "markdown.link": "underline",
            "markdown.link_url": "underline",
            "markdown.table.header": "bold",
            "markdown.table.border": "dim",
        }
    )

    def __init__(self, text: str, *, dark: bool) -> None:
        self._markdown = Markdown(text, code_theme="ansi_dark" if dark else "ansi_light")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with console.use_theme(self._STYLES):
            segments = [*console.render(self._markdown, options)]
        yield from segments


def _documentation() -> Iterator[RenderableType]:
    """List the pages of the documentation, with the keys that open them."""
    yield Text("\nDocumentation", style="bold underline")
    rows = [(f"{key} {topic}", docs.TOPICS[topic]) for key, topic in PAGE_KEYS.items()]
    yield keys_and_meanings(rows, 14)
    yield Text(f"In a shell: diffusion-tui docs TOPIC. Files: {shown(str(docs.FOLDER))}")


def lab_page(
    workspace: Workspace, panel: DenoisingPanel, loss_view: str, here: str
) -> Iterator[RenderableType]:
    """Yield the help page of the lab.

    The keys of the group ``here`` come first, then the experiment and the visible views, the other
    keys, formulas, terms, all other views, and papers.
    """
    experiment = workspace.experiment
    actions = (*ACTIONS, *SWEEP_ACTIONS)
    yield from key_table(here, actions)
    preset = base_of(experiment)
    own = f"{shown(experiment.name)}, from {preset.title}" if experiment.name != preset.id else ""
    yield Text(f"\n{own or title_of(experiment)}", style="bold")
    yield Text(about_of(experiment))
    for title, text in current_advice(workspace):
        yield Text.assemble("\n", (f"{title}  ", "bold"), text)
    if there := where(workspace.training):
        yield Text.assemble("\n", ("Device, and why  ", "bold"), shown(there))
    yield Text("\nOn the screen", style="bold underline")
    if panel.trajectory is not None:
        yield Text(seen(workspace, panel.trajectory.request.source, panel.level, panel.levels))
    views = [panel.view, loss_view]
    yield from _pictures(views)
    for group in GROUPS:
        if group != here:
            yield from key_table(group, actions)
    yield Text("\nFormulas of these settings", style="bold underline")
    yield keys_and_meanings(formulas(experiment), 8)
    for name, text in own_parts(experiment):
        yield Text.assemble("\n", (name, "bold"), f"\n{text}")
    yield Text("\nLabels, guidance, likelihood", style="bold underline")
    yield keys_and_meanings(TERMS, 10)
    yield Text("\nOther views", style="bold underline")
    yield from _pictures([name for name in PICTURES if name not in views])
    yield Text("\nPapers", style="bold underline")
    yield from map(Text, papers(experiment))


def _pictures(names: list[str]) -> list[Text]:
    return [Text.assemble((name, "bold"), f"  {PICTURES[name]}") for name in names]


def key_table(group: str, actions: Sequence[Action]) -> Iterator[RenderableType]:
    """Yield a heading and a table with the keys of a group and their help."""
    rows = [(action.shown, action.help) for action in actions if action.group == group]
    rows += {"Lab": LAB_KEYS, "Comparison": LAB_KEYS[-1:]}.get(group, ())
    yield Text(f"\nKeys: {group.lower()}", style="bold underline")
    yield keys_and_meanings(rows or FORM_KEYS, 10)


def keys_and_meanings(rows: Iterable[tuple[str, str]], width: int) -> Table:
    """Return a table with names at the left, ``width`` cells wide, and meanings at the right."""
    table = Table.grid(padding=(0, 2))
    table.add_column(width=width, style="bold")
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    return table
