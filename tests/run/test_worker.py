"""Blocking calls run in a separate thread and can be interrupted."""

from __future__ import annotations

import asyncio
import threading

import pytest

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
        assert stop.wait(10)

    async def work() -> bool:
        worker = Worker("test", interrupt=stop.set)
        task = asyncio.create_task(worker.call(blocks))
        await asyncio.to_thread(started.wait, 10)
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
        release.wait(60)

    async def work() -> bool:
        worker = Worker("test", interrupt=lambda: None)
        task = asyncio.create_task(worker.call(stuck))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return worker.abandoned

    assert asyncio.run(work()) is True
    assert not release.is_set()  # the call is still stuck
    release.set()
