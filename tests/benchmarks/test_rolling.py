"""The proxy of the rolling restarts: it hides nothing, and passes on what a server says."""

from __future__ import annotations

import asyncio
from collections import Counter

from benchmarks.serving.rolling import Proxy, client
from tests.tasks.hosting import in_loop, turns


class Fixed:
    """A server that answers with what the test says, or fails."""

    def __init__(self, response: bytes | OSError) -> None:
        self.ready = True
        self.response = response

    async def ask(self, request: bytes) -> bytes:
        if isinstance(self.response, OSError):
            raise self.response
        return self.response


async def outcome(*backends: Fixed) -> Counter[str]:
    """What a client counts until the second response."""
    said: Counter[str] = Counter()
    over = asyncio.Event()
    proxy = Proxy([*backends])  # type: ignore[list-item]
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    asking = asyncio.create_task(client(port, 1, 0.0, said, over))
    while said.total() < 2:
        await asyncio.sleep(0.005)
    over.set()
    await asking
    await turns(lambda: not proxy.connections)
    server.close()
    return said


@in_loop
async def test_a_wrong_response_and_a_broken_connection_are_counted() -> None:
    wrong = Fixed(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"id":"x"}')
    assert set(await outcome(wrong)) == {"200 OK"}
    assert set(await outcome(Fixed(ConnectionResetError()))) == {"502 ConnectionResetError"}


@in_loop
async def test_a_server_that_is_not_ready_gets_no_request() -> None:
    gone = Fixed(ConnectionResetError())
    gone.ready = False
    assert set(await outcome(gone)) == {"502 No Server"}
