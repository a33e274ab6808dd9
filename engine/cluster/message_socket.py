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
        self._turn = asyncio.Lock()
        self._sending: set[asyncio.Task[asyncio.Future[Answer]]] = set()

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        """As in WorkerLink. Raises WorkerLostError.

        A caller that is cancelled leaves no half of a message before the next one.
        """
        sending = asyncio.create_task(self._send(message))
        self._sending.add(sending)
        sending.add_done_callback(self._sent)
        return await asyncio.shield(sending)

    async def _send(self, message: bytes) -> asyncio.Future[Answer]:
        async with self._turn:
            if self._lost.done():
                raise self._lost.result()
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting.append(answer)
            try:
                await send_frame_later(self._connection, REQUEST, message)
            except OSError:
                raise await asyncio.shield(self._lost) from None
        return answer

    def _sent(self, sending: asyncio.Task[asyncio.Future[Answer]]) -> None:
        self._sending.discard(sending)
        if not sending.cancelled():
            sending.exception()  # perhaps nobody waits for it any more

    async def close(self) -> None:
        """Send nothing more."""
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

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
