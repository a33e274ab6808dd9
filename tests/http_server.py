"""An HTTP server on the loopback for tests: it answers as a function says and keeps what came."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]


@dataclass
class Reply:
    """What is answered. `cut` ends the connection so many bytes before the body is complete."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0


Handler = Callable[[Received], Reply | None]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a connection that has to wait for its turn tries again after 1 s


class Server:
    """`url` is where it listens, `requests` what has arrived. None from the handler hangs up."""

    def __init__(self, handler: Handler, certificate: Any = None) -> None:
        self.requests: list[Received] = []
        self.arrived = threading.Semaphore(0)
        self._http = _Listener(("127.0.0.1", 0), _handler_class(self, handler))
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.port = self._http.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def wait(self, count: int = 1) -> None:
        """Wait until so many more requests have arrived."""
        for _ in range(count):
            assert self.arrived.acquire(timeout=240)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def serving(handler: Handler, certificate: Any = None) -> Iterator[Server]:
    server = Server(handler, certificate)
    try:
        yield server
    finally:
        server.close()


def _handler_class(server: Server, handler: Handler) -> type[BaseHTTPRequestHandler]:
    class _Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ssl.SSLError):
                self.close_connection = True  # the client is gone

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            received = Received(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
                self.client_address,
            )
            server.requests.append(received)
            server.arrived.release()
            reply = handler(received)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status not in (204, 304):
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) - reply.cut])
            self.close_connection = self.close_connection or bool(reply.cut)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(_Handler, f"do_{method}", _Handler.answer)
    return _Handler


@contextmanager
def answering(data: bytes, *, then_silent: bool = False) -> Iterator[str]:
    """The URL of a server that answers each connection with these very bytes.

    Then it hangs up, or is silent until the client hangs up.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # the listener is closed
                with connection, suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(data)
                    if then_silent:
                        connection.recv(1)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(240)


class Silence:
    """A handler that does not answer before it is ended."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def __call__(self, request: Received) -> None:
        self._ended.wait(240)

    def end(self) -> None:
        self._ended.set()


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of this machine, which may not know the loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
