"""Refusals of settings: each names the field, its value and what is allowed, which is accepted."""

import math
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.fields import FieldSpec
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.core.text import shortened

Changes = dict[str, Any]

WRONG: dict[str, tuple[Any, ...]] = {
    "int": ("abc", "", "1.5", "-1", "nan", "1e300", None, [1]),
    "float": ("abc", "", "nan", "inf", "1e300", "1,5", None, [1]),
    "bool": ("maybe", "", "2", None),
    "choice": ("nope", "", "Naive ", None, 3),
    "list": ("abc", "nan", "1e400", "0, 0", "2 1e9", "(1, 2), (3)", (0.9,) * 999, None, 3),
    "text": ("gpu", "", "cuda:-1", "a\nb", "x" * 10_000, None),
}
TABLE = field_table()
REFUSAL = re.compile(
    r"(?P<field>[a-z_.]+): (?P<wrong>\S.*); (did you mean [^?;]+\? )?allowed: (?P<allowed>\S.*)"
)
NUMBER = r"-?\d[\d.]*(?:e[+-]?\d+)?"


def values(spec: FieldSpec) -> Iterator[Any]:
    """Every choice, the bounds and what lies beside them, and what is no such value."""
    yield from spec.choices
    yield from WRONG[spec.kind]
    for bound in spec.bounds.values():
        beside = 1 if spec.kind == "int" else abs(bound) / 100 or 1e-6
        yield from (bound - beside, bound, bound + beside)


def all_changes() -> Iterator[Changes]:
    for spec in TABLE.values():
        for value in values(spec):
            yield {spec.path: value}
    method, kind = TABLE["method.name"].choices, TABLE["schedule.kind"].choices
    for third in ("sampling.sampler", "sampling.start"):
        for one, two, three in product(method, kind, TABLE[third].choices):
            yield {"method.name": one, "schedule.kind": two, third: three}
    for one, levels in product(method, (1, 1000)):
        yield {"method.name": one, "network.per_level": True, "training.steps": levels}
        yield {"method.name": one, "sampling.levels": levels, "sampling.stop_before": levels - 1}
    for one, two in product(kind, (1.0, 100.0)):
        yield {"schedule.kind": one, "schedule.rho": two}
        yield {"schedule.kind": one, "schedule.levels": 1000, "sampling.levels": 1000}
    for name in ("ring", "moons", "two-modes", "file", "file:none.csv"):
        for path in ("means", "weights", "count", "columns", "where", "scaling"):
            yield {"data.name": name, f"data.{path}": "1"}


def proposals(base: str, field: str, allowed: str) -> Iterator[Changes]:
    """What a person may try who reads what is allowed."""
    conditions = re.findall(r"([a-z]+\.[a-z_]+) = ((?:[\w+-]+(?: or )?)+)", allowed)
    for values_ in product(*(names.split(" or ") for _, names in conditions)):
        yield dict(zip((path for path, _ in conditions), values_, strict=True))
    for path, number in re.findall(rf"([a-z]+\.[a-z_]+) above ({NUMBER})", allowed):
        yield {path: 1.005 * float(number)}
    spec = TABLE[field]
    words = [word.strip() for word in allowed.split(",")]
    words = [word for word in words if spec.kind == "text" or word in spec.choices]
    if "none" in allowed:
        words.append("")
    found = {
        name: float(number)
        for name, number in re.findall(rf"(from|above|to|below) ({NUMBER})", f"from {allowed}")
    }
    low = found.get("from", found.get("above", 0.0))
    high = found.get("to", found.get("below", max(1.0, 2 * low)))
    middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
    count = len(PRESETS[base].experiment.get(field)) or 1 if spec.kind == "list" else 1
    numbers = (low, middle, high) if found or "fewer" in allowed else ()
    numbers = [math.floor(n) if spec.kind == "int" else n for n in numbers]
    for word in (*words, *(", ".join([repr(number)] * count) for number in numbers)):
        yield {field: word}


def refusal(base: str, changes: Changes) -> ConfigError | None:
    try:
        PRESETS[base].experiment.with_settings(changes)
    except ConfigError as error:
        return error
    return None


def helps(base: str, changes: Changes, error: ConfigError | None, steps: int = 4) -> bool:
    """Whether what a refusal allows is accepted, perhaps after a further refusal or two."""
    if error is None or error.field == "data.path":  # it names the files that can be read
        return True
    said = REFUSAL.fullmatch(str(error))
    if not steps or said is None:
        return False
    return any(
        helps(base, more, refusal(base, more), steps - 1)
        for more in ({**changes, **way} for way in proposals(base, error.field, said["allowed"]))
        if more != changes
    )


def is_told(value: Any, wrong: str) -> bool:
    """Whether a refusal shows the value, an entry of it, or refuses the field as a whole."""
    text = shortened(format_value(value))
    entries = re.findall(r"[^\s,;()]+", text)
    whole = wrong.startswith(("does not apply while", "does not go with"))
    return whole or any(e in wrong for e in (text, *entries))


def test_every_refusal_names_the_field_the_value_and_what_is_then_accepted():
    seen: set[str] = set()
    for base, changes in product(PRESETS, list(all_changes())):
        error = refusal(base, changes)
        if error is None or str(error) in seen:
            continue
        seen.add(str(error))
        case = f"{base} {changes}: {error}"[:400]
        said = REFUSAL.fullmatch(str(error))
        assert said is not None, case
        assert str(error).isprintable(), case
        assert len(str(error)) < 400, case
        assert said["field"] == error.field in TABLE, case
        if error.field in changes:
            assert is_told(changes[error.field], said["wrong"]), case
        assert helps(base, changes, error), case
    assert len(seen) > 300
