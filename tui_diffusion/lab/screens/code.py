"""The code panel: the source of the core's functions that an experiment uses."""

from __future__ import annotations

import inspect
from concurrent.futures import Future
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.highlight import highlight
from textual.widgets import Static

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.parts.datasets import DATA_PARTS
from ...core.parts.networks import NETWORK_PARTS
from ...core.parts.samplers import SAMPLER_PARTS
from ..output.screens import ModalWindow
from ..reader import Reader


def pieces(experiment: Experiment) -> list[tuple[str, str]]:
    """Return a title and the source of schedule, method, loss and sampler, in order of use."""
    from ...core.assemble import method_class, network_class, sampler_sources, schedule_function
    from ...core.training.steppers.autograd import loss_of

    parts: list[tuple[str, Any]] = [
        (f"The noise levels: schedule.kind = {experiment.schedule.kind}",
         schedule_function(experiment.schedule.kind)),
        (f"What the network learns: method.name = {experiment.method.name}",
         method_class(experiment.method.name)),
        (f"The loss of a batch: training.loss = {experiment.training.loss}", loss_of),
        *((f"One reverse step: sampling.sampler = {experiment.sampling.sampler}", source)
          for source in sampler_sources(experiment.sampling.sampler)),
    ]  # fmt: skip
    names = NETWORK_PARTS[experiment.network.name], DATA_PARTS[experiment.data.name]
    if names[0].file is not None:
        title = f"The network: network.name = {experiment.network.name}"
        parts.insert(2, (title, network_class(experiment.network.name)))
    if names[1].file is not None:
        parts.insert(0, (f"The data: data.name = {experiment.data.name}", names[1].function))
    return [(title, _source(part)) for title, part in parts]


def _source(part: Any) -> str:
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):  # typed in, or its file is gone
        return "# its source is not available"


class CodeScreen(ModalWindow[None]):
    """The pieces of code one below another, with syntax highlighting."""

    DEFAULT_CSS = """
    CodeScreen VerticalScroll {
        width: 108; max-width: 96%; height: 94%; border: round $accent;
        background: $surface; padding: 0 1; border-title-color: $text;
    }
    CodeScreen .title { margin: 1 0; text-style: bold underline; }
    """
    BINDINGS = [Binding("escape,q,c,enter", "dismiss", "close")]

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment

    def compose(self) -> ComposeResult:
        page = VerticalScroll()
        page.border_title = "The code that runs"
        page.border_subtitle = "arrows scroll, escape closes"
        yield page

    def on_mount(self) -> None:
        page = self.query_one(VerticalScroll)
        page.focus()
        needs = SAMPLER_PARTS[self.experiment.sampling.sampler].needs
        if not needs:
            self._show(pieces(self.experiment))
            return
        page.mount(Static(f"loading {' and '.join(needs)} …"))  # takes seconds
        reader: Reader[list[tuple[str, str]]] = Reader(self)
        reader.start(partial(pieces, self.experiment), self._loaded)

    def _loaded(self, outcome: Future[list[tuple[str, str]]]) -> None:
        page = self.query_one(VerticalScroll)
        page.remove_children()
        try:
            self._show(outcome.result())
        except ConfigError as error:
            page.mount(Static(str(error), markup=False))

    def _show(self, sources: list[tuple[str, str]]) -> None:
        page = self.query_one(VerticalScroll)
        for title, source in sources:
            page.mount(Static(title, classes="title", markup=False))
            page.mount(Static(highlight(source.rstrip(), language="python")))
