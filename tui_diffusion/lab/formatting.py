"""Short text for numbers, times and rates, with a steady width."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.config.value_types import coordinate


def duration(seconds: float) -> str:
    """Format seconds as minutes:seconds or hours:minutes:seconds: 0:02, 12:30, 1:02:03."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def took(seconds: float) -> str:
    """Format a time taken, with fractions below 10 s: 0.04 s, 9.8 s, 0:12, 12:30."""
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def rate_text(rate: float) -> str:
    """Format a rate per second: 950/s, 4.2k/s, 17k/s."""
    if rate < 1000:
        return f"{rate:.0f}/s"
    return f"{rate / 1000:.1f}k/s" if rate < 10_000 else f"{rate / 1000:.0f}k/s"


def number(value: float) -> str:
    """Format a measured number in few characters: 0.0031, 1.250, 3.1e-06, nan."""
    if value != value:
        return "nan"
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e4:
        return f"{value:.1e}"
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def vector(values: Sequence[float], digits: int = 3, scales: Sequence[float] = ()) -> str:
    """Format coordinates, several of them in brackets: 0.012, or (1.000, -0.310).

    ``digits`` applies to a coordinate with spread 1, or with its entry of ``scales``.
    """
    pairs = zip(values, scales or [1.0] * len(values), strict=True)
    texts = [coordinate(value, digits, scale) for value, scale in pairs]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
