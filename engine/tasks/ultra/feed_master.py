"""The feed master: queues the requests of an ultra task and hands them to its instances.

Every request gets exactly one answer. What an instance had in hand when it died is delivered again,
in the old order and before all that waits; a request that has been in such company before is then
worked on alone, so that one that kills its instance does not take others with it in the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.files.task import Task
from engine.tasks.operations.statistics import SnapTotals, TaskStatistics
from engine.tasks.processes.messages import Request, Response, SnapCounts
from engine.tasks.ultra.documents import error_response
from engine.tasks.ultra.fleet import Fleet, InstanceHandle
from engine.tasks.ultra.instance import Opening

log = logging.getLogger(__name__)

WATCH_INTERVAL = 0.25
"""Seconds between two looks at requests that have waited too long."""

SUSPECT_AFTER = 2
"""Instances that may die with a request in hand until it is worked on alone."""

RETRY_AFTER = 1
"""Seconds after which a caller that was refused may ask again."""

MEMORY_FOR_BODIES = 512 * 1024 * 1024
"""Bytes of bodies that a task may hold; beyond that its queue counts as full."""


class Pending:
    """A request that waits for its answer; `deaths` are those of instances that had it in hand."""

    __slots__ = ("arrived", "deaths", "deliver", "instance", "request")

    def __init__(
        self, request: Request, deliver: Callable[[Response], None], arrived: float
    ) -> None:
        self.request = request
        self.deliver = deliver
        self.arrived = arrived
        self.deaths = 0
        self.instance: InstanceHandle | None = None


class FeedMaster:
    """The front's side of one ultra task."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        self.task = task
        self.statistics = statistics
        self._totals = SnapTotals()
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, Pending] = {}
        self._waiting: deque[Pending] = deque()
        self._suspects: deque[Pending] = deque()
        self._bytes = 0
        self._fleet = self._fleet_for(task, plan)
        self._retired: set[Fleet] = set()
        self._upcoming: Fleet | None = None
        self._changed = asyncio.Event()
        self._draining = False
        self._watch: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    # For the server

    def start(self) -> None:
        self._fleet.start()
        self._watch = asyncio.create_task(self._watch_time(), name=f"{self.task.name} clock")

    @property
    def is_ready(self) -> bool:
        return any(instance.takes_work for instance in self._fleet.instances)

    @property
    def disabled(self) -> str:
        """Why the task cannot run; empty if it can."""
        return self._fleet.disabled

    @property
    def queue_depth(self) -> int:
        return len(self._waiting) + len(self._suspects)

    @property
    def in_flight(self) -> int:
        return len(self._open) - self.queue_depth

    @property
    def instances(self) -> list[InstanceHandle]:
        """Those that run, of all generations."""
        return [instance for fleet in self._fleets() for instance in fleet.instances]

    def snap_counts(self) -> list[SnapCounts]:
        return self._totals.with_running(instance.counts for instance in self.instances)

    async def reload(self, task: Task, plan: Plan) -> bool:
        """Go over to new instances once one of them is ready; the old ones finish their requests.

        False if none could be started: all stays as it was.
        """
        fleet = self._fleet_for(task, plan, trial=True)
        self._upcoming = fleet
        fleet.start()
        try:
            while not any(instance.takes_work for instance in fleet.instances):
                if fleet.disabled:
                    await fleet.stop()
                    return False
                await self._change()
        finally:
            self._upcoming = None
        old, self._fleet, self.task = self._fleet, fleet, task
        self._retire(old)
        self._dispatch()
        return True

    async def drain(self, patience: float) -> None:
        """Take no more requests; give those that are open their answers, then end all instances."""
        self._draining = True
        deadline = time.monotonic() + patience
        while self._open and (left := deadline - time.monotonic()) > 0:
            if not self.queue_depth:
                for instance in self._fleet.instances:
                    if instance.takes_work:
                        instance.finish()
            try:
                async with asyncio.timeout(left):
                    await self._change()
            except TimeoutError:
                break
        for fleet in self._fleets():
            await fleet.stop()
        if self._open:
            log.warning(
                "requests that took longer than the shutdown and get no answer: %d",
                len(self._open),
                extra={"task": self.task.name},
            )
        self._refuse_all("the server is shutting down", "Ask again later.")
        if self._watch is not None:
            self._watch.cancel()

    # For the front

    async def answer(self, request: Request) -> Response:
        """The one answer to a request; its number must be its own."""
        future: asyncio.Future[Response] = self._loop.create_future()
        self.submit(request, partial(_settle, future))
        return await future

    def submit(self, request: Request, deliver: Callable[[Response], None]) -> None:
        """Call `deliver` with the answer, once; it may be called before this returns."""
        size = len(request.body)
        refusal = self._refusal(size)
        if refusal is not None:
            deliver(_refused(request.id, 503, *refusal))
            return
        pending = Pending(request, deliver, time.monotonic())
        self._open[request.id] = pending
        self._bytes += size
        instance = None if self._waiting or self._suspects else self._least_busy()
        if instance is None:
            self._waiting.append(pending)
            self._dispatch()
            return
        pending.instance = instance
        instance.send(request, pending.arrived)
        if len(self._open) == 1:
            instance.channel.flush()  # nothing else can come along

    def _refusal(self, size: int) -> tuple[str, str] | None:
        if self._draining:
            return "the server is shutting down", "Ask again later."
        if self._fleet.disabled:
            return _DISABLED
        full = self.queue_depth >= self.task.limits.queue or self._bytes + size > MEMORY_FOR_BODIES
        if full:
            return "the queue of the task is full", "Ask again later."
        return None

    # Work for the instances

    def _dispatch(self) -> None:
        while self._waiting or self._suspects:
            instance, pending = self._next_delivery()
            if instance is None or pending is None:
                return
            pending.instance = instance
            instance.send(pending.request, time.monotonic())

    def _next_delivery(self) -> tuple[InstanceHandle | None, Pending | None]:
        """Whom to give what; nothing if all have enough."""
        watched = self._watched() if self._suspects else None
        if watched is not None and not watched.load:
            watched.alone = True
            return watched, self._suspects.popleft()
        chosen = self._least_busy(watched)  # who is watched is to run dry first
        if chosen is None or not self._waiting:
            return None, None
        return chosen, self._waiting.popleft()

    def _least_busy(self, watched: InstanceHandle | None = None) -> InstanceHandle | None:
        """Who takes the next request; nobody if all have enough."""
        least, chosen = self.task.limits.in_flight, None
        for instance in self._fleet.instances:
            load = instance.load
            free = instance.takes_work and not instance.alone
            if load < least and free and instance is not watched:
                least, chosen = load, instance
        return chosen

    def _watched(self) -> InstanceHandle | None:
        """The instance that works on suspects, one by one."""
        return next((each for each in self._fleet.instances if each.takes_work), None)

    # What the instances tell

    def instance_ready(self, instance: InstanceHandle) -> None:
        pid = instance.process.pid if instance.process else 0
        log.info("%s is ready (process %s)", instance, pid, extra=instance.about())
        self._dispatch()
        self._changed.set()

    def instance_responded(self, instance: InstanceHandle, response: Response) -> None:
        if not instance.in_flight:
            instance.alone = False
        pending = self._open.get(response.id)
        if pending is None:
            self.statistics.late += 1
        else:
            self._settle(pending, response)
        if self._waiting or self._suspects:
            self._dispatch()
        if self._draining or not self._open:
            self._changed.set()

    def instance_lost(self, instance: InstanceHandle) -> None:
        self._totals.keep(instance.counts)
        instance.counts = []
        unanswered = [self._open[number] for number in instance.in_flight if number in self._open]
        instance.in_flight.clear()
        instance.given_up.clear()
        self._deliver_again(unanswered)
        self._dispatch()
        self._changed.set()

    def instance_restarted(self) -> None:
        self.statistics.restarts += 1

    def fleet_disabled(self, fleet: Fleet) -> None:
        if fleet is self._fleet:
            self._refuse_all(*_DISABLED)
        self._changed.set()

    def _deliver_again(self, unanswered: list[Pending]) -> None:
        first: list[Pending] = []
        for pending in unanswered:
            pending.deaths += 1
            if pending.deaths > self.task.limits.redeliveries:
                reason = f"{pending.deaths} instances have ended while they worked on it"
                log.error("a request has failed: %s", reason, extra={"task": self.task.name})
                self._refuse(pending, 500, "the request could not be answered", "", reason)
                continue
            self.statistics.redeliveries += 1
            pending.instance = None
            if pending.deaths >= SUSPECT_AFTER:
                self._suspects.append(pending)
            else:
                first.append(pending)
        self._waiting.extendleft(reversed(first))

    # Answers

    def _settle(self, pending: Pending, response: Response) -> None:
        del self._open[pending.request.id]
        self._bytes -= len(pending.request.body)
        try:
            pending.deliver(response)
        except Exception:  # a mistake of ours must not cost the instance, and others their answers
            log.exception("an answer could not be delivered", extra={"task": self.task.name})

    def _refuse(
        self, pending: Pending, status: int, error: str, resolution: str, reason: str = ""
    ) -> None:
        number = pending.request.id
        self._settle(pending, _refused(number, status, error, resolution, reason))

    def _refuse_all(self, error: str, resolution: str) -> None:
        """Nothing that waits now is ever worked on."""
        self._waiting.clear()
        self._suspects.clear()
        for pending in list(self._open.values()):
            self._refuse(pending, 503, error, resolution)

    async def _watch_time(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                for pending in self._overdue():
                    self._time_out(pending)
                self._end_stuck()
                self._dispatch()  # what is lost has left its place
            except Exception:  # a mistake of ours must not stop the clock
                log.exception("the clock has failed", extra={"task": self.task.name})

    def _overdue(self) -> list[Pending]:
        """Requests are open in the order in which they came, so the look is short."""
        oldest = time.monotonic() - self.task.timeouts.request
        return list(itertools.takewhile(lambda each: each.arrived < oldest, self._open.values()))

    def _time_out(self, pending: Pending) -> None:
        """Answer in place of the pipeline."""
        seconds = self.task.timeouts.request
        reason = f"there was no answer within {seconds:g} seconds"
        log.warning("a request has failed: %s", reason, extra={"task": self.task.name})
        self._refuse(pending, 504, "the request took too long", "", reason)
        for queue in (self._waiting, self._suspects):
            with contextlib.suppress(ValueError):
                queue.remove(pending)
        if pending.instance is not None:
            pending.instance.give_up(pending.request.id, time.monotonic())

    def _end_stuck(self) -> None:
        """End the instances that have had work for so long, and have answered nothing.

        One that works on a suspect alone has no other work when that is given up.
        """
        patience = self.task.timeouts.request
        for instance in self.instances:
            instance.forget_before(time.monotonic() - patience)
            silence = time.monotonic() - (instance.silent_since or math.inf)
            is_over = silence >= patience or (instance.alone and not instance.in_flight)
            if is_over and instance.ready:
                text = "%s has answered nothing for %.1f seconds and is ended"
                log.warning(text, instance, silence, extra=instance.about())
                instance.ready = False  # nobody else is to die with it
                self._in_background(instance.kill())

    # Generations of instances

    def _fleet_for(self, task: Task, plan: Plan, *, trial: bool = False) -> Fleet:
        rules = FileRules(allow_outside=task.allow_outside)
        identity = identify(plan, task.parameters, files=rules)
        opening = Opening(plan, identity, task.name, task.filtered_status)
        return Fleet(task, opening, self, trial=trial)

    def _fleets(self) -> list[Fleet]:
        coming = () if self._upcoming is None else (self._upcoming,)
        return [self._fleet, *coming, *self._retired]

    def _retire(self, fleet: Fleet) -> None:
        self._retired.add(fleet)
        fleet.retire()
        for instance in list(fleet.instances):
            instance.finish()
        self._in_background(self._finish_retired(fleet))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _finish_retired(self, fleet: Fleet) -> None:
        try:
            async with asyncio.timeout(self.task.timeouts.drain):
                await fleet.ended()
        except TimeoutError:
            log.warning("instances of the old plan were ended in mid-work", extra=fleet.about())
        finally:
            await fleet.stop()  # what they had in hand goes to the new ones
            self._retired.discard(fleet)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


_DISABLED = (
    "the task is disabled, because its pipeline cannot be started",
    "Look into the server's log.",
)


def _settle(future: asyncio.Future[Response], response: Response) -> None:
    if not future.done():  # else the caller has gone
        future.set_result(response)


def _refused(number: int, status: int, error: str, resolution: str, reason: str = "") -> Response:
    told = {"error": error, "reason": reason, "resolution": resolution}
    response = error_response(number, status, told, "refused" if status == 503 else "failed")
    if status == 503:
        response.headers.append(("retry-after", str(RETRY_AFTER)))
    return response
