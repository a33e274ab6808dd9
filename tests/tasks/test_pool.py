"""The pool and the clock: which requests are given up, and which processes are killed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from engine.tasks.definition.task import Limits, Task, Timeouts
from engine.tasks.front.reply import Reply
from engine.tasks.pool.pool import IMPATIENT_SECONDS, Pool
from engine.tasks.pool.staffing import staffing_of
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.pool.task_process import QUICK_SECONDS, Ending, TaskProcess
from engine.tasks.ultra.feed_master import PendingRequest
from engine.tasks.wire.messages import Request, RequestHead, Response, RunFailure
from tests.tasks.hosting import in_loop

SECONDS = 0.5


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


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


class Manned:
    """A pool with processes that the test answers for, on a clock that it moves."""

    def __init__(self, instances: int, in_flight: int) -> None:
        self.clock = Clock()
        limits = Limits(in_flight=in_flight)
        timeouts = Timeouts(request=SECONDS)
        task = Task(name="a", pipeline="a.yaml", path="a.yaml", limits=limits, timeouts=timeouts)
        staffing = msgspec.structs.replace(staffing_of(task), least=0, most=0)
        self.statistics = TaskStatistics()
        self.pool = Pool(task, staffing, b"", self.statistics)
        self.pool._now = self.clock.monotonic
        self.statuses: dict[int, int] = {}
        self.processes = self.pool.generations.current.processes
        for number in range(1, instances + 1):
            process = TaskProcess("a", number, in_flight, self.pool)
            process._now = self.clock.monotonic
            process.ready = True
            process.process = Killed()  # type: ignore[assignment]
            self.processes.append(process)

    def ask(self, number: int) -> None:
        request = Request(number, RequestHead("GET", "/").packed(), b"")
        too_late = RunFailure(504, "the request took too long")
        deadline = self.clock.now + SECONDS

        def note(response: Response | Reply) -> None:
            self.statuses[number] = response.status

        self.pool.submit(PendingRequest(request, note, deadline, too_late, self.pool))

    def answer(self, number: int) -> None:
        """As the instance would that has the request."""
        (process,) = (each for each in self.processes if number in each.jobs)
        process._receive(Response(number, 200, [], b""))

    def lose(self, process: TaskProcess) -> None:
        """It ends, and another takes its place."""
        process.silent_since = None
        process.alone = False
        self.pool.process_ended(process, Ending("it was killed", killed=True))

    async def later(self, seconds: float) -> None:
        """Let time pass, until the pool has noticed it."""
        self.clock.now += seconds
        self.pool._look(self.clock.now)
        await asyncio.sleep(0)

    def kills(self, number: int = 0) -> int:
        process: Any = self.processes[number].process
        return int(process.kills)


@asynccontextmanager
async def manned(instances: int = 1, in_flight: int = 10) -> AsyncIterator[Manned]:
    here = Manned(instances, in_flight)
    try:
        yield here
    finally:
        for each in here.processes:
            process: Any = each.process
            process.ended.set()
        await here.pool.drain(0)


@in_loop
async def test_overdue_requests_are_noticed_while_instances_are_killed() -> None:
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
async def test_many_overdue_requests_are_a_few_lines_of_the_log_and_their_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with manned(in_flight=100) as it:
        for number in range(100):
            it.ask(number)
        await it.later(SECONDS * 1.1)
        assert set(it.statuses.values()) == {504}
    lines = [text for text in caplog.messages if "request failed" in text or "run failed" in text]
    assert 1 <= len(lines) < 50


@in_loop
async def test_an_instance_that_got_a_late_request_a_moment_ago_is_not_killed() -> None:
    async with manned(in_flight=1) as it:
        it.ask(1)
        it.ask(2)
        await it.later(SECONDS * 0.5)
        it.answer(1)
        await it.later(SECONDS * 0.6)
        assert it.statuses[2] == 504
        assert it.kills() == 0


@in_loop
async def test_an_instance_without_any_response_is_killed_with_its_request() -> None:
    async with manned() as it:
        it.ask(1)
        await it.later(SECONDS * 1.1)
        assert it.statuses[1] == 504
        assert it.kills() == 1


@in_loop
async def test_an_instance_whose_only_request_is_a_suspect_is_killed_with_it() -> None:
    async with manned() as it:
        (process,) = it.processes
        it.ask(1)
        await it.later(SECONDS * 0.5)
        for _ in range(2):
            it.lose(process)
        assert process.alone
        await it.later(SECONDS * 0.6)
        assert it.statuses[1] == 504
        assert it.kills() == 1
        it.ask(2)
        assert it.pool.jobs.waiting == 1  # it is given to the next


@in_loop
async def test_an_instance_that_answers_others_is_not_killed() -> None:
    async with manned() as it:
        it.ask(1)
        for number in range(2, 6):
            it.ask(number)
            await it.later(SECONDS / 3)
            it.answer(number)
        assert it.statuses[1] == 504
        assert it.kills() == 0


@in_loop
async def test_an_instance_that_answers_late_is_not_killed() -> None:
    async with manned() as it:
        it.ask(1)
        it.ask(2)
        await it.later(SECONDS * 0.5)
        it.answer(2)
        await it.later(SECONDS * 0.6)
        assert it.statuses[1] == 504
        it.processes[0]._receive(Response(1, 200, [], b""))
        await it.later(SECONDS)
        assert it.statistics.late == 1
        assert it.kills() == 0


@in_loop
async def test_a_request_that_was_given_up_keeps_its_place_until_it_ends() -> None:
    """Otherwise an overloaded instance would get more and more that nobody waits for."""
    async with manned(in_flight=1) as it:
        (process,) = it.processes
        it.ask(1)
        await it.later(SECONDS * 0.5)
        it.ask(2)
        await it.later(SECONDS * 0.25)
        process.silent_since = None  # as if it had answered another
        await it.later(SECONDS * 0.3)
        assert it.statuses == {1: 504}
        assert it.pool.jobs.waiting == 1
        process._receive(Response(1, 200, [], b""))
        assert list(process.jobs) == [2]


@in_loop
async def test_the_place_of_a_lost_request_is_free_in_the_end() -> None:
    async with manned(in_flight=2) as it:
        (process,) = it.processes
        it.ask(1)
        others = itertools.count(2)
        while process.load or 1 not in it.statuses:  # others are answered all the time
            number = next(others)
            it.ask(number)
            it.answer(number)
            assert process.load <= 1
            await it.later(SECONDS / 10)
        assert it.statuses[1] == 504
        assert it.kills() == 0


@in_loop
async def test_a_late_response_to_another_request_leaves_a_suspect_alone() -> None:
    async with manned() as it:
        (process,) = it.processes
        it.ask(9)
        it.ask(1)
        it.ask(2)
        it.answer(2)
        for _ in range(2):
            it.lose(process)
        assert process.alone
        assert len(process.jobs) == 1
        process._receive(Response(7, 200, [], b""))
        it.ask(3)
        assert process.alone
        assert 3 not in process.jobs


@in_loop
async def test_a_refused_request_is_not_processed_later() -> None:
    async with manned(in_flight=1) as it:
        it.ask(1)
        it.ask(2)
        it.pool.generation_disabled(it.pool.generations.current)
        assert it.statuses == {1: 503, 2: 503}
        assert it.pool.jobs.waiting == 0
        it.processes[0]._receive(Response(1, 200, [], b""))
        it.ask(3)
        assert list(it.processes[0].jobs) == [3]


@in_loop
async def test_a_job_that_is_withdrawn_is_over_and_its_process_is_told() -> None:
    async with manned(in_flight=1) as it:
        (process,) = it.processes
        it.ask(1)
        it.ask(2)
        it.pool.withdraw(2)
        assert it.pool.jobs.waiting == 0
        it.pool.withdraw(1)
        assert len(it.pool.jobs) == 0
        assert list(process.given_up) == [1]  # it keeps its place until it ends
        it.ask(3)
        assert it.pool.jobs.waiting == 1
        process._receive(Response(1, 204, [], b"", "filtered"))
        assert list(process.jobs) == [3]
        assert it.statuses == {}


@in_loop
async def test_while_callers_give_up_those_that_came_last_are_served_first() -> None:
    async with manned(in_flight=1) as it:
        for number in range(1, 6):
            it.ask(number)
        it.answer(1)
        it.answer(2)  # in the order of arrival
        it.pool.withdraw(4)
        it.answer(3)
        it.answer(5)
        it.ask(6)
        it.ask(7)
        it.ask(8)
        it.answer(6)
        assert list(it.processes[0].jobs) == [8]
        it.clock.now += IMPATIENT_SECONDS
        it.ask(9)
        it.answer(8)
        assert list(it.processes[0].jobs) == [7]


@in_loop
async def test_while_callers_give_up_a_slow_process_gets_fewer_jobs_at_a_time() -> None:
    async with manned(in_flight=100) as it:
        (process,) = it.processes
        for number in range(200):
            it.ask(number)
        it.pool.withdraw(199)
        it.clock.now += 2 * QUICK_SECONDS
        it.answer(0)
        assert process.limit == 80
        for number in range(1, 30):
            it.answer(number)
        assert process.limit < 80
        await it.later(IMPATIENT_SECONDS + 1)
        assert process.limit == 100
