"""The types of arrays and of ranges on an axis. Loads no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Double-precision numbers."""

Range = tuple[float, float]
"""The lower and the upper end of a part of an axis."""
