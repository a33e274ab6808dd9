"""What a caller gets, and errors in the form that those of tasks have."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

import msgspec

from engine.request_tags import RequestTag
from engine.tasks.wire.messages import Headers, Response, RunFailure

RETRY_AFTER = "1"
"""Seconds after which a caller that was refused may try again."""

_RETRY_CLOSED = "10"
_LATER = "try again later"


class Reply(msgspec.Struct, frozen=True):
    """A response. A body that is not `bytes` is streamed piece by piece.

    Such a body raises EngineError if it cannot be completed; then the connection is cut, so that
    no caller mistakes a part for the complete body.
    """

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]
    outcome: str = "answered"


class ErrorCarryingBody(ABC):
    """A streamed body that is always complete: its last piece tells a failure. If it is `terse`,
    that piece says no more than that it has failed."""

    terse = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    @abstractmethod
    async def __anext__(self) -> bytes: ...


def error_reply(
    status: int,
    error: str,
    reason: str = "",
    resolution: str = "",
    headers: Headers | None = None,
    *,
    outcome: str = "refused",
) -> Reply:
    """An error as a JSON response."""
    body = msgspec.json.encode({"error": error, "reason": reason, "resolution": resolution})
    fields: Headers = [("content-type", "application/json"), *(headers or ())]
    return Reply(status, fields, body, outcome)


def failure_reply(failure: RunFailure) -> Reply:
    """The response if there is no result: refused if its caller can do something about it."""
    headers = [("retry-after", RETRY_AFTER)] if failure.status == 503 else []
    outcome = "refused" if failure.status < 500 or failure.status == 503 else "failed"
    return error_reply(
        failure.status, failure.error, failure.reason, failure.resolution, headers, outcome=outcome
    )


TERSE = ("the request failed", "", "see the server's log")
"""Error, reason and resolution, as a terse front tells them of any failure."""


def tersely(reply: Response | Reply) -> Response | Reply:
    """What a terse front says instead: not why a request failed."""
    if isinstance(reply.body, ErrorCarryingBody):
        reply.body.terse = True
    if reply.status != 500 or reply.outcome != "failed":
        return reply
    return error_reply(500, *TERSE, outcome="failed")


def closed_task(how: str) -> Reply:
    """`how`: paused or drained, by an operator."""
    headers = [("retry-after", _RETRY_CLOSED)]
    return error_reply(503, f"the task is {how}", "", _LATER, headers)


def unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )


_ERRORS = ("failed", "refused")
"""The outcomes of replies whose body is an error as a JSON object."""


def body_with_id(reply: Response | Reply, tag: RequestTag) -> bytes | AsyncIterator[bytes]:
    """The body; in that of an error, the caller also finds the id of its request."""
    body = reply.body
    if reply.outcome in _ERRORS and isinstance(body, bytes) and body[-2:] == b'"}':
        return b'%b,"request_id":%b}' % (body[:-1], msgspec.json.encode(tag.id))
    return body


def too_large(limit: int) -> Reply:
    """The refusal of a body that is larger than the task allows."""
    return error_reply(
        413,
        "the body of the request is too large",
        f"at most {limit:,} bytes are allowed",
        "send less, or raise 'limits: {body: …}' of the task",
    )


def too_much(limit: int) -> Reply:
    """The refusal of a body because too many others are arriving."""
    reason = f"more than {limit:,} bytes of bodies are incomplete"
    return overloaded("the server is receiving too much at once", reason)


def overloaded(error: str, reason: str = "") -> Reply:
    """The refusal of something that may be possible in a moment."""
    return error_reply(503, error, reason, _LATER, [("retry-after", RETRY_AFTER)])


def close_unread(pieces: AsyncIterator[bytes]) -> asyncio.Task[None]:
    """Close a body that nobody reads to its end, so that nothing waits for its reader."""
    return asyncio.ensure_future(close_body(pieces))


async def close_body(pieces: AsyncIterator[bytes]) -> None:
    await pieces.aclose()  # type: ignore[attr-defined]
