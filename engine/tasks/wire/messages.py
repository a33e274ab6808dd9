"""The messages between the server and the processes of its tasks.

Each is a small Struct, tagged by its name; the frames that carry them are those of
engine.tasks.wire.channel.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.plan.plan import Plan, Port
from engine.run.identity import RunIdentity

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


# Of ultra tasks


class Opening(msgspec.Struct, frozen=True):
    """What an instance runs; sent to it pickled, before anything else."""

    plan: Plan
    identity: RunIdentity
    task: str
    filtered_status: int

    @property
    def port(self) -> Port:
        """The open input, which gets the requests."""
        return self.plan.open_inputs[0]


class Open(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The first message: a pickled Opening."""

    opening: bytes


ToInstance = Open | Request | Finish | AttachTap | DetachTap
FromInstance = Ready | Response | LogLine | Counts | Tapped | Failed


# Of runs


class RunOpening(msgspec.Struct, frozen=True):
    """What the process runs; sent to it pickled, before anything else."""

    plan: Plan
    status_from_document: bool = False


class OpenRuns(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The first message: a pickled RunOpening."""

    opening: bytes


class Start(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Run the plan. Without a request it gets no input, and its output is discarded."""

    identity: RunIdentity
    request: Request | None = None


class ResponseHead(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Status and headers of the response; pieces of its body follow."""

    status: int
    headers: Headers


class ResponsePiece(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    data: bytes


class RunFailure(msgspec.Struct, array_like=True, frozen=True):
    """Why there is no result, as the caller sees it."""

    status: int
    error: str
    reason: str = ""
    resolution: str = ""


class Ended(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The run is over; the process is free. `report` is empty if nothing was started."""

    report: dict[str, Any]
    message: str = ""
    failure: RunFailure | None = None


ToRunProcess = OpenRuns | Start | AttachTap | DetachTap
FromRunProcess = Ready | ResponseHead | ResponsePiece | LogLine | Tapped | Ended
