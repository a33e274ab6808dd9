"""Bounds for pipelines that run each other: how deep, and how many at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.errors import EndlessCallsError

MAX_DEPTH = 64
"""How deep pipelines may call each other; beyond it they would call each other without end."""

MAX_LIVE = 256
"""Runs in progress of pipelines that call themselves. With a pool, or in several branches, these
multiply at every level, so they would fill the memory long before they are MAX_DEPTH deep."""

_SHOWN = 4
"""Pipelines of a chain that a message names."""


class CallTree:
    """All runs that one call of a pipeline led to.

    After one of them was one too many, no more of them start: `endless` says why. From any thread.
    """

    def __init__(self) -> None:
        self.endless: EndlessCallsError | None = None
        self._live = 0
        self._lock = threading.Lock()

    def enter(self, name: str, chain: tuple[str, ...]) -> None:
        """A run of the pipeline `name` starts; `chain` are the paths of the pipelines that led to
        it, and its own. Raises EndlessCallsError."""
        with self._lock:
            if self.endless is None:
                self.endless = self._excess(name, chain)
            if self.endless is not None:
                raise self.endless
            self._live += _calls_itself(chain)

    def leave(self, chain: tuple[str, ...]) -> None:
        """A run that has entered has ended."""
        with self._lock:
            self._live -= _calls_itself(chain)

    def _excess(self, name: str, chain: tuple[str, ...]) -> EndlessCallsError | None:
        if len(chain) > MAX_DEPTH:
            reason = f"pipelines call each other {MAX_DEPTH} deep"
        elif _calls_itself(chain) and self._live >= MAX_LIVE:
            reason = f"{MAX_LIVE} runs of pipelines that call themselves are in progress"
        else:
            return None
        skipped = "... -> " if len(chain) > _SHOWN else ""
        shown = skipped + " -> ".join(Path(path).name for path in chain[-_SHOWN:])
        return EndlessCallsError(
            f"could not run the pipeline {name!r}",
            f"{reason}: {shown}",
            "let a pipeline that calls itself stop at some document, for example with a Filter",
        )


def _calls_itself(chain: tuple[str, ...]) -> bool:
    return chain[-1] in chain[:-1]
