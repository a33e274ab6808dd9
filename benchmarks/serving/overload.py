"""What a server does under more work than it can do, and for callers that do not behave.

`python -m benchmarks.serving.overload` prints, for a script that takes 50 ms for each request:
600 callers that hang up and then one that waits; 100 callers that wait a second and try again; and
200 callers that never read responses of 4 MB, beside others that do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median

from benchmarks.serving.process_tree import memory
from benchmarks.serving.rolling import Backend, closed, message

WORK_SECONDS = 0.05
SCRIPT = f"""
import time

def snaplogic_process(row):
    content = row["content"]
    if "size" in content:
        return {{"content": "x" * content["size"], "content-type": "text/plain"}}
    time.sleep({WORK_SECONDS})
    return {{"content": content}}
"""
PIPELINE = "snaps: {work: {snap: RemotePythonScript, script: work.py}}"
GOODPUT_SECONDS = 20.0
LARGE = 4_000_000

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Backend]:
    with tempfile.TemporaryDirectory(prefix="overload-") as name:
        folder = Path(name)
        (folder / "work.yaml").write_text(PIPELINE)
        (folder / "work.py").write_text(SCRIPT)
        backend = Backend(folder, "work.yaml")
        watching = asyncio.create_task(backend.watch())
        try:
            await backend.start()
            yield backend
        finally:
            await backend.stop()
            watching.cancel()


async def sent(port: int, content: object) -> Streams:
    """A connection with a request on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(content).encode()
    head = f"POST /tasks/work HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return reader, writer


async def asked(port: int, content: object, patience: float = 60.0) -> bool:
    """Whether the request got its response in time."""
    reader, writer = await sent(port, content)
    try:
        async with asyncio.timeout(patience):
            head, body = await message(reader)
        return head.startswith(b"HTTP/1.1 200 ") and json.loads(body) == content
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


async def seconds_of(port: int) -> float:
    started = time.perf_counter()
    assert await asked(port, {"id": 0})
    return time.perf_counter() - started


async def hang_ups(port: int, callers: int = 600) -> tuple[float, float]:
    """Seconds of one request alone, and of one after so many that hung up."""
    alone = median([await seconds_of(port) for _ in range(5)])
    streams = await asyncio.gather(*(sent(port, {"id": each}) for each in range(callers)))
    await asyncio.sleep(0.5)
    await asyncio.gather(*(closed(writer) for _, writer in streams))
    return alone, await seconds_of(port)


async def impatience(port: int, callers: int = 100) -> tuple[float, float]:
    """Responses in time as a share of the capacity, and seconds until all is well again."""
    end = time.perf_counter() + GOODPUT_SECONDS
    good = 0

    async def caller(number: int) -> None:
        nonlocal good
        while time.perf_counter() < end:
            if await asked(port, {"id": number}, 1.0):
                good += 1

    await asyncio.gather(*map(caller, range(callers)))
    over = time.perf_counter()
    while await seconds_of(port) > 3 * WORK_SECONDS:
        await asyncio.sleep(0.05)
    recovered = time.perf_counter() - over
    return good / GOODPUT_SECONDS * WORK_SECONDS, recovered


async def unread(backend: Backend, callers: int = 200) -> tuple[float, int, int]:
    """The largest memory of the front in MiB; how many others were served, and how many asked."""
    front, largest = backend.pid, 0.0
    streams = await asyncio.gather(*(sent(backend.port, {"size": LARGE}) for _ in range(callers)))
    good, others = 0, 40
    for number in range(others):
        good += await asked(backend.port, {"id": number})
        sizes = [each.private for each in memory(front) if each.pid == front]
        largest = max(largest, *sizes)
    for _, writer in streams:
        writer.transport.abort()
    return largest, good, others


async def run() -> bool:
    async with served() as backend:
        alone, after = await hang_ups(backend.port)
        print(f"alone {alone * 1000:.0f} ms, after 600 that hung up {after * 1000:.0f} ms")
        share, recovered = await impatience(backend.port)
        print(f"goodput {share:.0%} of the capacity; normal again after {recovered:.1f} s")
        largest, good, others = await unread(backend)
        print(
            f"front {largest:.0f} MiB with 200 unread responses; {good} of {others} others served"
        )
    return (
        after <= 3 * alone and share >= 0.7 and recovered <= 5 and largest < 200 and good == others
    )


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(run()) else 1)
