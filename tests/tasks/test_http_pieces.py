"""The responses of the HTTP server do not depend on how requests are cut, or on earlier ones."""

from __future__ import annotations

import asyncio
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.front.connection import Connection
from engine.tasks.front.http_server import HttpServer
from engine.tasks.front.known_heads import MAX_BYTES, MAX_KNOWN
from tests.tasks.echoing import GET, Echo, running
from tests.tasks.hosting import in_loop
from tests.tasks.wire import message

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


def said_to(pieces: list[bytes], earlier: list[bytes] | None = None) -> tuple[bytes, bool]:
    """The output of a connection that receives these pieces, and whether it ends.

    Each of the `earlier` pieces came on a connection of its own.
    """

    async def talk() -> tuple[bytes, bool]:
        server = HttpServer(Echo())
        for each in earlier or ():
            other = Connection(server)
            other.connection_made(Wire())
            other.data_received(each)
            other.connection_lost(None)
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


@given(
    st.lists(_REQUESTS, min_size=1, max_size=4),
    st.lists(_REQUESTS, max_size=4),
    st.lists(st.integers(0, 200), max_size=3),
)
def test_heads_that_were_read_before_change_no_response(
    requests: list[bytes], others: list[bytes], cuts: list[int]
) -> None:
    ends = sorted(set(itertools.accumulate(map(len, requests))) | {0} | set(cuts))
    pieces = [piece for a, b in itertools.pairwise(ends) if (piece := b"".join(requests)[a:b])]
    said, closed = said_to(pieces, [*requests, *others, *requests])
    first, first_closed = said_to(pieces)
    assert (without_interim(said), closed) == (without_interim(first), first_closed)


@pytest.mark.parametrize("other", [b"", b"\r\n", b"POST", b"1 POST / HTTP/1.1\r\n", GET])
def test_a_repeated_head_is_read_with_its_own_body(other: bytes) -> None:
    """Also if more follows than its body."""

    @in_loop
    async def check() -> None:
        async with running() as server:
            reader, writer = await server.connect()
            for body in (b"1", b"2", b"3"):
                writer.write(message("POST", "/a", (), body))
                await reader.readuntil(b"POST /a " + body)
            writer.write(message("POST", "/a", (), b"4") + other)
            await reader.readuntil(b"POST /a 4")
            writer.close()
        assert server.echo.asked[:4] == ["/a"] * 4
        assert len({head.tag.id for head in server.echo.heads}) == len(server.echo.heads)

    check()


@pytest.mark.parametrize(
    "data",
    [
        message("POST", "/a", [("Connection", "close")], b"1"),
        message("POST", "/a", [("X-Request-Id", "mine")], b"1"),
        message("POST", "/a", [("Traceparent", f"00-{'a' * 32}-{'b' * 16}-01")], b"1"),
        message("POST", "/a", [("Expect", "100-continue")], b"1"),
        message("POST", "/a", [("Expect", "magic")], b"1"),
        message("POST", "/a", [("Transfer-Encoding", "chunked")], b"1\r\n1\r\n0\r\n\r\n"),
        message("GET", "/a", [("Connection", "Upgrade"), ("Upgrade", "h2c")]),
        message("HEAD", "/a"),
        message("GET", "/a").replace(b"1.1", b"1.0"),
    ],
)
def test_a_repeated_head_says_what_it_said_at_first(data: bytes) -> None:
    said, closed = said_to([data])
    again, closed_again = said_to([data], [data])
    assert (without_interim(again), closed_again) == (without_interim(said), closed)
    assert (b"mine" in again, b"a" * 32 in again) == (b"mine" in data, b"a" * 32 in data)


def test_a_body_that_looks_like_an_earlier_request_is_a_body() -> None:
    earlier = message("POST", "/a", (), b"1")
    head = message("POST", "/b", [("Content-Length", str(len(earlier)))])
    said, _ = said_to([head, earlier], [earlier])
    assert said.count(b"HTTP/1.1 200 OK") == 1
    assert said.endswith(b"POST /b " + earlier)


@in_loop
async def test_callers_with_the_same_head_keep_their_addresses() -> None:
    async with running() as server:
        for _ in range(3):
            reader, writer = await server.connect()
            writer.write(message("POST", "/a", (), b"1"))
            await reader.readuntil(b"POST /a 1")
    expected = [f"127.0.0.1:{each.get_extra_info('sockname')[1]}" for each in server.callers]
    assert [head.client for head in server.echo.heads] == expected


@in_loop
async def test_only_so_many_heads_are_remembered() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        for number in range(2 * MAX_KNOWN):
            path = f"/{number}"
            writer.write(message("GET", path))
            await reader.readuntil(path.encode() + b" ")
            assert len(server.server.known_heads) <= MAX_KNOWN
        writer.write(message("GET", f"/{'x' * MAX_BYTES}"))
        await reader.readuntil(b"x ")
        assert len(server.server.known_heads) <= MAX_KNOWN
    assert server.echo.asked[:3] == ["/0", "/1", "/2"]


def without_interim(said: bytes) -> bytes:
    """A body that has arrived with its head needs no 100 Continue. Every request has its own id."""
    return re.sub(rb"[0-9a-f]{32}", b"ID", said.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""))
