"""Conversion between values and the text that a user writes or sees.

1e4 or 10,000   a whole number        0.1, 0.2           a list of numbers
2e-4            a number              (-1, 1), (1, -1)   a list of points
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_BEYOND = 2.0**64
"""Greater than any whole number that a field allows."""


def _integer_text(value: Any) -> Any:
    """Parse 10,000 or 1e4 as a whole number."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.fullmatch(r"[+-]?\d{1,3}([,_]\d{3})+", text, re.ASCII):
        text = text.replace(",", "").replace("_", "")
    if re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
        # A float would hold only 53 bits.
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return value
    # A refusal shows a number beyond any bound as it was written.
    return int(number) if abs(number) < _BEYOND and number.is_integer() else value


def _numbers_text(value: Any) -> Any:
    """Parse '0.1, 0.2' or '0.1 0.2', with or without brackets, as a list of numbers."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[\s,;\[\]()]+", value) if part)
    return value


def _points_text(value: Any) -> Any:
    """Parse '(-1, 1), (1, -1)', '-1 1; 1 -1' or '[[-1, 1], [1, -1]]' as a list of points.

    A plain list '0.5, 2' is a list of 1D points.
    """
    if not isinstance(value, str):
        return value
    if "(" in value or "[" in value:
        groups = [g for g in re.split(r"[()\[\]]+", value) if g.strip(" ,;")]
        if len(groups) > 1 or ";" not in value:
            return tuple(_numbers_text(group) for group in groups)
    if ";" in value:
        return tuple(_numbers_text(group) for group in value.split(";") if group.strip())
    return tuple((number,) for number in _numbers_text(value))


Whole = Annotated[int, BeforeValidator(_integer_text)]
Real = Annotated[float, Field(allow_inf_nan=False)]
RealList = Annotated[tuple[Real, ...], BeforeValidator(_numbers_text)]
Points = Annotated[tuple[tuple[Real, ...], ...], BeforeValidator(_points_text)]


def format_value(value: Any) -> str:
    """Format a value as a user writes it: ``2e-4``, ``true``, ``0.1, 0.2``, ``(-1, 1), (1, 1)``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, tuple | list):
        if value and all(isinstance(item, tuple | list) and len(item) == 1 for item in value):
            return ", ".join(format_value(item[0]) for item in value)
        return ", ".join(
            f"({format_value(item)})" if isinstance(item, tuple | list) else format_value(item)
            for item in value
        )
    return str(value)


def _number(value: float) -> str:
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    text = f"{value:.6g}"
    mantissa, e, exponent = (f"{value:.5e}").partition("e")
    short = mantissa.rstrip("0").rstrip(".") + e + str(int(exponent))
    return short if value and (abs(value) < 0.001 or abs(value) >= 1e6) else text


def coordinate(value: float, digits: int, scale: float = 1.0) -> str:
    """Format a measured coordinate with ``digits`` decimals, for a spread of 1: 0.012, 48171, 2e99.

    For a spread of ``scale``, the number of decimals is adjusted to the same relative precision.
    """
    decimals = digits - (math.floor(math.log10(scale)) if scale != 1 else 0)
    if decimals <= 6 and abs(value) < 1e15:
        return f"{value:z.{max(decimals, 0)}f}"  # z: no -0.000
    size = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
    return f"{value:.{min(max(size + decimals, 0), 15)}e}"


def format_exactly(value: Any) -> str:
    """Return a text that reads back as the same value; a float may have more digits than shown."""
    return repr(value) if isinstance(value, float) else format_value(value)
