"""A worker as a process on this machine: takes messages from a socket, and answers them in order.

It ends when the socket is closed, even while a snap is busy, so none outlives the run.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from contextlib import suppress

from engine.cluster.frames import REPLY, REQUEST, SHOWN, receive_frame, send_frame
from engine.cluster.replica import Replica, VersionError
from engine.run.garbage_collection import relax_garbage_collection

END_SECONDS = 2.0
"""Seconds that snaps get to close once the coordinator has gone."""


def main(connection: socket.socket) -> None:
    """Work until the socket is closed."""
    sending = threading.Lock()

    def send(kind: bytes, body: bytes) -> None:
        with sending, suppress(OSError):  # the coordinator has gone: the reader ends the process
            send_frame(connection, kind, body)

    def show(label: str, line: str) -> None:
        send(SHOWN, f"{label}\0{line}".encode(errors="surrogatepass"))

    _, job = receive_frame(connection)
    try:
        replica = Replica(bytes(job), show)
    except VersionError as error:
        send(REPLY, str(error).encode())
        return
    relax_garbage_collection()
    send(REPLY, b"")
    messages: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(connection, messages, replica), daemon=True)
    reader.start()
    while (message := messages.get()) is not None:
        send(REPLY, replica.answer(bytes(message)))
    replica.close()


def _read(
    connection: socket.socket, messages: queue.SimpleQueue[bytearray | None], replica: Replica
) -> None:
    """Queue what arrives; at the end, let the process end soon whatever it is doing."""
    try:
        while True:
            kind, body = receive_frame(connection)
            if kind == REQUEST:
                messages.put(body)
    except (EOFError, OSError):
        messages.put(None)
        replica.interrupt()
        threading.Event().wait(END_SECONDS)
        os._exit(1)
