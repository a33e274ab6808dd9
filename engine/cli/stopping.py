"""Signals that stop a run: the first lets the snaps close, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager

from engine.cli.exit_codes import STOPPED
from engine.run.stopping import Stopper, stopped_by

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = "\x1b[?25h"


def stopped_by_signals(stopper: Stopper) -> AbstractContextManager[None]:
    """Let signals stop what the current task of the event loop does in the block."""
    return stopped_by(_SIGNALS, stopper, _end_at_once)


def _end_at_once() -> None:
    """End without closing anything; children notice that their connection is gone."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR.encode())  # the live view had hidden it
    os._exit(STOPPED)
