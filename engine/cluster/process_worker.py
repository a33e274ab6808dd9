"""A worker as a process on this machine: takes messages from a socket, and answers them in order.

It ends when the socket is closed, even while a snap is busy, so none outlives the run.
"""

from __future__ import annotations

import os
import socket
import threading

from engine.cluster.frames import REPLY, receive_frame
from engine.cluster.replica import Replica, VersionError
from engine.cluster.worker_socket import WorkerSocket
from engine.run.garbage_collection import relax_garbage_collection

END_SECONDS = 2.0
"""Seconds that snaps get to close once the coordinator has gone."""


def main(connection: socket.socket) -> None:
    """Work until the socket is closed."""
    run = WorkerSocket(connection)
    _, job = receive_frame(connection)
    try:
        replica = Replica(bytes(job), run.show)
    except VersionError as error:
        run.send(REPLY, str(error).encode())
        return
    relax_garbage_collection()
    run.send(REPLY, b"")
    run.work(replica, _exit_soon)


def _exit_soon() -> None:
    threading.Event().wait(END_SECONDS)
    os._exit(1)
