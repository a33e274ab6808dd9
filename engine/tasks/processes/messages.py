"""What the front and its processes say to each other, and what the front answers to a caller.

Everything that crosses a process border is a small Struct, tagged by its name; the frames that
carry them are those of engine.tasks.processes.channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

Headers = list[tuple[str, str]]
"""Names in lower case, in the order in which they came; values as engine.sdk.header_values has
them."""


class Request(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """One HTTP request to a task.

    `path` is the whole path and `path_info` what follows the task's name in it, both decoded;
    `query` is the query string as it came. `client` is `address:port`, empty if unknown.
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
    """The answer to the request of that number. `outcome` says how it came to be."""

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
    """A line that a snap wants a person to see, or what made a request fail in it."""

    label: str
    text: str
    is_failure: bool = False


class SnapCounts(msgspec.Struct, array_like=True, frozen=True):
    """What a snap has counted since its process started."""

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
    """What a caller gets. A body that is not `bytes` is sent piece by piece as it comes.

    Such a body raises EngineError if it cannot be completed; then the connection is cut, so that
    nobody takes what has come for the whole.
    """

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]
    outcome: str = "answered"
