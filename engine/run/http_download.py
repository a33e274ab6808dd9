"""A response whose body is handed over in pieces, so that a large one does not fill the memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError

import aiohttp

from engine.errors import DataError, ExecutionError
from engine.run.http_codings import CodingError, Decoder, codings_of
from engine.run.http_exchange import Exchange, Proxies, response_of
from engine.sdk.http import HttpRequest, HttpResponse, shown_url

WAITING_PIECES = 4
"""How many pieces may wait for the reader before the server has to wait."""

_Message = HttpResponse | bytes | None | Exception


class StreamedExchange(Exchange):
    """Puts a successful response, the pieces of its body and None into a queue."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        proxies: Proxies,
        request: HttpRequest,
        queue: asyncio.Queue[_Message],
    ) -> None:
        super().__init__(session, proxies, request, lambda line: None)
        self._queue = queue
        self._begun = False

    async def stream(self) -> None:
        """Run the exchange; the reader of the queue gets its exception, if any."""
        try:
            response = await self.run()
            if not self._begun:
                await self._queue.put(response)
            await self._queue.put(None)
        except asyncio.CancelledError:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(_given_up())
            raise
        except Exception as error:  # noqa: BLE001  # raised again by the reader
            await self._queue.put(error)

    async def _received(
        self, response: aiohttp.ClientResponse, limit: asyncio.Timeout
    ) -> HttpResponse:
        if not 200 <= response.status < 300:
            return await super()._received(response, limit)
        head = response_of(response, b"")
        self._begun = True
        await self._queue.put(head)
        self._restart(limit)
        async for piece in response.content.iter_any():
            limit.reschedule(None)  # the reader may be slow
            await self._queue.put(piece)
            self._restart(limit)
        return head


class LoopDownload:
    """A request that runs in the client's loop while its body is read here."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: aiohttp.ClientSession,
        proxies: Proxies,
        request: HttpRequest,
    ) -> None:
        self._loop = loop
        self._request = request
        self._queue: asyncio.Queue[_Message] = asyncio.Queue(WAITING_PIECES)
        exchange = StreamedExchange(session, proxies, request, self._queue)
        self._task = asyncio.run_coroutine_threadsafe(exchange.stream(), loop)

    def response(self) -> HttpResponse:
        """Status and headers, and the body if the status is not a success. Raises DataError."""
        message = self._next()
        assert isinstance(message, HttpResponse)  # the response comes first
        self._codings = codings_of(message.headers)
        return message

    def pieces(self) -> Iterator[bytes]:
        """The body without its content codings. Raises DataError if it is not complete."""
        try:
            decoder = Decoder(self._codings)
            while isinstance(message := self._next(), bytes):
                yield from decoder.feed(message)
            decoder.finish()
        except CodingError as error:
            raise DataError(
                f"GET {shown_url(self._request.url)!r} failed",
                f"the response is not encoded as it says: {error}",
                "ask the operator of the server",
            ) from None
        finally:
            self.cancel()

    def cancel(self) -> None:
        self._task.cancel()

    def _next(self) -> HttpResponse | bytes | None:
        message: _Message
        try:
            message = asyncio.run_coroutine_threadsafe(self._queue.get(), self._loop).result()
        except (CancelledError, RuntimeError):  # the loop is ending, or has ended
            raise _given_up() from None
        if isinstance(message, Exception):
            raise message
        return message


def _given_up() -> ExecutionError:
    return ExecutionError("the request was cancelled because the run is ending")
