"""The part files that the settings name."""

from __future__ import annotations

from ..core.config.errors import ConfigError
from ..core.paths import settings_file
from .signals import complain


def load_kept_parts(*, strict: bool) -> None:
    """Load the part files that the settings name.

    Raise `ConfigError` for one that cannot be loaded or, unless ``strict``, complain about it.
    """
    file = settings_file()
    if not file.is_file():
        return
    from ..interface.settings import load_part_names

    for path in load_part_names(file):
        from ..core.parts.loading import load_parts

        try:
            load_parts(path)
        except ConfigError as error:
            if strict:
                raise
            complain(str(error))
