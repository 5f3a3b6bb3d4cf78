"""One way to print a table for every section, and the budgets of all of them at the end."""

from __future__ import annotations

from collections.abc import Sequence


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A titled table of text: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, ["-" * width for width in widths], *rows]:
        first, *rest = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        print("  ".join(cells))


_budgets: list[tuple[str, str, str, str]] = []


def budget(what: str, figure: str, allowed: str, met: bool) -> None:
    """Remember a figure that there is a budget for."""
    _budgets.append((what, figure, allowed, "met" if met else "MISSED"))


def show_budgets() -> None:
    """All of them in one table."""
    if _budgets:
        show("Budgets", ("", "figure", "budget", ""), _budgets)
