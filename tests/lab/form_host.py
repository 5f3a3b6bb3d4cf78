"""The form in an app of its own, and what a test types into it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.lab.panels.experiments import ExperimentList
from tui_diffusion.lab.panels.form.form import Form
from tui_diffusion.lab.widgets.row_list import RowList

APP_KEYS = ["left", "right", "home", "end", "space", *"123tpxnvgicerdhlq[]+-?"]

WRONG = {"int": ("abc", "-1", "2.5"), "float": ("abc", "1e99", "nan"), "text": ("nope", "cuda:")}
"""What no field of a kind takes."""

# What brings the fields to the fore that no preset shows.
SHOWN_BY = {
    "data.count": {"data.name": "ring"},
    "data.correlation": {"data.name": "correlated"},
    "sampling.eta": {"sampling.sampler": "ddim"},
    **{
        f"sampling.{field}": {"sampling.sampler": "edm-stochastic"}
        for field in ("s_churn", "s_min", "s_max", "s_noise")
    },
    "sampling.snr": {"sampling.sampler": "predictor-corrector"},
    "sampling.step_size": {"sampling.sampler": "langevin"},
}
# A field that not every preset in which it shows can have at another value.
BEST = {"sampling.levels": "edm-moons", "network.labels": "edm-classes"}
ANY_TEXT = {"sampling.guide"}
"""Fields that take the name of a run, which is looked up when it is needed."""

# They come with a file, which has a test of its own.
ELSEWHERE = {
    *("data.path", "data.columns", "data.where", "data.label", "data.scaling", "data.holdout")
}


def experiment_with(path: str) -> Experiment:
    """An experiment in which a field applies."""
    spec = field_table()[path]
    if path in BEST:
        return PRESETS[BEST[path]].experiment
    for preset in PRESETS.values():
        if spec.applies(preset.experiment):
            return preset.experiment
    return PRESETS["edm-moons"].experiment.with_settings(SHOWN_BY[path])


PRESET_OF = {path: experiment_with(path) for path in field_table() if path not in ELSEWHERE}
"""An experiment in which each field applies."""


class Host(App[None]):
    """Both widgets, the app's keys, and a record of all that was posted."""

    CSS = "#list, #form { border: round $accent; } #list { max-height: 9; }"
    BINDINGS = [Binding(key, f"record({key!r})") for key in APP_KEYS]

    def __init__(self, preset: str = "ddpm-multimodal") -> None:
        super().__init__()
        self.first = preset
        self.pressed: list[str] = []
        self.chosen: list[str] = []
        self.changes: list[Experiment] = []
        self.rejections: list[ConfigError] = []

    def compose(self) -> ComposeResult:
        yield ExperimentList(list(PRESETS.values()), self.first, id="list")
        yield Form(id="form")

    def on_mount(self) -> None:
        experiment = PRESETS[self.first].experiment
        self.form.show(experiment, experiment)
        self.form.focus()

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    @property
    def list(self) -> ExperimentList:
        return self.query_one(ExperimentList)

    def action_record(self, key: str) -> None:
        self.pressed.append(key)

    def on_experiment_list_chosen(self, event: ExperimentList.Chosen) -> None:
        self.chosen.append(event.id)

    def on_form_changed(self, event: Form.Changed) -> None:
        self.changes.append(event.experiment)

    def on_form_rejected(self, event: Form.Rejected) -> None:
        self.rejections.append(event.error)


def post(pilot: Pilot[None], *keys: str) -> None:
    """Send keys in one burst, as a terminal does; they take effect a little later."""
    for key in keys:
        key = " " if key == "space" else key
        name, character = (_character_to_key(key), key) if len(key) == 1 else (key, None)
        pilot.app.post_message(events.Key(name, character))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the pilot's own waits take 50 ms each."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys without the pilot's wait after each of them."""
    post(pilot, *keys)
    await pilot.pause()
    await pilot.pause()


async def enter(pilot: Pilot[None], path: str, text: str) -> None:
    """Type a value into a field, as a person does."""
    form = pilot.app.query_one(Form)
    form.select(path)
    post(pilot, "enter", *text)
    await until(lambda: [field.value for field in pilot.app.query(Input)] == [text])
    assert form.editing
    count = len(pilot.app.changes) + len(pilot.app.rejections)
    post(pilot, "enter")
    await until(lambda: len(pilot.app.changes) + len(pilot.app.rejections) > count)
    await until(lambda: not pilot.app.query(Input))
    assert not form.editing and form.fields.has_focus


async def choose(pilot: Pilot[None], path: str, choice: str) -> None:
    """Pick a choice from its list, as a person does."""
    form = pilot.app.query_one(Form)
    form.select(path)
    await pilot.press("enter")
    choices = field_table()[path].choices
    by = choices.index(choice) - choices.index(form.model.text(path))
    await pilot.press(*["down" if by > 0 else "up"] * abs(by), "enter")


def shown(lines: RowList) -> list[str]:
    """The rows that are on the screen."""
    return [lines.render_line(y).text for y in range(lines.scrollable_content_region.height)]


def rows(app: Host) -> str:
    """All rows of the form, whether in sight or not."""
    lines = app.form.fields
    return "\n".join("".join(text for text, _ in lines.paint(y, 40)) for y in range(lines.count()))


def about(app: Host) -> str:
    """The help below the rows, as one line."""
    return " ".join(line.strip() for line in shown(app.form.help))
