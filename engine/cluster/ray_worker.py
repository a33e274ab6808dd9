"""A worker as an actor of Ray: makes a replica from the job, and answers messages in order.

`engine.cluster.ray_actors` makes an actor class of `RayWorker`, which has two threads: one works,
the other waits for lines that snaps show. On the machine of the run, messages come through a
socket instead, and a third thread works.
"""

from __future__ import annotations

import os
import queue
import threading
import uuid
from typing import NamedTuple

import ray

from engine.cluster.kept_memory import keep_memory
from engine.cluster.nearby import View, called, view_of_files
from engine.cluster.replica import Replica, VersionError
from engine.cluster.worker_socket import WorkerSocket
from engine.run.garbage_collection import relax_garbage_collection

WAIT_SECONDS = 20.0
"""Seconds after which `lines` returns without any, so that no call lasts for the whole run."""

Line = tuple[str, str]


class Begun(NamedTuple):
    """What a worker tells about itself. `refusal`: why it cannot work; empty if it can."""

    refusal: str
    incarnation: str = ""
    process: int = 0
    node: str = ""


class Nearness(NamedTuple):
    """Whether a worker is connected to the run, which is then on its machine, and whether it sees
    the same files as the run."""

    is_connected: bool
    shares_files: bool


class RayWorker:
    """The state of the actor."""

    def __init__(self) -> None:
        self._shown: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._replica: Replica | None = None
        self._run: WorkerSocket | None = None
        self._answered = 0

    def begin(self, job: bytes) -> Begun:
        node = str(ray.util.get_node_ip_address())
        keep_memory()
        try:
            self._replica = Replica(job, self._show, node=node)
        except VersionError as error:
            return Begun(str(error))
        relax_garbage_collection()
        return Begun("", uuid.uuid4().hex, os.getpid(), node)

    def connect(self, path: str, view: View | None) -> Nearness:
        """Connect to the run that listens at that path, if it does so on this machine; it has that
        view of files. From then on it is answered there."""
        connection = called(path)
        if connection is None or self._replica is None:
            return Nearness(is_connected=False, shares_files=False)
        self._run = WorkerSocket(connection)
        threading.Thread(target=self._work, args=(self._run, self._replica), daemon=True).start()
        return Nearness(
            is_connected=True, shares_files=view is not None and view == view_of_files()
        )

    def _work(self, run: WorkerSocket, replica: Replica) -> None:
        try:
            run.work(replica, lambda: None)
        finally:
            run.close()

    def _show(self, label: str, line: str) -> None:
        if self._run is None:
            self._shown.put((label, line))
        else:
            self._run.show(label, line)

    def answer(self, number: int, message: bytes) -> tuple[bytes, list[Line]]:
        """The answer to a message, by its number from 0, and the lines shown meanwhile."""
        if number != self._answered or self._replica is None:
            raise RuntimeError(f"message {number} came before message {self._answered}")
        self._answered += 1
        reply = self._replica.answer(message)
        lines = []
        while not self._shown.empty():
            if (line := self._shown.get()) is not None:
                lines.append(line)
        return reply, lines

    @ray.method(concurrency_group="lines")  # type: ignore[untyped-decorator]  # a thread of its own
    def lines(self) -> list[Line]:
        """The next line that snaps show, once there is one; called from a thread of its own."""
        try:
            line = self._shown.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            return []
        return [] if line is None else [line]

    def close(self) -> list[Line]:
        """Close the snaps; the lines that they show at the end."""
        if self._replica is not None:
            self._replica.close()
        rest: list[Line] = []
        while not self._shown.empty():
            if (line := self._shown.get()) is not None:
                rest.append(line)
        self._shown.put(None)
        return rest
