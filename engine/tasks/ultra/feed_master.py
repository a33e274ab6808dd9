"""The feed master: queues the requests of an ultra task and hands them to its instances.

Every request gets exactly one response. Requests that an instance had in progress when it died are
delivered again, in their old order and before all that wait. A request that has seen two instances
die is then processed alone, so that one that kills its instance does not take others with it.
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
from engine.tasks.definition.task import Task
from engine.tasks.pool.fleet import Fleet, InstanceHandle
from engine.tasks.pool.statistics import SnapTotals, TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.wire.messages import Opening, Request, Response, SnapCounts
from engine.tasks.worker.documents import error_response

log = logging.getLogger(__name__)

WATCH_INTERVAL = 0.25
"""Seconds between two checks for overdue requests."""

SUSPECT_AFTER = 2
"""Number of instances that die with a request in progress before it is processed alone."""

RETRY_AFTER = 1
"""Seconds after which a caller that was refused may try again."""

MEMORY_FOR_BODIES = 512 * 1024 * 1024
"""Bytes of request bodies that a task may hold; beyond that its queue counts as full."""


class Pending:
    """A request without a response; `deaths` counts the instances that died with it."""

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
        self.taps = TapBoard()
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
    def plan(self) -> Plan:
        return self._fleet.plan

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
        """The running ones, of old and new plans."""
        return [instance for fleet in self._fleets() for instance in fleet.instances]

    def snap_counts(self) -> list[SnapCounts]:
        return self._totals.with_running(instance.counts for instance in self.instances)

    async def reload(self, task: Task, plan: Plan) -> bool:
        """Switch to new instances once one of them is ready; the old ones finish their requests.

        Returns False if none could be started; then nothing changes.
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
        """Refuse new requests; let the open ones finish, then end all instances."""
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
            count = len(self._open)
            text = "1 request was" if count == 1 else f"{count} requests were"
            log.warning(
                "%s still open at shutdown and not answered", text, extra={"task": self.task.name}
            )
        self._refuse_all("the server is shutting down", "try again later")
        if self._watch is not None:
            self._watch.cancel()

    # For the front

    async def answer(self, request: Request) -> Response:
        """The response to a request, whose id must be unique."""
        future: asyncio.Future[Response] = self._loop.create_future()
        self.submit(request, partial(_settle, future))
        return await future

    def submit(self, request: Request, deliver: Callable[[Response], None]) -> None:
        """Call `deliver` once with the response, perhaps before this returns."""
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
            instance.channel.flush()  # nothing else would share the frame

    def _refusal(self, size: int) -> tuple[str, str] | None:
        if self._draining:
            return "the server is shutting down", "try again later"
        if self._fleet.disabled:
            return _DISABLED
        full = self.queue_depth >= self.task.limits.queue or self._bytes + size > MEMORY_FOR_BODIES
        if full:
            return "the queue of the task is full", "try again later"
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
        """The next request and its instance; None if all have enough work."""
        watched = self._watched() if self._suspects else None
        if watched is not None and not watched.load:
            watched.alone = True
            return watched, self._suspects.popleft()
        chosen = self._least_busy(watched)  # the watched one has to finish its work first
        if chosen is None or not self._waiting:
            return None, None
        return chosen, self._waiting.popleft()

    def _least_busy(self, watched: InstanceHandle | None = None) -> InstanceHandle | None:
        """The instance for the next request; None if all have enough work."""
        least, chosen = self.task.limits.in_flight, None
        for instance in self._fleet.instances:
            load = instance.load
            free = instance.takes_work and not instance.alone
            if load < least and free and instance is not watched:
                least, chosen = load, instance
        return chosen

    def _watched(self) -> InstanceHandle | None:
        """The instance that processes suspects, one by one."""
        return next((each for each in self._fleet.instances if each.takes_work), None)

    # From the instances

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
                reason = f"{pending.deaths} instances died while processing it"
                log.error("request failed: %s", reason, extra={"task": self.task.name})
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
        except Exception:  # a bug of ours must not cost other requests their response
            log.exception("a response could not be delivered", extra={"task": self.task.name})

    def _refuse(
        self, pending: Pending, status: int, error: str, resolution: str, reason: str = ""
    ) -> None:
        number = pending.request.id
        self._settle(pending, _refused(number, status, error, resolution, reason))

    def _refuse_all(self, error: str, resolution: str) -> None:
        """Refuse all open requests."""
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
                self._dispatch()  # requests that timed out have freed their places
            except Exception:  # a bug of ours must not stop the clock
                log.exception(
                    "checking for overdue requests failed", extra={"task": self.task.name}
                )

    def _overdue(self) -> list[Pending]:
        """Open requests are in the order of arrival, so this looks at few."""
        oldest = time.monotonic() - self.task.timeouts.request
        return list(itertools.takewhile(lambda each: each.arrived < oldest, self._open.values()))

    def _time_out(self, pending: Pending) -> None:
        """Respond in place of the pipeline."""
        seconds = self.task.timeouts.request
        unit = "second" if seconds == 1 else "seconds"
        reason = f"there was no response within {seconds:g} {unit}"
        log.warning("request failed: %s", reason, extra={"task": self.task.name})
        self._refuse(pending, 504, "the request took too long", "", reason)
        for queue in (self._waiting, self._suspects):
            with contextlib.suppress(ValueError):
                queue.remove(pending)
        if pending.instance is not None:
            pending.instance.give_up(pending.request.id, time.monotonic())

    def _end_stuck(self) -> None:
        """Kill instances that have had work for `timeouts.request` without any response.

        One that processes a suspect alone has no other work once that has timed out.
        """
        patience = self.task.timeouts.request
        for instance in self.instances:
            instance.forget_before(time.monotonic() - patience)
            silence = time.monotonic() - (instance.silent_since or math.inf)
            is_over = silence >= patience or (instance.alone and not instance.in_flight)
            if is_over and instance.ready:
                text = "%s has not responded for %.1f seconds; killing it"
                log.warning(text, instance, silence, extra=instance.about())
                instance.ready = False  # no other request is to die with it
                self._in_background(instance.kill())

    # Generations of instances

    def _fleet_for(self, task: Task, plan: Plan, *, trial: bool = False) -> Fleet:
        rules = FileRules(allow_outside=task.allow_outside)
        identity = identify(plan, task.parameters, files=rules)
        opening = Opening(plan, identity, task.name, task.filtered_status)
        return Fleet(task, opening, self, self.taps, trial=trial)

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
            log.warning(
                "instances of the old pipeline were killed while they had work", extra=fleet.about()
            )
        finally:
            await fleet.stop()  # their requests go to the new instances
            self._retired.discard(fleet)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


_DISABLED = (
    "the task is disabled: its pipeline could not be started",
    "see the server's log",
)


def _settle(future: asyncio.Future[Response], response: Response) -> None:
    if not future.done():  # otherwise the caller has gone
        future.set_result(response)


def _refused(number: int, status: int, error: str, resolution: str, reason: str = "") -> Response:
    document = {"error": error, "reason": reason, "resolution": resolution}
    response = error_response(number, status, document, "refused" if status == 503 else "failed")
    if status == 503:
        response.headers.append(("retry-after", str(RETRY_AFTER)))
    return response
