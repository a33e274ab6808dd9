"""The workers of a run: started together, and replaced one by one when they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from engine.cluster.messages import failure_of
from engine.cluster.placement import Placement, PlacementError, Show, WorkerLink, WorkerLostError
from engine.errors import EngineError

MOST_STARTS = 3
"""How often a worker that ends while it starts is started."""

Reopen = Callable[[int], Awaitable[None]]


class Pool:
    """`count` workers, by number from 0; for people, from `first`. `reopen` functions prepare one
    that replaces another.

    A worker in `away` is being replaced. Raises PlacementError.
    """

    def __init__(
        self, placement: Placement, job: bytes, count: int, show: Show, first: int = 1
    ) -> None:
        self._placement = placement
        self._job = job
        self._show = show
        self.count = count
        self.first = first
        self.links: list[WorkerLink] = []
        self.away: set[int] = set()
        self.failure: asyncio.Future[EngineError] = asyncio.get_running_loop().create_future()
        """Resolved if a worker cannot be replaced: then the run cannot go on."""
        self.last_loss = ""
        self._returned: dict[int, asyncio.Event] = {}
        self._reopening: list[Reopen] = []
        self._tell_returned: list[Callable[[], None]] = []
        self._replacing: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._is_closed = False

    async def start(self) -> None:
        """Start all workers, once, however often this is called."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start_all())
        await asyncio.shield(self._starting)

    async def wait_for(self, number: int) -> None:
        """Wait while a worker is being replaced. Raises the error if it cannot be."""
        while number in self.away and not self.failure.done():
            await self._returned[number].wait()
        if self.failure.done():
            raise self.failure.result()

    def on_replacement(self, reopen: Reopen, returned: Callable[[], None]) -> None:
        """Call `reopen` to prepare a worker, and `returned` once it is no longer away."""
        self._reopening.append(reopen)
        self._tell_returned.append(returned)

    async def close(self) -> None:
        """End all workers."""
        self._is_closed = True
        tasks = [*self._replacing] + ([self._starting] if self._starting is not None else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self.links))

    async def _start_all(self) -> None:
        starts = [asyncio.create_task(self._start(number)) for number in range(self.count)]
        try:
            links = await asyncio.gather(*starts)
        except BaseException:  # raised again once the others have ended
            for start in starts:
                start.cancel()
            ended = await asyncio.gather(*starts, return_exceptions=True)
            for link in ended:
                if not isinstance(link, BaseException):
                    await link.close()
            raise
        self.links = list(links)
        for number, link in enumerate(self.links):
            link.lost.add_done_callback(partial(self._lose, number))

    async def _start(self, number: int) -> WorkerLink:
        """Start a worker; one that ends at once may have been unlucky."""
        for attempt in range(MOST_STARTS):
            try:
                return await self._placement.start(self.first + number, self._job, self._show)
            except OSError as error:
                raise PlacementError(
                    f"worker {self.first + number} cannot be started: {error.strerror or error}",
                    "memory, processes or open files may have run out; use fewer workers",
                ) from error
            except WorkerLostError as error:
                if attempt + 1 == MOST_STARTS:
                    raise PlacementError(
                        f"{MOST_STARTS} workers in a row could not start; the last one: {error}"
                    ) from error
        raise AssertionError("there is at least one attempt")

    def _lose(self, number: int, lost: asyncio.Future[EngineError]) -> None:
        if lost.cancelled() or self._is_closed:
            return
        self.away.add(number)
        self._returned[number] = asyncio.Event()
        self.last_loss = str(lost.result())
        task = asyncio.create_task(self._replace(number))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace(self, number: int) -> None:
        try:
            while not await self._renew(number):
                continue  # it was lost again while it was prepared
        except Exception as error:  # noqa: BLE001  # nobody waits for this task, but for the worker
            if not self.failure.done():
                self.failure.set_result(failure_of(error))
            for returned in self._returned.values():
                returned.set()
            return
        self.away.discard(number)
        self._returned[number].set()
        for tell in self._tell_returned:
            tell()
        self.links[number].lost.add_done_callback(partial(self._lose, number))

    async def _renew(self, number: int) -> bool:
        await self.links[number].close()
        self.links[number] = await self._start(number)
        try:
            for reopen in self._reopening:
                await reopen(number)
        except WorkerLostError:
            return False
        return True
