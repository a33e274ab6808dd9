"""Signals that stop a run: the first lets the snaps close, the second ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.run.stopping import Stopper

STOPPED = 130
"""The exit code of a command that was stopped."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def stopped_by_signals(stopper: Stopper) -> Iterator[None]:
    """Let signals stop what the current task of the event loop does in the block."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # there is a running loop
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        if stopping:
            _end_at_once()
        stopping = True
        stopper.stop(loop, task)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_at_once() -> None:
    """End without closing anything; children notice that their connection is gone."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR.encode())  # the live view had hidden it
    os._exit(STOPPED)
