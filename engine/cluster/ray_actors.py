"""The placement on a Ray cluster: each worker is an actor with one CPU.

Ray does not restart the actors, as one that is restarted has silently lost its state. The run
starts another one instead, as often as it must, and sends it what the lost one had not answered.
Every wait for room in the cluster ends with an error that says what is missing.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from engine.cluster.needs import ONE_CPU, Demand, Needs, fits
from engine.cluster.placement import PlacementError, Show, WorkerLostError
from engine.cluster.ray_cluster import RayCluster, Room
from engine.cluster.ray_worker import Begun, Line, RayWorker
from engine.errors import EngineError

ROOM_SECONDS = 60.0
"""Seconds that a worker waits while the cluster is too small for all of them: a node may join."""

START_SECONDS = 300.0
"""Seconds in which a worker must have started in a cluster that is large enough: its nodes may be
busy, and others may use it."""

NOTICE_SECONDS = 5.0
"""Seconds of waiting after which the user is told what for."""

END_SECONDS = 5.0
"""Seconds that the snaps of a worker get to close."""

LARGE = 100_000
"""Bytes from which a message is put into the object store once, whoever gets it."""


class RayActors:
    """Starts workers as actors (a Placement)."""

    name = "ray"
    shares_files = False

    def __init__(self, cluster: RayCluster) -> None:
        self._cluster = cluster
        self._demands: dict[int, Demand] = {}
        """Of this and of those that were made of it."""
        self._workers = 0
        self._needs = ONE_CPU
        self._actor = _actor_class(self._needs)
        self._store = _Store()
        self._has_told = False

    def begin(self, workers: int) -> None:
        """The cluster runs already."""
        self._workers = workers

    def needing(self, needs: Needs) -> RayActors:
        """Starts workers that need this, for the same run."""
        other = copy(self)
        other._needs, other._actor = needs, _actor_class(needs)
        return other

    async def start(self, number: int, job: bytes, show: Show) -> ActorLink:
        """Raises PlacementError, and WorkerLostError if the actor was lost while it started."""
        if self._cluster.is_gone:
            raise self._cluster.error()
        self._demands[id(self)] = Demand(self._workers, self._needs)
        try:
            actor = self._actor.remote()
            link = ActorLink(number, actor, self._store, self._cluster, show)
            starting = asyncio.ensure_future(link.begin(job))
            await self._wait_for(starting, number, show)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001  # Ray raises its own, ConnectionError and others
            if not isinstance(error, RayActorError) and not await self._cluster.is_there():
                raise self._cluster.error() from None
            kind = WorkerLostError if _is_lost(error) else PlacementError
            raise kind(f"worker {number} could not start: {_reason(error)}") from None
        return link

    async def close(self) -> None:
        """Release what the store holds for the run."""
        self._store.clear()
        await self._cluster.close()

    async def _wait_for(self, starting: asyncio.Future[None], number: int, show: Show) -> None:
        """Wait until a worker has started, while the cluster has room for it or may get it."""
        began = asyncio.get_running_loop().time()
        while not await self._is_done(starting, NOTICE_SECONDS):
            waited = asyncio.get_running_loop().time() - began
            room = await self._cluster.room()
            has_room = fits(self._demands.values(), room.nodes)
            if not has_room and not self._has_told:
                self._has_told = True
                show("ray", f"waiting for nodes: {self._wants(room)}")
            if waited >= (START_SECONDS if has_room else ROOM_SECONDS):
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                raise PlacementError(
                    f"worker {number} did not start within {waited:.0f} seconds: "
                    f"{self._wants(room)}",
                    "use fewer --workers, add nodes to the cluster, or wait until others have "
                    "ended",
                )
        await starting

    async def _is_done(self, starting: asyncio.Future[None], seconds: float) -> bool:
        """Wait for at most so long. Raises PlacementError if the cluster is gone."""
        await asyncio.wait(
            [starting, self._cluster.gone], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if self._cluster.is_gone:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            raise self._cluster.error()
        return starting.done()

    def _wants(self, room: Room) -> str:
        names = dict.fromkeys(name for demand in self._demands.values() for name in demand.needs)
        wanted = ", and ".join(map(str, self._demands.values()))
        return f"the run needs {wanted}; the Ray cluster has {room.describe(names)}"


def _actor_class(needs: Needs) -> Any:
    named = {name: amount for name, amount in needs.items() if name not in _KNOWN}
    known = {_KNOWN[name]: amount for name, amount in needs.items() if name in _KNOWN}
    return ray.remote(
        resources=named,
        max_restarts=0,
        max_task_retries=0,
        concurrency_groups={"lines": 1},
        **known,
    )(RayWorker)


_KNOWN = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
"""What Ray has arguments of its own for."""


class _Store:
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
        self, number: int, actor: Any, store: _Store, cluster: RayCluster, show: Show
    ) -> None:
        self._cluster = cluster
        self.name = f"worker {number}"
        self.incarnation = ""
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[WorkerLostError] = self._loop.create_future()
        self._actor = actor
        self._store = store
        self._show = show
        self._sent = 0
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._known: dict[int, tuple[bytes, list[Line]]] = {}
        self._resolved = 0
        self._listening: asyncio.Task[None] | None = None
        self._is_closed = False

    async def begin(self, job: bytes) -> None:
        """Wait until the actor has read its job. Raises PlacementError, and Ray's errors."""
        try:
            begun: Begun = await _result(self._actor.begin.remote(self._store.argument(job)))
        except BaseException:  # raised again once the actor has ended
            self._kill()
            raise
        if begun.refusal:
            self._kill()
            raise PlacementError(begun.refusal)
        self.name += f" (process {begun.process} on node {begun.node})"
        self.incarnation = begun.incarnation
        self._listening = asyncio.create_task(self._listen())
        self._cluster.gone.add_done_callback(self._lose_cluster)

    async def send(self, message: bytes) -> asyncio.Future[bytes]:
        """Raises WorkerLostError."""
        if self.lost.done():
            raise self.lost.result()
        answer: asyncio.Future[bytes] = self._loop.create_future()
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
        if not self.lost.done() and not self._cluster.is_gone:
            with suppress(RayError, ConnectionError, TimeoutError):
                closing = _result(self._actor.close.remote())
                self._show_all(await asyncio.wait_for(closing, END_SECONDS))
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self.lost.cancel()
        self._kill()

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
        lost = WorkerLostError(f"{self.name} was lost: {_reason(error)}")
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


def _is_lost(error: BaseException) -> bool:
    """Whether the actor was well, so that another one may be."""
    return isinstance(error, RayActorError) and "__init__" not in str(error)


def _reason(error: BaseException) -> str:
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
