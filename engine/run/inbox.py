"""Bounded channels into a stage: the queues in front of its input views.

A sender waits while its view is full, so memory does not grow with the input. A view that is read
to its end first (`read_first`) could dead-lock a diamond while the other side waits, so the links
that the plan marks spill to disk instead of making their sender wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from engine.documents import Batch
from engine.plan.plan import Routes, Stage
from engine.run.queues import IN_FLIGHT, Queue
from engine.run.worker import Worker

QUIET_TURNS = 4
"""Turns of the event loop without a new batch after which the queued ones are taken: as many as a
batch needs to pass through a few stages."""


def joined(taken: Iterable[tuple[str, Batch]]) -> list[tuple[str, Batch]]:
    """The same documents, in as few batches as possible.

    For a snap that is faster with larger batches and still yields its first results at once.
    """
    result: list[tuple[str, Batch]] = []
    for view, batch in taken:
        last_view, last = result[-1] if result else ("", batch)
        plain = last.lineage is None and batch.lineage is None
        if view == last_view and plain and batch.items[0].__class__ is dict:
            result[-1] = view, last.followed_by(batch)
        else:
            result.append((view, batch))
    return result


class Inbox:
    """All input views of one stage. One task receives; each view has one sender."""

    def __init__(
        self,
        views: Iterable[str],
        read_first: Iterable[str] = (),
        spilling: Iterable[str] = (),
        limit: int = IN_FLIGHT,
    ) -> None:
        spilling = set(spilling)
        self._queues = {view: _queue(limit, spills=view in spilling) for view in views}
        self._read_first = [view for view in self._queues if view in set(read_first)]
        self._turn: deque[str] = deque(self._queues)
        self._taker: asyncio.Future[None] | None = None
        self._senders: dict[str, asyncio.Future[None]] = {}
        self._watchers: list[asyncio.Future[None]] = []
        self._failure: Exception | None = None

    def fail(self, failure: Exception) -> None:
        """Make `take` raise, now or when it is called next."""
        self._failure = failure
        self._wake_taker()

    async def put(self, view: str, batch: Batch) -> None:
        """Add a batch; waits while the view is full."""
        queue = self._queues[view]
        while queue.full:
            self._senders[view] = asyncio.get_running_loop().create_future()
            await self._senders[view]
        queue.put(batch)
        self._wake_taker()

    def put_at_once(self, view: str, batch: Batch) -> None:
        """Add a batch to a view even if it is full: the caller limits what is in transit."""
        self._queues[view].put(batch)
        self._wake_taker()

    def end(self, view: str) -> None:
        """Nothing more will come for the view."""
        self._queues[view].open = False
        self._wake_taker()

    async def take(self, most: int = 1) -> list[tuple[str, Batch]]:
        """The next batches with their views, in turn: at least one, at most `most`.

        Empty when all views have ended. Raises the error given to `fail`.
        """
        while self._failure is not None or (view := self._ready()) is None:
            if self._failure is not None:
                raise self._failure
            if not any(queue.open for queue in self._queues.values()):
                return []
            self._taker = asyncio.get_running_loop().create_future()
            self._notify_watchers()
            await self._taker
            self._taker = None
        if most > 1:
            await self._wait_for_more(most)
        taken: list[tuple[str, Batch]] = []
        while len(taken) < most and (view := self._ready()) is not None:
            taken.append((view, self._take_from(view)))
        return taken

    async def _wait_for_more(self, most: int) -> None:
        """Give the senders turns as long as they use them, and stop soon when they are quiet."""
        turns = QUIET_TURNS
        waiting = self._waiting()
        while turns and waiting < most:
            await asyncio.sleep(0)
            before, waiting = waiting, self._waiting()
            turns = QUIET_TURNS if waiting > before else turns - 1

    @property
    def awaits(self) -> bool:
        """Whether the stage has processed everything and is waiting for more."""
        return self._taker is not None and not self._taker.done()

    async def idle(self) -> None:
        """Wait until the stage has processed everything and is waiting for more."""
        while not self.awaits:
            watcher = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    def _notify_watchers(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    def _waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    def close(self) -> None:
        for queue in self._queues.values():
            queue.close()

    def _ready(self) -> str | None:
        for view in self._read_first:
            if self._queues[view]:
                return view
        if any(self._queues[view].open for view in self._read_first):
            return None
        return next((view for view in self._turn if self._queues[view]), None)

    def _take_from(self, view: str) -> Batch:
        batch = self._queues[view].take()
        self._turn.remove(view)
        self._turn.append(view)
        sender = self._senders.pop(view, None)
        if sender is not None and not sender.done():
            sender.set_result(None)
        return batch

    def _wake_taker(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)


def _queue(limit: int, *, spills: bool) -> Queue:
    if not spills:
        return Queue(limit)
    from engine.run.spilling import SpillingQueue  # few pipelines need it

    return SpillingQueue()


def inbox_of(routes: Routes, stage: Stage) -> Inbox:
    """The inbox of a stage, with the bounds that suit how the stage works."""
    feeds = routes.feeds[stage]
    return Inbox(
        views=[feed.view.name for feed in feeds],
        read_first=[feed.view.name for feed in feeds if feed.view.read_first],
        spilling=[feed.view.name for feed in feeds if feed.spills],
        limit=Worker.at_once if stage in routes.waiting else IN_FLIGHT,
    )
