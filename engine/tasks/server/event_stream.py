"""What changes on a server, as server-sent events: for dashboards and scripts.

Nothing is queued: every second, a stream compares what it sent last with what is so now. A reader
that stalls gets fewer, later events, and is cut off by its connection if it reads nothing at all.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from engine.tasks.server.operations import Operations
from engine.tasks.server.states import counts_of

LOOK_SECONDS = 1.0
SILENT_LOOKS = 15
"""Looks without a change after which a comment shows that the server is still there."""


class EventStream:
    """Events `state` and `counts` of a task, and `removed`; the pieces of a response."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._sent: dict[tuple[str, str], Any] = {}
        self._began = False

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        """The next events, all that have happened since the last ones."""
        if not self._began:
            self._began = True
            return b"retry: 2000\n\n" + self._changes()
        for _ in range(SILENT_LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            if changes := self._changes():
                return changes
        return b": nothing has changed\n\n"

    async def aclose(self) -> None:
        """The reader has gone: there is nothing to undo."""

    def _changes(self) -> bytes:
        now: dict[tuple[str, str], Any] = {}
        for state in self._operations.state().tasks:
            now["state", state.name] = msgspec.to_builtins(state)
            counts = counts_of(self._operations.find(state.name))
            now["counts", state.name] = {"name": state.name, "snaps": counts}
        events = [
            _event(kind, data)
            for (kind, name), data in now.items()
            if self._sent.get((kind, name)) != data
        ]
        gone = {name for _, name in self._sent} - {name for _, name in now}
        events += [_event("removed", {"name": name}) for name in sorted(gone)]
        self._sent = now
        return b"".join(events)


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(data))
