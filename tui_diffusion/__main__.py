"""``python -m tui_diffusion``: the same as the console script ``diffusion-tui``."""

from .cli import main

main()
