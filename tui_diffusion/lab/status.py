"""The status line: where the session stands, on every tab, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..core.values import coordinate
from .canvas import Canvas


def duration(seconds: float) -> str:
    """0:02, 12:30, 1:02:03."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def took(seconds: float) -> str:
    """0.04 s, 9.8 s, 0:12, 12:30."""
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def rate_text(rate: float) -> str:
    """950/s, 4.2k/s, 17k/s."""
    if rate < 1000:
        return f"{rate:.0f}/s"
    return f"{rate / 1000:.1f}k/s" if rate < 10_000 else f"{rate / 1000:.0f}k/s"


def number(value: float) -> str:
    """A measured number in few characters, its width steady: 0.0031, 1.25, 3.1e-06, nan."""
    if value != value:
        return "nan"
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e4:
        return f"{value:.1e}"
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def times_text(ratio: float, digits: int = 2) -> str:
    """A multiple of the floor: 1.04×, 10.2×, 1,230×."""
    if ratio >= 100:
        return f"{ratio:,.0f}×"
    return f"{ratio:.1f}×" if ratio >= 10 else f"{ratio:.{digits}f}×"


def vector(values: Sequence[float], digits: int = 3, scales: Sequence[float] = ()) -> str:
    """One coordinate as it is, several in brackets: 0.012, or (1.000, -0.310).

    ``digits`` are those of a coordinate whose data spread by 1, or by its entry of ``scales``.
    """
    pairs = zip(values, scales or [1.0] * len(values), strict=True)
    texts = [coordinate(value, digits, scale) for value, scale in pairs]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


class Line(Canvas):
    """One line of text: some at the left, some at the right, and the right stays where it is."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; }
    """

    _left: list[tuple[str, Style]] = []
    _right: list[tuple[str, Style]] = []

    def write(
        self, left: list[tuple[str, Style]], right: list[tuple[str, Style]] | None = None
    ) -> None:
        """Show these runs of text; what does not fit is cut from the end of the left, and a cell
        more to keep the two apart."""
        self._left, self._right = left, right or []
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.size.width
        right = Strip([Segment(text, style) for text, style in self._right])
        left = Strip([Segment(text, style) for text, style in self._left])
        room = max(0, width - right.cell_length)
        if self._right and left.cell_length > room:
            left = left.crop(0, max(0, room - 1))
        self.show([Strip.join([left.adjust_cell_length(room), right]).crop(0, width)])
