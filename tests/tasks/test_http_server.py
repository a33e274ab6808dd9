"""The HTTP server against callers that send without end, or something that is not HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tasks.front.connection import MAX_HEAD_BYTES
from tests.tasks.echoing import GET, running
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import answers, message


@in_loop
async def test_pipelined_requests_are_answered_in_order() -> None:
    async with running() as server:
        first = message("POST", "/wait", (), b"1")
        server.echo.gate.set()
        response = await server.talk(first + message("POST", "/b", (), b"2") + GET)
    assert [each.body for each in response] == [b"POST /wait 1", b"POST /b 2", b"GET / "]


@in_loop
async def test_invalid_http_is_refused_after_earlier_responses() -> None:
    async with running() as server:
        server.echo.gate.set()
        good, bad = await server.talk(message("POST", "/wait", (), b"1") + b"NONSENSE\r\n\r\n")
    assert good.body == b"POST /wait 1"
    assert bad.status == 400
    assert bad.json["error"] == "the request is not valid HTTP"
    assert bad.header("connection") == ["close"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 0x1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n1", "overflow"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n1", "Duplicate"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n1", "Duplicate"),
        (
            "POST / HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "can't be present with",
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
            "can't be present with",
        ),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked, x\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxx\r\n", "chunk size"),
        ("GET / HTTP/1.1\r\nhost : here\r\n\r\n", "header token"),
        ("GET / HTTP/1.1\r\nx: 1\r\n folded\r\n\r\n", "whitespace"),
        ("GET / HTTP/1.1\r\nx: \0\r\n\r\n", "header value"),
        ("GET / HTTP/1.1\nhost: here\n\n", "CRLF"),
        ("GET / HTTP/3.0\r\n\r\n", "version"),
        ("GET http://here HTTP/1.1\r\n\r\n", "URL"),
        ("GET /\x80 HTTP/1.1\r\n\r\n", "url"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "method"),
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(head: str, reason: str) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            (response,) = await server.talk(head.encode("latin-1"))
            assert server.echo.asked in ([], ["/"])  # one whose body is wrong has begun
        assert response.status == 400
        assert reason in response.json["reason"]
        assert response.json["resolution"]

    check()


@in_loop
async def test_trailers_of_a_chunked_body_are_not_headers() -> None:
    async with running() as server:
        chunks = b"1\r\nx\r\n0\r\nauthorization: Bearer stolen\r\n\r\n"
        request = message("POST", "/", [("Transfer-Encoding", "chunked")], chunks) + GET
        first, _ = await server.talk(request)
        assert first.body == b"POST / x"
        _, writer = await server.connect()
        writer.write(message("POST", "/wait", [("Transfer-Encoding", "chunked")], chunks))
        await turns(lambda: "/wait" in server.echo.asked)
        assert b"authorization" not in dict(server.echo.headers)


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
def test_a_caller_that_would_rather_speak_another_protocol_is_answered_in_this_one(
    size: int,
) -> None:
    wish = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "")]

    @in_loop
    async def check() -> None:
        async with running() as server:
            smuggled = message("GET", "/smuggled")
            data = message("POST", "/a", wish, smuggled) + message("GET", "/b", wish) + GET
            reader, writer = await server.connect()
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()
            response = answers(await reader.read())
            assert server.echo.asked == ["/a", "/b", "/"]
        assert [each.body for each in response] == [b"POST /a " + smuggled, b"GET /b ", b"GET / "]

    check()


@in_loop
async def test_requests_refused_unread_are_reported_to_the_application() -> None:
    async with running() as server:
        await server.talk(b"NONSENSE\r\n\r\n")
        await server.talk(message("GET", "/?" + "a" * MAX_HEAD_BYTES))
        await server.talk(GET)
    assert server.echo.refused == [(400, "127.0.0.1"), (431, "127.0.0.1")]


# Heads


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
            request = message("GET", "/?" + "a" * MAX_HEAD_BYTES, [("Connection", "close")])
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


# Manners


@in_loop
async def test_a_caller_that_expects_100_continue_gets_it() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        expect = [("Expect", "100-continue"), ("Content-Length", "3")]
        writer.write(message("POST", "/a", expect))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        (response,) = answers(await reader.read())
    assert response.body == b"POST /a abc"


@in_loop
async def test_a_caller_refused_before_its_body_cannot_send_another_request() -> None:
    """What follows could be the body, or another request."""
    async with running() as server:
        expect = [("Expect", "100-continue"), ("Content-Length", "100")]
        (response,) = await server.talk(message("POST", "/unread", expect) + message("GET", "/b"))
        assert server.echo.asked == ["/unread"]
    assert response.header("connection") == ["close"]


@in_loop
async def test_a_caller_of_http_1_0_is_answered_and_hung_up_on() -> None:
    async with running() as server:
        (response,) = await server.talk(b"GET /a HTTP/1.0\r\n\r\n")
    assert response.body == b"GET /a "
    assert response.header("connection") == ["close"]


@in_loop
async def test_an_answer_to_head_has_no_body() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(message("HEAD", "/a") + GET)
        response = answers(await reader.read(), ["HEAD", "GET"])
    assert [each.body for each in response] == [b"", b"GET / "]
    assert response[0].header("content-length") == ["8"]


@in_loop
async def test_too_many_connections_are_refused() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        config: Any = (await server.connection()).config
        config.max_connections = 1
        (response,) = await server.talk(b"")
        assert response.status == 503
        writer.write(GET)
        assert (await reader.read())[9:12] == b"200"
