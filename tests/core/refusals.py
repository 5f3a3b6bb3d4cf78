"""Settings that are refused: one line that names the field and what is allowed."""

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment

NAIVE = get_preset("naive-1d").experiment
DDPM = get_preset("ddpm-1d").experiment


def refusal(settings_: dict[str, object], base: Experiment = NAIVE) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        base.with_settings(settings_)
    message = str(caught.value)
    assert message.isprintable(), "one line of plain text"
    assert "allowed" in message
    return caught.value
