"""``python -m tui_diffusion``, and the console script ``diffusion-tui``: the same."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded needs no words."""
    try:
        from .cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    main()
