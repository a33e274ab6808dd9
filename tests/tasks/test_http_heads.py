"""The HTTP server against heads that are too large or never end."""

from __future__ import annotations

import pytest

from engine.tasks.front.head import MAX_HEAD_BYTES
from tests.tasks.echoing import GET, running
from tests.tasks.hosting import in_loop
from tests.tasks.wire import answers, message


@in_loop
async def test_a_head_that_never_ends_is_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(b"GET / HTTP/1.1\r\n")
        for _ in range(10 * MAX_HEAD_BYTES // 10_000):
            writer.write(b"x: " + b"y" * 10_000 + b"\r\n")
        (response,) = answers(await reader.read())
        assert server.echo.asked == []
    assert response.status == 431
    assert response.json["reason"] == "it has more than 65,536 bytes"


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_head_is_too_large_however_it_arrives(pieces: int) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            headers = [(f"X-{number}", "y" * 1000) for number in range(MAX_HEAD_BYTES // 1000)]
            request = message("GET", "/", [*headers, ("Connection", "close")])
            reader, writer = await server.connect()
            size = len(request) // pieces + 1
            for start in range(0, len(request), size):
                writer.write(request[start : start + size])
                await writer.drain()
            (response,) = answers(await reader.read())
            assert server.echo.asked == []
        assert response.status == 431

    check()


@in_loop
async def test_a_head_just_below_the_limit_is_read() -> None:
    async with running() as server:
        headers = [(f"X-{number}", "v" * 20) for number in range(1800)]
        (response,) = await server.talk(message("GET", "/", [*headers, ("Connection", "close")]))
    assert response.status == 200


@in_loop
async def test_a_body_before_the_next_head_is_not_counted_as_head() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        body = bytes(3 * MAX_HEAD_BYTES)
        writer.write(message("POST", "/a", (), body) + GET[:10])
        first = await reader.readuntil(b"POST /a ")
        writer.write(GET[10:])
        rest = await reader.read()
    assert [each.status for each in answers(first + rest)] == [200, 200]


@in_loop
async def test_fields_after_the_body_that_never_end_are_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("POST", "/", [("Transfer-Encoding", "chunked")], b"0\r\n"))
        for number in range(10 * MAX_HEAD_BYTES // 1000):
            writer.write(b"x-%d: " % number + b"y" * 1000 + b"\r\n")
        (response,) = answers(await reader.read())
    assert response.status == 431
