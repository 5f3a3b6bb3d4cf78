"""What a part file imports: a decorator for each kind of part, and the loader of such files."""

from .core.parts.declare import dataset, method, network, sampler, schedule
from .core.parts.loading import load_parts

__all__ = ["dataset", "load_parts", "method", "network", "sampler", "schedule"]
