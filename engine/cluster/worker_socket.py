"""A worker's end of a socket to the run: takes messages, and answers them in order."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from engine.cluster.frames import REPLY, REQUEST, SHOWN, receive_frame, send_frame
from engine.cluster.replica import Replica


class WorkerSocket:
    """Sends answers and lines that snaps show. Once the run has gone, nothing is sent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._state = threading.Lock()
        self._has_ended = self._is_busy = False

    def send(self, kind: bytes, body: bytes) -> None:
        with self._sending, suppress(OSError):
            send_frame(self._connection, kind, body)

    def show(self, label: str, line: str) -> None:
        self.send(SHOWN, f"{label}\0{line}".encode(errors="surrogatepass"))

    def work(self, replica: Replica, on_end: Callable[[], None]) -> None:
        """Answer messages until the run closes the socket, and close the replica then: its snaps
        end properly, unless one is busy at that time, which is interrupted. `on_end` is called in a
        thread of its own."""

        def read() -> None:
            try:
                while True:
                    kind, body = receive_frame(self._connection)
                    if kind == REQUEST:
                        self._messages.put(bytes(body))
            except (EOFError, OSError):
                self._messages.put(None)
                if self._end():
                    replica.interrupt()
                on_end()

        threading.Thread(target=read, daemon=True).start()
        while (message := self._messages.get()) is not None and self._begin():
            reply = replica.answer(message)
            self._is_busy = False  # before the run, which waits for the reply, may end
            self.send(REPLY, reply)
        replica.close()

    def _begin(self) -> bool:
        """Be busy, unless the run has closed the socket."""
        with self._state:
            self._is_busy = not self._has_ended
            return self._is_busy

    def _end(self) -> bool:
        """The run has closed the socket; whether that was during a call."""
        with self._state:
            self._has_ended = True
            return self._is_busy

    def close(self) -> None:
        """Let the run know that there will be no more answers, even while `work` reads."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()
