"""The feed master and the clock: which requests are given up, and which instances are killed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from engine.tasks.definition.task import Limits, Task, Timeouts
from engine.tasks.pool import fleet
from engine.tasks.pool.fleet import InstanceHandle
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.ultra import feed_master
from engine.tasks.ultra.feed_master import FeedMaster
from engine.tasks.wire.messages import Request, Response
from tests.tasks.hosting import in_loop, turns

SECONDS = 0.5


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Fleet:
    """Instances that the test answers for."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.instances: list[InstanceHandle] = []
        self.disabled = ""

    def start(self) -> None:
        """They are there already."""

    async def stop(self) -> None:
        """There is nothing to end."""


class Killed:
    """The process of an instance, which takes its time to end."""

    pid = 0

    def __init__(self) -> None:
        self.kills = 0
        self.ended = asyncio.Event()

    async def kill(self) -> int:
        self.kills += 1
        await self.ended.wait()
        return -9


class Master:
    def __init__(self, clock: Clock, instances: int, in_flight: int) -> None:
        self.clock = clock
        limits = Limits(in_flight=in_flight)
        timeouts = Timeouts(request=SECONDS)
        task = Task(name="a", pipeline="a.yaml", path="a.yaml", limits=limits, timeouts=timeouts)
        self.fleet = Fleet(task)
        self.master = _Manned(self.fleet, task)
        self.statuses: dict[int, int] = {}
        for number in range(instances):
            instance = InstanceHandle(number, self.fleet, self.master)  # type: ignore[arg-type]
            instance.ready = True
            instance.process = Killed()  # type: ignore[assignment]
            self.fleet.instances.append(instance)

    def ask(self, number: int) -> None:
        request = Request(number, "GET", "/", "", "", [], b"")
        self.master.submit(request, lambda answer: self.statuses.update({number: answer.status}))

    def answer(self, number: int) -> None:
        """As the instance would that has the request."""
        (instance,) = (each for each in self.fleet.instances if number in each.in_flight)
        instance._receive(Response(number, 200, [], b""))

    async def later(self, seconds: float) -> None:
        """Let time pass, until the feed master has noticed it."""
        self.clock.now += seconds
        rounds = self.master.rounds
        await turns(lambda: self.master.rounds >= rounds + 2)

    def kills(self, instance: int = 0) -> int:
        process: Any = self.fleet.instances[instance].process
        return int(process.kills)


class _Manned(FeedMaster):
    def __init__(self, fleet: Fleet, task: Task) -> None:
        self._manned = fleet
        self.rounds = 0
        super().__init__(task, None, TaskStatistics())  # type: ignore[arg-type]

    def _fleet_for(self, *_: Any, **__: Any) -> Any:
        return self._manned

    def _end_stuck(self) -> None:
        super()._end_stuck()
        self.rounds += 1


Manned = Callable[..., AbstractAsyncContextManager[Master]]


@pytest.fixture
def manned(monkeypatch: pytest.MonkeyPatch) -> Manned:
    """A feed master on a clock that the test moves, with instances that the test answers for."""
    clock = Clock()
    monkeypatch.setattr(feed_master, "WATCH_INTERVAL", 0.001)
    monkeypatch.setattr(feed_master, "time", clock)
    monkeypatch.setattr(fleet, "time", clock)

    @asynccontextmanager
    async def manned(instances: int = 1, in_flight: int = 10) -> AsyncIterator[Master]:
        here = Master(clock, instances, in_flight)
        here.master.start()
        try:
            yield here
        finally:
            for instance in here.fleet.instances:
                process: Any = instance.process
                process.ended.set()
            await here.master.drain(0)

    return manned


@in_loop
async def test_overdue_requests_are_noticed_while_instances_are_killed(manned: Manned) -> None:
    async with manned(instances=2) as it:
        it.ask(1)
        it.ask(2)
        await it.later(SECONDS * 1.1)
        assert it.statuses == {1: 504, 2: 504}
        assert it.kills(0) == it.kills(1) == 1
        it.ask(3)
        await it.later(SECONDS * 1.1)
        assert it.statuses[3] == 504
        assert it.kills(0) == it.kills(1) == 1


@in_loop
async def test_an_instance_that_got_a_late_request_a_moment_ago_is_not_killed(
    manned: Manned,
) -> None:
    async with manned(in_flight=1) as it:
        it.ask(1)
        it.ask(2)
        await it.later(SECONDS * 0.5)
        it.answer(1)
        await it.later(SECONDS * 0.6)
        assert it.statuses[2] == 504
        assert it.kills() == 0


@in_loop
async def test_an_instance_without_any_response_is_killed_with_its_request(
    manned: Manned,
) -> None:
    async with manned() as it:
        it.ask(1)
        await it.later(SECONDS * 1.1)
        assert it.statuses[1] == 504
        assert it.kills() == 1


@in_loop
async def test_an_instance_whose_only_request_is_a_suspect_is_killed_with_it(
    manned: Manned,
) -> None:
    async with manned() as it:
        (instance,) = it.fleet.instances
        it.ask(1)
        await it.later(SECONDS * 0.5)
        for _ in range(2):
            instance.silent_since = None  # as that of another that takes its place
            it.master.instance_lost(instance)
        assert instance.alone
        await it.later(SECONDS * 0.6)
        assert it.statuses[1] == 504
        assert it.kills() == 1
        it.ask(2)
        assert it.master.queue_depth == 1  # it is given to the next


@in_loop
async def test_an_instance_that_answers_others_is_not_killed(manned: Manned) -> None:
    async with manned() as it:
        it.ask(1)
        for number in range(2, 6):
            it.ask(number)
            await it.later(SECONDS / 3)
            it.answer(number)
        assert it.statuses[1] == 504
        assert it.kills() == 0


@in_loop
async def test_an_instance_that_answers_late_is_not_killed(manned: Manned) -> None:
    async with manned() as it:
        it.ask(1)
        it.ask(2)
        await it.later(SECONDS * 0.5)
        it.answer(2)
        await it.later(SECONDS * 0.6)
        assert it.statuses[1] == 504
        it.fleet.instances[0]._receive(Response(1, 200, [], b""))
        await it.later(SECONDS)
        assert it.master.statistics.late == 1
        assert it.kills() == 0


@in_loop
async def test_a_request_that_was_given_up_keeps_its_place_until_it_ends(
    manned: Manned,
) -> None:
    """Otherwise an overloaded instance would get more and more that nobody waits for."""
    async with manned(in_flight=1) as it:
        (instance,) = it.fleet.instances
        it.ask(1)
        await it.later(SECONDS * 0.5)
        it.ask(2)
        await it.later(SECONDS * 0.25)
        instance.silent_since = None  # as if it had answered another
        await it.later(SECONDS * 0.3)
        assert it.statuses == {1: 504}
        assert it.master.queue_depth == 1
        instance._receive(Response(1, 200, [], b""))
        assert list(instance.in_flight) == [2]


@in_loop
async def test_the_place_of_a_lost_request_is_free_in_the_end(manned: Manned) -> None:
    async with manned(in_flight=2) as it:
        (instance,) = it.fleet.instances
        it.ask(1)
        others = itertools.count(2)
        while instance.load or 1 not in it.statuses:  # others are answered all the time
            number = next(others)
            it.ask(number)
            it.answer(number)
            assert instance.load <= 1
            await it.later(SECONDS / 10)
        assert it.statuses[1] == 504
        assert it.kills() == 0


@in_loop
async def test_a_late_response_to_another_request_leaves_a_suspect_alone(manned: Manned) -> None:
    async with manned() as it:
        (instance,) = it.fleet.instances
        it.ask(9)
        it.ask(1)
        it.ask(2)
        it.answer(2)
        for _ in range(2):
            it.master.instance_lost(instance)
        assert instance.alone
        assert len(instance.in_flight) == 1
        instance._receive(Response(7, 200, [], b""))
        it.ask(3)
        assert instance.alone
        assert 3 not in instance.in_flight


@in_loop
async def test_a_refused_request_is_not_processed_later(manned: Manned) -> None:
    async with manned(in_flight=1) as it:
        it.ask(1)
        it.ask(2)
        it.master.fleet_disabled(it.fleet)  # type: ignore[arg-type]
        assert it.statuses == {1: 503, 2: 503}
        assert it.master.queue_depth == 0
        it.fleet.instances[0].in_flight.clear()
        it.ask(3)
        assert list(it.fleet.instances[0].in_flight) == [3]
