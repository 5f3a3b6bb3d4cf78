"""Errors of a configuration."""

from __future__ import annotations


class ConfigError(ValueError):
    """A value that is not allowed; ``field`` is its dotted path, or '' if it is not one field."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
