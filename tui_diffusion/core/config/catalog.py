"""All presets: built-in and saved ones."""

from __future__ import annotations

from ..arguments import expected
from ..nearest import did_you_mean, nearest
from ..text import shown
from .errors import ConfigError
from .presets import PRESETS, Preset
from .user_presets import own_presets


def all_presets() -> dict[str, Preset]:
    """Return the built-in presets, then the saved ones without damaged files."""
    return {**PRESETS, **own_presets()[0]}


def get_preset(id: str) -> Preset:  # noqa: A002
    """Return the preset of this id, built in or saved.

    Raise `ConfigError` that names the known presets, or the fault of a damaged file.
    """
    if not isinstance(id, str):
        raise expected("id", "the name of a preset", id)
    if id in PRESETS:
        return PRESETS[id]
    from .user_presets import find_own

    own = find_own(id)
    if own is None:
        known = all_presets()
        hint = did_you_mean(nearest(id, known))
        raise ConfigError(
            f"experiment {shown(id[:60])!r} is unknown; {hint}allowed: {', '.join(known)}"
        )
    return own
