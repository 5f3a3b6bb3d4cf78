"""Checks of what a script passes: one line that says what was expected; loads no torch."""

from __future__ import annotations

import inspect
from typing import Any

from .short_repr import short_value
from .text import shortened


def expected(name: str, wanted: str, given: object, hint: str = "") -> TypeError:
    """Return the error for an argument of a wrong type."""
    got = shortened(short_value(given), 60)
    return TypeError(f"{name} must be {wanted} (got {got}){f'; {hint}' if hint else ''}")


def check_type(name: str, given: object, kind: type, hint: str = "") -> None:
    """Raise TypeError unless an argument is of a kind."""
    if not isinstance(given, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise expected(name, f"{article} {kind.__name__}", given, hint)


def check_function(name: str, given: Any, parameters: tuple[str, ...], returns: str) -> None:
    """Raise TypeError unless an argument can be called with these parameters, by position."""
    wanted = f"a function of ({', '.join(parameters)}) that returns a {returns}"
    if not callable(given):
        raise expected(name, wanted, given)
    try:
        signature = inspect.signature(given)
    except ValueError:
        return  # written in C, without a signature
    try:
        signature.bind(*parameters)
    except TypeError:
        raise TypeError(f"{name} must be {wanted} (got one of {signature})") from None


def check_count(name: str, given: int | None, least: int = 1) -> None:
    """Raise unless an argument is a whole number from ``least``, or None."""
    if given is None:
        return
    check_index(name, given)
    if given < least:
        raise ValueError(f"{name} must be a whole number from {least} (got {given})")


def check_index(name: str, given: object) -> None:
    """Raise TypeError unless an argument is a whole number."""
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise expected(name, "a whole number", given)
