"""The way to a worker that is an actor of Ray.

One on this machine is called through a socket (engine.cluster.nearby), as Ray's calls cost more
than light work. Ray still starts it, and says when and why it is lost.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError

from engine.cluster.message_socket import MessageSocket
from engine.cluster.nearby import Door, view_of_files
from engine.cluster.placement import Answer, PlacementError, Show, WorkerLostError
from engine.cluster.ray_cluster import RayCluster
from engine.cluster.ray_worker import Begun, Line, Nearness

END_SECONDS = 5.0
"""Seconds that the snaps of a worker get to close."""

LARGE = 100_000
"""Bytes from which a message is put into the object store once, whoever gets it."""


class Store:
    """Puts large messages into Ray's object store once, and keeps them for as long as they may be
    sent again: the job to actors that replace others, a model to every actor."""

    def __init__(self) -> None:
        self._references: dict[int, tuple[bytes, Any]] = {}

    def argument(self, message: bytes) -> Any:
        if len(message) < LARGE:
            return message
        if id(message) not in self._references:
            while len(self._references) >= _KEPT:
                self._references.pop(next(iter(self._references)))
            self._references[id(message)] = (message, ray.put(message))
        return self._references[id(message)][1]

    def clear(self) -> None:
        self._references.clear()


class ActorLink:
    """One actor (a WorkerLink)."""

    def __init__(
        self, number: int, actor: Any, store: Store, cluster: RayCluster, show: Show
    ) -> None:
        self._cluster = cluster
        self.name = f"worker {number}"
        self.incarnation = ""
        self.shares_files = False
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[WorkerLostError] = self._loop.create_future()
        self._actor = actor
        self._store = store
        self._show = show
        self._sent = 0
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._known: dict[int, tuple[bytes, list[Line]]] = {}
        self._resolved = 0
        self._listening: asyncio.Task[None] | None = None
        self._connection: socket.socket | None = None
        self._messages: MessageSocket | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False

    async def begin(self, job: bytes) -> None:
        """Wait until the actor has read its job. Raises PlacementError, and Ray's errors."""
        try:
            begun: Begun = await _result(self._actor.begin.remote(self._store.argument(job)))
            if begun.refusal:
                raise PlacementError(begun.refusal)
            await self._connect()
        except BaseException:  # raised again once the actor has ended
            self._kill()
            raise
        self.name += f" (process {begun.process} on node {begun.node})"
        self.incarnation = begun.incarnation
        self._listening = asyncio.create_task(self._listen())
        self._cluster.gone.add_done_callback(self._lose_cluster)

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        """Raises WorkerLostError."""
        if self._messages is not None:
            return await self._messages.send(message)
        if self.lost.done():
            raise self.lost.result()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        number, self._sent = self._sent, self._sent + 1
        self._waiting.append(answer)
        try:
            reference = self._actor.answer.remote(number, self._store.argument(message))
            future = reference.future()
        except Exception as error:  # noqa: BLE001  # see RayActors.start
            raise self._lose(error) from None
        future.add_done_callback(partial(self._call_in_loop, self._take, number))
        return answer

    async def close(self) -> None:
        """Let the snaps close, and end the actor."""
        if self._is_closed:
            return
        self._is_closed = True
        for answer in self._waiting:
            answer.cancel()
        if self._messages is not None:
            await self._messages.close()
        if self._connection is not None and self._reading is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)
            await asyncio.wait([self._reading], timeout=0 if self.lost.done() else END_SECONDS)
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._connection.close()
        elif not self.lost.done() and not self._cluster.is_gone:
            with suppress(RayError, ConnectionError, TimeoutError):
                closing = _result(self._actor.close.remote())
                self._show_all(await asyncio.wait_for(closing, END_SECONDS))
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self.lost.cancel()
        self._kill()

    async def _connect(self) -> None:
        """Let the actor call here, if it is on this machine."""
        door = Door()
        try:
            near: Nearness = await _result(self._actor.connect.remote(door.path, view_of_files()))
            self.shares_files = near.shares_files
            if not near.is_connected:
                return
            self._connection = await door.accept()
        finally:
            door.close()
        self._messages = MessageSocket(self._connection, self.lost, self._waiting, self._show)
        self._reading = asyncio.create_task(self._read(self._messages))

    async def _read(self, messages: MessageSocket) -> None:
        await messages.read()
        if not self._is_closed:
            await asyncio.wait([self.lost], timeout=END_SECONDS)  # Ray may know the reason
        if not self._is_closed:
            self._lose(EOFError("it has closed its connection"))

    def _kill(self) -> None:
        if self._cluster.is_gone:
            return
        with suppress(Exception):  # it may be gone, and the cluster too
            ray.kill(self._actor, no_restart=True)

    def _call_in_loop(
        self, function: Callable[..., None], number: int, future: Future[Any]
    ) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, number, future)

    def _take(self, number: int, future: Future[Any]) -> None:
        """Pass on an answer, and those after it that have come before it."""
        if self._is_closed or self.lost.done():
            return
        if (error := future.exception()) is not None:
            self._lose(error)
            return
        self._known[number] = future.result()
        while self._resolved in self._known:
            reply, lines = self._known.pop(self._resolved)
            self._resolved += 1
            self._show_all(lines)
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(reply)

    async def _listen(self) -> None:
        """Show lines as they come, and notice when the actor is gone while nothing is asked."""
        try:
            while True:
                self._show_all(await _result(self._actor.lines.remote()))
        except Exception as error:  # noqa: BLE001  # see RayActors.start
            if not self._is_closed:
                self._lose(error)

    def _show_all(self, lines: list[Line]) -> None:
        for label, line in lines:
            self._show(label, line)

    def _lose_cluster(self, _: asyncio.Future[None]) -> None:
        if self._cluster.is_gone and not self._is_closed:
            self._lose(self._cluster.error())

    def _lose(self, error: BaseException) -> WorkerLostError:
        if self.lost.done():
            return self.lost.result()
        lost = WorkerLostError(f"{self.name} was lost: {reason(error)}")
        self.lost.set_result(lost)
        self._kill()  # one that only seems to be gone must not work on
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(lost)
                answer.exception()  # perhaps nobody waits for it any more
        return lost


async def _result(reference: Any) -> Any:
    """What a call returns. Cancelling this leaves Ray's own future alone, as Ray sets its result
    whether or not it is cancelled."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Any] = loop.create_future()

    def settle(future: Future[Any]) -> None:
        if result.done():
            return
        if (error := future.exception()) is None:
            result.set_result(future.result())
        else:
            result.set_exception(error)

    def call(future: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, future)

    reference.future().add_done_callback(call)
    return await result


def reason(error: BaseException) -> str:
    """What Ray says about the end of an actor, in a few words."""
    text = str(error)
    if "NODE_OUT_OF_MEMORY" in text or isinstance(error, ray.exceptions.OutOfMemoryError):
        return "its node ran out of memory; use fewer workers, or nodes with more memory"
    if re.search(r"node (has died|was terminated|is dead)|NODE_DIED", text, re.IGNORECASE):
        return "its node is gone"
    if "No module named 'engine" in text:
        return "Snapline is not installed on its node; install the version of this machine there"
    if "SYSTEM_ERROR" in text:
        return "its process was killed or crashed"
    if isinstance(error, ConnectionError):
        return f"the connection to the Ray cluster is gone ({text})"
    return next(filter(None, map(str.strip, text.splitlines())), type(error).__name__)


_KEPT = 16
