"""`engine executor`: runs scripts for engines on other hosts.

Each connection is one session and one child process, which is ended when the connection is lost. A
peer that has not sent the token gets nothing, can occupy 4 KiB of memory, and is disconnected after
a few seconds. The traffic is not encrypted.
"""

from __future__ import annotations

import contextlib
import hmac
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.msgpack import Decoder

from engine.errors import ConfigurationError
from engine.script.child.protocol import (
    FRAME_LIMIT,
    VERSION,
    Channel,
    FrameTooLargeError,
    ProtocolError,
)
from engine.script.client import set_socket_options
from engine.script.embedded import EmbeddedSession
from engine.sdk.scripts import (
    Script,
    ScriptError,
    ScriptFailure,
    ScriptModule,
)

_GREETING_LIMIT = 4096
_GREETING_SECONDS = 5.0
_UNAUTHENTICATED_LIMIT = 32
"""Connections that have not greeted yet; one more cuts off the oldest of them."""

QUEUE_SECONDS = 60.0
"""How long a session waits for another to end."""

_LOOK_SECONDS = 0.1
_GONE = (EOFError, OSError, ProtocolError)
_RELAYED: Decoder[Any] = Decoder()
"""Leaves extensions as they are: only the script and the engine need the values in them."""

Log = Callable[[str], None]


class ScriptServer:
    """Listens from the start. `serve` blocks until a signal handler or thread calls `stop`."""

    def __init__(
        self,
        token: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        sessions: int = 8,
        limit: int = FRAME_LIMIT,
        log: Log = lambda line: None,
    ) -> None:
        self._token = token.encode()
        self._log = log
        self._limit = limit
        self._slots = threading.BoundedSemaphore(sessions)
        self._unauthenticated: dict[socket.socket, None] = {}
        self._lock = threading.Lock()
        self._connections: set[PeerConnection] = set()
        self._sessions = sessions
        self._woken, self._wake = socket.socketpair()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._woken], [], [])
            if self._woken in ready:
                break
            with contextlib.suppress(OSError):
                connection, address = self._listener.accept()
                self._accept(connection, "{}:{}".format(*address[:2]))
        self._end()

    def stop(self) -> None:
        self._wake.send(b".")

    def _end(self) -> None:
        self._listener.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cut()
        for connection in connections:
            connection.thread.join()
        self._woken.close()
        self._wake.close()

    def _accept(self, connection: socket.socket, peer: str) -> None:
        with self._lock:
            if len(self._unauthenticated) >= _UNAUTHENTICATED_LIMIT:
                oldest = next(iter(self._unauthenticated))
                del self._unauthenticated[oldest]
                _cut(oldest)
            self._unauthenticated[connection] = None
        accepted = PeerConnection(connection, peer, self)
        self._connections.add(accepted)
        accepted.thread.start()

    def admit(self, channel: Channel, peer: str) -> bool:
        """Read the greeting; true if the peer was given a session slot."""
        try:
            greeting = self._greeting(channel)
        finally:
            with self._lock:
                self._unauthenticated.pop(channel.connection, None)
        match greeting:
            case ["hello", int(version), str(token)]:
                refusal = self._refusal(version, token, channel.connection)
            case _:
                return False
        if refusal:
            self._log(f"{peer}: refused, {refusal}")
            with contextlib.suppress(*_GONE):
                channel.send("refused", refusal)
            return False
        channel.raise_limit(self._limit)
        return True

    def _greeting(self, channel: Channel) -> list[Any] | None:
        timer = threading.Timer(_GREETING_SECONDS, _cut, [channel.connection])
        timer.daemon = True
        timer.start()
        try:
            return channel.receive()
        except _GONE:
            return None
        finally:
            timer.cancel()

    def _refusal(self, version: int, token: str, connection: socket.socket) -> str:
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
            return "the token is missing" if not token else "the token is wrong"
        if version != VERSION:
            return (
                f"the executor speaks version {VERSION} of the protocol, "
                f"the engine version {version}; install the same version of Snapline on both"
            )
        if not self._wait_for_slot(connection):
            return f"all {self._sessions} sessions have been in use for {QUEUE_SECONDS:g} seconds"
        return ""

    def _wait_for_slot(self, connection: socket.socket) -> bool:
        """False if no session ends in time, or the peer has gone."""
        end = time.monotonic() + QUEUE_SECONDS
        while not self._slots.acquire(timeout=min(_LOOK_SECONDS, QUEUE_SECONDS)):
            if time.monotonic() >= end or _has_gone(connection):
                return False
        return True

    def leave(self, connection: PeerConnection, admitted: bool) -> None:
        if admitted:
            self._slots.release()
        self._connections.discard(connection)

    def note(self, line: str) -> None:
        self._log(line)


class PeerConnection:
    """One connection: a thread that reads frames, and one that runs the script's session."""

    def __init__(self, connection: socket.socket, peer: str, server: ScriptServer) -> None:
        self._server = server
        self._peer = peer
        self._channel = Channel(connection, _GREETING_LIMIT, by=_RELAYED)
        self._sending = threading.Lock()
        self._requests: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._receive, name=f"connection {self._peer}")

    def cut(self) -> None:
        _cut(self._channel.connection)

    def _receive(self) -> None:
        admitted = False
        try:
            admitted = self._server.admit(self._channel, self._peer)
            if admitted:
                self._server.note(f"{self._peer}: session began")
                self._converse()
                self._server.note(f"{self._peer}: session ended")
        finally:
            self._channel.close()
            self._server.leave(self, admitted)

    def _converse(self) -> None:
        set_socket_options(self._channel.connection)
        with contextlib.suppress(*_GONE):
            self._send("hello", VERSION)
            script = _script(self._channel.receive())
            limit = self._channel.limit
            session = EmbeddedSession(script, self._print, limit, self._send_lost, _RELAYED)
            worker = threading.Thread(target=self._work, args=(session,), name="script session")
            worker.start()
            try:
                while True:
                    self._requests.put(self._channel.receive())
            finally:
                session.interrupt()
                self._requests.put(None)
                self.cut()
                worker.join()

    def _work(self, session: EmbeddedSession) -> None:
        try:
            while (request := self._requests.get()) is not None and request[0] != "end":
                self._answer(session, request)
            session.close()
        except _GONE:
            pass
        finally:
            session.close()
            self.cut()

    def _answer(self, session: EmbeddedSession, request: list[Any]) -> None:
        try:
            match request:
                case ["prepare"]:
                    session.connect()
                    self._send("ready")
                case ["start"]:
                    self._reply("documents", [session.start()])
                case ["rows", list(rows), bool(more)]:
                    self._reply("answers", session.process(rows, more=more))
                case ["chunk", str(key)]:
                    session.identify(key)
                case ["tracked rows", list(rows), list(numbers), list(ids)]:
                    self._reply("outcomes", session.process_tracked(rows, numbers, ids))
                case ["tracked finish"]:
                    self._reply("outcomes", session.finish_tracked())
                case ["cancel", int()]:
                    """It waits here for the end of the script's call, and then means nothing."""
                case ["finish"]:
                    self._reply("documents", [session.finish()])
                case ["combine", list(finals)]:
                    self._reply("documents", [session.combine(finals)])
                case _:
                    raise ProtocolError(f"{request[0]!r} is not a request")
        except ScriptError as error:
            self._send("error", error.args)
        except ScriptFailure as error:
            self._send("failure", error.args)
        except ConfigurationError as error:
            self._send("failure", (str(error), "", "", ""))

    def _reply(self, kind: str, parts: Iterable[list[Any]]) -> None:
        """Pass on the script's answers, each part as it arrives.

        If a part is too large for one frame here, each of its answers, which arrived in a frame
        within the limit, gets its own frame.
        """
        for part in parts:
            try:
                self._send(kind, part, False)
            except FrameTooLargeError:
                for answer in part:
                    self._send(kind, [answer], False)
        self._send(kind, [], True)

    def _send_lost(self, failure: ScriptFailure) -> None:
        with contextlib.suppress(OSError):
            self._send("lost", failure.args)

    def _print(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._send("output", [line])

    def _send(self, *message: Any) -> None:
        frame = self._channel.frame(*message)
        with self._sending:
            self._channel.send_frame(frame)


def _has_gone(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _script(message: list[Any]) -> Script:
    """The script in an engine's message; raises ProtocolError."""
    try:
        _, opening = message
        modules = tuple(ScriptModule(**module) for module in opening["modules"])
        requirements = tuple(opening["requirements"])
        return Script(**opening | {"modules": modules, "requirements": requirements})
    except (TypeError, ValueError, KeyError) as error:
        raise ProtocolError(f"not a valid script message: {error}") from error
