"""The words that a mistyped one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 3
"""Words suggested at most."""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words that are most like this one, the likest first."""
    # Not of a text of any length: the time that it takes grows with the square.
    return get_close_matches(word[:100], list(known), n=_MOST, cutoff=0.6)


def did_you_mean(words: Iterable[str]) -> str:
    """``did you mean a, b or c? ``, to stand before what is allowed; '' where there is none."""
    *others, last = [*words] or [""]
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}? " if last else ""
