"""Thresholds of the garbage collector for the engine's processes.

Documents are trees, which reference counting frees at once. Only exceptions and asyncio create
reference cycles, and few of them. But the collector counts new containers: with Python's own
thresholds it runs every 700 lists and maps, walks over the documents in flight, and takes a fifth
of a run's time. With these it takes about one percent, even when a parser makes large blocks of
documents or a snap keeps many.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (100_000, 20, 20)


def relax_garbage_collection() -> None:
    """Collect rarely from now on, and never search what exists already, such as modules."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
