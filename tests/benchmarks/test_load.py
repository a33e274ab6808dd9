"""The load generator against servers that answer well and badly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.serving.load import LoadReport, load

Handler = Callable[[bytes, int], bytes | None]
"""Body and how many requests the connection had before → what is written; None closes it."""


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


def load_against(handler: Handler, requests: int = 20, **settings: Any) -> LoadReport:
    """Requests over four connections; right is the answer that is the request's body."""

    async def run(url: str) -> LoadReport:
        return await load(url, requests, 4, make_request, is_echo, **settings)

    return asyncio.run(_with_server(handler, run))


def make_request(number: int) -> bytes:
    return b"request %d" % number


def is_echo(number: int, status: int, body: bytes) -> bool:
    return status == 200 and body == make_request(number)


async def _with_server(handler: Handler, run: Callable[[str], Awaitable[LoadReport]]) -> LoadReport:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 0
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split()[0])
                written = handler(await reader.readexactly(length), count)
                count += 1
                if written is None:
                    break
                writer.write(written)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await run(f"http://127.0.0.1:{port}/echo")


def test_every_request_is_sent_once_and_answered() -> None:
    seen = []

    def handler(body: bytes, count: int) -> bytes:
        seen.append(body)
        return answer(body)

    report = load_against(handler, requests=50)

    assert report.faultless
    assert report.statuses == {200: 50}
    assert sorted(seen) == sorted(map(make_request, range(50)))


def test_an_answer_to_another_request_is_a_mismatch() -> None:
    report = load_against(lambda body, count: answer(body.replace(b" 7", b" 8")))

    assert report.answered == 20
    assert report.mismatched == 1
    assert report.wrong == ["request 7: 200 request 8"]
    assert not report.faultless


def test_statuses_are_counted_and_5xx_is_a_fault() -> None:
    def handler(body: bytes, count: int) -> bytes:
        return answer(body, "503 Service Unavailable" if body == b"request 3" else "200 OK")

    report = load_against(handler)

    assert report.statuses == {200: 19, 503: 1}
    assert not report.faultless


def test_a_request_whose_connection_breaks_is_lost_and_not_sent_again() -> None:
    seen = []

    def handler(body: bytes, count: int) -> bytes | None:
        seen.append(body)
        return None if body == b"request 5" else answer(body)

    report = load_against(handler)

    assert (report.lost, report.answered, report.reconnects) == (1, 19, 1)
    assert seen.count(b"request 5") == 1
    assert not report.faultless


def test_a_connection_that_the_server_closes_after_an_answer_loses_nothing() -> None:
    def handler(body: bytes, count: int) -> bytes:
        return answer(body).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)

    report = load_against(handler)

    assert report.faultless
    assert report.reconnects >= 16


def test_a_second_answer_to_a_request_is_surplus() -> None:
    def handler(body: bytes, count: int) -> bytes:
        return answer(body) * (2 if body == b"request 19" else 1)

    report = load_against(handler)

    assert report.surplus == 1
    assert not report.faultless


def test_an_answer_that_does_not_come_is_late() -> None:
    report = load_against(lambda body, count: b"", requests=4, timeout=0.01)

    assert (report.late, report.answered, report.unsent) == (4, 0, 0)


def test_chunked_answers_and_answers_without_body_are_understood() -> None:
    def handler(body: bytes, count: int) -> bytes:
        if body == b"request 0":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    report = load_against(handler)

    assert report.statuses == {200: 19, 204: 1}
    assert report.mismatched == 1


def test_the_server_s_cpu_and_memory_are_reported() -> None:
    report = load_against(lambda body, count: answer(body), server=os.getpid())

    assert report.cpu_seconds is not None
    assert report.cpu_seconds >= 0
    assert report.memory[0].pid == os.getpid()
    assert 0 < report.memory[0].private <= report.memory[0].rss
