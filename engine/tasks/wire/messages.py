"""The messages between the server and the processes of its tasks.

Each is a small Struct, tagged by its name; the frames that carry them are those of
engine.tasks.wire.channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from engine.plan.plan import Plan, Port
from engine.request_tags import NO_TAG, RequestTag
from engine.run.identity import RunIdentity
from engine.run.report import SnapStatistics
from engine.run.spans import SpanData

Headers = list[tuple[str, str]]
"""Names in lower case, in the order received; values decoded by engine.sdk.header_values."""


def values_of(headers: Headers, name: str) -> list[str]:
    """The values of the headers with this name, in order."""
    return [value for each, value in headers if each == name]


class RequestHead(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The part of a request that a caller repeats, often without a change.

    `path` is the full path and `path_info` what follows the task's name in it, both decoded;
    `query` is the query string as received. Others may have the same head: do not change it.
    """

    method: str
    path: str
    path_info: str = ""
    query: str = ""
    headers: Headers = []

    def packed(self) -> bytes:
        return _packed(self)


_packed = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(RequestHead).decode
_unpack_known = lru_cache(256)(_unpack)

SHORT_HEAD = 2048
"""Bytes of a packed head up to which it is remembered, and what was computed from it."""


def unpacked(head: bytes) -> RequestHead:
    return _unpack_known(head) if len(head) <= SHORT_HEAD else _unpack(head)


class Request(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """One HTTP request to a task. `packed` is its head; it travels as bytes because these are
    cheap to look up, and heads are often the same.

    `client` is `address:port`, empty if unknown. After `deadline`, a time of the monotonic clock
    that all processes share, nobody waits for the response; 0 if that is not known. `caller` is
    JSON: the `name` and the `claims` of the caller's token; empty if it has neither.
    """

    id: int
    packed: bytes
    body: bytes
    client: str = ""
    deadline: float = 0.0
    caller: bytes = b""
    tag: RequestTag = NO_TAG

    @property
    def head(self) -> RequestHead:
        return unpacked(self.packed)

    def is_late(self, now: float) -> bool:
        return 0 < self.deadline <= now


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
    """A line for the log: from a snap, or the reason why a request or a run failed.

    `request_id` is empty if it cannot be told which request it is about.
    """

    label: str
    text: str
    request_id: str = ""
    is_failure: bool = False


class Counts(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The counts since the process started; if `complete`, those of a run that is over."""

    snaps: list[SnapStatistics]
    complete: bool = False


class Failed(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The pipeline has stopped; the process ends. `fatal`: another try would fail the same way."""

    message: str
    fatal: bool = False


class AttachTap(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Show what crosses these views (see engine.run.tap_points) where the condition is true."""

    number: int
    views: list[str]
    condition: str


class DetachTap(msgspec.Struct, array_like=True, tag=True, frozen=True):
    number: int


class Tapped(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """What the tap of that number shows, a line of JSON, or nothing. `missed`: documents since the
    last such message that the process had no time for."""

    number: int
    line: bytes
    missed: int


class Spans(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """What the traces of a request show of the process; sent before the end of the job."""

    spans: list[SpanData]


class RunFailure(msgspec.Struct, array_like=True, frozen=True):
    """Why there is no result, as the caller sees it."""

    status: int
    error: str
    reason: str = ""
    resolution: str = ""

    @property
    def texts(self) -> dict[str, str]:
        return {"error": self.error, "reason": self.reason, "resolution": self.resolution}


class Open(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The first message to a process: a pickled InstanceOpening or RunOpening."""

    opening: bytes


class Forget(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Nobody waits for the response to the request of that id any more."""

    id: int


# Of ultra tasks


class InstanceOpening(msgspec.Struct, frozen=True):
    """What an instance runs. If it `streams`, each document is sent as soon as it is there."""

    plan: Plan
    identity: RunIdentity
    task: str
    filtered_status: int
    streams: bool = False
    input_schema: Mapping[str, Any] | None = None

    @property
    def port(self) -> Port:
        """The open input, which gets the requests."""
        return self.plan.open_inputs[0]


# Of triggered and scheduled tasks


class RunOpening(msgspec.Struct, frozen=True):
    """What a process runs, one run at a time."""

    plan: Plan
    status_from_document: bool = False
    input_schema: Mapping[str, Any] | None = None


class Start(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Run the plan. Without a request it gets no input, and its output is discarded."""

    id: int
    identity: RunIdentity
    request: Request | None = None


class ResponseHead(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Status and headers of a response; pieces of its body follow."""

    id: int
    status: int
    headers: Headers


class ResponsePiece(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    id: int
    data: bytes


class ResponseEnd(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The response that an instance has sent in pieces is complete, unless there is a failure."""

    id: int
    failure: RunFailure | None = None


class Taken(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """The caller has read so many bytes of the pieces: the instance may send as many again."""

    id: int
    size: int


class Ended(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The run is over; the process is free. `report` is empty if nothing was started."""

    id: int
    report: dict[str, Any]
    message: str = ""
    failure: RunFailure | None = None


ToWorker = Open | Request | Start | Forget | Taken | Finish | AttachTap | DetachTap
FromJob = Response | ResponseHead | ResponsePiece | ResponseEnd | Ended
FromWorker = FromJob | Ready | LogLine | Counts | Tapped | Spans | Failed
