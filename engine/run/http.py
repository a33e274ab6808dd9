"""The HTTP client of a run: one event loop in its own thread, shared by all snaps.

A snap waits in its own thread for a call that runs in the loop, so it can have several in progress,
and Ctrl-C ends them at once.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec

from engine.errors import ExecutionError
from engine.run.http_codings import ACCEPTED, CodingError, Decoder, codings_of
from engine.run.http_download import LoopDownload
from engine.run.http_exchange import Exchange, Proxies
from engine.run.http_failures import too_large
from engine.sdk.http import HttpRequest, HttpResponse, shown_url

KEEP_ALIVE_SECONDS = 4.0
"""How long an idle connection is kept: less than the five seconds after which many servers close
it, since a request that hits a closing connection cannot always be sent again."""

MAX_HEADER = 65_536
CLOSING_SECONDS = 1.0
TURNS_TO_CLOSE = 3
"""Iterations of the loop until the sockets of closed connections are closed as well."""


class LoopClient:
    """Sends requests with aiohttp. Proxies come from the environment; cookies are not kept."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)
        self._thread.start()
        self._proxies = Proxies()
        self._session = self._wait_for(_session())

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> LoopCall:
        exchange = Exchange(self._session, self._proxies, request, notice)
        future = asyncio.run_coroutine_threadsafe(exchange.run(), self._loop)
        return LoopCall(request, future)

    def download(self, request: HttpRequest) -> LoopDownload:
        return LoopDownload(self._loop, self._session, self._proxies, request)

    def close(self) -> None:
        """Cancel all calls, close the connections and end the thread."""
        if self._loop.is_closed():
            return
        with suppress(TimeoutError):
            self._wait_for(_end(self._session), CLOSING_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait_for(self, coroutine: Any, timeout: float | None = None) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)


class LoopCall:
    """A request that runs in the client's loop. Its response is unpacked in the snap's thread."""

    def __init__(self, request: HttpRequest, future: Future[HttpResponse]) -> None:
        self._request = request
        self._future = future

    def result(self) -> HttpResponse:
        try:
            response = self._future.result()
        except CancelledError:
            raise ExecutionError("the request was cancelled because the run is ending") from None
        return _unpacked(self._request, response)

    def cancel(self) -> None:
        self._future.cancel()


class _Loop(asyncio.SelectorEventLoop):
    """Resolves names in threads that are not joined: a silent name server does not delay exit."""

    async def getaddrinfo(self, *args: Any, **kwargs: Any) -> Any:
        found: asyncio.Future[Any] = self.create_future()
        threading.Thread(
            target=self._look_up, args=(found, args, kwargs), name="http-names", daemon=True
        ).start()
        return await found

    def _look_up(self, found: asyncio.Future[Any], args: Any, kwargs: Any) -> None:
        result, failure = None, None
        try:
            result = socket.getaddrinfo(*args, **kwargs)
        except OSError as error:
            failure = error
        except UnicodeError as error:  # such as a label that is too long
            failure = socket.gaierror(socket.EAI_NONAME, str(error))
        with suppress(RuntimeError):  # the loop was closed in the meantime
            self.call_soon_threadsafe(_settle, found, result, failure)


def _settle(found: asyncio.Future[Any], result: Any, failure: OSError | None) -> None:
    if found.done():
        return
    if failure is None:
        found.set_result(result)
    else:
        found.set_exception(failure)


def _unpacked(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response without its content codings. Raises DataError if it is too large."""
    codings = codings_of(response.headers)
    if not codings:
        return response
    largest = request.options.largest_response
    body = bytearray()
    try:
        decoder = Decoder(codings)
        for piece in decoder.feed(response.body):
            body += piece
            if len(body) > largest:
                shown = f"{request.method} {shown_url(request.url)!r}"
                raise too_large(largest, 0, response.status).as_data_error(shown, attempts=1)
        decoder.finish()
    except CodingError as error:
        return msgspec.structs.replace(response, coding_error=str(error))
    return msgspec.structs.replace(response, body=bytes(body))


async def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0,  # the snaps limit the number of calls
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        resolver=aiohttp.ThreadedResolver(),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "snapline", "Accept-Encoding": ACCEPTED},
        auto_decompress=False,
        max_line_size=MAX_HEADER,
        max_field_size=MAX_HEADER,
    )


async def _end(session: aiohttp.ClientSession) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await session.close()
    for _ in range(TURNS_TO_CLOSE):
        await asyncio.sleep(0)
