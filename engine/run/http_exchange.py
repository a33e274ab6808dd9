"""From a request to its response: retries, redirects, and errors that say what to do.

A request is retried if that does no harm: if it certainly was not carried out, or if its method is
idempotent (RFC 9110, 9.2.2). A POST whose connection broke may have been carried out, so it is sent
a second time only under the policy `all`.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

from engine.errors import DataError
from engine.run.http_failures import FailedTry, failed_try, too_large
from engine.sdk.addresses import AddressError, address_of, redirect_address
from engine.sdk.header_values import read_header
from engine.sdk.http import Headers, HttpRequest, HttpResponse, shown_url

MAX_REDIRECTS = 10
MAX_RETRY_AFTER = 300.0
"""The longest `Retry-After`, in seconds; a server that asks for more is not called again."""

PIECE = 65_536
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PRIVATE = frozenset(("authorization", "cookie", "proxy-authorization"))
_OF_THE_BODY = frozenset(("content-type", "content-encoding", "content-language"))


class Proxies:
    """The proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, ...), read once."""

    def __init__(self) -> None:
        self._proxies = getproxies()
        self._known: dict[URL, URL | None] = {}

    def proxy_for(self, url: URL) -> URL | None:
        """The proxy for a URL, if any. Raises FailedTry."""
        if not self._proxies:
            return None
        origin = url.origin()
        if origin not in self._known:
            self._known[origin] = self._found(url)
        return self._known[origin]

    def _found(self, url: URL) -> URL | None:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not proxy or proxy_bypass(f"{url.raw_host}:{url.port}"):
            return None
        found = URL(proxy if "://" in proxy else f"http://{proxy}")
        if found.scheme not in ("http", "https"):
            raise FailedTry(
                f"the proxy {shown_url(proxy)!r} of the environment is not an HTTP proxy",
                "use one that begins with http://, or list the host in NO_PROXY",
                is_final=True,
            )
        return found


class Hop(msgspec.Struct, frozen=True):
    """A request to one URL: the original one or that of a redirect."""

    method: str
    url: URL
    headers: Headers
    body: bytes | None
    private: frozenset[str] = _PRIVATE
    """The headers that are not sent to another origin, in lower case."""

    def __str__(self) -> str:
        return f"{self.method} {shown_url(str(self.url))!r}"


class _Answer(NamedTuple):
    """A response, and the bytes of its `Location`, which the next request must preserve."""

    response: HttpResponse
    location: bytes


class Exchange:
    """A request in progress."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        proxies: Proxies,
        request: HttpRequest,
        notice: Callable[[str], None],
    ) -> None:
        self._session = session
        self._proxies = proxies
        self._request = request
        self._options = request.options
        self._notice = notice

    async def run(self) -> HttpResponse:
        """The response after all redirects. Raises DataError."""
        first = hop = _first_hop(self._request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._tried(hop)
            target = self._target(hop, answer)
            if target is None:
                return answer.response
            hop = target
        raise DataError(
            f"{first} failed",
            f"it was redirected more than {MAX_REDIRECTS} times, the last time to {hop}",
            "set follow_redirects to false to see the first response",
        )

    async def _tried(self, hop: Hop) -> _Answer:
        """The response to the last try that was justified."""
        options = self._options
        for attempt in count(1):
            is_last = attempt >= options.attempts
            try:
                answer = await self._once(hop)
                wait = None if is_last else self._wait_before_next(answer.response)
                if wait is None:
                    return answer
                reason = f"the server answered with status {answer.response.status}"
            except FailedTry as failure:
                if is_last or not failure.may_repeat(hop.method, options.retry_policy):
                    raise failure.as_data_error(str(hop), attempt) from failure.__cause__
                wait, reason = options.retry_interval, failure.reason
            self._notice(f"{hop}: {reason}; try {attempt + 1} of {options.attempts} in {wait:g} s")
            await asyncio.sleep(wait)
        raise AssertionError  # the loop never ends

    def _wait_before_next(self, response: HttpResponse) -> float | None:
        """Seconds to wait before retrying after a response; None if it is final."""
        retries_all, is_busy = self._options.retry_policy == "all", response.status == 429
        if not (is_busy and (retries_all or self._options.retry_busy)) and not (
            retries_all and 500 <= response.status < 600
        ):
            return None
        wanted = _retry_after(response.header("retry-after"))
        if wanted is None:
            return self._options.retry_interval
        return wanted if wanted <= MAX_RETRY_AFTER else None

    async def _once(self, hop: Hop) -> _Answer:
        """One try. Raises FailedTry.

        The time limits of aiohttp tell a slow connection from a slow server; ours covers whatever
        the library waits for, and restarts with each piece sent or received.
        """
        options = self._options
        url, proxy = hop.url, None
        try:
            proxy = self._proxies.proxy_for(url)
            async with asyncio.timeout(options.connection_timeout + options.read_timeout) as limit:
                body, headers = self._body(hop, limit)
                async with self._session.request(
                    hop.method,
                    url,
                    headers=headers,
                    data=body,
                    proxy=proxy,
                    ssl=not options.trust_all_certificates,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        connect=options.connection_timeout, sock_read=options.read_timeout
                    ),
                ) as response:
                    received = await self._received(response, limit)
                    return _Answer(received, _location(response.raw_headers))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failed_try(error, url, proxy, options) from error

    def _body(
        self, hop: Hop, limit: asyncio.Timeout
    ) -> tuple[bytes | AsyncIterator[bytes] | None, Headers]:
        """The body; a long one in pieces, so that a server that stops reading is noticed."""
        body = hop.body
        if body is None or len(body) <= PIECE:
            return body, hop.headers
        return self._pieces(body, limit), (*hop.headers, ("Content-Length", str(len(body))))

    async def _pieces(self, body: bytes, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        for start in range(0, len(body), PIECE):
            self._restart(limit)
            yield body[start : start + PIECE]
        self._restart(limit)

    def _restart(self, limit: asyncio.Timeout) -> None:
        limit.reschedule(asyncio.get_running_loop().time() + self._options.read_timeout)

    async def _received(
        self, response: aiohttp.ClientResponse, limit: asyncio.Timeout
    ) -> HttpResponse:
        """The complete response, unless it is larger than allowed."""
        largest = self._options.largest_response
        announced = response.content_length or 0
        body = bytearray()
        self._restart(limit)
        if announced <= largest:
            async for piece in response.content.iter_any():
                self._restart(limit)
                body += piece
                if len(body) > largest:
                    break
        if announced > largest or len(body) > largest:
            response.close()
            raise too_large(largest, announced, response.status)
        return response_of(response, bytes(body))

    def _target(self, hop: Hop, answer: _Answer) -> Hop | None:
        """The URL that a response redirects to; None if it is the last response."""
        status, location = answer.response.status, answer.location
        if not (self._options.follow_redirects and location and status in _REDIRECTS):
            return None
        try:
            url = _url(redirect_address(str(hop.url), location))
        except AddressError:
            shown = shown_url(read_header(location))
            raise DataError(
                f"{hop} failed",
                f"the server redirects to {shown!r}, which is not an HTTP URL",
                "set follow_redirects to false to see the response itself",
            ) from None
        return _redirected(hop, url, status)


def response_of(response: aiohttp.ClientResponse, body: bytes) -> HttpResponse:
    """The library's response and a body as an `HttpResponse`."""
    version = response.version or aiohttp.HttpVersion11
    return HttpResponse(
        status=response.status,
        reason=read_header((response.reason or "").encode(errors="surrogateescape")),
        headers=tuple(
            (read_header(name), read_header(value)) for name, value in response.raw_headers
        ),
        body=body,
        version=f"HTTP/{version.major}.{version.minor}",
    )


def _location(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return next((value for name, value in headers if name.lower() == b"location"), b"")


def _first_hop(request: HttpRequest) -> Hop:
    try:
        url = _url(address_of(request.url))
    except AddressError as error:
        shown = f"{request.method} {shown_url(request.url)!r}"
        reason = f"the URL is not valid for a request: {error}"
        raise DataError(f"{shown} failed", reason, error.resolution) from None
    private = _PRIVATE.union(name.lower() for name in request.private)
    hop = Hop(request.method, url, request.headers, request.body, private)
    return _with_basic_authorization(hop)


def _url(address: str) -> URL:
    """The library's form of an address, with every byte that is sent."""
    url = URL(address, encoded=True)
    if address.endswith("?") and not url.raw_query_string:  # it would omit an empty query
        return url.with_path(f"{url.raw_path}?", encoded=True)
    return url


def _redirected(hop: Hop, url: URL, status: int) -> Hop:
    """The next hop, without credentials if the origin changes; see RFC 9110, 15.4, on methods."""
    method, body, left_out = hop.method, hop.body, frozenset[str]()
    if url.origin() != hop.url.origin():
        left_out |= hop.private
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", None
        left_out |= _OF_THE_BODY
    headers = tuple(pair for pair in hop.headers if pair[0].lower() not in left_out)
    return _with_basic_authorization(Hop(method, url, headers, body, hop.private))


def _with_basic_authorization(hop: Hop) -> Hop:
    """User and password of the URL as an Authorization header, unless there is one."""
    user, password = hop.url.user, hop.url.password
    if user is None and password is None:
        return hop
    headers = hop.headers
    if all(name.lower() != "authorization" for name, _ in headers):
        secret = b64encode(f"{user or ''}:{password or ''}".encode()).decode()
        headers = (*headers, ("Authorization", f"Basic {secret}"))
    return msgspec.structs.replace(hop, url=hop.url.with_user(None), headers=headers)


def _retry_after(text: str) -> float | None:
    """Seconds of a `Retry-After` header, which may be a date; None if there is none."""
    if text.strip().isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
