"""Suggestions for a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 3
"""Maximum number of suggestions."""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words most similar to ``word``, most similar first."""
    # The time grows with the square of the length.
    return get_close_matches(word[:100], list(known), n=_MOST, cutoff=0.6)


def did_you_mean(words: Iterable[str]) -> str:
    """Return ``did you mean a, b or c? ``, to precede the allowed values; '' without words."""
    *others, last = [*words] or [""]
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}? " if last else ""
