"""The messages between the front and its processes, and the front's reply to a caller.

Everything that crosses a process boundary is a small Struct, tagged by its name; the frames that
carry them are those of engine.tasks.processes.channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

Headers = list[tuple[str, str]]
"""Names in lower case, in the order received; values decoded by engine.sdk.header_values."""


class Request(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """One HTTP request to a task.

    `path` is the full path and `path_info` what follows the task's name in it, both decoded;
    `query` is the query string as received. `client` is `address:port`, empty if unknown.
    """

    id: int
    method: str
    path: str
    path_info: str
    query: str
    headers: Headers
    body: bytes
    client: str = ""


class Response(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """The response to the request of that id. `outcome` says how it came about."""

    id: int
    status: int
    headers: Headers
    body: bytes
    outcome: str = "answered"


class Ready(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The process can take work."""


class Finish(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """No more work will come: do what is left, then end."""


class LogLine(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """A line for the log: from a snap, or the reason why a request failed in it."""

    label: str
    text: str
    is_failure: bool = False


class SnapCounts(msgspec.Struct, array_like=True, frozen=True):
    """The counts of a snap since its process started."""

    label: str
    type: str
    documents_in: int
    documents_out: int
    dropped: int
    errors: int


class Counts(msgspec.Struct, array_like=True, tag=True, frozen=True):
    snaps: list[SnapCounts]


class Failed(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The pipeline has stopped; the process ends. `fatal`: another try would fail the same way."""

    message: str
    fatal: bool = False


class Reply(msgspec.Struct, frozen=True):
    """What a caller gets. A body that is not `bytes` is streamed piece by piece.

    Such a body raises EngineError if it cannot be completed; then the connection is cut, so that
    no caller mistakes a part for the complete body.
    """

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]
    outcome: str = "answered"
