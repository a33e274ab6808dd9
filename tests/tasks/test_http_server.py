"""The HTTP server against callers that send without end, or something that is not HTTP."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest

from engine.tasks.front import connection, places
from engine.tasks.front.head import MAX_HEAD_BYTES
from tests.tasks.echoing import GET, Running, running
from tests.tasks.hosting import in_each_loop, in_loop, turns
from tests.tasks.wire import answers, everything, message

LATE = message("POST", "/late", (), b"1")


@in_loop
async def test_pipelined_requests_are_answered_in_order() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(LATE + message("POST", "/b", (), b"2") + GET)
        await server.let_go()
        response = answers(await reader.read())
    assert [each.body for each in response] == [b"POST /late 1", b"POST /b 2", b"GET / "]


@in_loop
async def test_invalid_http_is_refused_after_earlier_responses() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        writer.write(LATE + b"NONSENSE\r\n\r\n")
        await server.let_go()
        good, bad = answers(await reader.read())
    assert good.body == b"POST /late 1"
    assert bad.status == 400
    assert bad.json["error"] == "the request is not valid HTTP"
    assert bad.header("connection") == ["close"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", "Content-Length"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\n1", "Content-Length"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n1", "overflow"),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n1",
            "Duplicate",
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n1",
            "Duplicate",
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n",
            "can't be present with",
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n",
            "can't be present with",
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, x\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding",
        ),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxx\r\n", "chunk size"),
        ("GET / HTTP/1.1\r\nhost : here\r\n\r\n", "header token"),
        ("GET / HTTP/1.1\r\nx: 1\r\n folded\r\n\r\n", "whitespace"),
        ("GET / HTTP/1.1\r\nx: \0\r\n\r\n", "header value"),
        ("GET / HTTP/1.1\nhost: here\n\n", "CRLF"),
        ("GET / HTTP/3.0\r\n\r\n", "version"),
        ("GET / HTTP/1.1\r\n\r\n", "no Host header"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", "2 Host headers"),
        ("GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", "2 Host headers"),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "'a b' is not valid"),
        ("GET / HTTP/1.1\r\nhost: a,b@c\r\n\r\n", "'a,b@c' is not valid"),
        ("GET / HTTP/1.1\r\nhost: a:b\r\n\r\n", "'a:b' is not valid"),
        ("GET / HTTP/1.1\r\nhost:\r\n\r\n", "'' is not valid"),
        ("GET / HTTP/1.1\r\nhost: :80\r\n\r\n", "':80' is not valid"),
        ("GET / HTTP/1.1\r\nhost: a\xc2\xa0\r\n\r\n", "is not valid"),
        ("GET http://:80/ HTTP/1.1\r\nhost: here\r\n\r\n", "here, :80' is not valid"),
        ("GET http://u:p@here/ HTTP/1.1\r\nhost: here\r\n\r\n", "u:p@here' is not valid"),
        ("GET http:///a HTTP/1.1\r\nhost: here\r\n\r\n", "has no host"),
        ("GET * HTTP/1.1\r\nhost: here\r\n\r\n", "URL"),
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
    assert all("authorization" not in dict(head.headers) for head in server.echo.heads)


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
async def test_a_caller_that_asks_for_another_protocol_may_have_its_connection_closed() -> None:
    wish = [("Connection", "close, Upgrade"), ("Upgrade", "websocket")]
    async with running() as server:
        (response,) = await server.talk(message("GET", "/a", wish))
    assert response.header("connection") == ["close"]


@in_loop
async def test_requests_refused_unread_are_reported_to_the_application() -> None:
    async with running() as server:
        await server.talk(b"NONSENSE\r\n\r\n")
        await server.talk(message("GET", "/?" + "a" * MAX_HEAD_BYTES))
        await server.talk(GET)
    assert server.echo.unread == [(400, "127.0.0.1"), (414, "127.0.0.1")]
    assert server.echo.sent == [(200, 6)]


# Manners


@in_loop
async def test_a_caller_that_expects_100_continue_gets_it() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        expect = [("Expect", "100-continue"), ("Content-Length", "3")]
        writer.write(message("POST", "/a", expect))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert answers(await reader.readuntil(b"POST /a abc"))[0].status == 200
        writer.write(GET)
        assert answers(await reader.read())[0].header("connection") == ["close"]


@in_loop
async def test_100_continue_comes_after_the_responses_before_it() -> None:
    async with running() as server:
        reader, writer = await server.connect()
        expect = [("Expect", "100-continue"), ("Content-Length", "3")]
        writer.write(LATE + message("POST", "/a", expect))
        await server.let_go()
        await reader.readuntil(b"POST /late 1")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


@in_loop
async def test_a_request_without_a_body_gets_no_100_continue() -> None:
    async with running() as server:
        request = message("GET", "/", [("Expect", "100-continue"), ("Connection", "close")])
        (response,) = await server.talk(request)
    assert response.status == 200


@in_loop
async def test_other_expectations_cannot_be_met() -> None:
    async with running() as server:
        (response,) = await server.talk(message("GET", "/", [("Expect", "coffee")]))
    assert response.status == 417


@in_loop
async def test_a_caller_refused_before_its_body_cannot_send_another_request() -> None:
    """What follows could be the body, or another request."""
    async with running() as server:
        expect = [("Expect", "100-continue"), ("Content-Length", "100")]
        (response,) = await server.talk(message("POST", "/refused", expect) + message("GET", "/b"))
        assert server.echo.asked == ["/refused"]
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
    async with running(max_connections=1) as server:
        reader = await busy_caller(server)
        (response,) = await server.talk(b"")
        assert response.status == 503
        await server.let_go()
        assert (await reader.readline())[9:12] == b"200"


async def busy_caller(server: Running) -> asyncio.StreamReader:
    """One that waits for its response."""
    reader, writer = await server.connect()
    writer.write(LATE)
    await turns(lambda: server.echo.late)
    return reader


@in_each_loop
async def test_a_caller_beyond_the_limit_of_connections_always_reads_why() -> None:
    async with running(max_connections=1) as server:
        await busy_caller(server)
        for _ in range(3):
            address = ("127.0.0.1", server.port)
            with socket.create_connection(address, timeout=30) as caller:  # not accepted yet
                caller.sendall(message("POST", "/", [], bytes(100_000)))
                (response,) = answers(await asyncio.to_thread(everything, caller))
            assert response.status == 503
            assert response.header("retry-after") == ["1"]


@in_loop
async def test_callers_beyond_the_limit_take_no_place() -> None:
    async with running(max_connections=1) as server:
        await busy_caller(server)
        for _ in range(3):
            reader, _ = await server.connect()
            assert (await reader.readline())[9:12] == b"503"
        server.callers[0].transport.abort()
        await turns(lambda: all(each.lingers for each in server.connections()))
        (response,) = await server.talk(GET)
        assert response.status == 200


@in_loop
async def test_only_so_many_callers_beyond_the_limit_take_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "MAX_SURPLUS", 2)
    monkeypatch.setattr(connection, "CROSSING_SECONDS", 1000.0)
    async with running(max_connections=1) as server:
        await busy_caller(server)
        readers = [(await server.connect())[0] for _ in range(3)]
        answered = [await reader.readline() for reader in readers]
        assert [line[9:12] for line in answered] == [b"503"] * 3
        await turns(lambda: len(server.connections()) == 3)


@in_each_loop
async def test_the_caller_that_has_been_silent_for_longest_gives_way_to_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "SILENT_SECONDS", 0.0)
    async with running(max_connections=3) as server:
        await busy_caller(server)
        oldest, _ = await server.connect()
        await turns(lambda: len(server.connections()) == 2)
        await asyncio.sleep(0.005)  # the clock of a loop may count milliseconds only
        _, silent = await server.connect()
        await turns(lambda: len(server.connections()) == 3)
        _, writer = await server.connect()
        assert await oldest.read() == b""
        writer.write(LATE)
        await turns(lambda: len(server.echo.late) == 2)
        silent.write(LATE)
        await turns(lambda: len(server.echo.late) == 3)
        (response,) = await server.talk(GET)  # now all of them wait for their responses
        assert response.status == 503


@in_each_loop
async def test_a_caller_that_still_reads_its_response_does_not_give_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "SILENT_SECONDS", 0.0)
    async with running(max_connections=1) as server:
        reader, writer = await server.connect(limit=1000)
        writer.write(message("GET", "/large"))
        await turns(lambda: server.echo.sent)
        refused, _ = await server.connect()
        assert (await refused.readline())[9:12] == b"503"
        assert (await reader.readexactly(20_000_000)).startswith(b"HTTP/1.1 200")


@in_loop
async def test_whoever_is_silent_now_gives_way_not_only_who_was_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(max_connections=2, clock_stands=True) as server:

        async def callers_that_wait() -> None:
            before = len(server.connections())
            for _ in range(2 - before):
                await server.connect()
            await turns(lambda: len(server.connections()) == 2)
            later = partial(float, server.server.now() + 100)
            monkeypatch.setattr(server.server, "now", later)

        await callers_that_wait()
        (response,) = await server.talk(GET)  # one of them gives way
        assert response.status == 200
        for caller in server.callers[:2]:  # both were found to be silent
            caller.transport.abort()
        await turns(lambda: not server.connections())
        await callers_that_wait()
        (response,) = await server.talk(GET)
        assert response.status == 200


@pytest.mark.parametrize("version", ["0.9", "2.0"])
def test_other_versions_of_http_are_refused(version: str) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            (response,) = await server.talk(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
            assert server.echo.asked == []
        assert response.status == 505

    check()


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "PROPFIND", "M-SEARCH"])
def test_only_the_methods_of_pipelines_are_allowed(method: str) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            target = "here:80" if method == "CONNECT" else "/"
            (response,) = await server.talk(message(method, target))
            assert server.echo.asked == []
        assert response.status == 405
        assert response.header("allow") == ["GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]

    check()


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        ("http://There:80/a?b", "/a", "there"),
        ("http://there", "/", "there"),
        ("http://there?b", "/", "there"),
        ("/a#b", "/a", "localhost"),
    ],
)
def test_a_target_may_name_its_host(target: str, path: str, host: str) -> None:
    @in_loop
    async def check() -> None:
        async with running() as server:
            await server.talk(message("GET", target, [("Connection", "close")]))
            (head,) = server.echo.heads
        assert (head.raw_path, head.host) == (path, host)

    check()


@in_loop
async def test_malformed_bodies_of_requests_answered_early_are_dropped_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as server:
        chunked = [("Transfer-Encoding", "chunked")]
        (response,) = await server.talk(message("POST", "/refused", chunked, b"zz\r\n"))
    assert response.body == b"POST /refused "
    assert caplog.text == ""
