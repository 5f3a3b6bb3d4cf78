"""Errors of a configuration."""

from __future__ import annotations


class ConfigError(ValueError):
    """A value that cannot be; ``field`` is its dotted path, or '' where no one is at fault."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
