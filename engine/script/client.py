"""The engine's side of a script that `engine executor` runs on another host."""

from __future__ import annotations

import contextlib
import platform
import queue
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from engine.documents import Document
from engine.errors import ConfigurationError
from engine.script.child.protocol import FRAME_LIMIT, VERSION, Channel, ProtocolError
from engine.script.output import GuardedOutput, Output
from engine.script.session import ANSWERS, OnLost, Session, opening
from engine.sdk.scripts import Outcome, Script, ScriptFailure

_CONNECT_TIMEOUT = 10.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _ScriptLostError(Exception):
    """The remote script ended while no call was in progress; the arguments are its failure."""


class RemoteSession(Session):
    """A script in a child process of an executor, connected over TCP."""

    def __init__(
        self,
        script: Script,
        output: Output,
        limit: int = FRAME_LIMIT,
        lost: OnLost = lambda _: None,
    ) -> None:
        super().__init__(script, lost)
        self._host, self._port = address_of(script.executor)
        self._output = GuardedOutput(output)
        self._limit = limit
        self._replies: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None

    def _connect(self) -> Channel:
        try:
            connection = socket.create_connection((self._host, self._port), _CONNECT_TIMEOUT)
        except OSError as error:
            raise ScriptFailure(
                f"could not connect to the script executor at {self._script.executor}",
                error.strerror or str(error),
                "start it there with: engine executor --port PORT --token-file FILE",
            ) from error
        set_socket_options(connection)
        self._channel = channel = Channel(connection, self._limit, by=ANSWERS)
        self._stop_if_interrupted()
        self._greet(channel)
        connection.settimeout(None)  # from now on the executor enforces the script's timeout
        self._reader = threading.Thread(
            target=self._read, args=(channel,), name="script replies", daemon=True
        )
        self._reader.start()
        self._hand_over(channel, self._opening())
        self._send(channel, channel.frame("prepare"))
        self._receive(channel, "ready")
        return channel

    def _greet(self, channel: Channel) -> None:
        self._send(channel, channel.frame("hello", VERSION, self._script.token))
        try:
            kind, detail = channel.receive()[:2]
        except (EOFError, OSError, ProtocolError) as error:
            self._fail(self._lost(error), error)
        if kind != "hello":
            self._fail(
                ScriptFailure(
                    f"the script executor at {self._script.executor} refused the session",
                    str(detail),
                )
            )

    def _opening(self) -> dict[str, Any]:
        script = self._script
        here = self._host in _LOOPBACK
        return opening(script) | {
            "owner": f"{script.owner} on {platform.node()}",
            "folder": script.folder if here else "",
            "directory": script.directory if here else "",
        }

    def _read(self, channel: Channel) -> None:
        """Runs in a thread, so that the script's output is shown at once, also between calls."""
        try:
            while True:
                message = channel.receive()
                if message[0] == "output":
                    for line in message[1]:
                        self._output(line)
                elif message[0] == "lost":
                    self._lost_between_calls(_ScriptLostError(*message[1]))
                else:
                    self._replies.put(message)
        except (EOFError, OSError, ProtocolError) as error:
            self._replies.put(error)
            self._lost_between_calls(error)

    def _next(self, channel: Channel) -> list[Any]:
        reply = self._replies.get()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def process_tracked(
        self,
        rows: list[Document],
        numbers: list[int],
        ids: Sequence[str] = (),
        patience: float | None = None,
    ) -> Iterator[list[Outcome]]:
        """As in ScriptSession; with any patience, nothing at first, as even sending may wait for
        the network."""
        if patience is not None:
            yield []
        yield from super().process_tracked(rows, numbers, ids)

    def _request(self, request: str, expected: str) -> Iterator[list[Any]]:
        yield from super()._request(request, expected)
        self._is_over = request != "start"
        self._output.check()

    def _lost(self, error: Exception) -> ScriptFailure:
        if self._interrupted:
            return self._stopped()
        if isinstance(error, _ScriptLostError):
            return ScriptFailure(*error.args)
        return ScriptFailure(
            f"lost the connection to the script executor at {self._script.executor}",
            str(error) or type(error).__name__,
            "check the executor's log, and whether its host is reachable",
        )

    def interrupt(self) -> None:
        """Cut the connection; the executor then ends the script."""
        self._interrupted = True
        channel = self._channel
        if channel is not None:
            with contextlib.suppress(OSError):
                channel.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the script, gracefully if it has finished; show what it prints until then."""
        self._is_over = True
        channel, self._channel = self._channel, None
        if channel is None:
            return
        if self._reader is not None:
            if self._failed is None and not self._interrupted:
                with contextlib.suppress(OSError):
                    channel.send("end")
                self._reader.join(_CONNECT_TIMEOUT)
            with contextlib.suppress(OSError):
                channel.connection.shutdown(socket.SHUT_RDWR)
            self._reader.join()
        channel.close()


def set_socket_options(connection: socket.socket) -> None:
    """Send small frames without delay, and detect within half a minute that the peer is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        for option, value in (
            (socket.TCP_KEEPIDLE, 10),
            (socket.TCP_KEEPINTVL, 5),
            (socket.TCP_KEEPCNT, 3),
            (socket.TCP_USER_TIMEOUT, 30_000),
        ):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def address_of(text: str) -> tuple[str, int]:
    """Host and port of `host:port`; raises ConfigurationError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigurationError(f"the executor {text!r} is not an address; write host:port")
    return host.strip("[]"), int(port)
