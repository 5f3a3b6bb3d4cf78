"""diffusion-tui: a diffusion laboratory in a terminal."""

__version__ = "0.1.0"
