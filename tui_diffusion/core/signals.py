"""Signals that request a training to stop or to save."""

from __future__ import annotations

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)
"""Signals that ask to stop; SIGXCPU comes when the allowed processor time is used up."""

SAVING = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that ask for a checkpoint."""
