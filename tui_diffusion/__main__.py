"""The entry point of ``python -m tui_diffusion`` and of the console script ``diffusion-tui``."""

import sys


def main() -> None:
    """Run the command line.

    During loading, Ctrl-C ends the program silently, and a lack of memory prints one line.
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
