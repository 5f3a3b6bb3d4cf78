"""Conformance of any part, by its kind."""

from __future__ import annotations

from typing import Any

from ..progress import ProgressCallback
from .check import Conformance
from .dataset import check_dataset
from .kinds import check_kind
from .method import check_method
from .network import check_network
from .sampler import check_sampler
from .schedule import check_schedule

_CHECKS: dict[str, Any] = {
    "sampler": check_sampler,
    "schedule": check_schedule,
    "dataset": check_dataset,
    "network": check_network,
    "method": check_method,
}


def check_part(kind: str, of: Any, progress: ProgressCallback | None = None) -> Conformance:
    """Check a part by its name, or the object itself; ``kind`` is one of `kinds.KINDS`.

    Raises `ConfigError` for an unknown kind or name.
    """
    check_kind(kind)
    result: Conformance = _CHECKS[kind](of, progress=progress)
    return result
