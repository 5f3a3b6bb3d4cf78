"""The glossary: meaning, formula, desired value and source of every number.

The lab, ``evaluate`` and the README use this one glossary. Formulas are on x = α x_0 + σ ε;
expectations E run over points. Loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping

from .entry import GlossaryEntry
from .errors import ERRORS
from .guidance import GUIDANCE
from .levels import NOISE_LEVELS
from .likelihood import LIKELIHOOD
from .memorisation import MEMORISATION
from .points import POINTS_AT_A_LEVEL
from .training import TRAINING

__all__ = ["GLOSSARY", "GlossaryEntry", "meaning", "of_key"]

_ENTRIES = (
    *TRAINING,
    *NOISE_LEVELS,
    *POINTS_AT_A_LEVEL,
    *ERRORS,
    *LIKELIHOOD,
    *GUIDANCE,
    *MEMORISATION,
)

GLOSSARY: Mapping[str, GlossaryEntry] = {entry.name: entry for entry in _ENTRIES}
"""Every entry by its name, in the order of the README."""

_BY_NAME = {name: entry for entry in _ENTRIES for name in (entry.name, *entry.also)}
_BY_KEY = {key: entry for entry in _ENTRIES for key in entry.keys}


def meaning(name: str) -> GlossaryEntry:
    """Return the entry of a name shown in the lab; raise KeyError if it has none."""
    return _BY_NAME[name]


def of_key(key: str) -> GlossaryEntry:
    """Return the entry of a field in the JSON of a report; raise KeyError if it has none.

    ``…_real`` is the score of true points, ``…_chance`` the statistical error.
    """
    return _BY_KEY[key.removesuffix("_real").removesuffix("_chance")]
