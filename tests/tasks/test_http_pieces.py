"""The responses of the HTTP server do not depend on how requests are cut."""

from __future__ import annotations

import asyncio
import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.front.connection import Connection
from engine.tasks.front.http_server import HttpServer
from tests.tasks.echoing import Echo

_HEADERS = st.sampled_from([
    "Host: here",
    "Connection: close",
    "Connection: keep-alive",
    "Content-Length: 3",
    "Content-Length: 03",
    "Content-Length: 0",
    "Content-Length: -3",
    "Content-Length: 3, 3",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Expect: 100-continue",
    "Upgrade: h2c",
    "X: \xe4",
    " folded",
    "X : y",
])  # fmt: skip
_REQUESTS = st.builds(
    lambda method, target, version, headers, body: (
        "\r\n".join([f"{method} {target} HTTP/{version}", "Host: here", *headers, "", ""]) + body
    ).encode("latin-1"),
    st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "get"]),
    st.sampled_from(["/a", "/refused", "/a%20b?d=%20", "//", "*", "http://here/a", "/\xe4", "a"]),
    st.sampled_from(["1.1", "1.1", "1.1", "1.0", "2.0"]),
    st.lists(_HEADERS, max_size=3),
    st.sampled_from(["", "", "abc", "3\r\nabc\r\n0\r\n\r\n", "\r\n", "GET /b HTTP/1.1\r\n\r\n"]),
)


class Wire(asyncio.Transport):
    """A transport that keeps its output, and can be read to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.said += data

    def close(self) -> None:
        self.closed = True

    abort = write_eof = close

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """What is written to it comes nevertheless."""

    def resume_reading(self) -> None:
        """It has never stopped."""


def said_to(pieces: list[bytes]) -> tuple[bytes, bool]:
    """The output of a connection that receives these pieces, and whether it ends."""

    async def talk() -> tuple[bytes, bool]:
        server = HttpServer(Echo())
        connection, wire = Connection(server), Wire()
        connection.connection_made(wire)
        for piece in pieces:
            connection.data_received(piece)
        closed = wire.closed
        connection.connection_lost(None)
        assert server.held == 0
        return wire.said, closed

    return asyncio.run(talk())


@given(st.lists(_REQUESTS, min_size=1, max_size=4), st.lists(st.integers(0, 200), max_size=6))
def test_the_responses_do_not_depend_on_how_requests_are_cut(
    requests: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(requests)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    said, closed = said_to(pieces)
    assert (without_interim(said), closed) == (without_interim(said_to([data])[0]), closed)


def without_interim(said: bytes) -> bytes:
    """A body that has arrived with its head needs no 100 Continue. Every request has its own id."""
    return re.sub(rb"[0-9a-f]{32}", b"ID", said.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""))
