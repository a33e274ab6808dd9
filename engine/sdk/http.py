"""What a snap may ask of the HTTP client: send a request, wait for what is answered.

The runtime hands a client to the snap through its context; a test hands in a fake. The snap sees
requests and responses, never a socket: tries, redirects, proxies and certificates are the client's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec

RetryPolicy = Literal["connection_errors", "all"]
Headers = tuple[tuple[str, str], ...]

MEBIBYTE = 2**20
LONGEST_SHOWN = 300


class HttpOptions(msgspec.Struct, frozen=True):
    """How requests are to be sent; times in seconds, sizes in bytes.

    `read_timeout` is the longest time in which nothing is received, or nothing of the body can be
    sent. With `connection_errors` a request is tried again, up to `attempts` in all, if it cannot
    have been carried out, or if carrying it out twice does no harm (RFC 9110, 9.2.2); with `all`
    whatever it is, and after the status 429 or 5xx too.
    """

    connection_timeout: float = 30.0
    read_timeout: float = 900.0
    attempts: int = 1
    retry_interval: float = 3.0
    retry_policy: RetryPolicy = "connection_errors"
    follow_redirects: bool = True
    trust_all_certificates: bool = False
    largest_response: int = 100 * MEBIBYTE


class HttpRequest(msgspec.Struct, frozen=True):
    """A request. `url` is a full one; it may hold a user and a password.

    It is sent as engine.sdk.addresses builds it.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    options: HttpOptions = HttpOptions()


class HttpResponse(msgspec.Struct, frozen=True):
    """What a server answered, whatever the status.

    The body is unpacked already. If that is impossible, `coding_error` says why, and the body is as
    it came.
    """

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    version: str = "HTTP/1.1"
    coding_error: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, in capitals or not; empty if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


class HttpCall(Protocol):
    """A request that is under way."""

    def result(self) -> HttpResponse:
        """Wait for the response.

        Raises DataError if there is none, and ExecutionError if the call was cancelled.
        """
        ...

    def cancel(self) -> None:
        """Give it up. May be called from any thread, and when it is done."""
        ...


class HttpDownload(Protocol):
    """A request under way whose response is read piece by piece."""

    def response(self) -> HttpResponse:
        """Wait for status and headers; the body is there too unless the status is a success.

        Raises DataError if there is no response.
        """
        ...

    def pieces(self) -> Iterator[bytes]:
        """The unpacked body of a success, after `response`.

        Raises DataError if it is not complete, and ExecutionError if it was cancelled.
        """
        ...

    def cancel(self) -> None:
        """Give it up. May be called from any thread, and when it is done."""
        ...


class HttpClient(Protocol):
    """Sends requests, as many at once as it is given. Connections are kept and reused."""

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> HttpCall:
        """Start a request. `notice` gets a line, from another thread, before it is tried again."""
        ...

    def download(self, request: HttpRequest) -> HttpDownload:
        """Start a request whose response may have any size. It is not tried again."""
        ...


def shown_url(url: str) -> str:
    """The URL for a message: without user and password, and cut if it is long."""
    shown = re.sub(r"//.*@" if _is_odd(url) else r"//[^/?#]*@", "//***@", url, count=1)
    return f"{shown[:LONGEST_SHOWN]}…" if len(shown) > LONGEST_SHOWN else shown


def _is_odd(url: str) -> bool:
    """Whether nobody can tell where the host begins: a password may hold a bare slash."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return True
    return False
