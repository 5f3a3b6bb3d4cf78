"""Values that a person entered, taken into an experiment as far as the model allows.

A value that it rejects is a draft; every later change tries the drafts again, so that two values
which are only right together can be entered one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.config.errors import ConfigError
from ....core.config.experiment import Experiment


def settle(
    experiment: Experiment, drafts: Mapping[str, Any]
) -> tuple[Experiment, dict[str, ConfigError]]:
    """``experiment`` with every draft that can be taken, and for each other one the reason.

    ``drafts`` are values by path, the latest last. First as many as possible are taken together,
    then the others one by one, until none can be taken any more.
    """
    together = dict(drafts)
    while together:
        try:
            experiment = experiment.with_settings(together)
            break
        except ConfigError as error:
            del together[error.field if error.field in together else next(reversed(together))]

    left = {path: value for path, value in drafts.items() if path not in together}
    while True:
        problems: dict[str, ConfigError] = {}
        for path, value in left.items():
            try:
                experiment = experiment.with_settings({path: value})
            except ConfigError as error:
                problems[path] = error
        if len(problems) == len(left):
            return experiment, problems
        left = {path: left[path] for path in problems}
