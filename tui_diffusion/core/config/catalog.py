"""All presets: the built-in ones and the person's own."""

from __future__ import annotations

from ..nearest import did_you_mean, nearest
from ..text import shown
from .errors import ConfigError
from .presets import PRESETS, Preset
from .user_presets import own_presets


def all_presets() -> dict[str, Preset]:
    """The built-in presets, then one's own; damaged ones are left out."""
    return {**PRESETS, **own_presets()[0]}


def get_preset(id: str) -> Preset:  # noqa: A002
    """The preset of this id, built in or one's own; raises `ConfigError` that names those there
    are, or says what is wrong with the file of one's own."""
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
