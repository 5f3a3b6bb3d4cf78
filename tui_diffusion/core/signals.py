"""Signals that ask a training to end or to save."""

from __future__ import annotations

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)
"""Signals that ask to end, the last one as the processor time allowed is used up."""

SAVING = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that ask for a checkpoint."""
