"""Bytes to a server and bytes back, as no well-behaved client would send them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any, NamedTuple

CLOSE = ("Connection", "close")


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def message(
    method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
) -> bytes:
    """A request; one with a body says how long it is, if no header does."""
    given = [("Host", "localhost"), *headers]
    names = {name.lower() for name, _ in given}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        given.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def talk(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """All that comes until the server closes; what cannot be sent any more is left."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return everything(connection)


def everything(caller: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    while part := caller.recv(65536):
        parts.append(part)
    return b"".join(parts)


def answers(data: bytes, methods: Iterable[str] = ()) -> list[Answer]:
    """The answers in what a server has said; to HEAD there is no body."""
    asked = iter(methods)
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = [
            (name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)
        ]
        status = int(start.split(" ")[1])
        length = 0
        if next(asked, "") != "HEAD" and status >= 200:
            length = int(dict(headers).get("content-length", "0"))
        body, data = data[:length], data[length:]
        assert len(body) == length, "the answer is not complete"
        found.append(Answer(status, headers, body))
    return found


def ask(
    port: int,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Answer:
    """The answer to one request, the last of its connection."""
    data = message(method, path, [*headers, CLOSE], body)
    return answers(talk(port, data), [method])[-1]
