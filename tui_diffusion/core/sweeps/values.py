"""The values of an axis as a user writes them; loads no torch.

16,32,64            a list
1e-4..1e-1:log7     seven numbers from 1e-4 to 1e-1, evenly spaced in their logarithm
0..1:lin5           five numbers from 0 to 1, evenly spaced
0,1..100:log3       a list of both
(0.1,0.2),(0.3)     a value with commas, such as a list, stands in parentheses
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ..config.data_section import OF_THE_FILE
from ..config.errors import ConfigError
from ..config.experiment import Experiment, field_table, unknown_field
from ..config.fields import FieldSpec
from ..config.value_types import format_value
from ..nearest import did_you_mean, nearest
from ..text import shortened

MOST_VALUES = 1000
"""Maximum number of values of an axis."""

_DIGITS = 6
"""Significant digits of the numbers within a range, so that each can be typed as it is shown."""

_ALLOWED = "a list 16,32,64, or a range 1e-4..1e-1:log7 or 0..1:lin5"

_RANGE = re.compile(r"(?P<low>.*?)\.\.(?P<high>[^:]*)(:(?P<kind>[^:\d]*)(?P<count>.*))?")


def parse_axis(text: str) -> tuple[str, tuple[Any, ...]]:
    """Parse ``FIELD=VALUES``; raise `ConfigError`."""
    field, equals, values = text.partition("=")
    field = field.strip()
    if not equals or not field or not values.strip():
        raise ConfigError(
            f"axis {shortened(text)!r}: no values; allowed: FIELD=VALUES, with VALUES {_ALLOWED}"
        )
    return field, parse_values(field, values)


def parse_values(field: str, text: str) -> tuple[Any, ...]:
    """Parse the values of a field, each validated by itself; raise `ConfigError`."""
    spec = spec_of(field)
    entries = list(_split(field, text))
    if "" in entries:
        raise ConfigError(
            f"{field}: {shortened(text)!r} has an empty value; allowed: {_ALLOWED}", field
        )
    values: list[Any] = []
    for entry in entries:
        numeric = spec.kind in ("int", "float")
        values += _range(spec, entry) if numeric and ".." in entry else [_bare(entry)]
        if len(values) > MOST_VALUES:
            raise ConfigError(
                f"{field}: more than {MOST_VALUES:,} values; allowed: up to {MOST_VALUES:,}", field
            )
    return check_values(field, values)


def check_values(field: str, values: Any) -> tuple[Any, ...]:
    """Return the values of a field in its own type; raise `ConfigError` for the first bad one."""
    spec = spec_of(field)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise ConfigError(
            f"{field}: {shortened(repr(values))} is not a list; allowed: a list of values, such as "
            "[16, 32]",
            field,
        )
    checked = tuple(_checked(spec, value) for value in values)
    if not checked:
        raise ConfigError(f"{field}: no values; allowed: one or more", field)
    if len(checked) > MOST_VALUES:
        raise ConfigError(
            f"{field}: {len(checked):,} values; allowed: up to {MOST_VALUES:,}", field
        )
    twice = next((value for i, value in enumerate(checked) if value in checked[:i]), None)
    if twice is not None:
        raise ConfigError(
            f"{field}: {shortened(format_value(twice))} is there twice; allowed: each value once",
            field,
        )
    return checked


def spec_of(field: str) -> FieldSpec:
    """Return the metadata of a field that may be an axis; raise `ConfigError`."""
    spec = field_table().get(field)
    if spec is None:
        raise ConfigError(unknown_field(field), field)
    if field == "seed":
        raise ConfigError(
            "seed: cannot be an axis, because every cell has several seeds; allowed: any other "
            "field, and the number of seeds",
            field,
        )
    return spec


def _split(field: str, text: str) -> Iterator[str]:
    """Split a list at the commas outside of parentheses and brackets."""
    depth, entry = 0, ""
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            break
        if character == "," and not depth:
            yield entry.strip()
            entry = ""
        else:
            entry += character
    if depth:
        raise ConfigError(
            f"{field}: {shortened(text)!r} has parentheses that do not match; allowed: a value "
            "with commas in parentheses, such as (0.1,0.2),(0.3,0.4)",
            field,
        )
    yield entry.strip()


def _bare(entry: str) -> str:
    """Remove the parentheses around a whole value."""
    if not entry.startswith("("):
        return entry
    depth = 0
    for index, character in enumerate(entry):
        depth += (character == "(") - (character == ")")
        if not depth:
            return entry[1:-1] if index == len(entry) - 1 else entry
    return entry


def _range(spec: FieldSpec, entry: str) -> list[Any]:
    """Return the numbers of ``LOW..HIGH:logN`` or ``LOW..HIGH:linN``."""
    match = _RANGE.fullmatch(entry)
    kind, count = (match["kind"], match["count"] or "") if match else (None, "")
    if match is None or kind not in ("log", "lin") or not re.fullmatch(r"\d{1,18}", count):
        raise _not_a_range(spec, entry, "LOW..HIGH:logN or LOW..HIGH:linN, such as 1e-4..1e-1:log7")
    number = int(count)
    if not 2 <= number <= MOST_VALUES:
        raise _not_a_range(spec, entry, f"2 to {MOST_VALUES:,} values")
    low, high = (_checked(spec, match[name]) for name in ("low", "high"))
    if not low < high:
        raise _not_a_range(spec, entry, "a range from a lower number to a higher one")
    if kind == "log" and low <= 0:
        raise _not_a_range(spec, entry, "log from a number above 0, or lin")
    shares = [i / (number - 1) for i in range(1, number - 1)]
    if kind == "log":
        inner = [math.exp(math.log(low) + s * (math.log(high) - math.log(low))) for s in shares]
    else:
        inner = [low + share * (high - low) for share in shares]
    if spec.kind == "int":
        return [low, *map(round, inner), high]
    return [low, *(float(f"{value:.{_DIGITS}g}") for value in inner), high]


def _not_a_range(spec: FieldSpec, entry: str, allowed: str) -> ConfigError:
    return ConfigError(
        f"{spec.path}: range {shortened(entry)!r} is not allowed; allowed: {allowed}", spec.path
    )


def _checked(spec: FieldSpec, value: Any) -> Any:
    """Return a value in the type of its field; raise `ConfigError` if it can never be allowed."""
    if spec.path in OF_THE_FILE and str(value).startswith("file:"):
        return str(value)  # the data section expands it
    try:
        return _adapter(spec.path).validate_python(value)
    except ValidationError:
        hint = did_you_mean(nearest(str(value), spec.choices))
        raise ConfigError(
            f"{spec.path}: {shortened(format_value(value))!r} is not allowed; {hint}allowed: "
            f"{spec.allowed}",
            spec.path,
        ) from None


def _adapter(field: str) -> TypeAdapter[Any]:
    """Return the validator of one field."""
    model: Any = Experiment
    *sections, last = field.split(".")
    for section in sections:
        model = model.model_fields[section].annotation
    info = model.model_fields.get(last) or _field_of_a_part(model, last)
    typed: Any = Annotated[info.annotation, info]
    return TypeAdapter(typed)


def _field_of_a_part(model: Any, name: str) -> Any:
    """Return a parameter that a part of a section adds; those of one name have the same type."""
    models = (part.parameters for part in [*model.parts.values()])
    return next(of.model_fields[name] for of in models if of and name in of.model_fields)
