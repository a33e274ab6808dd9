"""What callers of a task get when it is not the task that answers."""

from __future__ import annotations

from engine.tasks.front.reply import Reply, error_reply

_RETRY_CLOSED = "10"


def closed_task(how: str) -> Reply:
    """`how`: paused or drained, by an operator."""
    error = f"the task is {how}"
    return error_reply(503, error, "", "try again later", [("retry-after", _RETRY_CLOSED)])


def failed_tersely() -> Reply:
    reply = error_reply(500, "the request failed", "", "see the server's log")
    return Reply(reply.status, reply.headers, reply.body, "failed")


def unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )
