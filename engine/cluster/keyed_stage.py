"""A keyed segment as the coordinator's run sees it: every worker gets the documents of some keys.

A chunk is split into shares, and is answered when all of them are. Every document has a place: its
number in its view, after all documents of the views before. What comes of a chunk is delivered in
the order of places, and so is what the snaps have held back until the end, page by page.

The shares of a worker are kept up to a limit. If it is lost before there were more, the one that
replaces it gets all of them again; otherwise what it had collected is gone, and the run fails.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from engine.cluster.failed_documents import number_in
from engine.cluster.keys import Splitter
from engine.cluster.messages import (
    Begin,
    Finish,
    HoldBack,
    Parts,
    Reply,
    Segment,
    Share,
    add_counts,
    failure_of,
    reply_of,
    unpacked,
)
from engine.cluster.placement import Answer
from engine.cluster.pool import Pool
from engine.cluster.remote_stage import CREDITS, WINDOW, SpreadStage
from engine.cluster.sent import Sent, fail
from engine.documents import NO_LINEAGE, Batch, Item
from engine.errors import EngineError, ExecutionError, SnapFailedError
from engine.plan.plan import Port
from engine.run.elsewhere import Deliver
from engine.run.execution import Execution
from engine.run.inbox import Inbox, joined
from engine.run.report import SnapStatistics
from engine.run.worker import Worker

KEPT_BYTES = 64 << 20
"""Shares of all workers that are kept for those that replace them."""

MOST_HELD = 8192
"""Last documents that wait for those of other workers, per worker and more or less."""

_VIEW = 1 << 48
"""More documents than any view gets."""

_Placed = tuple[int, Item]


class KeyedStage(SpreadStage):
    """One segment whose first snap is keyed, spread over all workers (a RemoteStage)."""

    def __init__(
        self,
        segment: Segment,
        pool: Pool,
        execution: Execution,
        statistics: Mapping[str, SnapStatistics],
    ) -> None:
        super().__init__(segment, pool, execution, statistics)
        snap = execution.snap(segment.labels[0])
        self._label = snap.label
        self._next = {view.name: place * _VIEW for place, view in enumerate(snap.inputs)}
        self._read_first = {view.name for view in snap.inputs if view.read_first}
        self._without_first = set(self._next)
        """The views of which no document with a key has come."""
        self._holding: set[int] = set()
        """The workers that hold back what comes of their documents."""
        self._kept_bytes = [0] * pool.count
        self._most_kept = KEPT_BYTES // pool.count
        self._has_more: dict[int, bool] = {}
        """The workers that have sent pages, and whether more are to come."""

    async def work(self, inbox: Inbox, deliver: Deliver) -> None:
        self._inbox = inbox
        replies = await self._ask_all(Begin(self._segment.number))
        await self._deliver(replies[0], deliver)
        splits: asyncio.Queue[list[Sent] | None] = asyncio.Queue(WINDOW * CREDITS)
        sending = asyncio.create_task(self._send_splits(inbox, splits))
        try:
            while (split := await splits.get()) is not None:
                replies = [reply_of(await sent.answer) for sent in split]
                await self._deliver_split(split, replies, deliver)
                splits.task_done()
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def finish(self, deliver: Deliver) -> None:
        """Ask for pages until there are no more. A page may be delivered as far as all workers that
        have more have come."""
        upto = dict.fromkeys(range(self._pool.count), -1)
        held: dict[Port, list[_Placed]] = {}
        kinds: dict[str, str] = {}
        while upto:
            is_full = sum(map(len, held.values())) >= MOST_HELD * self._pool.count
            least = min(upto.values())
            asked = [number for number in upto if upto[number] == least or not is_full]
            for number, reply in zip(asked, await self._next_pages(asked), strict=True):
                upto[number] = reply.upto
                if not reply.more:
                    del upto[number]
                _add_placed(reply, held)
                if (failure := self._renumbered(reply.failure)) is not None:
                    raise failure
                self._check_kinds(reply.kinds, kinds)
                add_counts(self._counts, reply.counts)
            limit = min(upto.values(), default=None)
            await self._deliver_placed(held, limit, deliver)
        for each in self._counts.values():
            each.status = "completed"

    def _check_kinds(self, given: Mapping[str, str], known: dict[str, str]) -> None:
        for what, kind in given.items():
            if known.setdefault(what, kind) != kind:
                raise ExecutionError(
                    f"{what} in {self._label!r} got {known[what]} in one copy, and {kind} in "
                    "another one",
                    "convert the values first; a run with --workers 1 names the documents",
                )

    async def _next_pages(self, workers: Iterable[int]) -> list[Reply]:
        pages = [(number, Sent(Finish(self._segment.number), 0)) for number in workers]
        for number, sent in pages:
            await self._send(number, sent)
        return [reply_of(await sent.answer) for _, sent in pages]

    # Sending

    async def _send_splits(self, inbox: Inbox, splits: asyncio.Queue[list[Sent] | None]) -> None:
        failure: Exception | None = None
        try:
            splitter = Splitter(self._execution, self._label, self._pool.count)
            while waiting := await inbox.take(Worker.at_once):
                for view, batch in joined(waiting):
                    if view not in self._read_first and self._read_first:
                        await splits.join()
                        await self._agree_on_holding_back()
                    for parts in _parts(splitter, view, batch.items):
                        await self._send_parts(view, parts, splits)
        except Exception as error:  # noqa: BLE001  # whatever it is, `work` waits for the end
            failure = failure_of(error)
        await splits.put(None)
        if failure is not None:
            raise failure

    async def _agree_on_holding_back(self) -> None:
        """If a copy must hold results back, because what it has read first is too large, all do:
        otherwise theirs would have to wait here."""
        self._read_first = set()
        if self._holding and len(self._holding) < self._pool.count:
            await self._ask_all(HoldBack(self._segment.number))

    async def _send_parts(
        self, view: str, parts: Parts, splits: asyncio.Queue[list[Sent] | None]
    ) -> None:
        first = b""
        if view in self._without_first and parts.first:
            self._without_first.remove(view)
            first = parts.first
        place = self._next[view]
        self._next[view] += parts.count
        key = f"{self._execution.identity.ruuid}/{self._segment.number}/{self._sequence}"
        self._sequence += 1
        split: list[Sent] = []
        for number, part in enumerate(parts.parts):
            if part.count or first:
                given = f"{key}/{number}"
                share = Share(self._segment.number, view, part, place, first, given)
                split.append(Sent(share, part.count, worker=number))
        await splits.put(split)
        try:
            for sent in split:
                await self._send(sent.worker, sent)
        except EngineError as error:
            fail(split, error)
            raise

    # Loss

    def _answered(self, number: int, sent: Sent, answer: asyncio.Future[Answer]) -> None:
        super()._answered(number, sent, answer)
        if isinstance(sent.request, Share) and sent.answer.done():
            part = msgspec.structs.replace(sent.request.part, items=b"")
            sent.request = msgspec.structs.replace(sent.request, part=part)
            self._kept_bytes[number] += len(sent.message)
            if self._kept_bytes[number] <= self._most_kept:
                self._prologues[number].append(sent)
            else:
                self._prologues[number] = []
        elif isinstance(sent.request, Finish) and _is_here(answer):
            self._has_more[number] = reply_of(answer.result()).more

    async def _reopen(self, number: int) -> None:
        has_more = self._has_more.get(number)
        if has_more is False:
            return  # nothing will be asked of it
        if self._kept_bytes[number] > self._most_kept or has_more:
            raise self._state_is_gone()
        await super()._reopen(number)

    # Results

    async def _deliver_split(
        self, split: list[Sent], replies: list[Reply], deliver: Deliver
    ) -> None:
        held: dict[Port, list[_Placed]] = {}
        failures: list[tuple[int, EngineError]] = []
        for sent, reply in zip(split, replies, strict=True):
            assert isinstance(sent.request, Share)  # what splits consist of
            if reply.holds_back:
                self._holding.add(sent.worker)
            _add_placed(reply, held)
            if reply.failure is not None:
                failures.append(self._placed_failure(reply.failure, reply, sent.request.places()))
        for reply in replies:
            add_counts(self._counts, reply.counts)
        place, failure = min(failures, key=itemgetter(0), default=(None, None))
        await self._deliver_placed(held, None if place is None else place - 1, deliver)
        if failure is not None:
            raise failure

    def _placed_failure(
        self, failure: EngineError, reply: Reply, places: Sequence[int]
    ) -> tuple[int, EngineError]:
        """A failure, and the place of its document, or that after the last result before it."""
        before = places[0] - 1 if places else -1
        last = max((each[-1] for each in reply.places.values() if each), default=before)
        if not (isinstance(failure, SnapFailedError) and failure.label == self._label):
            return last + 1, self._renumbered(failure) or failure
        local = number_in(failure.at)
        named = self._renumbered(failure, [place % _VIEW + 1 for place in places]) or failure
        return (places[local - 1] if local else last + 1), named

    async def _deliver_placed(
        self, held: dict[Port, list[_Placed]], limit: int | None, deliver: Deliver
    ) -> None:
        """Deliver what is held up to a place, in order; None: all."""
        for port, placed in held.items():
            placed.sort(key=itemgetter(0))
            end = len(placed)
            if limit is not None:
                end = bisect_right(placed, limit, key=itemgetter(0))
            items = [item for _, item in placed[:end]]
            del placed[:end]
            if port == _ERROR_PIPELINE:
                assert self._execution.error_pipeline is not None  # the plan names one
                for document in items:
                    assert isinstance(document, dict)  # an error document
                    self._execution.error_pipeline.send(document, NO_LINEAGE)
            elif items:
                await deliver(port, Batch(items))


def _parts(splitter: Splitter, view: str, items: list[Any]) -> Iterable[Parts]:
    """The documents in parts; a worker may have split them already."""
    if isinstance(items[0], Parts):
        return [each for each in items if isinstance(each, Parts)]
    return [splitter.parts(view, items)]


def _is_here(answer: asyncio.Future[Answer]) -> bool:
    return not answer.cancelled() and answer.exception() is None


def _add_placed(reply: Reply, held: dict[Port, list[_Placed]]) -> None:
    for port, data in reply.outputs:
        pairs = zip(reply.places[port], unpacked(data), strict=True)
        held.setdefault(port, []).extend(pairs)
    if reply.failed:
        failed = held.setdefault(_ERROR_PIPELINE, [])
        failed += [(min(lineage, default=0), document) for document, lineage in reply.failed]


_ERROR_PIPELINE = Port("", "")
"""Stands for the error pipeline, which gets error documents in the same order."""
