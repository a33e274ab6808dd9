"""Where the workers of a spread run are: the two interfaces that a placement implements.

The coordinator (engine.cluster.coordinator) knows workers only through a `WorkerLink`: it sends
bytes and gets bytes back, in the order in which it sent them. What they mean is known to
engine.cluster.messages alone. So a placement neither sees documents nor counts, retries or orders
anything: it starts workers, carries bytes, and notices that a worker is gone.

On the other side, whatever process the placement provides makes one `Replica` from the job
(engine.cluster.replica) and passes every message to its `answer`, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from engine.cluster.needs import Needs
from engine.errors import ExecutionError

Answer = bytes | bytearray
"""What a worker answers, as a link reads it."""

Show = Callable[[str, str], None]
"""Takes the label of a snap and a line that it shows; the worker has masked the secrets in it."""


class PlacementError(ExecutionError):
    """A worker cannot be started: no capacity, another version there, a broken environment."""


class WorkerLostError(ExecutionError):
    """A worker is gone; `message` says how it ended, as in "was killed by signal 9"."""


class WorkerLink(Protocol):
    """The way to one running worker.

    `name` is for people, as in "worker 2 (process 4711)". `incarnation` differs between a worker
    and the one that replaces it: an answer of another incarnation is that of a worker which has
    lost its state. `shares_files`: the worker can read the files of this machine by the same names.
    `lost` is resolved, with the reason, once the worker is gone other than by `close`.
    """

    name: str
    incarnation: str
    shares_files: bool
    lost: asyncio.Future[WorkerLostError]

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        """Send a message; returns once it is on its way, with the future of the answer.

        Several messages may be under way. The worker takes them, and the futures are resolved, in
        the order of the calls. If the worker is gone, now or before it answers, the call or the
        future raises WorkerLostError, and `lost` is resolved.
        """
        ...

    async def close(self) -> None:
        """End the worker, and wait for that. Does nothing if it is gone. Never raises."""
        ...


class Placement(Protocol):
    """Starts workers. `name` is for people, as in "processes"."""

    name: str

    def begin(self, workers: int) -> None:
        """Begin what takes a while; so many workers are about to be started. Called once, before
        the run does anything else."""
        ...

    async def start(self, number: int, job: bytes, show: Show) -> WorkerLink:
        """Start the worker of that number, counted from 1; returns once it has read the job.

        The coordinator calls it once per worker, perhaps at the same time, and again for one that
        is lost; `job` is the same object every time. `show` may be called from any thread.

        Raises PlacementError; or WorkerLostError if the worker was lost while it started, which
        the coordinator tries again a few times. Never waits without end.
        """
        ...

    async def close(self) -> None:
        """Release what the workers share. All links are closed before. Never raises."""
        ...


@runtime_checkable
class ClusterPlacement(Placement, Protocol):
    """A placement that knows of resources other than a CPU."""

    def needing(self, needs: Needs) -> Placement:
        """The same placement, for workers with these needs. Called after `begin`; only the first
        one is closed."""
        ...
