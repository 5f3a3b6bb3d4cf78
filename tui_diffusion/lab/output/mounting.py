"""Messages, timers and workers that reach a screen during its construction or removal.

Textual pushes a screen before its widgets exist, and removes them before it stops calling the
screen. Queries for the missing widgets then fail; this is expected, and there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from textual._callback import invoke
from textual._context import active_message_pump
from textual._types import CallbackType
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import NoActiveWorker, WorkerFailed, get_current_worker


def is_closing(app: App[Any]) -> bool:
    """Return whether an app that has started is about to exit or is removing its screens."""
    return app._exit or not app.is_running or not app._screen_stack


def is_whole(pump: MessagePump) -> bool:
    """Return whether a widget's screen is complete, on the stack, and not closing.

    For the app itself, the top screen counts.
    """
    app = pump.app
    if is_closing(app):
        return False
    stack = app._screen_stack
    if isinstance(pump, App):
        return stack[-1].is_mounted and not stack[-1]._pruning
    if not isinstance(pump, Widget):
        return True
    screen = next((node for node in pump.ancestors_with_self if isinstance(node, Screen)), None)
    return screen in stack and screen.is_mounted and not pump._pruning


def is_expected(error: BaseException | None, pump: MessagePump) -> bool:
    """Return whether ``error`` in a widget's code results from its incomplete screen."""
    while error is not None:
        if isinstance(error, NoMatches | ScreenStackError):
            return not is_whole(pump)
        error = error.error if isinstance(error, WorkerFailed) else error.__context__
    return False


@contextmanager
def while_whole(pump: MessagePump) -> Iterator[None]:
    """Suppress the errors that result from an incomplete screen."""
    try:
        yield
    except Exception as error:
        if not is_expected(error, pump):
            raise


def guarded(callback: CallbackType, pump: MessagePump) -> CallbackType:
    """Wrap a callback of a widget in `while_whole`."""
    return partial(_call, callback, pump)


async def _call(callback: CallbackType, pump: MessagePump) -> None:
    with while_whole(pump):
        await invoke(callback)


def pump_at_work(app: App[Any]) -> MessagePump:
    """Return the owner of the current worker or message."""
    try:
        node = get_current_worker().node
    except NoActiveWorker:
        return active_message_pump.get(app)
    return node
