"""A text field that acts on its keys in the order in which they were pressed."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

_SCROLLING = ("scroll_", "page_")
"""What every widget inherits to scroll by: a field of one line leaves it to what is around it."""


class Entry(Input):
    """Textual's text field writes letters at once, but has its other keys go all the way up to the
    app and back: of ctrl+u and a text in one burst it would delete the text."""

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not binding.action.startswith(_SCROLLING):
                event.stop()
                event.prevent_default()
                await self.app.run_action(binding.action, self)
                return
