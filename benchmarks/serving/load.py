"""The load generator: each connection sends its next request as soon as it has its response.

It shares its cores with the server that it measures, so it is a bare asyncio protocol. Every
request has a number, and its response is checked to be the response to that request. A request is
never sent twice: if its connection breaks, it counts as lost.

`python -m benchmarks.serving.load URL --body '{"id": $ID}' --expect '"id":$ID'`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import uvloop

from benchmarks.serving.process_tree import ProcessMemory, cpu_seconds, memory

MakeRequest = Callable[[int], bytes]
"""The body of the request with this number."""

CheckAnswer = Callable[[int, int, bytes], bool]
"""Whether status and body are the right answer to the request with this number."""

CONNECT_PATIENCE = 10.0
"""Seconds for which a broken connection is retried."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The outcome of the requests. Latencies are milliseconds.

    `answered` got a complete response, `mismatched` a wrong one, `lost` are those whose connection
    broke, `late` those given up after the timeout, and `unsent` those for which no connection was
    left; `surplus` responses belong to no request.
    """

    requests: int
    connections: int
    seconds: float
    answered: int
    statuses: dict[int, int]
    mismatched: int
    lost: int
    late: int
    unsent: int
    surplus: int
    reconnects: int
    p50: float
    p90: float
    p99: float
    longest: float
    cpu_seconds: float | None
    memory: list[ProcessMemory]
    wrong: list[str] = field(default_factory=list)
    """The first few answers that were not right."""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds

    @property
    def cpu_per_request(self) -> float:
        """Microseconds of the server's CPU; not a number if its process was not given."""
        return (self.cpu_seconds or float("nan")) / max(self.answered, 1) * 1e6

    @property
    def faultless(self) -> bool:
        """Every request was answered once, with a 2xx status and its own response."""
        return (
            self.answered == self.requests
            and not (self.mismatched or self.surplus)
            and all(200 <= status < 300 for status in self.statuses)
        )


async def load(
    url: str,
    requests: int,
    connections: int,
    make_request: MakeRequest,
    check_answer: CheckAnswer,
    *,
    first: int = 0,
    headers: str = "",
    timeout: float = 30.0,
    limit: float = 600.0,
    server: int | None = None,
) -> LoadReport:
    """Post `requests` bodies, numbered from `first`, over `connections` connections.

    A response may take `timeout` seconds, and all of them `limit`. `headers` are complete lines
    with their line ends. `server` is the process id whose tree's CPU time and memory are reported.
    Raises OSError if the server cannot be reached at the start.
    """
    run = _LoadRun(url, range(first, first + requests), make_request, check_answer, headers)
    before = cpu_seconds(server) if server else None
    begin = time.perf_counter()
    await run.work(connections, timeout, limit)
    seconds = time.perf_counter() - begin
    used = cpu_seconds(server) - before if server and before is not None else None
    return run.report(connections, seconds, used, memory(server) if server else [])


class _LoadRun:
    """The remaining requests, and the outcome of the others."""

    def __init__(
        self,
        url: str,
        numbers: range,
        make_request: MakeRequest,
        check_answer: CheckAnswer,
        headers: str,
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {target} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: application/json\r\n{headers}Content-Length: "
        ).encode()
        self._numbers: Iterator[int] = iter(numbers)
        self._requests = len(numbers)
        self._make_request = make_request
        self._check_answer = check_answer
        self._latencies = array("d")
        self._statuses: Counter[int] = Counter()
        self._mismatched = self._sent = self._late = self._reconnects = self._surplus = 0
        self._lost = 0
        self._wrong: list[str] = []
        self._stopped = False

    async def work(self, connections: int, timeout: float, limit: float) -> None:
        lanes = [_Connection(self, timeout) for _ in range(connections)]
        await lanes[0].connect()
        others = [self._connected(lane) for lane in lanes[1:]]
        watch = asyncio.create_task(self._watch(lanes))
        try:
            async with asyncio.timeout(limit):
                await asyncio.gather(self._keep(lanes[0]), *others)
        except TimeoutError:
            self._stopped = True
        finally:
            watch.cancel()
            for lane in lanes:
                lane.close()

    async def _connected(self, lane: _Connection) -> None:
        await lane.connect()
        await self._keep(lane)

    async def _keep(self, lane: _Connection) -> None:
        """Reconnect whenever the connection ends before the requests do."""
        while not await lane.ended():
            self._reconnects += 1
            if not await self._reconnect(lane):
                return

    async def _reconnect(self, lane: _Connection) -> bool:
        until = time.perf_counter() + CONNECT_PATIENCE
        while time.perf_counter() < until:
            try:
                await lane.connect()
            except OSError:
                await asyncio.sleep(0.02)
            else:
                return True
        return False

    async def _watch(self, lanes: list[_Connection]) -> None:
        while True:
            await asyncio.sleep(0.25)
            for lane in lanes:
                lane.give_up_if_late()

    def next_request(self) -> tuple[int, bytes] | None:
        """Number and bytes of the next one to send."""
        number = None if self._stopped else next(self._numbers, None)
        if number is None:
            return None
        self._sent += 1
        body = self._make_request(number)
        return number, b"%b%d\r\n\r\n%b" % (self._head, len(body), body)

    def answered(self, number: int, seconds: float, status: int, body: bytes) -> None:
        self._latencies.append(seconds)
        self._statuses[status] += 1
        if not self._check_answer(number, status, body):
            self._mismatched += 1
            if len(self._wrong) < 5:
                text = body[:200].decode(errors="replace")
                self._wrong.append(f"request {number}: {status} {text}")

    def unanswered(self, late: bool) -> None:
        if late:
            self._late += 1
        else:
            self._lost += 1

    def surplus(self) -> None:
        self._surplus += 1

    def report(
        self, connections: int, seconds: float, used: float | None, processes: list[ProcessMemory]
    ) -> LoadReport:
        latencies = sorted(self._latencies)
        p50, p90, p99, longest = (_quantile(latencies, q) * 1e3 for q in (0.5, 0.9, 0.99, 1.0))
        return LoadReport(
            requests=self._requests,
            connections=connections,
            seconds=seconds,
            answered=len(latencies),
            statuses=dict(self._statuses),
            mismatched=self._mismatched,
            lost=self._lost,
            late=self._late,
            unsent=self._requests - self._sent,
            surplus=self._surplus,
            reconnects=self._reconnects,
            p50=p50,
            p90=p90,
            p99=p99,
            longest=longest,
            cpu_seconds=used,
            memory=processes,
            wrong=self._wrong,
        )


def _quantile(ordered: list[float], share: float) -> float:
    if not ordered:
        return float("nan")
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request in flight."""

    def __init__(self, run: _LoadRun, timeout: float) -> None:
        self._run = run
        self._timeout = timeout
        self._transport: asyncio.Transport | None = None
        self._number: int | None = None
        self._sent_at = 0.0
        self._body: list[bytes] = []
        self._end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        await loop.create_connection(lambda: self, self._run.host, self._run.port)

    async def ended(self) -> bool:
        """Wait for the end; whether all requests have been sent."""
        return await self._end

    def close(self) -> None:
        """Close the connection; a request in flight counts as late."""
        if self._number is not None:
            self._abandon(late=True)
        if self._transport is not None:
            self._transport.abort()

    def give_up_if_late(self) -> None:
        if self._number is not None and time.perf_counter() - self._sent_at > self._timeout:
            self.close()

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._send_next()

    def data_received(self, data: bytes) -> None:
        if self._number is None:
            self._run.surplus()
            self._hang_up()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._hang_up()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._number is not None:
            self._abandon(late=False)
        if not self._end.done():
            self._end.set_result(False)

    # The parser's side

    def on_body(self, piece: bytes) -> None:
        self._body.append(piece)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        status = self._parser.get_status_code()
        if status < 200:
            return
        number, self._number = self._number, None
        if number is None:
            self._run.surplus()
            self._hang_up()
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        keep = self._parser.should_keep_alive()
        self._run.answered(number, now - self._sent_at, status, body)
        if keep:
            self._send_next()
        else:
            self._hang_up()

    # Ours

    def _send_next(self) -> None:
        assert self._transport is not None
        following = self._run.next_request()
        if following is None:
            if not self._end.done():
                self._end.set_result(True)
            return
        self._number, request = following
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _abandon(self, late: bool) -> None:
        self._number = None
        self._run.unanswered(late)


def run_load(*arguments: Any, **settings: Any) -> LoadReport:
    """`load` outside of an event loop."""
    return uvloop.run(load(*arguments, **settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--body", default='{"id": $ID}', help="$ID stands for the number")
    parser.add_argument(
        "--expect", default="", help="text that the response must contain, with $ID"
    )
    parser.add_argument(
        "--server", type=int, help="process id of the server, to measure its CPU and memory"
    )
    given = parser.parse_args()

    def make_request(number: int) -> bytes:
        return str(given.body).replace("$ID", str(number)).encode()

    def check_answer(number: int, status: int, body: bytes) -> bool:
        return str(given.expect).replace("$ID", str(number)).encode() in body

    report = run_load(
        given.url,
        given.requests,
        given.connections,
        make_request,
        check_answer,
        server=given.server,
    )
    extra = {"rate": report.rate, "cpu_us_per_request": report.cpu_per_request}
    print(json.dumps(asdict(report) | extra, indent=2))


if __name__ == "__main__":
    main()
