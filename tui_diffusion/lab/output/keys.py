"""Keys that are sent to a widget directly, not through the focus or the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

from textual import events
from textual.widget import Widget
from textual.widgets import OptionList


def forward_key(widget: Widget, key: events.Key) -> None:
    """Send a key to a widget, whether or not it has the focus."""
    widget._forward_event(key)


def actions_of(widget: Widget, key: str) -> Iterator[str]:
    """Yield the actions that a widget itself binds to a key."""
    for binding in widget._bindings.key_to_bindings.get(key, ()):
        yield binding.action


class PagedList(OptionList):
    """A list whose page keys do nothing until it is laid out."""

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        with suppress(KeyError):  # Textual looks for lines that it has not laid out yet
            super()._move_page(direction)
