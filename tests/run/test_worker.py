"""Blocking calls run in a separate thread and can be interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engine.run import worker as worker_module
from engine.run.worker import Worker


def test_returns_the_result_of_the_call() -> None:
    async def work() -> int:
        worker = Worker("test", interrupt=lambda: None)
        try:
            return await worker.call(lambda a, b: a + b, 2, b=3)
        finally:
            worker.stop()

    assert asyncio.run(work()) == 5


def test_raises_the_exception_of_the_call() -> None:
    def fails() -> None:
        raise ValueError("no")

    async def work() -> None:
        worker = Worker("test", interrupt=lambda: None)
        try:
            await worker.call(fails)
        finally:
            worker.stop()

    with pytest.raises(ValueError, match="no"):
        asyncio.run(work())


def test_interrupts_the_call_when_its_caller_is_cancelled() -> None:
    started, stop = threading.Event(), threading.Event()

    def blocks() -> None:
        started.set()
        assert stop.wait(240)

    async def work() -> bool:
        worker = Worker("test", interrupt=stop.set)
        task = asyncio.create_task(worker.call(blocks))
        await asyncio.to_thread(started.wait, 240)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        worker.stop()
        return worker.abandoned

    assert asyncio.run(work()) is False


def test_leaves_a_call_behind_that_cannot_be_interrupted() -> None:
    started, release = threading.Event(), threading.Event()

    def stuck() -> None:
        started.set()
        release.wait(240)

    async def work() -> bool:
        worker = Worker("test", interrupt=lambda: None)
        task = asyncio.create_task(worker.call(stuck))
        await asyncio.to_thread(started.wait, 240)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return worker.abandoned

    assert asyncio.run(work()) is True
    assert not release.is_set()  # the call is still stuck
    release.set()


def test_ready_results_do_not_wait_for_the_next_one() -> None:
    taken = threading.Event()

    def results() -> Iterator[int]:
        yield 1
        yield 2
        assert taken.wait(240)
        yield 3

    async def work() -> tuple[list[int], list[int]]:
        worker = Worker("test", interrupt=lambda: None)
        early: list[int] = []
        late: list[int] = []
        numbers, more = results(), True
        while len(early) < 2:
            some, failure, more = await worker.gather(numbers)
            assert failure is None
            early += some
        taken.set()
        while more:
            some, failure, more = await worker.gather(numbers)
            late += some
        await worker.close(lambda: None)
        return early, late

    assert asyncio.run(work()) == ([1, 2], [3])


def test_results_of_a_thread_that_starts_late_do_not_wait_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "WAITING_SECONDS", 0.0)
    gate, taken = threading.Event(), threading.Event()

    def results() -> Iterator[int]:
        yield 1
        assert taken.wait(240)

    async def work() -> list[int]:
        worker = Worker("test", interrupt=taken.set)
        busy = asyncio.create_task(worker.call(gate.wait, 240))
        gathering = asyncio.create_task(worker.gather(results()))
        for _ in range(10):  # the time to wait is over before the thread begins
            await asyncio.sleep(0)
        gate.set()
        found, failure, _ = await gathering
        assert failure is None
        taken.set()
        await busy
        await worker.close(lambda: None)
        return found

    assert asyncio.run(work()) == [1]


def test_results_before_an_error_come_with_it() -> None:
    def results() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    async def work() -> tuple[list[int], str]:
        worker = Worker("test", interrupt=lambda: None)
        found: list[int] = []
        numbers, more, failure = results(), True, None
        while more:
            some, failure, more = await worker.gather(numbers)
            found += some
        await worker.close(lambda: None)
        return found, str(failure)

    assert asyncio.run(work()) == ([1], "no")


def test_closing_interrupts_results_that_are_still_being_made() -> None:
    stop, closed = threading.Event(), threading.Event()

    def results() -> Iterator[int]:
        yield 1
        assert stop.wait(240)

    async def work() -> list[int]:
        worker = Worker("test", interrupt=stop.set)
        found, _, more = await worker.gather(results())
        assert more
        await worker.close(closed.set)
        return found

    assert asyncio.run(work()) == [1]
    assert closed.is_set()
