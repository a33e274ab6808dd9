"""The placement on a Ray cluster: each worker is an actor with one CPU.

Ray does not restart the actors, as one that is restarted has silently lost its state. The run
starts another one instead, as often as it must, and sends it what the lost one had not answered.
Every wait for room in the cluster ends with an error that says what is missing.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from engine.cluster.cores import Workers, count_of
from engine.cluster.placement import PlacementError, Show, WorkerLostError
from engine.cluster.ray_worker import Begun, Line, RayWorker
from engine.errors import ConfigurationError

START_SECONDS = 60.0
"""Seconds in which an actor must have started, if the cluster has room for it or is to get it."""

NOTICE_SECONDS = 5.0
"""Seconds of waiting after which the user is told what for."""

END_SECONDS = 5.0
"""Seconds that the snaps of a worker get to close."""

LARGE = 100_000
"""Bytes from which a message is put into the object store once, whoever gets it."""

CPUS = 1

LOCAL = "ray"


def connect(address: str, workers: Workers) -> tuple[RayActors, int]:
    """Connect to a cluster, and start one on this machine if there is none to use.

    `address` is `ray` or `ray://HOST:PORT`; `ray` is the cluster that the environment variable
    RAY_ADDRESS names, as it does within a Ray job, and otherwise one of this run's own. Returns the
    placement and the number of workers; "auto" is one for each CPU. Raises ConfigurationError.
    """
    is_ours = not ray.is_initialized()
    target = os.environ.get("RAY_ADDRESS", "local") if address == LOCAL else address
    count = count_of(workers)
    if is_ours:
        own: dict[str, Any] = {"num_cpus": count, "include_dashboard": False}
        _initialize(address, target, own if target == "local" else {})
    if workers == "auto":
        count = max(1, int(_cpus()[0] / CPUS))
    return RayActors(count, disconnects=is_ours), count


def _initialize(address: str, target: str, own: dict[str, Any]) -> None:
    try:
        ray.init(target, log_to_driver=False, configure_logging=False, **own)
    except Exception as error:  # noqa: BLE001  # it raises anything, RuntimeError and grpc's own too
        raise ConfigurationError(f"--on {address}: {_refusal(error, target)}") from None


def _refusal(error: Exception, target: str) -> str:
    """Why there is no connection."""
    text = str(error)
    if "ersion mismatch" in text:
        return (
            "the cluster has another version of Ray or Python; install the same ones here: "
            + " ".join(text.split())
        )
    if re.search(r"auth|token|UNAUTHENTICATED", text, re.IGNORECASE):
        return (
            f"the cluster at {target!r} refused the token, or got none; set RAY_AUTH_MODE=token, "
            "and RAY_AUTH_TOKEN_PATH to the file with the token of the cluster"
        )
    reason = next(filter(None, map(str.strip, text.splitlines())), type(error).__name__)
    return f"cannot connect to Ray at {target!r}; is the cluster running? {reason}"


def _cpus() -> tuple[float, float]:
    """The CPUs of the cluster: all, and those that are free."""
    return ray.cluster_resources().get("CPU", 0.0), ray.available_resources().get("CPU", 0.0)


class RayActors:
    """Starts workers as actors (a Placement). `disconnects`: from the cluster, at the end."""

    name = "ray"
    shares_files = False

    def __init__(self, workers: int, *, disconnects: bool = False) -> None:
        self._workers = workers
        self._disconnects = disconnects
        self._actor = ray.remote(
            num_cpus=CPUS, max_restarts=0, max_task_retries=0, concurrency_groups={"lines": 1}
        )(RayWorker)
        self._store = _Store()
        self._has_told = False

    def begin(self, workers: int) -> None:
        """The cluster runs already."""

    async def start(self, number: int, job: bytes, show: Show) -> ActorLink:
        """Raises PlacementError, and WorkerLostError if the actor was lost while it started."""
        try:
            actor = self._actor.remote()
            link = ActorLink(number, actor, self._store, show)
            starting = asyncio.ensure_future(link.begin(job))
            await self._wait_for(starting, number, show)
        except (RayError, ConnectionError) as error:
            kind = WorkerLostError if _is_lost(error) else PlacementError
            raise kind(f"worker {number} could not start: {_reason(error)}") from None
        return link

    async def close(self) -> None:
        """Release what the store holds for the run, and disconnect."""
        self._store.clear()
        if self._disconnects:
            with suppress(Exception):  # the cluster may be gone
                await asyncio.to_thread(ray.shutdown)

    async def _wait_for(self, starting: asyncio.Future[None], number: int, show: Show) -> None:
        await asyncio.wait([starting], timeout=NOTICE_SECONDS)
        if not starting.done() and not self._has_told and _cpus()[0] < self._workers * CPUS:
            self._has_told = True
            show("ray", f"waiting for nodes: {self._room()}")
        done, _ = await asyncio.wait([starting], timeout=START_SECONDS - NOTICE_SECONDS)
        if not done:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            raise PlacementError(
                f"worker {number} did not start within {START_SECONDS:.0f} seconds: {self._room()}",
                "use fewer --workers, add nodes to the cluster, or wait until others have ended",
            )
        await starting

    def _room(self) -> str:
        total, free = _cpus()
        return (
            f"the run needs a CPU for each of its {self._workers} workers; the Ray cluster has "
            f"{total:g}, of which {max(0.0, free):g} are free"
        )


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

    def __init__(self, number: int, actor: Any, store: _Store, show: Show) -> None:
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
            node = await _result(self._actor.__ray_call__.remote(_address))
        except BaseException:  # raised again once the actor has ended
            self._kill()
            raise
        if begun.refusal:
            self._kill()
            raise PlacementError(begun.refusal)
        self.name += f" (process {begun.process} on node {node})"
        self.incarnation = begun.incarnation
        self._listening = asyncio.create_task(self._listen())

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
        except (RayError, ConnectionError) as error:
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
        if not self.lost.done():
            with suppress(RayError, ConnectionError, TimeoutError):
                closing = _result(self._actor.close.remote())
                self._show_all(await asyncio.wait_for(closing, END_SECONDS))
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self.lost.cancel()
        self._kill()

    def _kill(self) -> None:
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
                self._show_all(await _result(self._actor.lines.options(**_LINES).remote()))
        except (RayError, ConnectionError) as error:
            if not self._is_closed:
                self._lose(error)

    def _show_all(self, lines: list[Line]) -> None:
        for label, line in lines:
            self._show(label, line)

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


def _address(_: RayWorker) -> str:
    return str(ray.util.get_node_ip_address())


async def _result(reference: Any) -> Any:
    return await asyncio.wrap_future(reference.future())


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


_LINES: dict[str, Any] = {"concurrency_group": "lines"}
_KEPT = 16
