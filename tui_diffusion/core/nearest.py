"""Suggestions for a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_MOST = 3
"""Maximum number of suggestions."""

_AS_NEAR = 2 / 3
"""Least similarity of a suggestion, over that of the best one."""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words about equally similar to ``word``, most similar first."""
    word = word[:100]  # the time grows with the square of the length
    found = get_close_matches(word, list(known), n=_MOST, cutoff=0.6)
    ratios = [SequenceMatcher(None, each, word).ratio() for each in found]
    return [
        each for each, ratio in zip(found, ratios, strict=True) if ratio >= _AS_NEAR * ratios[0]
    ]


def did_you_mean(words: Iterable[str]) -> str:
    """Return ``did you mean a, b or c? ``, to precede the allowed values; '' without words."""
    *others, last = [*words] or [""]
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}? " if last else ""
