"""Scheduled tasks: runs at their times, whatever becomes of them, and a history of all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.plan.plan import Plan
from engine.tasks.definition.task import Schedule, Task
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.scheduled.history import History, RunRecord
from engine.tasks.scheduled.scheduler import ScheduledTask, SystemClock
from tests.tasks.hosting import Gate, in_loop, plan_of, turns

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOURLY = Schedule(every=3600.0)
ONE = "snaps: {make: {snap: JSONGenerator, documents: [{n: 1}]}}"
FAILING = "snaps: {make: {snap: Mapper, mappings: {$a: $b.c.d}}}"
GATED = """
snaps:
  read: {snap: FileReader, file: gate}
  parse: {snap: JSONParser}
links: [read -> parse]
"""


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)
        self._changed.set()

    async def wait_until(self, moment: datetime) -> None:
        begun = self._now
        while begun <= self._now < moment:
            self._changed.clear()
            await self._changed.wait()


class Hosted:
    """A scheduled task with its clock and history."""

    def __init__(self, plan: Plan, history: History, schedule: Schedule, **options: Any) -> None:
        self.clock = SetClock()
        self.history = history
        self.identity = Task(name="task", pipeline=plan.path, path=plan.path).identity
        self.task = self.task_with(plan, schedule, **options)
        self.scheduled = ScheduledTask(self.task, plan, TaskStatistics(), history, self.clock)

    def task_with(self, plan: Plan, schedule: Schedule, **options: Any) -> Task:
        options = {"overlap": False, **options}
        return Task(
            name="task",
            pipeline=plan.path,
            path=plan.path,
            type="scheduled",
            schedule=schedule,
            **options,
        )

    def records(self) -> list[RunRecord]:
        """Oldest first."""
        return self.history.recent(self.identity)[::-1]

    def statuses(self) -> list[str]:
        return [record.status for record in self.records()]


@asynccontextmanager
async def hosted(
    plan: Plan, folder: Path, schedule: Schedule = HOURLY, **options: Any
) -> AsyncIterator[Hosted]:
    with History(folder / "history") as history:
        it = Hosted(plan, history, schedule, **options)
        it.scheduled.start()
        try:
            yield it
        finally:
            await it.scheduled.drain(0)


@in_loop
async def test_a_run_begins_at_its_time_and_is_written_down(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        await turns(lambda: it.scheduled.next_run)
        assert it.scheduled.next_run == NOON + timedelta(hours=1)
        it.clock.advance(minutes=59)
        await asyncio.sleep(0)
        assert it.records() == []
        it.clock.advance(minutes=1)
        await turns(lambda: it.statuses() == ["completed"])
        (record,) = it.records()
        assert record.scheduled_at == NOON + timedelta(hours=1)
        assert record.finished_at == it.clock.now()
        assert record.counts["snaps"][0] | {"seconds": 0} == {
            "label": "make",
            "snap": "JSONGenerator",
            "in": 1,
            "made": 0,
            "out": 1,
            "dropped": 0,
            "errors": 0,
            "merged": 0,
            "views": {"in": {"input": 1}, "out": {"output": 1, "error": 0}},
            "seconds": 0,
            "status": "completed",
        }
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed", "completed"])
        assert it.scheduled.statistics.total == 2


@in_loop
async def test_a_clock_that_is_set_back_makes_the_times_come_again(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed"])
        it.clock.advance(hours=-2)
        await turns(lambda: it.scheduled.next_run == NOON)
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed"])
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed"] * 2)
        times = [record.scheduled_at for record in it.records()]
        assert times == [NOON, NOON + timedelta(hours=1)]


@in_loop
async def test_a_clock_that_is_corrected_by_a_little_repeats_nothing(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed"])
        it.clock.advance(seconds=-5)
        await asyncio.sleep(0)
        it.clock.advance(seconds=10)
        await asyncio.sleep(0)
        assert it.scheduled.next_run == NOON + timedelta(hours=2)
        assert it.statuses() == ["completed"]


@in_loop
async def test_a_server_that_starts_after_the_clock_was_set_back_does_not_wait(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path, ONE)
    with History(tmp_path / "history") as history:
        it = Hosted(plan, history, HOURLY)
        run = history.begin(it.identity, NOON + timedelta(days=9), NOON + timedelta(days=9))
        assert run is not None
        history.finish(run, NOON + timedelta(days=9), "completed")
        it.scheduled.start()
        try:
            assert it.scheduled.next_run == NOON + timedelta(hours=1)
            assert it.records() == []
        finally:
            await it.scheduled.drain(0)


@in_loop
async def test_a_failing_run_does_not_end_the_watch(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, FAILING), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["failed"])
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["failed", "failed"])
        assert "snap 'make' (Mapper" in it.records()[0].message


@in_loop
async def test_the_next_run_is_known_at_once_by_the_clock_of_the_schedule(tmp_path: Path) -> None:
    schedule = Schedule(cron="30 7 * * MON-FRI", timezone="Europe/Berlin")
    async with hosted(plan_of(tmp_path, ONE), tmp_path, schedule) as it:
        assert it.scheduled.next_time == "2026-05-05T07:30:00+02:00"
        assert it.scheduled.next_run_text == "next run at 2026-05-05T07:30:00+02:00"


@in_loop
async def test_a_reload_tells_the_next_run_if_the_schedule_has_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    plan = plan_of(tmp_path, ONE)
    async with hosted(plan, tmp_path) as it:
        assert await it.scheduled.reload(it.task_with(plan, HOURLY), plan)
        assert "the schedule has changed" not in caplog.text
        daily = it.task_with(plan, Schedule(cron="0 18 * * *", timezone="Europe/Berlin"))
        assert await it.scheduled.reload(daily, plan)
    line = "the schedule has changed; next run at 2026-05-04T18:00:00+02:00"
    assert line in caplog.text


@in_loop
async def test_a_skipped_run_is_reported_in_the_time_zone_of_its_schedule(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(tmp_path)
    schedule = Schedule(cron="0 * * * *", timezone="Europe/Berlin")
    async with hosted(plan_of(tmp_path, GATED), tmp_path, schedule) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running"])
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running", "skipped"])
        await gate.open()
    assert "run of 2026-05-04T16:00:00+02:00 skipped: an earlier run" in caplog.text


@in_loop
async def test_no_run_starts_while_another_is_in_progress(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running"])
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running", "skipped"])
        assert it.records()[1].message == "an earlier run was still in progress"
        await gate.open()
        await turns(lambda: it.statuses() == ["completed", "skipped"])


@in_loop
async def test_times_in_a_pause_are_skipped(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        await it.scheduled.pause()
        assert it.scheduled.next_run is None
        it.clock.advance(hours=30)
        assert await it.scheduled.reload(it.task, it.scheduled.plan)
        assert it.scheduled.next_run is None
        it.scheduled.resume()
        (record,) = it.records()
        assert (record.status, record.message) == ("skipped", "the task was paused")
        assert record.scheduled_at == NOON + timedelta(hours=30)
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["skipped", "completed"])


@in_loop
async def test_a_pause_without_a_time_in_it_leaves_no_trace(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        await it.scheduled.pause()
        it.clock.advance(minutes=30)
        it.scheduled.resume()
        assert it.scheduled.next_run == NOON + timedelta(hours=1)
        it.clock.advance(minutes=30)
        await turns(lambda: it.statuses() == ["completed"])


@in_loop
async def test_a_run_can_be_started_outside_the_schedule_unless_one_goes_on(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), tmp_path) as it:
        it.clock.advance(minutes=10)
        assert it.scheduled.run_now()
        await turns(lambda: it.statuses() == ["running"])
        assert not it.scheduled.run_now()
        await gate.open()
        await turns(lambda: it.statuses() == ["completed"])
        assert it.records()[0].scheduled_at == NOON + timedelta(minutes=10)
        assert it.scheduled.next_run == NOON + timedelta(hours=1)
        it.clock.advance(minutes=50)
        await turns(lambda: it.statuses() == ["completed", "running"])


@in_loop
async def test_runs_overlap_if_the_task_says_so(tmp_path: Path) -> None:
    Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), tmp_path, overlap=True) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running"])
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["running"] * 2)
        await turns(lambda: it.scheduled.in_flight == 2)


@in_loop
async def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    Gate(tmp_path)
    schedule = Schedule(every=3600.0, timeout=0.3)
    async with hosted(plan_of(tmp_path, GATED), tmp_path, schedule) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["stopped"])
        assert it.records()[0].message == "the run took longer than 0.3 seconds"
        await turns(lambda: it.scheduled.in_flight == 0)


@in_loop
async def test_runs_missed_while_no_server_ran_are_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of(tmp_path, ONE)
    async with hosted(plan, tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.statuses() == ["completed"])
    with History(tmp_path / "history") as history:
        later = Hosted(plan, history, HOURLY)
        later.clock.advance(hours=4, minutes=30)
        later.scheduled.start()
        await turns(lambda: later.scheduled.next_run)
        await later.scheduled.drain(0)
        assert later.statuses() == ["completed", "misfired"]
    text = "3 runs from 2026-05-04T14:00:00+00:00 to 2026-05-04T16:00:00+00:00 were missed"
    assert text in caplog.text


@in_loop
async def test_a_changed_schedule_counts_from_its_reload_on(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ONE)
    async with hosted(plan, tmp_path) as it:
        await turns(lambda: it.scheduled.next_run)
        it.clock.advance(minutes=30)
        daily = it.task_with(plan, Schedule(cron="0 18 * * *"))
        assert await it.scheduled.reload(daily, plan)
        await turns(lambda: it.scheduled.next_run == NOON + timedelta(hours=6))
        it.clock.advance(hours=5, minutes=30)
        await turns(lambda: it.statuses() == ["completed"])
        assert it.records()[0].scheduled_at == NOON + timedelta(hours=6)


@in_loop
async def test_a_shutdown_stops_what_does_not_end_in_time(tmp_path: Path) -> None:
    Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.scheduled.in_flight)
        await it.scheduled.drain(0)
        assert it.statuses() == ["stopped"]
        assert it.scheduled.instances == []


@in_loop
async def test_a_shutdown_waits_for_what_ends_in_time(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), tmp_path) as it:
        it.clock.advance(hours=1)
        await turns(lambda: it.scheduled.in_flight)
        draining = asyncio.create_task(it.scheduled.drain(1000))
        await gate.open()
        await draining
        assert it.statuses() == ["completed"]


@in_loop
async def test_a_schedule_that_is_over_starts_nothing(tmp_path: Path) -> None:
    schedule = Schedule(at=NOON - timedelta(days=1))
    async with hosted(plan_of(tmp_path, ONE), tmp_path, schedule) as it:
        await turns(lambda: it.scheduled.disabled == "")
        it.clock.advance(days=30)
        await asyncio.sleep(0)
        assert (it.records(), it.scheduled.next_run, it.scheduled.next_time) == ([], None, None)
        assert it.scheduled.next_run_text == "no more runs"


@in_loop
async def test_a_history_that_is_out_of_order_does_not_keep_work_undone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hosted(plan_of(tmp_path, ONE), tmp_path) as it:
        it.history.close()
        it.clock.advance(hours=1)
        await turns(lambda: it.scheduled.statistics.total == 1)
    assert "history of scheduled runs" in caplog.text


@in_loop
async def test_the_clock_of_the_system_comes_to_each_moment() -> None:
    clock = SystemClock()
    moment = clock.now() + timedelta(milliseconds=20)
    await clock.wait_until(moment)
    assert clock.now() >= moment
