"""The entry point of ``python -m tui_diffusion`` and of the console script ``diffusion-tui``."""

import gc
import sys


def main() -> None:
    """Run the command line.

    During loading, Ctrl-C ends the program silently, and a lack of memory prints one line.
    """
    gc.disable()  # loaded modules are no garbage, and looking for it takes 7 % of the time
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
    gc.enable()
    main()


if __name__ == "__main__":
    main()
