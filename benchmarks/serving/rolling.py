"""Two servers restarted in turn, under load, behind a small proxy that keeps its connections.

The proxy asks each server whether it is ready, as a load balancer does, and never sends a request
twice. So every request that a restart costs is seen.

`python -m benchmarks.serving.rolling --restarts 20`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

PIPELINE = """
snaps:
  answer: {snap: Mapper, mappings: {$content.id: $content.id}}
"""
LOOK_SECONDS = 0.1
PATIENCE = 60.0
DRAIN_DELAY = "1s"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Backend:
    """One server, and the connections to it that the proxy keeps."""

    def __init__(self, folder: Path, file: str = "echo.yaml") -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.ready = False
        self.idle: deque[Streams] = deque()
        self._folder = folder
        self._file = file
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "engine", "serve", self._file, "--port", str(self.port)]
        with (self._folder / f"{self.port}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                "--drain-delay",
                DRAIN_DELAY,
                cwd=self._folder,
                env={**os.environ, "XDG_RUNTIME_DIR": str(self._folder)},
                stderr=log,
            )
        async with asyncio.timeout(PATIENCE):
            while not self.ready:
                await asyncio.sleep(LOOK_SECONDS)

    @property
    def pid(self) -> int:
        assert self._process is not None  # it was started
        return self._process.pid

    async def stop(self) -> int:
        """Its exit code."""
        assert self._process is not None  # it was started
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    async def watch(self) -> None:
        """Notice whether it is ready, and forget the connections to one that is not."""
        while True:
            self.ready = await self._answers()
            if not self.ready:
                while self.idle:
                    self.idle.popleft()[1].close()
            await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await reader.read()).startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False
        finally:
            writer.close()

    async def ask(self, request: bytes) -> bytes:
        """The response; the connection is kept unless the server says that it closes it."""
        while self.idle and (self.idle[0][0].at_eof() or self.idle[0][1].is_closing()):
            self.idle.popleft()[1].close()
        if self.idle:
            reader, writer = self.idle.popleft()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        head, body = await message(reader)
        if b"\r\nconnection: close" in head.lower() or not self.ready:
            writer.close()
        else:
            self.idle.append((reader, writer))
        return head + body


async def message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of a request or a response."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = [each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")]
    size = int(found[0].partition(b":")[2]) if found else 0
    return head, await reader.readexactly(size)


class Proxy:
    def __init__(self, backends: list[Backend]) -> None:
        self._backends = backends
        self._turn = 0
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head, body = await message(reader)
                writer.write(await self._answer(head + body))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):  # the client has gone
            await closed(writer)
        finally:
            self.connections -= 1

    async def _answer(self, request: bytes) -> bytes:
        ready = [each for each in self._backends if each.ready]
        if not ready:
            return b"HTTP/1.1 502 No Server\r\nContent-Length: 0\r\n\r\n"
        self._turn += 1
        try:
            response = await ready[self._turn % len(ready)].ask(request)
        except (OSError, asyncio.IncompleteReadError) as error:
            name = type(error).__name__.encode()
            return b"HTTP/1.1 502 %b\r\nContent-Length: 0\r\n\r\n" % name
        return response.replace(b"connection: close\r\n", b"")


async def client(port: int, number: int, pause: float, said: Counter[str], over: Any) -> None:
    """Sends numbered requests on one connection until it is over; counts what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while not over.is_set():
        count += 1
        body = json.dumps({"id": f"{number}-{count}"}).encode()
        head = f"POST /tasks/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + body)
        answer, content = await message(reader)
        status = answer.split(b"\r\n", 1)[0].partition(b" ")[2].decode()
        right = status.startswith("200") and json.loads(content) == json.loads(body)
        said["right" if right else status] += 1
        await asyncio.sleep(pause)
    await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def run(restarts: int, clients: int, rate: float) -> tuple[Counter[str], list[int], float]:
    said: Counter[str] = Counter()
    codes: list[int] = []
    over = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="rolling-") as name:
        folder = Path(name)
        (folder / "echo.yaml").write_text(PIPELINE)
        backends = [Backend(folder), Backend(folder)]
        watching = [asyncio.create_task(each.watch()) for each in backends]
        await asyncio.gather(*(each.start() for each in backends))
        server = await asyncio.start_server(Proxy(backends).serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        started = time.perf_counter()
        asking = [
            asyncio.create_task(client(port, number, clients / rate, said, over))
            for number in range(clients)
        ]
        for turn in range(restarts):
            backend = backends[turn % 2]
            codes.append(await backend.stop())
            await backend.start()
        over.set()
        await asyncio.gather(*asking)
        seconds = time.perf_counter() - started
        codes += [await each.stop() for each in backends]
        for task in watching:
            task.cancel()
        server.close()
    return said, codes, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second, of all")
    options = parser.parse_args()
    said, codes, seconds = asyncio.run(run(options.restarts, options.clients, options.rate))
    right = said.pop("right", 0)
    print(f"{right:,} requests in {seconds:.0f} s over {options.restarts} restarts")
    print(f"errors: {dict(said) or 'none'}; exit codes: {sorted(set(codes))}")
    return 1 if said or set(codes) != {0} or not right else 0


if __name__ == "__main__":
    sys.exit(main())
