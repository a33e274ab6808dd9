"""How often a process of ours looks for garbage.

Documents are trees, which reference counting frees at once. Reference cycles come from exceptions
and from asyncio only, and are few. But the collector counts new containers, so with the thresholds
of Python it runs every 700 lists and maps, walks over the documents in flight, and takes a fifth of
a run's time. With these it takes about one percent, also when a parser makes large blocks of
documents or a snap keeps many.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (100_000, 20, 20)


def relax_garbage_collection() -> None:
    """Collect seldom from now on, and never look at what exists already, such as modules."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
