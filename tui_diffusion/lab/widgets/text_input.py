"""A text field that handles its keys in the order in which they were pressed."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from ..output.keys import actions_of

_SCROLLING = ("scroll_", "page_")
"""Prefixes of scroll actions, which a one-line field leaves to its container."""


class TextInput(Input):
    """A text field that handles all its keys at once.

    Textual's own field inserts letters at once but passes its other keys through the app first. In
    one burst, ctrl+u would then also delete the text typed after it.
    """

    async def on_key(self, event: events.Key) -> None:
        if event.is_printable:
            return
        for action in actions_of(self, event.key):
            if not action.startswith(_SCROLLING):
                event.stop()
                event.prevent_default()
                await self.app.run_action(action, self)
                return
