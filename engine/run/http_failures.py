"""What can go wrong with a request, in messages that a user can act on."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

import aiohttp
from yarl import URL

from engine.errors import DataError
from engine.sdk.http import HttpOptions, RetryPolicy, shown_url

REPEATABLE = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"))
"""Idempotent methods (RFC 9110, 9.2.2)."""


class FailedTry(Exception):  # noqa: N818  # a retry may follow
    """One try failed.

    `is_final`: the next would fail as well. `sent`: the server may have carried out the request.
    `timed_out`: the server was too slow. `status` is that of the response, if one began.
    """

    def __init__(
        self,
        reason: str,
        resolution: str,
        *,
        sent: bool = False,
        is_final: bool = False,
        timed_out: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(reason, resolution)
        self.reason = reason
        self.resolution = resolution
        self.sent = sent
        self.is_final = is_final
        self.timed_out = timed_out
        self.status = status

    def may_repeat(self, method: str, policy: RetryPolicy) -> bool:
        if self.is_final:
            return False
        if policy == "all" or not self.sent:
            return True
        return method in REPEATABLE and not self.timed_out

    def as_data_error(self, request: str, attempts: int) -> DataError:
        reason, resolution = self.reason, self.resolution
        if attempts > 1:
            reason += f" ({attempts} tries)"
        elif self.sent and not request.startswith(tuple(REPEATABLE)):
            reason += "; not retried, because the server may have carried out the request"
        details = {} if self.status is None else {"status": self.status, "statusCode": self.status}
        return DataError(f"{request} failed", reason, resolution, details=details)


def failed_try(error: Exception, url: URL, proxy: URL | None, options: HttpOptions) -> FailedTry:
    """An exception of the HTTP library as a failed try."""
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return FailedTry(
            f"the proxy {shown_url(str(proxy))!r} cannot be used: {_proxy_words(error)}",
            "check HTTP_PROXY and HTTPS_PROXY, or list the host in NO_PROXY",
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return FailedTry(
            f"the certificate of {url.host!r} is not trusted: {_certificate_words(error)}",
            "set SSL_CERT_FILE to a file with the authority that signed it; or, only if the "
            "network is safe, trust_all_certificates to true",
            is_final=True,
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error, url)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return FailedTry(
            f"could not connect within {options.connection_timeout:g} seconds",
            "check the host, the port and any firewall, or raise connection_timeout",
        )
    if isinstance(error, TimeoutError):
        return FailedTry(
            f"the server sent nothing for {options.read_timeout:g} seconds",
            "raise read_timeout if the server needs longer",
            sent=True,
            timed_out=True,
        )
    return _broken(error)


def too_large(largest: int, announced: int, status: int) -> FailedTry:
    size = f": it has {announced:,}" if announced else ""
    return FailedTry(
        f"the response is larger than {largest:,} bytes{size}",
        "raise maximum_response_size, or ask the server for less at a time",
        sent=True,
        is_final=True,
        status=status,
    )


def _not_connected(error: aiohttp.ClientConnectorError, url: URL) -> FailedTry:
    if isinstance(error, aiohttp.ClientSSLError):
        return FailedTry(
            f"no secure connection to {url.host!r}: {_ssl_words(error.os_error)}",
            "check that the port is for https",
            is_final=True,
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FailedTry(
            f"the host {url.host!r} was not found: {_os_words(error.os_error)}",
            "check the host name and the network",
        )
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host
    return FailedTry(
        f"no connection to {host}:{url.port}: {_os_words(error.os_error)}",
        "check that the server is running, and the host and port",
    )


def _broken(error: Exception) -> FailedTry:
    """The connection was made, but did not deliver a valid response."""
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return FailedTry(
            f"the connection broke before the response was complete ({_os_words(error)})",
            "check the server's log; try again if the request may be carried out twice",
            sent=True,
        )
    if isinstance(error, aiohttp.ClientResponseError):
        return FailedTry(
            f"the response is not HTTP: {_first_line(error.message)}",
            "check host and port, and whether the URL must begin with https",
            sent=True,
            is_final=True,
        )
    return FailedTry(
        f"the request could not be sent: {_first_line(str(error)) or type(error).__name__}",
        "check the URL and the headers",
        is_final=True,
    )


def _proxy_words(error: Any) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"it answers with status {error.status} {error.message}".rstrip()
    return _os_words(error.os_error)


def _certificate_words(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    return str(getattr(cause, "verify_message", "") or cause)


def _ssl_words(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else ""
    return str(reason or _os_words(error)).replace("_", " ").lower()


def _os_words(error: Exception) -> str:
    """The system's message without numbers and addresses, such as `Connection refused`."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        text = os.strerror(error.errno)
        if not isinstance(error, socket.gaierror) and not text.startswith("Unknown error"):
            return text
    return getattr(error, "strerror", "") or str(error) or type(error).__name__


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0].rstrip(":").strip()
