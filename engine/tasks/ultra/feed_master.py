"""The feed master: the requests of an ultra task as jobs of its instances.

Every request gets exactly one response.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable

import msgspec

from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.task import Task
from engine.tasks.front.reply import Reply
from engine.tasks.pool.hosted_task import RETRY_AFTER, HostedTask
from engine.tasks.pool.job import NEVER, Job, no_response
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.staffing import for_instances
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.ultra.streamed_body import StreamedBody
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
from engine.tasks.worker.stream_formats import format_for

Deliver = Callable[[Response | Reply], None]

_SAME_SECONDS = 0.5
"""Deadlines that differ by less are the same for people."""


class FeedMaster(HostedTask):
    """The server's side of one ultra task."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        pool = Pool(task, for_instances(task), _opening(task, plan), statistics)
        super().__init__(task, plan, statistics, pool)
        self._now = asyncio.get_running_loop().time
        self._too_late = no_response(task.timeouts.request)

    def submit(self, request: Request, deliver: Deliver) -> Job:
        """Call `deliver` once with the response, now or later."""
        now, seconds = self._now(), self.task.timeouts.request
        deadline, too_late = request.deadline or now + seconds, self._too_late
        if deadline < now + seconds - _SAME_SECONDS:  # the caller waits for less
            too_late = no_response(deadline - now)
        job = PendingRequest(request, deliver, deadline, too_late, self.pool)
        self.pool.submit(job)
        return job

    def withdraw(self, request: int) -> None:
        """Nobody waits for the response any more."""
        self.pool.withdraw(request)

    async def reload(self, task: Task, plan: Plan) -> bool:
        if not await self.pool.reload(task, for_instances(task), _opening(task, plan)):
            return False
        self.task, self.plan, self._too_late = task, plan, no_response(task.timeouts.request)
        return True


class PendingRequest(Job):
    """A request without a response."""

    __slots__ = ("_body", "_deliver", "_pool", "_request")

    def __init__(
        self,
        request: Request,
        deliver: Deliver,
        deadline: float,
        too_late: RunFailure,
        pool: Pool,
    ) -> None:
        super().__init__(request.id, deadline, too_late, len(request.body), request.tag)
        self._request = request
        self._deliver = deliver
        self._pool = pool
        self._body: StreamedBody | None = None

    def message(self, now: float) -> Request:
        return self._request

    @property
    def can_repeat(self) -> bool:
        return self._body is None

    def take(self, message: Response | ResponseHead | ResponsePiece | ResponseEnd) -> bool:
        if isinstance(message, Response):
            self._deliver(message)
            return True
        if isinstance(message, ResponseHead):
            self._body = StreamedBody(format_for(self._request.head.headers), self, self.tag.id)
            self._deliver(Reply(message.status, message.headers, self._body))
        elif self._body is not None and isinstance(message, ResponsePiece):
            self._body.add(message.data)
            self.deadline = NEVER  # an instance that stays silent too long is replaced
        elif self._body is not None and isinstance(message, ResponseEnd):
            self._body.end(message.failure)
        return isinstance(message, ResponseEnd)

    def taken(self, size: int) -> None:
        if self.process is not None:
            self.process.channel.send(Taken(self.id, size))

    def left(self) -> None:
        self._pool.withdraw(self.id)

    def fail(self, failure: RunFailure) -> None:
        if self._body is not None:
            self._body.end(failure)
            return
        texts = {
            "error": failure.error,
            "reason": failure.reason,
            "resolution": failure.resolution,
        }
        headers = [("content-type", "application/json")]
        outcome = "failed"
        if failure.status == 503:
            headers.append(("retry-after", RETRY_AFTER))
            outcome = "refused"
        body = msgspec.json.encode(texts)
        self._deliver(Response(self.id, failure.status, headers, body, outcome))

    def lost(self, reason: str) -> RunFailure:
        reason = f"{self.deaths} instances died while processing it"
        if self.deaths == 1:
            reason = "its instance died while processing it"
        return RunFailure(500, "the request could not be answered", reason)


def _opening(task: Task, plan: Plan) -> bytes:
    rules = FileRules(allow_outside=task.allow_outside)
    identity = identify(plan, task.parameters, files=rules)
    streams = task.response == "stream"
    opening = InstanceOpening(
        plan, identity, task.name, task.filtered_status, streams, task.input_schema
    )
    return pickle.dumps(opening, pickle.HIGHEST_PROTOCOL)
