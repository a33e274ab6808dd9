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
from engine.tasks.pool.hosted_task import RETRY_AFTER, HostedTask
from engine.tasks.pool.job import Job, no_response
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.staffing import for_instances
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.wire.messages import InstanceOpening, Request, Response, RunFailure

Deliver = Callable[[Response], None]

_SAME_SECONDS = 0.5
"""Deadlines that differ by less are the same for people."""


class FeedMaster(HostedTask):
    """The server's side of one ultra task."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        pool = Pool(task, for_instances(task), _opening(task, plan), statistics)
        super().__init__(task, plan, statistics, pool)
        self._now = asyncio.get_running_loop().time
        self._too_late = no_response(task.timeouts.request)

    def submit(self, request: Request, deliver: Deliver) -> None:
        """Call `deliver` once with the response, now or later."""
        now, seconds = self._now(), self.task.timeouts.request
        deadline, too_late = request.deadline or now + seconds, self._too_late
        if deadline < now + seconds - _SAME_SECONDS:  # the caller waits for less
            too_late = no_response(deadline - now)
        self.pool.submit(PendingRequest(request, deliver, deadline, too_late))

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

    __slots__ = ("_deliver", "_request")

    def __init__(
        self, request: Request, deliver: Deliver, deadline: float, too_late: RunFailure
    ) -> None:
        super().__init__(request.id, deadline, too_late, len(request.body))
        self._request = request
        self._deliver = deliver

    def message(self, now: float) -> Request:
        return self._request

    def take(self, message: Response) -> bool:
        self._deliver(message)
        return True

    def fail(self, failure: RunFailure) -> None:
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
        return RunFailure(500, "the request could not be answered", reason)


def _opening(task: Task, plan: Plan) -> bytes:
    rules = FileRules(allow_outside=task.allow_outside)
    identity = identify(plan, task.parameters, files=rules)
    opening = InstanceOpening(plan, identity, task.name, task.filtered_status)
    return pickle.dumps(opening, pickle.HIGHEST_PROTOCOL)
