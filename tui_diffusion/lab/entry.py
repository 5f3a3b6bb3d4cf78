"""A text field that acts on its keys in the order in which they were pressed."""

from __future__ import annotations

from textual import events
from textual.binding import BindingsMap
from textual.widgets import Input

_OWN = BindingsMap(Input.BINDINGS).key_to_bindings
"""The keys that a text field itself has, and not what it scrolls by."""


class Entry(Input):
    """Textual's text field writes letters at once, but has its other keys go all the way up to the
    app and back: of ctrl+u and a text in one burst it would delete the text."""

    async def _on_key(self, event: events.Key) -> None:
        bound = _OWN.get(event.key)
        if bound and not event.is_printable:
            event.stop()
            event.prevent_default()
            await self.app.run_action(bound[0].action, self)
