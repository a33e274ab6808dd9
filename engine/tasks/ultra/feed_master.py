"""The feed master: the requests of an ultra task as jobs of its instances.

Every request gets exactly one response.
"""

from __future__ import annotations

import asyncio
from collections import deque

from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.task import Task
from engine.tasks.front.calls import Respond
from engine.tasks.front.reply import TERSE, ErrorCarryingBody, Reply, failure_reply
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.job import NEVER, Job, no_response
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.wire.messages import (
    InstanceOpening,
    Request,
    Response,
    ResponseEnd,
    ResponseHead,
    ResponsePiece,
    RunFailure,
    Taken,
)
from engine.tasks.worker.stream_formats import HEARTBEAT_SECONDS, StreamFormat, format_for

_SAME_SECONDS = 0.5
"""Deadlines that differ by less are the same for people."""


class FeedMaster(HostedTask):
    """The server's side of one ultra task."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        super().__init__(task, plan, statistics)
        self._now = asyncio.get_running_loop().time
        self._too_late = no_response(task.timeouts.request)

    def submit(self, request: Request, respond: Respond) -> Job:
        """Call `respond` once with the response, now or later."""
        now, seconds = self._now(), self.task.timeouts.request
        deadline, too_late = request.deadline or now + seconds, self._too_late
        if deadline < now + seconds - _SAME_SECONDS:  # the caller waits for less
            too_late = no_response(deadline - now)
        job = PendingRequest(request, respond, deadline, too_late, self.pool)
        self.pool.submit(job)
        return job

    def withdraw(self, request: int) -> None:
        """Nobody waits for the response any more."""
        self.pool.withdraw(request)

    async def reload(self, task: Task, plan: Plan) -> bool:
        has_changed = await super().reload(task, plan)
        self._too_late = no_response(self.task.timeouts.request)
        return has_changed

    def opening(self, task: Task, plan: Plan) -> InstanceOpening:
        rules = FileRules(allow_outside=task.allow_outside)
        identity = identify(plan, task.parameters, files=rules)
        streams, schema = task.response == "stream", task.input_schema
        return InstanceOpening(plan, identity, task.name, task.filtered_status, streams, schema)


class PendingRequest(Job):
    """A request without a response."""

    __slots__ = ("_body", "_pool", "_request", "_respond")

    def __init__(
        self,
        request: Request,
        respond: Respond,
        deadline: float,
        too_late: RunFailure,
        pool: Pool,
    ) -> None:
        super().__init__(request.id, deadline, too_late, len(request.body), request.tag)
        self._request = request
        self._respond = respond
        self._pool = pool
        self._body: StreamedBody | None = None

    def message(self, now: float) -> Request:
        return self._request

    @property
    def can_repeat(self) -> bool:
        return self._body is None

    def take(self, message: Response | ResponseHead | ResponsePiece | ResponseEnd) -> bool:
        if isinstance(message, Response):
            self._respond(message)
            return True
        if isinstance(message, ResponseHead):
            self._body = StreamedBody(format_for(self._request.head.headers), self)
            self._respond(Reply(message.status, message.headers, self._body))
        elif self._body is not None and isinstance(message, ResponsePiece):
            self._body.add(message.data)
            self.deadline = NEVER  # an instance that stays silent too long is replaced
        elif self._body is not None and isinstance(message, ResponseEnd):
            self._body.end(message.failure)
        return isinstance(message, ResponseEnd)

    def taken(self, size: int) -> None:
        """The caller has read so many bytes."""
        if self.process is not None:
            self.process.channel.send(Taken(self.id, size))

    def left(self) -> None:
        """The caller has gone before the end."""
        self._pool.withdraw(self.id)

    def fail(self, failure: RunFailure) -> None:
        if self._body is not None:
            self._body.end(failure)
        else:
            self._respond(failure_reply(failure))

    def lost(self, reason: str) -> RunFailure:
        reason = f"{self.deaths} instances died while processing it"
        if self.deaths == 1:
            reason = "its instance died while processing it"
        return RunFailure(500, "the request could not be answered", reason)


class StreamedBody(ErrorCarryingBody):
    """The body of a response that an instance sends document by document.

    Gives the caller what is there, and something now and then while there is nothing.
    """

    def __init__(self, form: StreamFormat, pending: PendingRequest) -> None:
        self._format = form
        self._pending = pending
        self._pieces: deque[bytes] = deque()
        self._last: bytes | None = None
        self._changed = asyncio.Event()

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._changed.set()

    def end(self, failure: RunFailure | None = None) -> None:
        """The response is complete, or has failed: the caller is told in the body."""
        form = self._format
        if failure is not None and failure.status == 500 and self.terse:
            failure = RunFailure(500, *TERSE)
        self._last = form.end if failure is None else form.failure(failure, self._pending.tag.id)
        self._changed.set()

    async def __anext__(self) -> bytes:
        while not self._pieces and self._last is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                return self._format.heartbeat
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._pending.taken(len(data))
            return data
        if self._last:
            last, self._last = self._last, b""
            return last
        raise StopAsyncIteration

    async def aclose(self) -> None:
        if self._last is None:
            self._pending.left()
