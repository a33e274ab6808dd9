"""The interface to the HTTP client: send a request, wait for the response.

A snap gets a client from its context; tests use a fake. The snap sees requests and responses, never
a socket: retries, redirects, proxies and certificates are up to the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, Protocol, runtime_checkable
from urllib.parse import urlsplit

import msgspec

RetryPolicy = Literal["connection_errors", "all"]
Headers = tuple[tuple[str, str], ...]

MEBIBYTE = 2**20
MAX_SHOWN = 300


class HttpOptions(msgspec.Struct, frozen=True):
    """How requests are to be sent; times in seconds, sizes in bytes.

    `read_timeout` limits the time without receiving data, or without being able to send more of the
    body. With `connection_errors`, a request is retried, up to `attempts` in total, if the server
    cannot have processed it, or if processing it twice does no harm (RFC 9110, 9.2.2); with `all`,
    every request is retried, also after the status 429 or 5xx. With `retry_busy`, the status 429 is
    retried in any case.
    """

    connection_timeout: float = 30.0
    read_timeout: float = 900.0
    attempts: int = 1
    retry_interval: float = 3.0
    retry_policy: RetryPolicy = "connection_errors"
    retry_busy: bool = False
    follow_redirects: bool = True
    trust_all_certificates: bool = False
    largest_response: int = 100 * MEBIBYTE


class HttpRequest(msgspec.Struct, frozen=True):
    """A request. `url` is complete, and may contain a user and a password.

    engine.sdk.addresses builds the address that is sent. `private` names headers that are not sent
    to another host after a redirect; Authorization and Cookie never are.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    options: HttpOptions = HttpOptions()
    private: tuple[str, ...] = ()


class HttpResponse(msgspec.Struct, frozen=True):
    """A server's response, whatever its status.

    The body is already decoded. If that is impossible, `coding_error` says why, and the body is as
    it was received.
    """

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    version: str = "HTTP/1.1"
    coding_error: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, ignoring case; empty if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


class HttpCall(Protocol):
    """A request in progress."""

    def result(self) -> HttpResponse:
        """Wait for the response.

        Raises DataError if there is none, and ExecutionError if the call was cancelled.
        """
        ...

    def cancel(self) -> None:
        """Give it up. May be called from any thread, and when it is done."""
        ...


class HttpDownload(Protocol):
    """A request in progress whose response is read piece by piece."""

    def response(self) -> HttpResponse:
        """Wait for status and headers, and for the body as well unless the status is a success.

        Raises DataError if there is no response.
        """
        ...

    def pieces(self) -> Iterator[bytes]:
        """The decoded body of a successful response, after `response`.

        Raises DataError if it is incomplete, and ExecutionError if the call was cancelled.
        """
        ...

    def cancel(self) -> None:
        """Give it up. May be called from any thread, and when it is done."""
        ...


@runtime_checkable
class HttpClient(Protocol):
    """Sends any number of requests at once. Connections are kept and reused."""

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> HttpCall:
        """Start a request. `notice` gets a line, from another thread, before each retry."""
        ...

    def download(self, request: HttpRequest) -> HttpDownload:
        """Start a request whose response may have any size. It is not retried."""
        ...


def shown_url(url: str) -> str:
    """The URL for a message: without user and password, and shortened if it is long."""
    shown = re.sub(r"//.*@" if _is_odd(url) else r"//[^/?#]*@", "//***@", url, count=1)
    return f"{shown[:MAX_SHOWN]}…" if len(shown) > MAX_SHOWN else shown


def _is_odd(url: str) -> bool:
    """Whether it is unclear where the host begins: a password may contain an unencoded slash."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return True
    return False
