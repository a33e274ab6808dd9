"""An HTTP client that answers from recorded exchanges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from engine.errors import ExecutionError
from engine.numbers import decimal_of
from engine.sdk.http import HttpRequest, HttpResponse, shown_url
from engine.testing.cases.case import Exchange
from engine.testing.cases.comparing import same
from engine.testing.http import CannedCall, CannedDownload

_JSON = msgspec.json.Decoder(float_hook=decimal_of)


class RecordedHttp:
    """Answers each request from the next exchange that fits it; the last one repeats.

    `refuse` makes the error for a request that none fits.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], refuse: Callable[[str, str], ExecutionError]
    ) -> None:
        self._exchanges = exchanges
        self._refuse = refuse
        self._used: set[int] = set()

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> CannedCall:
        return CannedCall(self._answer(request))

    def download(self, request: HttpRequest) -> CannedDownload:
        return CannedDownload(self._answer(request))

    def _answer(self, request: HttpRequest) -> HttpResponse:
        fitting = [
            place for place, each in enumerate(self._exchanges) if not _mismatch(each, request)
        ]
        if not fitting:
            sent = f"{request.method} {shown_url(request.url)!r}"
            raise self._refuse(
                f"sends {sent}, which no exchange of its mock answers", self._hint(request)
            )
        chosen = next((place for place in fitting if place not in self._used), fitting[-1])
        self._used.add(chosen)
        return self._exchanges[chosen].response

    def _hint(self, request: HttpRequest) -> str:
        """What is different in the exchange that comes nearest."""
        found = [_mismatch(each, request) for each in self._exchanges]
        of_body = next((text for text in found if text.startswith("the body")), "")
        return of_body or (found[0] if found else "add an exchange to its mock")


def _mismatch(exchange: Exchange, request: HttpRequest) -> str:
    """Why the exchange does not fit the request; empty if it does."""
    if (exchange.method, exchange.url) != (request.method, request.url):
        return f"an exchange answers {exchange.method} {shown_url(exchange.url)!r}"
    sent = {name.lower(): value for name, value in request.headers}
    for name, value in exchange.headers.items():
        if sent.get(name.lower()) != value:
            return f"the header {name!r} of the exchange is {value!r}"
    if exchange.body is None or _same_body(exchange.body, request.body or b""):
        return ""
    shown = (request.body or b"").decode(errors="backslashreplace")
    return f"the body differs from that of the exchange; it is {shown[:200]!r}"


def _same_body(expected: Any, sent: bytes) -> bool:
    if isinstance(expected, str):
        return sent == expected.encode()
    try:
        return same(expected, _JSON.decode(sent))
    except (msgspec.DecodeError, ArithmeticError):
        return False
