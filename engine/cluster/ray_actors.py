"""The placement on a Ray cluster: each worker is an actor with one CPU.

Ray does not restart the actors, as one that is restarted has silently lost its state. The run
starts another one instead, as often as it must, and sends it what the lost one had not answered.
Every wait for room in the cluster ends with an error that says what is missing.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import Any

import ray
from ray.exceptions import RayActorError

from engine.cluster.needs import ONE_CPU, Demand, Needs, fits
from engine.cluster.placement import PlacementError, Show, WorkerLostError
from engine.cluster.ray_cluster import RayCluster, Room
from engine.cluster.ray_link import ActorLink, Store, reason
from engine.cluster.ray_worker import RayWorker
from engine.errors import EngineError

ROOM_SECONDS = 60.0
"""Seconds that a worker waits while the cluster is too small for all of them: a node may join."""

START_SECONDS = 300.0
"""Seconds in which a worker must have started in a cluster that is large enough: its nodes may be
busy, and others may use it."""

NOTICE_SECONDS = 5.0
"""Seconds of waiting after which the user is told what for."""


class RayActors:
    """Starts workers as actors (a Placement)."""

    name = "ray"

    def __init__(self, cluster: RayCluster) -> None:
        self._cluster = cluster
        self._demands: dict[int, Demand] = {}
        """Of this and of those that were made of it."""
        self._workers = 0
        self._needs = ONE_CPU
        self._actor = _actor_class(self._needs)
        self._store = Store()
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
            raise kind(f"worker {number} could not start: {reason(error)}") from None
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


def _is_lost(error: BaseException) -> bool:
    """Whether the actor was well, so that another one may be."""
    return isinstance(error, RayActorError) and "__init__" not in str(error)
