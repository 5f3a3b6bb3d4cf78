"""The help of the comparison: its parts, its views and its keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from ....interface.keymap import COMPARE_ACTIONS
from ...screens.help import key_table
from ...views.names import PICTURES

_PARTS = {
    "losses": "The smoothed losses over the same steps. Losses of different methods do not "
    "compare, so each is drawn as a multiple of its own floor, the least that any network can "
    "reach; o draws them as they are.",
    "denoising": "Each network denoises the same noise. All show the same fraction of the way from "
    "noise to clean; sigma/alpha shows the noise of each there.",
    "table": "The settings that differ, and the results of each run. A mark shows the best result, "
    "where the numbers measure the same thing.",
}


def compare_page(views: Sequence[str], here: str) -> Iterator[RenderableType]:
    """Yield the keys of the group ``here``, the parts and views explained, then all other keys."""
    yield from key_table(here, COMPARE_ACTIONS)
    for name, text in [*_PARTS.items(), *((view, PICTURES[view]) for view in views)]:
        yield Text.assemble((f"\n{name}", "bold"), f"  {text}")
    for group in dict.fromkeys(action.group for action in COMPARE_ACTIONS):
        if group != here:
            yield from key_table(group, COMPARE_ACTIONS)
