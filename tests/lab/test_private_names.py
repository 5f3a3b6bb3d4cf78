"""What the lab expects of each private name of Textual and rich: an upgrade that moves one fails.

`lab/output` alone touches them; `test_layout` holds that.
"""

from __future__ import annotations

import inspect
import io
import sys
from asyncio import Event
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual import _parser, _types
from textual._callback import invoke
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import BindingsMap
from textual.command import CommandPalette
from textual.content import Content
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.notifications import Notifications
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList

from ..private_names import touched


def takes(function: Callable[..., object], *names: str) -> bool:
    """Whether a function takes these parameters and, without defaults, no others."""
    parameters = inspect.signature(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    return set(needed) <= set(names) <= {p.name for p in parameters}


def titled() -> Widget:
    widget = Widget()
    widget.border_title, widget.border_subtitle = "above", "below"
    return widget


def left() -> App[int]:
    app = App[int]()
    app.exit(return_code=3, message="why")
    return app


def written(sent: str) -> int:
    """The number of texts that a writer has not written yet."""
    writer = WriterThread(io.StringIO())
    writer.write(sent)
    return writer._queue.qsize()


BOLD = Style(bold=True)
HELD: dict[str, Callable[[], bool]] = {
    # modules
    "rich._palettes.EIGHT_BIT_PALETTE": lambda: tuple(EIGHT_BIT_PALETTE[231]) == (255, 255, 255),
    "textual._callback.invoke": lambda: inspect.iscoroutinefunction(invoke),
    "textual._compositor.ChopsUpdate": lambda: takes(ChopsUpdate, "chops", "spans", "chop_ends"),
    "textual._compositor.CompositorUpdate": lambda: takes(
        CompositorUpdate.render_segments, "self", "console"
    ),
    "textual._compositor.LayoutUpdate": lambda: takes(LayoutUpdate, "strips", "region"),
    "textual._context.active_message_pump": lambda: isinstance(active_message_pump, ContextVar),
    "textual._parser.ParseError": lambda: issubclass(_parser.ParseError, Exception),
    "textual._parser.Peek1": lambda: isinstance(_parser.Peek1, type),
    "textual._parser.Read1": lambda: isinstance(_parser.Read1, type),
    "textual._parser.TokenCallback": lambda: hasattr(_parser, "TokenCallback"),
    "textual._styles_cache.StylesCache": lambda: callable(StylesCache.get_inner_outer.cache_clear),
    "textual._types.CallbackType": lambda: hasattr(_types, "CallbackType"),
    "textual._xterm_parser.XTermParser": lambda: takes(XTermParser.parse, "self", "token_callback"),
    # methods that the lab overrides or calls
    "_action_command_list": lambda: takes(CommandPalette._action_command_list, "self", "action"),
    "_check_bindings": lambda: takes(App._check_bindings, "self", "key", "priority"),
    "_dispatch_message": lambda: takes(MessagePump._dispatch_message, "self", "message"),
    "_display": lambda: takes(App._display, "self", "screen", "renderable"),
    "_forward_event": lambda: takes(Widget._forward_event, "self", "event"),
    "_handle_exception": lambda: takes(App._handle_exception, "self", "error"),
    "_make_ansi_codes": lambda: BOLD._make_ansi_codes(ColorSystem.TRUECOLOR) == "1",
    "_move_page": lambda: takes(OptionList._move_page, "self", "direction"),
    "_on_timer_update": lambda: takes(Screen._on_timer_update, "self"),
    "_print_error_renderables": lambda: takes(App._print_error_renderables, "self"),
    "_refresh_layout": lambda: takes(Screen._refresh_layout, "self", "size", "scroll"),
    "_run_input_thread": lambda: takes(LinuxDriver._run_input_thread, "self"),
    "_screen_resized": lambda: takes(Screen._screen_resized, "self", "size"),
    "_sequence_to_key_events": lambda: (
        [key.key for key in XTermParser()._sequence_to_key_events("\x1b[A", alt=False)] == ["up"]
    ),
    "_unnotify": lambda: takes(App._unnotify, "self", "notification", "refresh"),
    # attributes
    "_app": lambda: isinstance(LinuxDriver(App())._app, App),
    "_attributes": lambda: BOLD._attributes != Style()._attributes,
    "_bindings": lambda: (
        isinstance(Input()._bindings, BindingsMap)
        and Input()._bindings.key_to_bindings["ctrl+u"][0].action == "delete_left_all"
    ),
    "_border_subtitle": lambda: titled()._border_subtitle == Content("below"),
    "_border_title": lambda: titled()._border_title == Content("above"),
    "_color_system": lambda: Console(color_system="256")._color_system is ColorSystem.EIGHT_BIT,
    "_compositor": lambda: isinstance(Screen()._compositor, Compositor),
    "_driver": lambda: App()._driver is None,
    "_exception": lambda: App()._exception is None,
    "_exit": lambda: (App()._exit, left()._exit) == (False, True),
    "_exit_renderables": lambda: left()._exit_renderables == ["why"],
    "_file": lambda: LinuxDriver(App())._file is sys.__stderr__,
    "_full_map": lambda: Compositor()._full_map == {},
    "_in_band_window_resize": lambda: LinuxDriver(App())._in_band_window_resize is False,
    "_mounted_event": lambda: isinstance(Screen()._mounted_event, Event),
    "_notifications": lambda: isinstance(App()._notifications, Notifications),
    "_pruning": lambda: Widget()._pruning is False,
    "_queue": lambda: written("text") == 1,
    "_return_code": lambda: left()._return_code == 3,
    "_screen_stack": lambda: App()._screen_stack == [],
    "_selected_command": lambda: CommandPalette()._selected_command is None,
    "_set_attributes": lambda: BOLD._set_attributes != Style()._set_attributes,
    "_writer_thread": lambda: LinuxDriver(App())._writer_thread is None,
}


@pytest.mark.parametrize("name", HELD)
async def test_the_name_is_where_the_lab_expects_it(name):  # a driver needs a running loop
    assert HELD[name]()


def test_every_private_name_that_is_touched_is_held_and_no_other():
    assert {name for _, name in touched()} == set(HELD)
