"""The tables of the README and of the documentation, made from what the program declares.

    python -m tests.readme          write them into README.md and tui_diffusion/docs/*.md

A test holds the files to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tui_diffusion.core.analysis.glossary import GLOSSARY
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.interface.keymap import ACTIONS, COMPARE_ACTIONS, FORM_KEYS, LAB_KEYS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "tui_diffusion" / "docs"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = (tuple(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def experiments() -> str:
    """The presets and their scripts."""
    rows = [
        (f"`{preset.id}`", f"`{preset.script}`" if preset.script else "–", preset.about)
        for preset in PRESETS.values()
    ]
    return _table(("experiment", "script in the post", "what it is"), rows)


def fields() -> str:
    """Every hyperparameter."""
    rows = []
    for spec in field_table().values():
        conditions = re.sub(r"([a-z_]+\.[a-z_]+) =", r"`\1` =", spec.conditions)
        text = spec.help + (f" Only while {conditions}." if conditions else "")
        default = format_value(spec.default) or "–"
        rows.append((f"`{spec.path}`", text, spec.allowed, default))
    return _table(("field", "what it is", "allowed", "default"), rows)


def samplers() -> str:
    """Every sampler."""
    rows = [
        (
            f"`{part.name}`",
            part.help,
            str(part.order or "–"),
            str(part.evaluations),
            " ".join(f"`{method}`" for method in part.methods) or "all",
        )
        for part in SAMPLER_PARTS.values()
    ]
    return _table(("sampler", "what it does", "order", "evaluations", "methods"), rows)


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
        (
            entry.name,
            entry.about,
            f"`{entry.formula}`" if entry.formula else "–",
            entry.unit or "–",
            entry.good or "–",
        )
        for entry in GLOSSARY.values()
    ]
    return _table(("number", "what it is", "formula", "unit", "what is good"), rows)


TABLES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: {"experiments": experiments},
    DOCS / "keys.md": {"keys": keys, "compare": compare_keys},
    DOCS / "fields.md": {"fields": fields, "samplers": samplers},
    DOCS / "numbers.md": {"numbers": numbers},
}
"""The tables of each file, by the names of their markers."""


def filled(file: Path, text: str) -> str:
    """Return the text of a file with each of its tables made anew.

    Raises `ValueError` unless every table has one pair of markers.
    """
    for name, make in TABLES[file].items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(
            pattern, lambda m, make=make: m[1] + make() + "\n" + m[2], text, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"{file.name} has {count} places for the table {name!r}; allowed: 1")
    return text


if __name__ == "__main__":
    for path in TABLES:
        path.write_text(filled(path, path.read_text("utf-8")), "utf-8")
