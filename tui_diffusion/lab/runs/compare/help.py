"""The comparison's help: what each part shows, what is on the screen, and every key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from ....interface.keymap import COMPARE_ACTIONS
from ...screens.help import keys
from ...views.names import PICTURES

_PARTS = {
    "losses": "Smoothed, all over the same steps. The loss of another method is a number of "
    "another thing, so each is shown as times its own floor, the least that any network can come "
    "to; o shows them as they are.",
    "denoising": "The same noise goes through each network. All stand at the same share of the way "
    "from noise to clean; sigma/alpha says how noisy that is in each.",
    "table": "The settings that are not the same in all, and what each run came to. A mark is at "
    "the better result, where the numbers mean the same thing.",
}


def compare_page(views: Sequence[str], here: str) -> Iterator[RenderableType]:
    """The keys of the page that one looks at, what each part is, then the other keys."""
    yield from keys(here, COMPARE_ACTIONS)
    for name, text in [*_PARTS.items(), *((view, PICTURES[view]) for view in views)]:
        yield Text.assemble((f"\n{name}", "bold"), f"  {text}")
    for group in dict.fromkeys(action.group for action in COMPARE_ACTIONS):
        if group != here:
            yield from keys(group, COMPARE_ACTIONS)
