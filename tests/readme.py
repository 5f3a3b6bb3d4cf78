"""The tables of the README, made from what the program declares.

    python -m tests.readme          write them into README.md

A test holds README.md to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tui_diffusion.core.analysis.glossary import GLOSSARY
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.lab.keymap import ACTIONS, COMPARE_ACTIONS, FORM_KEYS, LAB_KEYS

README = Path(__file__).parent.parent / "README.md"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = (tuple(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def experiments() -> str:
    """The presets and their scripts."""
    rows = [
        (
            f"`{preset.id}`",
            f"`{preset.script}`" if preset.script else "–",
            preset.about,
            f"{preset.experiment.training.steps:,}",
            str(preset.experiment.levels),
        )
        for preset in PRESETS.values()
    ]
    return _table(("experiment", "script in the post", "what it is", "steps", "levels"), rows)


def fields() -> str:
    """Every hyperparameter."""
    rows = []
    for spec in field_table().values():
        conditions = " and ".join(f"`{p}` = {' or '.join(v)}" for p, v in spec.when.items())
        text = spec.help + (f" Only while {conditions}." if conditions else "")
        default = format_value(spec.default) or "–"
        rows.append((f"`{spec.path}`", text, spec.allowed, default))
    return _table(("field", "what it is", "allowed", "default"), rows)


def keys() -> str:
    """Every key of the lab."""
    return _keys([*((action.shown, action.help) for action in ACTIONS), *LAB_KEYS, *FORM_KEYS])


def compare_keys() -> str:
    """The keys of the comparison that do not what they do in the lab."""
    usual = {(action.shown, action.label) for action in ACTIONS}
    actions = (a for a in COMPARE_ACTIONS if (a.shown, a.label) not in usual)
    return _keys([(action.shown, action.help) for action in actions])


def _keys(rows: Iterable[tuple[str, str]]) -> str:
    named = [(" ".join(f"`{key}`" for key in shown.split()), text) for shown, text in rows]
    return _table(("key", "what it does"), named)


def numbers() -> str:
    """Every number that the lab and ``evaluate`` write."""
    rows = [
        (entry.name, entry.about, f"`{entry.formula}`" if entry.formula else "–", entry.good or "–")
        for entry in GLOSSARY.values()
    ]
    return _table(("number", "what it is", "formula", "what is good"), rows)


TABLES = {
    "numbers": numbers,
    "experiments": experiments,
    "fields": fields,
    "keys": keys,
    "compare": compare_keys,
}


def filled(text: str) -> str:
    """README text with every table as it should be."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(
            pattern, lambda m, make=make: m[1] + make() + "\n" + m[2], text, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"README.md has {count} places for the table {name!r}")
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text("utf-8")), "utf-8")
