"""The styles of a theme with strong contrast."""

from __future__ import annotations

STARK = """
.-stark Panel:blur, .-stark TrajectoryPane, .-stark #experiments, .-stark #form {
    border: round $foreground 70%;
}
.-stark * { scrollbar-color: $foreground 70%; }
.-stark FormHelp { border-top: solid $foreground 70%; }
.-stark RowList > .lines--rule { color: $foreground 70%; }
"""
"""Strong borders, which are faint in other themes; the focused panel keeps its own."""
