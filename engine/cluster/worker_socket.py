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

    def send(self, kind: bytes, body: bytes) -> None:
        with self._sending, suppress(OSError):
            send_frame(self._connection, kind, body)

    def show(self, label: str, line: str) -> None:
        self.send(SHOWN, f"{label}\0{line}".encode(errors="surrogatepass"))

    def work(self, replica: Replica, on_end: Callable[[], None]) -> None:
        """Answer messages until the run closes the socket, and close the replica then. A call that
        is busy at that time is interrupted, and `on_end` is called in a thread of its own."""

        def read() -> None:
            try:
                while True:
                    kind, body = receive_frame(self._connection)
                    if kind == REQUEST:
                        self._messages.put(bytes(body))
            except (EOFError, OSError):
                self._messages.put(None)
                replica.interrupt()
                on_end()

        threading.Thread(target=read, daemon=True).start()
        while (message := self._messages.get()) is not None:
            self.send(REPLY, replica.answer(message))
        replica.close()

    def close(self) -> None:
        self._connection.close()
