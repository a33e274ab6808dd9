"""Short ways to a response, for the tests of the HTTP client."""

from __future__ import annotations

import socket
from typing import Any

from engine.run.http import LoopClient
from engine.sdk.http import HttpOptions, HttpRequest, HttpResponse
from tests.http_server import Received, Reply


def fetch(
    client: LoopClient,
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    notices: list[str] | None = None,
    **options: Any,
) -> HttpResponse:
    request = HttpRequest(method, url, headers, body, HttpOptions(**options))
    return client.send(request, (notices if notices is not None else []).append).result()


def echo(request: Received) -> Reply:
    return Reply(200, request.method.encode() + b" " + request.body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
