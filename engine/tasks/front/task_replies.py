"""What callers of a task get when it is not the task that answers."""

from __future__ import annotations

import msgspec

from engine.tasks.front.reply import ErrorCarryingBody, Reply, error_reply
from engine.tasks.wire.messages import Response

_RETRY_CLOSED = "10"


def closed_task(how: str) -> Reply:
    """`how`: paused or drained, by an operator."""
    error = f"the task is {how}"
    return error_reply(503, error, "", "try again later", [("retry-after", _RETRY_CLOSED)])


TERSE = ("the request failed", "", "see the server's log")
"""Error, reason and resolution, as a terse front tells them of any failure."""


def tersely(reply: Response | Reply) -> Response | Reply:
    """What a terse front says instead: not why a request failed."""
    if isinstance(reply.body, ErrorCarryingBody):
        reply.body.terse = True
    if reply.status != 500 or reply.outcome != "failed":
        return reply
    return msgspec.structs.replace(error_reply(500, *TERSE), outcome="failed")


def unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )
