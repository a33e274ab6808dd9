"""Request bodies that arrive in pieces: each has a limit, and so have all together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]

MAX_INCOMING_BYTES = 512 * 1024 * 1024
"""Bytes of incomplete bodies, over all callers."""

_UNREAD = ("connection", "close")
"""The header of a response that does not wait for the complete body."""

_RETRY = ("retry-after", "1")


class IncomingBodies:
    """Collects bodies, and counts the bytes that it holds."""

    def __init__(self) -> None:
        self._held = 0

    async def body(self, headers: Headers, limit: int, receive: Receive) -> bytes | Reply | None:
        """The body; the refusal of one that is too large; None if the caller has gone."""
        length = next((value for name, value in headers if name == "content-length"), "")
        if length.isdecimal() and int(length) > limit:
            return too_large(limit, _UNREAD)
        gathered = bytearray()
        try:
            return await self._gather(gathered, limit, receive)
        finally:
            self._held -= len(gathered)

    async def _gather(
        self, gathered: bytearray, limit: int, receive: Receive
    ) -> bytes | Reply | None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            piece, more = message.get("body", b""), message.get("more_body", False)
            gathered += piece
            self._held += len(piece)
            if len(gathered) > limit:
                return too_large(limit, _UNREAD)
            if self._held > MAX_INCOMING_BYTES:
                return _too_many_bytes()
        return bytes(gathered)


def too_large(limit: int, *headers: tuple[str, str]) -> Reply:
    """The refusal of a body that is larger than the task allows."""
    reason = f"at most {limit:,} bytes are allowed"
    return error_reply(
        413,
        "the body of the request is too large",
        reason,
        "send less, or raise 'limits: {body: …}' of the task",
        list(headers),
    )


def _too_many_bytes() -> Reply:
    reason = f"more than {MAX_INCOMING_BYTES:,} bytes of bodies are incomplete"
    return error_reply(
        503,
        "the server is receiving too much at once",
        reason,
        "try again later",
        [_UNREAD, _RETRY],
    )
