"""Bounded channels into a stage: the queues in front of its input views.

A sender waits while its view is full, so memory does not grow with the input. A view that is read
to its end first (`read_first`) could dead-lock a diamond while the other side waits, so the links
that the plan marks spill to disk instead of making their sender wait.
"""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections import deque
from collections.abc import Iterable
from typing import IO

from engine.documents import Batch
from engine.errors import ExecutionError
from engine.sdk.results import BATCH_SIZE

IN_FLIGHT = 2
"""Batches queued for a view; with more, documents fall out of the processor's cache."""

QUIET_TURNS = 4
"""Turns of the event loop without a new batch after which the queued ones are taken: as many as a
batch needs to pass through a few stages."""

SPILL_AFTER = 64
"""Batches that a spilling view keeps in memory before it writes to disk."""

SPILL_BYTES = 32 << 20
"""The same in bytes, by what the first document of each batch takes."""


class Queue:
    """The batches queued for one view."""

    def __init__(self, limit: int = IN_FLIGHT) -> None:
        self._batches: deque[Batch] = deque()
        self._limit = limit
        self.open = True

    @property
    def full(self) -> bool:
        return len(self._batches) >= self._limit

    def __len__(self) -> int:
        return len(self._batches)

    def put(self, batch: Batch) -> None:
        last = self._batches[-1] if self._batches else None
        joined = None if last is None else _joined(last, batch)
        if joined is None:
            self._batches.append(batch)
        else:
            self._batches[-1] = joined

    def take(self) -> Batch:
        return self._batches.popleft()

    def close(self) -> None:
        """Discard the queued batches and release the disk space."""
        self._batches.clear()


def _joined(first: Batch, second: Batch) -> Batch | None:
    """Two small queued batches of an ultra task as one, to be processed together."""
    if first.lineage is None or second.lineage is None:
        return None
    if len(first) + len(second) > BATCH_SIZE or first.items[0].__class__ is not dict:
        return None
    return Batch(first.items + second.items, first.lineage + second.lineage)


def joined(taken: Iterable[tuple[str, Batch]]) -> list[tuple[str, Batch]]:
    """The same documents, in as few batches as possible.

    For a snap that gains from larger batches and does not make its first results wait for them.
    """
    result: list[tuple[str, Batch]] = []
    for view, batch in taken:
        last_view, last = result[-1] if result else ("", batch)
        plain = last.lineage is None and batch.lineage is None
        if view == last_view and plain and batch.items[0].__class__ is dict:
            result[-1] = view, Batch(last.items + batch.items)
        else:
            result.append((view, batch))
    return result


class SpillingQueue(Queue):
    """A queue that is never full: beyond its limit, batches go to a temporary file, in order."""

    def __init__(self, limit: int = SPILL_AFTER) -> None:
        super().__init__(limit)
        self._file: IO[bytes] | None = None
        self._read_at = 0
        self._on_disk = 0
        self._sizes: deque[int] = deque()
        self._held = 0

    @property
    def full(self) -> bool:
        return False

    def __len__(self) -> int:
        return len(self._batches) + self._on_disk

    def put(self, batch: Batch) -> None:
        if not self._on_disk and len(self._batches) < self._limit and self._held < SPILL_BYTES:
            self._batches.append(batch)
            self._sizes.append(_size_of(batch))
            self._held += self._sizes[-1]
            return
        try:
            self._write(batch)
        except OSError as error:
            raise ExecutionError(
                f"could not write waiting documents to disk: {error.strerror}; "
                f"free space in {tempfile.gettempdir()!r}, or set TMPDIR to another folder"
            ) from error
        self._on_disk += 1

    def take(self) -> Batch:
        if self._batches:
            self._held -= self._sizes.popleft()
            return self._batches.popleft()
        assert self._file is not None  # len() is not 0, so the rest is on disk
        self._file.seek(self._read_at)
        batch = Batch(*pickle.load(self._file))  # written by `put` just above
        self._read_at = self._file.tell()
        self._on_disk -= 1
        if not self._on_disk:
            self._file.seek(0)
            self._file.truncate()
            self._read_at = 0
        return batch

    def _write(self, batch: Batch) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="snapline-spill-")  # noqa: SIM115
        self._file.seek(0, 2)
        pickle.dump((batch.items, batch.lineage), self._file, pickle.HIGHEST_PROTOCOL)
        self._file.flush()

    def close(self) -> None:
        super().close()
        self._on_disk = 0
        if self._file is not None:
            self._file.close()
            self._file = None


def _size_of(batch: Batch) -> int:
    """About what a batch takes, by its first item."""
    return len(pickle.dumps(batch.items[0], pickle.HIGHEST_PROTOCOL)) * len(batch)


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
        self._queues = {
            view: SpillingQueue() if view in spilling else Queue(limit) for view in views
        }
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

    async def idle(self) -> None:
        """Wait until the stage has processed everything and is waiting for more."""
        while self._taker is None or self._taker.done():
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
            if self._queues[view].open:
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
