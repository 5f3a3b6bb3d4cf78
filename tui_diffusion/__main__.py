"""``python -m tui_diffusion``, and the console script ``diffusion-tui``: the same."""

import sys


def main() -> None:
    """Run the command line.

    While it is being loaded, Ctrl-C needs no words, and want of memory a line.
    """
    try:
        from .program import main
    except KeyboardInterrupt:
        sys.exit(130)
    except (MemoryError, ImportError, OSError) as error:
        from .core.faults import memory_to_load

        fault = memory_to_load(error)
        if fault is None:
            raise
        sys.exit(f"diffusion-tui: {fault}")
    main()


if __name__ == "__main__":
    main()
