"""What callers of a task get when it is not the task that answers."""

from __future__ import annotations

from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Response

_RETRY_CLOSED = "10"


def closed_task(how: str) -> Reply:
    """`how`: paused or drained, by an operator."""
    error = f"the task is {how}"
    return error_reply(503, error, "", "try again later", [("retry-after", _RETRY_CLOSED)])


def tells_of_failure(reply: Response | Reply) -> bool:
    """Whether a terse front says less: `failed_tersely`."""
    return reply.status == 500 and reply.outcome == "failed"


def failed_tersely() -> Reply:
    short = error_reply(500, "the request failed", "", "see the server's log")
    return Reply(short.status, short.headers, short.body, "failed")


def unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )
