"""A segment as the coordinator's run sees it: a stage whose work is done by the workers.

Chunks are numbered as they come in, go to whichever worker has least to do, and what comes of them
is delivered in their order, so the outputs are those of one copy. A chunk counts as under way
until its results are delivered, and few may be: then memory does not grow, even if one worker is
slow. The message of a chunk is kept until it is answered, for the worker that replaces a lost one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from engine.cluster.chunks import DocumentCutter, LineCutter, RunCutter
from engine.cluster.failed_documents import renumbered
from engine.cluster.keys import RunEnds, context_of
from engine.cluster.messages import (
    Begin,
    Chunk,
    Finish,
    HoldBack,
    Lines,
    Open,
    Range,
    Reply,
    Segment,
    Share,
    add_counts,
    failure_of,
    packed,
    reply_of,
    to_bytes,
    unpacked,
)
from engine.cluster.placement import Answer, WorkerLostError
from engine.cluster.pool import Pool
from engine.cluster.range_texts import RangeTexts
from engine.cluster.sent import Sent, fail
from engine.cluster.streams import JoinedStreams
from engine.documents import Batch
from engine.errors import EngineError, ExecutionError
from engine.run.elsewhere import Deliver
from engine.run.execution import Execution
from engine.run.inbox import Inbox
from engine.run.report import SnapStatistics
from engine.run.worker import Worker
from engine.sdk.parallel import ByRun

CREDITS = 3
"""Chunks that a worker has at once, of one segment: the next ones wait there already."""

WINDOW = 2
"""Chunks under way, as a multiple of those credits: how far the fast may run ahead of the slow."""

QUIET_SECONDS = 0.005
"""Seconds after which a chunk is sent, although it has room for more documents."""

MOST_ATTEMPTS = 3
"""Workers that may be lost over one chunk."""

Ordered = asyncio.Queue[Sent | None]
"""What was sent, in the order in which its results are delivered; None at the end."""


class SpreadStage:
    """One segment, spread over all workers of the pool (a RemoteStage)."""

    def __init__(
        self,
        segment: Segment,
        pool: Pool,
        execution: Execution,
        statistics: Mapping[str, SnapStatistics],
    ) -> None:
        self._segment = segment
        self._pool = pool
        self._execution = execution
        self._counts = statistics
        self._under_way: list[deque[Sent]] = [deque() for _ in range(pool.count)]
        self._prologues: list[list[Sent]] = [[] for _ in range(pool.count)]
        """What a worker that replaces a lost one must be told first."""
        self._has_worked = [False] * pool.count
        self._lost_state = ""
        self._freed = asyncio.Event()
        self._sequence = 0
        self._streams = JoinedStreams(segment.joined, statistics)
        self._refused_stream = -1
        self._documents = DocumentCutter(segment.number)
        self._runs: RunCutter | None = None
        self._run_at: int | None = None
        """The worker that has the beginning of a run."""
        self._open_runs: set[int] = set()
        """The workers whose last answer was about the beginning of a run."""
        self._lines = LineCutter(segment.number)
        self._texts = RangeTexts()
        self._first_lines: Sent | None = None
        self._inbox: Inbox | None = None
        pool.on_replacement(self._reopen, self._freed.set)
        pool.failure.add_done_callback(self._give_up)

    @property
    def statistics(self) -> list[SnapStatistics]:
        return list(self._counts.values())

    async def open(self) -> None:
        """Start the workers, and open the snaps in all of them."""
        await self._pool.start()
        for reply in await self._ask_all(Open(self._segment.number)):
            if reply.failure is not None:
                raise reply.failure

    async def work(self, inbox: Inbox, deliver: Deliver) -> None:
        self._inbox = inbox
        replies = await self._ask_all(Begin(self._segment.number))
        await self._deliver(replies[0], deliver)
        ordered: Ordered = asyncio.Queue(WINDOW * CREDITS * self._pool.count)
        sending = asyncio.create_task(self._send_all(inbox, ordered))
        try:
            while (sent := await ordered.get()) is not None:
                await self._deliver_answer(sent, deliver)
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def finish(self, deliver: Deliver) -> None:
        replies = await self._finish_all()
        self._streams.end_after(len(replies))
        for reply in replies:
            self._check_state(reply)
            await self._deliver(reply, deliver)
        for each in self._counts.values():
            each.status = "completed"

    async def _finish_all(self) -> list[Reply]:
        """The replies of all workers. If the first one combines, it is asked after the others."""
        number = self._segment.number
        first = Finish(number, is_first=True)
        if not self._segment.combines:
            return await self._ask_each([first, *[Finish(number)] * (self._pool.count - 1)])
        others = await self._ask_each([None, *[Finish(number)] * (self._pool.count - 1)])
        finals: dict[str, tuple[bytes, ...]] = {}
        for reply in others:
            self._check_state(reply)
            if reply.failure is not None:
                return [reply]
            for label, documents in reply.finals.items():
                finals[label] = (*finals.get(label, ()), documents)
        return await self._ask_each([msgspec.structs.replace(first, finals=finals)]) + others

    # Sending

    async def _send_all(self, inbox: Inbox, ordered: Ordered) -> None:
        failure: Exception | None = None
        try:
            while waiting := await self._coming(inbox, ordered):
                for view, batch in waiting:
                    if view in self._segment.whole:
                        await self._send_to_all(view, batch, ordered)
                    elif self._segment.lines:
                        await self._send_lines(view, batch, ordered)
                    else:
                        await self._send_documents(view, batch, ordered)
            await self._send_held(ordered)
            if self._runs is not None:
                await self._send_runs(self._runs.rest(), ordered)
        except Exception as error:  # noqa: BLE001  # whatever it is, `work` waits for the end
            failure = failure_of(error)
        await ordered.put(None)
        if failure is not None:
            raise failure

    async def _send_documents(self, view: str, batch: Batch, ordered: Ordered) -> None:
        if isinstance(keyed := self._segment.keyed, ByRun):
            if self._runs is None:
                ends = RunEnds(keyed, context_of(self._execution, self._segment.labels[0]))
                self._runs = RunCutter(self._segment.number, ends)
            await self._send_runs(self._runs.cut(view, batch), ordered)
            return
        for chunk, documents in self._documents.cut(view, batch):
            await self._send_next(chunk, documents, ordered)

    async def _coming(self, inbox: Inbox, ordered: Ordered) -> list[tuple[str, Batch]]:
        """The next batches; if none comes for a moment, documents that wait are sent meanwhile."""
        taking = asyncio.ensure_future(inbox.take(Worker.at_once))
        try:
            if self._documents.held:
                await asyncio.wait([taking], timeout=QUIET_SECONDS)
                if not taking.done():
                    await self._send_held(ordered)
            return await taking
        finally:
            taking.cancel()

    async def _send_held(self, ordered: Ordered) -> None:
        for chunk, documents in self._documents.rest():
            await self._send_next(chunk, documents, ordered)

    async def _send_runs(self, chunks: Iterator[tuple[Chunk, int]], ordered: Ordered) -> None:
        """A run that goes on in the next chunk goes on in the same worker."""
        for chunk, documents in chunks:
            sent = await self._send_next(chunk, documents, ordered, self._run_at)
            self._run_at = None if chunk.ends else sent.worker

    async def _send_lines(self, view: str, batch: Batch, ordered: Ordered) -> None:
        """A stream may turn out not to be JSON in its first lines: the others wait for them."""
        for lines in self._lines.cut(view, batch):
            if not lines.is_first and self._first_lines is not None:
                await asyncio.wait([self._first_lines.answer])
            sent = await self._send_next(lines, lines.amount, ordered)
            self._first_lines = sent if lines.is_first else self._first_lines

    async def _send_next(
        self,
        request: Chunk | Lines | Range,
        amount: int,
        ordered: Ordered,
        worker: int | None = None,
    ) -> Sent:
        """Send a chunk to the worker, or that with least to do, once there is one with room."""
        key = f"{self._execution.identity.ruuid}/{self._segment.number}/{self._sequence}"
        self._sequence += 1
        sent = Sent(msgspec.structs.replace(request, key=key), amount)
        await ordered.put(sent)
        try:
            sent.worker = await self._free_worker() if worker is None else worker
            await self._send(sent.worker, sent)
        except EngineError as error:
            fail([sent], error)
            raise
        return sent

    async def _send_to_all(self, view: str, batch: Batch, ordered: Ordered) -> None:
        """Send a batch that every worker needs; what the first one makes of it is delivered."""
        request = Chunk(self._segment.number, view, (packed(batch.items),))
        message = to_bytes(request)  # one for all: it may be large
        copies = [Sent(request, 0, message, is_kept=True) for _ in range(self._pool.count)]
        await ordered.put(copies[0])
        for number, sent in enumerate(copies):
            await self._send(number, sent)
        await asyncio.wait([sent.answer for sent in copies])

    async def _ask_all(self, request: Open | Begin | HoldBack) -> list[Reply]:
        return await self._ask_each([request] * self._pool.count)

    async def _ask_each(
        self, requests: Sequence[Open | Begin | HoldBack | Finish | None]
    ) -> list[Reply]:
        """Ask workers, each one something; the replies of those that were asked."""
        asked = []
        for number, request in enumerate(requests):
            if request is not None:
                asked.append(Sent(request, 0, is_kept=not isinstance(request, Finish)))
                await self._send(number, asked[-1])
        return [reply_of(await sent.answer) for sent in asked]

    async def _free_worker(self) -> int:
        while True:
            if self._pool.failure.done():
                raise self._pool.failure.result()
            free = [
                (len(sent), number)
                for number, sent in enumerate(self._under_way)
                if len(sent) < CREDITS and number not in self._pool.away
            ]
            if free:
                return min(free)[1]
            self._freed.clear()
            await self._freed.wait()

    async def _send(self, number: int, sent: Sent) -> None:
        """Send a message, once the worker is not being replaced: `_reopen` sends only what was sent
        before, and perhaps has done so."""
        await self._pool.wait_for(number)
        self._under_way[number].append(sent)
        try:
            await self._send_over(number, sent)
        except WorkerLostError:
            return  # now it is for `_reopen` to send

    async def _send_over(self, number: int, sent: Sent) -> None:
        link, message = self._pool.links[number], sent.message
        if isinstance(sent.request, Range) and not link.shares_files:
            message = to_bytes(await self._texts.text_of(sent.request))
        answer = await link.send(message)
        answer.add_done_callback(partial(self._answered, number, sent))

    def _answered(self, number: int, sent: Sent, answer: asyncio.Future[Answer]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            return  # the worker is lost; the one that replaces it gets the message
        self._under_way[number].remove(sent)
        if sent.is_kept:
            self._prologues[number].append(sent)
        if isinstance(sent.request, Chunk) and self._runs is not None:
            (self._open_runs.discard if sent.request.ends else self._open_runs.add)(number)
        self._has_worked[number] |= isinstance(sent.request, Chunk | Share | Lines | Range)
        if not sent.answer.done():
            sent.answer.set_result(answer.result())
        self._freed.set()

    # Loss

    async def _reopen(self, number: int) -> None:
        """Prepare a worker that replaces a lost one, and send it what that one has not answered.

        Raises WorkerLostError if it is lost, too, and other errors if the run cannot go on.
        """
        if self._has_worked[number]:
            self._lost_state = f"worker {self._pool.first + number}"
            self._has_worked[number] = False
        if number in self._open_runs:
            raise self._state_is_gone()
        link = self._pool.links[number]
        for known in [*self._prologues[number]]:
            reply = reply_of(await (await link.send(known.message)))
            if reply.failure is not None:
                raise reply.failure
        for sent in list(self._under_way[number]):
            sent.attempts += 1
            if sent.attempts >= MOST_ATTEMPTS:
                raise ExecutionError(
                    f"{sent.attempts} workers in a row were lost over the same documents of "
                    f"{self._names()}; the last one: {self._pool.last_loss}",
                    "find out what ends the process: memory that runs out, or a library that "
                    "crashes; run with --workers 1 to see it in one process",
                )
            await self._send_over(number, sent)

    def _give_up(self, failure: asyncio.Future[EngineError]) -> None:
        """A worker cannot be replaced: nobody will answer, not even what is still to come."""
        self._freed.set()
        if failure.cancelled():
            return
        if self._inbox is not None:
            self._inbox.fail(failure.result())
        fail((sent for waiting in self._under_way for sent in waiting), failure.result())

    def _check_state(self, reply: Reply) -> None:
        """Refuse the last documents of a snap if one of its copies has forgotten what it saw."""
        if not self._lost_state:
            return
        for label in self._segment.keeps:
            emitted = label in reply.counts and any(reply.counts[label].outputs.values())
            if emitted or label in reply.finals:
                raise ExecutionError(
                    f"{self._lost_state} was lost, and with it what its copy of {label!r} had "
                    "collected: its last documents would be incomplete",
                    f"run again; or let {label!r} run once, so that only the run itself can lose "
                    "what it collects",
                )

    def _state_is_gone(self) -> ExecutionError:
        return ExecutionError(
            f"{self._pool.last_loss}; what its copy of {self._segment.labels[0]!r} had collected "
            "is lost with it",
            "run again; if memory ran out, with fewer workers",
        )

    def _names(self) -> str:
        return ", ".join(map(repr, self._segment.labels))

    # Results

    async def _deliver_answer(self, sent: Sent, deliver: Deliver) -> None:
        reply = reply_of(await sent.answer)
        request = sent.request
        if isinstance(request, Lines | Range):
            if request.stream == self._refused_stream:
                return
            if not (reply.reading or request.last):
                self._refused_stream = request.stream
            self._lines.pace.learn(sent.amount, reply.seconds)
        elif sent.amount:
            (self._runs or self._documents).pace.learn(sent.amount, reply.seconds)
        await self._deliver(reply, deliver)

    async def _deliver(self, reply: Reply, deliver: Deliver) -> None:
        failure = self._renumbered(reply.failure)
        add_counts(self._counts, reply.counts)
        for document, lineage in reply.failed:
            assert self._execution.error_pipeline is not None  # the plan names one
            self._execution.error_pipeline.send(document, lineage)
        for port, data in reply.outputs:
            items = unpacked(data)
            if port in self._segment.joined:
                items = self._streams.joined(port, items)
            if items:
                await deliver(port, Batch(items))
        self._streams.next_reply()
        if failure is not None:
            raise failure

    def _renumbered(
        self, failure: EngineError | None, numbers: Sequence[int] | None = None
    ) -> EngineError | None:
        return renumbered(failure, self._counts, numbers)
