"""The lab's main screen."""

from __future__ import annotations

from textual._styles_cache import StylesCache

from .output.screens import Paced


class MainScreen(Paced[None]):
    """The lab's own screen, under all others."""

    def on_screen_resume(self) -> None:
        # Textual's cache would hold on to every line of the screens that were over this one.
        StylesCache.get_inner_outer.cache_clear()
