"""How tests start the program in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

_SCRIPT = Path(sys.executable).with_name("diffusion-tui")
PROGRAM = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "tui_diffusion"]
"""The installed script, or the module where the package is only on the path."""
