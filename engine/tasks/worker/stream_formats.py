"""How documents that are streamed follow each other in a body: as JSON lines, or as events.

An error after the first document is told in the body, since the status has been sent.
"""

from __future__ import annotations

import msgspec

from engine.tasks.wire.messages import Headers, RunFailure, values_of

HEARTBEAT_SECONDS = 15.0
"""How long a stream may be silent, for proxies that end what seems to be dead."""


class StreamFormat(msgspec.Struct, frozen=True):
    """`before` and `after` enclose a document, as JSON without line breaks, and an error."""

    content_type: str
    before: bytes
    before_error: bytes
    after: bytes
    heartbeat: bytes
    end: bytes = b""

    def document(self, json: bytes) -> bytes:
        return b"".join((self.before, json, self.after))

    def failure(self, failure: RunFailure, request_id: str) -> bytes:
        texts = {**failure.texts, "request_id": request_id}
        return b"".join((self.before_error, msgspec.json.encode(texts), self.after))

    @property
    def headers(self) -> Headers:
        return [
            ("content-type", self.content_type),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ]


LINES = StreamFormat("application/x-ndjson", b"", b"", b"\n", b"\n")
EVENTS = StreamFormat(
    "text/event-stream",
    b"data: ",
    b"event: error\ndata: ",
    b"\n\n",
    b":\n\n",
    b"event: end\ndata: {}\n\n",
)


def format_for(headers: Headers) -> StreamFormat:
    """Events if the caller accepts them by name, otherwise lines."""
    accepted = values_of(headers, "accept")
    return EVENTS if any("text/event-stream" in each.lower() for each in accepted) else LINES
