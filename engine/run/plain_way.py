"""Whether a run takes the plain way: every snap is called, nothing is fused, nothing stays text."""

from __future__ import annotations

import os

from engine.run.execution import Execution

PLAIN_VARIABLE = "SNAPLINE_PLAIN"


def is_plain() -> bool:
    """Whether the user forces the plain way."""
    return os.environ.get(PLAIN_VARIABLE, "") not in ("", "0")


def may_fuse(execution: Execution) -> bool:
    """Not if the user forces the plain way, requests are tracked, an observer sees batches, or each
    failed document is shown."""
    is_followed = execution.ledger is not None or execution.services.crossed is not None
    return not (is_plain() or is_followed or execution.breaker is not None)
