"""The run's end of a socket to a worker: sends messages, and takes the answers in their order."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from engine.cluster.frames import REPLY, REQUEST, SHOWN
from engine.cluster.frames_later import receive_frame_later, send_frame_later
from engine.cluster.placement import Answer, Show, WorkerLostError


class MessageSocket:
    """Part of a WorkerLink, which notices when the worker is lost: then it resolves `lost`, and the
    futures in `waiting`."""

    def __init__(
        self,
        connection: socket.socket,
        lost: asyncio.Future[WorkerLostError],
        waiting: deque[asyncio.Future[Answer]],
        show: Show,
    ) -> None:
        self._connection = connection
        self._lost = lost
        self._waiting = waiting
        self._show = show
        self._sending = asyncio.Lock()

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        """As in WorkerLink. Raises WorkerLostError."""
        async with self._sending:
            if self._lost.done():
                raise self._lost.result()
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting.append(answer)
            try:
                await send_frame_later(self._connection, REQUEST, message)
            except OSError:
                raise await asyncio.shield(self._lost) from None
        return answer

    async def read(self) -> None:
        """Take answers, and show lines, until the worker closes the socket."""
        try:
            while True:
                kind, body = await receive_frame_later(self._connection)
                if kind == REPLY:
                    answer = self._waiting.popleft()
                    if not answer.done():
                        answer.set_result(body)
                elif kind == SHOWN:
                    label, _, line = body.decode(errors="surrogatepass").partition("\0")
                    self._show(label, line)
        except (EOFError, OSError):
            return
