"""One entry of the glossary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GlossaryEntry:
    """The explanation of a number, by its name in the interface.

    ``also``: alternative names; ``keys``: its fields in the JSON of a report. ``good``: the desired
    value; ``unit``: the unit, if there is one; ``source``: the paper, if there is one.
    """

    name: str
    about: str
    formula: str = ""
    good: str = ""
    source: str = ""
    unit: str = ""
    also: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


HO_2020 = "Ho, Jain and Abbeel 2020"
KARRAS_2022 = "Karras et al. 2022"
